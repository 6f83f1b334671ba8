//! LogQL, the language of Grafana's Loki data source: text to plans, and metric queries over plans.
//!
//! Log queries become a [`Plan`] like any other dialect. Metric queries are evaluated here on top of plans that
//! count: [`run_metric`] asks a function to run them, so that nothing here reads events.
//! Labels are names of fields ([`label`]); what LogQL has and we have not is an error with its place.

mod early;
mod explain;
mod format;
mod groups;
mod label;
mod labels;
mod loose;
mod metric;
mod operator;
mod read;
mod run;
mod selector;
mod shown;
mod sizes;
mod stage;
mod template;
mod vector;
mod windows;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use pest::Parser;
use types::GroupPattern;

use plan::error::{QueryError, QueryErrors, Span};
use plan::optimise;
use plan::{Expr, Operator, Plan, SortKey};

pub use crate::logql::format::format;
pub use label::{STREAM_FIELDS, STREAM_LABELS, is_unpushed};

pub use metric::MetricQuery;

pub use crate::logql::selector::selector;
pub use run::{MetricError, Point, Series, Steps, joined, run_metric};
pub use selector::{Selector, require_narrow_selectors};
pub use shown::Shown;
pub use sizes::{parse_size, spell_size};

/// Longest query in bytes.
const QUERY_BYTES_MAX: usize = 64 << 10;

/// The generated parser.
mod generated {
    #![allow(missing_docs)]

    /// Reads LogQL.
    #[derive(pest_derive::Parser)]
    #[grammar = "../../grammar/logql.pest"]
    pub(crate) struct LogQl;
}

pub(crate) use generated::Rule;

/// A query in LogQL.
#[derive(Clone, Debug)]
pub enum Query {
    /// Asks for events.
    Log(LogQuery),
    /// Asks for numbers over time.
    Metric(MetricQuery),
}

/// A query for events: those of a selector that pass all stages.
#[derive(Clone, Debug)]
pub struct LogQuery {
    /// Groups that can hold such events; empty means all.
    pub sources: Vec<GroupPattern>,
    /// Filters and parsers in order.
    pub operators: Vec<Operator>,
    /// Which labels are shown.
    pub shown: Shown,
}

impl LogQuery {
    /// What a label of its events is.
    pub fn label(&self, name: &str) -> Expr {
        self.shown.sight.label(name)
    }

    /// Whether a condition asks for labels that stages made.
    fn filters_labels(&self) -> bool {
        let mut asks = false;
        for operator in &self.operators {
            if let Operator::Filter(condition) = operator {
                condition.visit_fields(&mut |name| asks |= name.starts_with("#labels"));
            }
        }
        asks
    }

    /// Labels of which the selector asks nothing but to be equal to a text.
    fn equal_labels(&self) -> BTreeMap<String, String> {
        let of = |wanted: &str| self.shown.equal.iter().filter(move |(name, _)| name == wanted).collect::<Vec<_>>();
        let alone = |(name, _): &&(String, Option<String>)| of(name).len() == 1;
        let label = |(name, value): &(String, Option<String>)| Some((name.clone(), value.clone()?));
        self.shown.equal.iter().filter(alone).filter_map(label).collect()
    }
}

/// Which events come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Newest first.
    Backward,
    /// Oldest first.
    Forward,
}

impl LogQuery {
    /// The plan that gives the first `limit` events.
    ///
    /// Columns: `@timestamp`, `@message`, then those of [`STREAM_LABELS`].
    pub fn plan(&self, direction: Direction, limit: u64) -> Plan {
        let mut operators = self.operators.clone();
        if direction == Direction::Forward {
            operators.push(Operator::Sort(vec![SortKey { expr: Expr::Field("@timestamp".into()), descending: false }]));
        }
        operators.push(Operator::Limit(limit));
        let fixed = ["@timestamp", "@message"].into_iter().map(|name| (name.into(), Expr::Field(name.into())));
        let labels = STREAM_LABELS.into_iter().map(|name| (name.into(), self.label(name)));
        operators.push(Operator::Project { columns: fixed.chain(labels).collect(), is_events: true });
        optimise(Plan { sources: self.sources.clone(), operators, ..Plan::default() })
    }
}

/// Reads a query.
///
/// Errors: what cannot be read, what this version does not do, patterns that are not valid; always with the place.
pub fn parse(text: &str) -> Result<Query, QueryErrors> {
    parse_as(text, false)
}

/// Reads a query so that it can be said in another language: labels are fields, whoever brought an event.
pub(crate) fn parse_plain(text: &str) -> Result<Query, QueryErrors> {
    parse_as(text, true)
}

fn parse_as(text: &str, is_plain: bool) -> Result<Query, QueryErrors> {
    if text.len() > QUERY_BYTES_MAX {
        let message = format!("the query has {} bytes, more than the {QUERY_BYTES_MAX} allowed", text.len());
        let span = Span { start: QUERY_BYTES_MAX, end: text.len() };
        return Err(QueryError::new("query-too-long", message, text, span).into());
    }
    let mut pairs =
        generated::LogQl::parse(Rule::query, text).map_err(|error| crate::logql::explain::explain(&error, text))?;
    let mut reader = read::Reader::new(text, is_plain);
    let Some(query) = pairs.next().and_then(|query| query.into_inner().next()) else {
        return Err(QueryError::new("syntax", "the query is empty", text, Span::default()).into());
    };
    Ok(match query.as_rule() {
        Rule::log => match stage::log(&mut reader, query, true)? {
            (log, None) => Query::Log(log),
            (_, Some(_)) => {
                let span = Span { start: text.find("unwrap").unwrap_or_default(), end: text.len() };
                let error = QueryError::new("unwrap-in-log-query", "a log query has no `| unwrap`", text, span);
                return Err(error
                    .with_hint("it takes numbers for sum_over_time(…), avg_over_time(…) and others")
                    .into());
            }
        },
        _ => Query::Metric(MetricQuery { root: metric::read(&mut reader, query)? }),
    })
}
