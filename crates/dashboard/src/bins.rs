//! The bins that a panel counts by, and the instants at which its series are asked, so that its expression can compute a series
//! with counts.
//!
//! A bin has the time of its start; a point of a series has the time of the end of its window. Series are therefore asked at the
//! ends of the bins, one point a bin. Compiles queries, and runs none.

use std::collections::{BTreeSet, HashMap};

use chrono_tz::Tz;
use language::{Language, ParseOptions};
use plan::{Expr, Function, Length, Operator, Plan, calendar};
use types::{TimeRange, Timestamp};

use crate::document::{Panel, PanelQuery};

/// Limit on the bins of a range, a day of minutes: with more points than that, few series fit into one answer.
const BINS_MAX: i64 = 1_500;

/// Functions of ES|QL that round times down to spans.
const ESQL_BINNING: [&str; 3] = ["bucket", "tbucket", "date_trunc"];

/// What encloses comments, texts in three quotes and names of ES|QL.
const ESQL_ENCLOSED: [(&str, &str); 4] = [("//", "\n"), ("/*", "*/"), ("\"\"\"", "\"\"\""), ("`", "`")];

/// Bins of one width over the range of a panel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bins {
    /// The end of the first bin that lies wholly in the range: a bin that the range cuts has only a part of its events.
    pub from: Timestamp,
    /// The width of a bin, in s.
    pub width_s: i64,
}

impl Bins {
    /// Returns the bins at whose ends the series of a panel are asked; `None` if its expression does not compute series with
    /// counts by bins of one width, if there are too many bins, or if the range contains no whole bin. `texts` are the panel's
    /// queries with the values of variables.
    pub fn of(panel: &Panel, texts: &[String], range: TimeRange, options: &ParseOptions) -> Option<Self> {
        if panel.expression.is_none() || !panel.queries.iter().any(PanelQuery::is_series) {
            return None;
        }
        let queries = panel.queries.iter().zip(texts);
        let widths: BTreeSet<i64> =
            queries.filter_map(|(query, text)| width_ns(query.language, text, range, options)).collect();
        let width_ns = widths.first().copied().filter(|_| widths.len() == 1)?;
        let range_ns = range.to.0.saturating_sub(range.from.0);
        if range_ns / width_ns > BINS_MAX {
            return None;
        }
        let first = calendar::floor_from(0, range.from.0.saturating_add(width_ns - 1), width_ns)?;
        let from = Timestamp(first.saturating_add(width_ns));
        (from < range.to).then_some(Self { from, width_s: width_ns / Timestamp::SECOND })
    }
}

impl PanelQuery {
    /// Reports whether the answer consists of series, with points at instants that are asked for: PromQL, TraceQL, and LogQL's
    /// metric queries.
    pub fn is_series(&self) -> bool {
        match self.language {
            Language::Promql | Language::Traceql => true,
            Language::Logql => {
                let mut rest = self.query.trim_start();
                while let Some(comment) = rest.strip_prefix('#') {
                    rest = comment.split_once('\n').map_or("", |(_, after)| after.trim_start());
                }
                !rest.starts_with('{')
            }
            _ => false,
        }
    }
}

/// Returns the width of the bins that a query counts by; `None` if it has none, or if the zone or the calendar decides where they
/// begin.
fn width_ns(language: Language, text: &str, range: TimeRange, options: &ParseOptions) -> Option<i64> {
    let (width_ns, zone) = match language {
        Language::Insights => match group_span(&language::parse_insights(text, options).ok()?)? {
            Length::Nanoseconds(width_ns) => (width_ns, options.time_zone),
            Length::Months(_) => return None,
        },
        Language::Esql => (esql_width_ns(text)?, Tz::UTC),
        _ => return None,
    };
    // From an hour on, bins begin by the minutes of the zone's clock, and from a day on by its hours; steps count from the epoch.
    let has_whole_hours = || calendar::offset_ns(zone, range.to.0) % Timestamp::HOUR == 0;
    let is_fixed = width_ns < Timestamp::HOUR || width_ns < Timestamp::DAY && has_whole_hours();
    (is_fixed && width_ns > 0 && width_ns % Timestamp::SECOND == 0).then_some(width_ns)
}

