//! The generated grammar of filter patterns.

/// The generated parser.
mod generated {
    #![allow(missing_docs)]

    /// Reads filter patterns.
    #[derive(pest_derive::Parser)]
    #[grammar = "../../grammar/filter_pattern.pest"]
    pub(crate) struct FilterPattern;
}

pub(super) use generated::{FilterPattern, Rule};
