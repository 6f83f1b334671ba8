//! What can be asked: a plan, a stream, a tail, a histogram, fields, changes, neighbours of an event.

pub(crate) mod changes;
pub(crate) mod condition;
pub(crate) mod condition_counts;
pub(crate) mod condition_totals;
pub(crate) mod context;
pub(crate) mod event;
pub(crate) mod explain;
pub(crate) mod fields;
pub(crate) mod finish;
pub(crate) mod frontier;
pub(crate) mod histogram;
pub(crate) mod keeper;
pub(crate) mod kept;
pub(crate) mod matched_fields;
pub(crate) mod part;
pub(crate) mod pattern_counts;
pub(crate) mod restarts;
pub(crate) mod run;
pub(crate) mod select;
pub(crate) mod spilled;
pub(crate) mod stream;
pub(crate) mod subquery;
pub(crate) mod tail;
pub(crate) mod value_counts;
pub(crate) mod visit;
