//! LogQL, the language of Grafana's Loki data source: text to plans, and metric queries over plans.
//!
//! Log queries become a [`Plan`] like any other dialect. Metric queries are evaluated here on top of plans that
//! count: [`run_metric`] asks a function to run them, so that nothing here reads events.
//! Labels are names of fields ([`label`]); what LogQL has and we have not is an error with its place.

mod condition;
mod early_filter;
mod explain;
mod format;
mod grammar;
mod grouping;
mod groups;
mod label;
mod label_filter;
mod label_view;
mod labels;
mod log_query;
mod loose;
mod metric;
mod operator;
mod query;
mod reader;
mod run;
mod samples;
mod selector;
mod sizes;
mod stage;
mod steps;
mod template;
mod vector;
mod windows;

#[cfg(test)]
mod tests;

pub use self::format::format;
pub use self::label::{STREAM_FIELDS, STREAM_LABELS};
pub use self::label_view::LabelView;
pub use self::log_query::{Direction, LogQuery, forward};
pub use self::metric::MetricQuery;
pub(crate) use self::query::parse_plain;
pub use self::query::{Query, parse};
pub use self::run::{MetricError, Point, Series, joined, run_metric};
pub use self::selector::{Selector, require_narrow_selectors, selector};
pub use self::sizes::spell_size;
pub use self::steps::Steps;