/// Returns the span of time by which a plan groups its rows.
fn group_span(plan: &Plan) -> Option<Length> {
    // Columns that hold the starts of spans.
    let mut columns: HashMap<&str, Length> = HashMap::new();
    let mut found = None;
    for operator in plan.operators() {
        match operator {
            Operator::Extend { name, expr } => {
                match span_of(expr, &columns) {
                    Some(span) => columns.insert(&**name, span),
                    None => columns.remove(&**name),
                };
            }
            Operator::Aggregate { by, .. } => {
                let spans: Vec<(&str, Length)> =
                    by.iter().filter_map(|(name, expr)| Some((&**name, span_of(expr, &columns)?))).collect();
                found = spans.first().map(|(_, span)| *span);
                columns = spans.into_iter().collect();
            }
            _ => {}
        }
    }
    found
}

/// Returns the span whose start an expression is.
fn span_of(expr: &Expr, columns: &HashMap<&str, Length>) -> Option<Length> {
    match expr {
        Expr::Field(name) => columns.get(&**name).copied(),
        Expr::Call(Function::DateFloor, arguments) => match &arguments[..] {
            [_, Expr::Duration(span)] => Some(*span),
            _ => None,
        },
        _ => None,
    }
}

/// Returns the width of the bins in the text of a query in ES|QL, whose plan depends on the columns of its indices.
fn esql_width_ns(text: &str) -> Option<i64> {
    let tokens = esql_tokens(text);
    let is = |at: usize, word: &str| tokens.get(at).is_some_and(|token| token.eq_ignore_ascii_case(word));
    let is_call = |at: &usize| ESQL_BINNING.iter().any(|name| is(*at, name)) && is(*at + 1, "(");
    let places = 0..tokens.len();
    if !places.clone().any(|at| is(at, "stats")) {
        return None;
    }
    let called = places.rev().find(is_call)?;
    let arguments: Vec<&str> = tokens[called + 2..].iter().copied().take_while(|token| *token != ")").collect();
    let at = arguments.iter().position(|token| token.starts_with(|c: char| c.is_ascii_digit()))?;
    let digits = arguments[at].find(|c: char| !c.is_ascii_digit()).unwrap_or(arguments[at].len());
    let (amount, suffix) = arguments[at].split_at(digits);
    let unit = if suffix.is_empty() { *arguments.get(at + 1)? } else { suffix };
    let unit_ns = match &*unit.to_ascii_lowercase() {
        "s" | "sec" | "second" | "seconds" => Timestamp::SECOND,
        "m" | "min" | "minute" | "minutes" => Timestamp::MINUTE,
        "h" | "hour" | "hours" => Timestamp::HOUR,
        _ => return None,
    };
    amount.parse::<i64>().ok()?.checked_mul(unit_ns)
}

/// Returns the words, numbers, texts and signs of a query in ES|QL, without its comments.
fn esql_tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (token, after) = rest.split_at(esql_token_bytes(rest));
        if !token.starts_with("//") && !token.starts_with("/*") {
            tokens.push(token);
        }
        rest = after.trim_start();
    }
    tokens
}

/// Returns the length of the token at the start of a text that is not empty.
fn esql_token_bytes(text: &str) -> usize {
    for (start, end) in ESQL_ENCLOSED {
        if let Some(inner) = text.strip_prefix(start) {
            return inner.find(end).map_or(text.len(), |at| start.len() + at + end.len());
        }
    }
    if let Some(inner) = text.strip_prefix('"') {
        let mut is_escaped = false;
        let ends = |(_, c): &(usize, char)| {
            let is_end = *c == '"' && !is_escaped;
            is_escaped = *c == '\\' && !is_escaped;
            is_end
        };
        return inner.char_indices().find(ends).map_or(text.len(), |(at, _)| at + 2);
    }
    let word = text.find(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '.' | '@')).unwrap_or(text.len());
    if word > 0 { word } else { text.chars().next().map_or(1, char::len_utf8) }
}

#[cfg(test)]
mod tests;
