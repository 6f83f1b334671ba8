//! The generated grammar of LogQL.

/// The generated parser.
mod generated {
    #![allow(missing_docs)]

    /// Reads LogQL.
    #[derive(pest_derive::Parser)]
    #[grammar = "../../grammar/logql.pest"]
    pub(crate) struct LogQl;
}

pub(super) use generated::{LogQl, Rule};
