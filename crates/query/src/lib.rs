//! Parses every dialect into one [`plan::Plan`], runs it over runs of events, merges partials into a result.
//!
//! Parsing and checking are pure. All reading goes through [`types::Run`], so hot events, segments and plain
//! files are queried by the same code. Nothing here knows HTTP or where a run comes from.

mod error;
pub mod function;
mod insights;
mod optimise;
pub mod plan;
mod show;
pub mod time;

pub use error::{QueryError, QueryErrors, Span};
pub use insights::{ParseOptions, parse_insights};
