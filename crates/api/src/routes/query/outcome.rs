//! The outcome of a query.

use execute::Answer;
use serde_json::{Map, Value};

/// An answer with the members that the response adds to it.
pub(super) struct Outcome {
    pub(super) answer: Answer,
    /// Further members of a JSON answer, such as `explain`.
    pub(super) extra: Map<String, Value>,
}
