//! Text to query.

use pest::Parser;
use plan::{QueryError, QueryErrors, Span};

use super::explain::explain;
use super::grammar::{LogQl, Rule};
use super::log_query::LogQuery;
use super::metric::{self, MetricQuery};
use super::reader::Reader;
use super::stage;
use crate::search_query::check_length;

/// A query in LogQL.
#[derive(Clone, Debug)]
pub enum Query {
    /// Asks for events.
    Log(LogQuery),
    /// Asks for numbers over time.
    Metric(MetricQuery),
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
    check_length(text)?;
    let mut pairs = LogQl::parse(Rule::query, text).map_err(|error| explain(&error, text))?;
    let mut reader = Reader::new(text, is_plain);
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
