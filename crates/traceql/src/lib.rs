//! TraceQL, Tempo's query language: read, checked, and answered over spans.
//!
//! [`parse`] reads a query. [`prefilter`] gives the condition of spans that leads to the traces which can match;
//! [`search`] evaluates the query over all spans of such a trace. A metrics query becomes a plan over spans
//! ([`metrics_plan`]). What is not supported is an error that names it and its place.
//!
//! A span is the event that the doors of traces store: `@type` is `span`, its ids, name, kind, status, duration, events and
//! links are fields, and its attributes are fields under their own names.

mod arithmetic;
mod check;
mod compare;
mod condition;
mod datum;
mod evaluate;
mod exemplars;
mod explain;
mod field;
mod grammar;
mod hint;
mod literal;
mod metrics;
mod prefilter;
mod query;
mod read;
mod read_arithmetic;
mod read_expression;
mod reader;
mod search;
mod series;
mod show;
mod span_view;
mod structure;
mod syntax;
#[cfg(test)]
mod tests;
mod trace;
mod unfinished;

pub use crate::compare::ValueCount;
pub use crate::field::{Field, Intrinsic, Scope};
pub use crate::literal::Literal;
pub use crate::metrics::{ArithmeticPlan, ComparePlan, MetricsPlan, SeriesPlan, lines_plan, metrics_plan};
pub use crate::prefilter::{Prefilter, prefilter};
pub use crate::query::parse;
pub use crate::search::{Spanset, search};
pub use crate::series::{Exemplar, Series};
pub use crate::span_view::{OWN_FIELDS, SpanView};
pub use crate::syntax::Query;
pub use crate::trace::Trace;
pub use crate::unfinished::parse_unfinished;
