//! Parses every dialect into one [`plan::Plan`], runs it over runs of events, merges partials into a result.
//!
//! Parsing and checking are pure. All reading goes through [`types::Run`], so hot events, segments and plain
//! files are queried by the same code. Nothing here knows HTTP or where a run comes from.

pub mod function;
pub mod plan;
