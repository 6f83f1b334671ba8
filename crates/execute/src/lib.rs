//! Runs a plan over runs of events: scan, partial results, merge, answer.
//!
//! A plan is cut at its first operator that needs more than one row at a time. What stands before it is applied to
//! every block by several threads, reading only the columns it touches; the operator itself is computed as partial
//! results that merge; what follows works on rows in memory. Indexes and statistics change what a query costs,
//! never what it answers. Damaged blocks, cancelling and running out of time make an answer partial, with a reason;
//! running out of memory is an error.

mod address;
mod aggregate;
mod aggregation;
mod answer;
mod any;
mod autoregress;
mod budget;
mod cache;
mod candidate;
mod cell;
mod codec;
mod compare;
mod context;
mod each;
mod elements;
mod environment;
mod error;
mod explain;
mod expression;
mod feed;
mod fields;
mod fill;
mod fingerprint;
mod frame;
mod frontier;
mod functions;
mod group;
mod histogram;
mod holds;
mod item;
mod join;
mod kept;
mod kept_rows;
mod lookup;
mod matched_fields;
mod matches;
mod matching;
mod memory;
mod minutes;
mod nested;
mod operators;
mod outlier;
mod parse;
mod partners;
mod path;
mod pattern;
mod patterns;
mod probe;
mod progress;
mod rank;
mod request;
mod row_columns;
mod row_order;
mod rows;
mod run;
mod scan;
mod score;
mod screen;
mod select;
mod selection;
mod sessionize;
mod settle;
mod simplify;
mod steps;
mod stop;
mod stream;
mod subquery;
mod table;
mod tail;
mod totals;
mod unknown_fields;
mod unnest;
mod value_size;

pub use crate::answer::{Answer, ColumnInfo, ColumnKind, PartialReason, Stats};
pub use crate::cache::{CacheCounts, PartialCache};
pub use crate::context::{Around, ContextError, Side, beyond, context_plan, event_plan};
pub use crate::error::ExecuteError;
pub use crate::explain::{ExplainedStep, Explanation, IndexUse, Stage, explain};
pub use crate::feed::{Asked, Feed, FeedOf};
pub use crate::fields::{
    FieldSummaries, FieldSummaryRow, FieldValues, ValueCount, field_presence, field_summaries, field_types,
    field_types_of, field_values,
};
pub use crate::histogram::{Bucket, Histogram, histogram};
pub use crate::holds::holds_for;
pub use crate::matched_fields::matched_fields;
pub use crate::memory::{Held, MemoryPool};
pub use crate::nested::has_subqueries;
pub use crate::pattern::{Usual, masked_text, pattern_lines, patterns_of, usual};
pub use crate::patterns::changes::{Change, Changes, Origin, changes};
pub use crate::patterns::event::Event;
pub use crate::patterns::patterns_plan;
pub use crate::patterns::restarts::{Restart, RestartKind};
pub use crate::request::{Request, Support, TableOf, TakePartialRows, TakeRows};
pub use crate::run::execute;
pub use crate::screen::Screen;
pub use crate::select::{Selected, select_events};
pub use crate::stream::{execute_stream, needs_several_passes};
pub use crate::subquery::{Answered, RunsOf, answer_subqueries, execute_with_subqueries, fetch_tables};
pub use crate::tail::{Tail, TailError, TailRows};
pub use crate::unknown_fields::{UnknownFields, unknown_fields};

#[cfg(test)]
mod tests;
