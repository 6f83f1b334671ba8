//! The generated grammar of query strings.

/// The generated parser.
mod generated {
    #![allow(missing_docs)]

    /// Reads query strings.
    #[derive(pest_derive::Parser)]
    #[grammar = "../../grammar/lucene.pest"]
    pub(crate) struct Lucene;
}

pub(super) use generated::{Lucene, Rule};
