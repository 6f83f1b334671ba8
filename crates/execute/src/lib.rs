//! Runs a plan over runs of events: scan, partial results, merge, answer.
//!
//! A plan is cut at its first operator that needs more than one row at a time. What is before it is applied to
//! every block by several threads, reading only the columns it touches; the operator itself is computed as partial
//! results that merge; what follows works on rows in memory. Indexes and statistics change what a query costs,
//! never what it answers. Damaged blocks, cancelling and running out of time make an answer partial, with a reason;
//! running out of memory is an error.

mod answers;
mod operators;
mod request;
mod scan;

pub use crate::answers::changes::{Change, Changes, Origin, changes};
pub use crate::answers::condition::holds_for;
pub use crate::answers::condition_counts::{CONDITIONS_MAX, ConditionCounts, Reach, condition_counts};
pub use crate::answers::condition_totals::{ConditionTotals, condition_totals};
pub use crate::answers::context::{ContextAnchor, ContextError, Side, beyond, context_plan, event_plan};
pub use crate::answers::event::Event;
pub use crate::answers::explain::{ExplainedStep, Explanation, IndexUse, Stage, explain};
pub use crate::answers::fields::{
    FieldSummaries, FieldSummaryRow, FieldValues, ValueCount, field_presence, field_summaries, field_types,
    field_types_of, field_values,
};
pub use crate::answers::histogram::{Bucket, Histogram, histogram};
pub use crate::answers::keeper::{Keeper, SampleRuns};
pub use crate::answers::matched_fields::matched_fields;

pub use crate::answers::part::answer_part;
pub use crate::answers::pattern_counts::{EventSet, PatternCount, PatternCounts, PatternTotals, pattern_counts};
pub use crate::answers::restarts::{Restart, RestartKind};
pub use crate::answers::run::execute;
pub use crate::answers::select::{SelectionReport, select_events};
pub use crate::answers::stream::{execute_stream, needs_several_passes};
pub use crate::answers::subquery::{AnsweredPlan, RunsOf, answer_subqueries, execute_with_subqueries, fetch_tables};
pub use crate::answers::tail::{Tail, TailError, TailRows};
pub use crate::answers::value_counts::{CountedValue, FieldCounts, NumberHistogram, ValueCounts, value_counts};
pub use crate::answers::visit::{BlockVisitor, visit_blocks};
pub use crate::operators::feed::{Archives, Feed, FeedOf, FeedRequest, Loaded};
pub use crate::operators::patterns::patterns_plan;
pub use crate::request::answer::{Answer, ColumnInfo, ColumnKind, PartialReason, Stats};
pub use crate::request::cache::{CacheCounts, PartialCache};
pub use crate::request::error::{ExecuteError, Result};
pub use crate::request::parameters::{Request, Support, TableOf, TakePartialRows, TakeRows};
pub use crate::request::part::{Part, PartError};
pub use crate::request::peers::{PeerId, Peers};
pub use crate::scan::screen::Screen;
pub use crate::scan::workers::{STACK_BYTES, take_part};
pub use evaluate::columns::memory::{MemoryPool, MemoryReservation};
pub use pattern::{UsualValue, masked_text, pattern_lines, patterns_of, usual};
pub use plan::unknown_fields::{UnknownFields, unknown_fields};
pub use spill::{SpillError, SpillSpace};

#[cfg(test)]
mod tests;
