//! The generated grammar of Insights QL, and the limits of what it reads.

/// Deepest nesting of brackets.
pub(crate) const NESTING_MAX: usize = 128;

/// The generated parser.
mod generated {
    #![allow(missing_docs)]

    /// Reads Insights QL.
    #[derive(pest_derive::Parser)]
    #[grammar = "../../grammar/insights.pest"]
    pub(crate) struct Insights;
}

pub(crate) use generated::{Insights, Rule};
