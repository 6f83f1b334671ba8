//! Languages of queries: text to [`plan::Plan`], and back to text where that helps a person.
//!
//! Reading and checking are pure. Nothing here runs a plan.

pub mod dsl;
mod filter_pattern;
mod grammar;
mod insights;
mod kql;
mod logic;
pub mod logql;
pub mod lucene;
pub mod mapping;
mod query_language;
pub mod search_error;
mod search_query;
mod showing;
mod translate;
mod word_table;

pub use filter_pattern::{filter_pattern_selectors, parse_filter_pattern, parse_filter_pattern_showing};
pub use insights::{
    Choice, ChoiceKind, Completion, ParseOptions, complete_insights, format_insights, parse_baseline, parse_deletion,
    parse_insights, parse_rule, prefix_regex,
};
pub use kql::parse_kql;
pub use lucene::parse_lucene;
pub use query_language::Language;
pub use search_error::SearchError;
pub use showing::parse_showing;
pub use translate::{events_text, translate};
pub use word_table::{WordTable, word_table};
