//! The outcome of a query.

use door::{QueryRun, Result};
use execute::Answer;
use serde_json::{Map, Value};

/// Returns the rows of a query that is answered as a whole, and the columns that they are grouped by.
pub(super) type RowsOf = Box<dyn FnOnce(&QueryRun<'_>) -> Result<Answer> + Send>;

/// An answer with the members that the response adds to it.
pub(super) struct Outcome {
    pub(super) answer: Answer,
    /// Further members of a JSON answer, such as `explain`.
    pub(super) extra: Map<String, Value>,
}
