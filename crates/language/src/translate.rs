//! Plans of other dialects as text of Insights QL: `translate` of LogQL, Lucene and KQL, and filter patterns.
//!
//! The text has the same plan as the original, which tests hold it to. What Insights has no words for is refused. Which
//! columns are shown and how many rows is left to Insights: the other dialects leave that to the request.

#[cfg(test)]
mod tests;

use crate::insights::format_insights;
use crate::query_language::Language;
use crate::{filter_pattern, kql, logql, lucene};
use plan::insights_text::{self, commands};
use plan::{Expr, Operator, QueryError, QueryErrors, Span};

/// Gives a query in Insights QL that has the same plan as `text`.
///
/// Errors: what the language cannot read, and what Insights cannot say, with its place.
pub fn translate(text: &str, language: Language) -> Result<String, QueryErrors> {
    let whole = Span { start: 0, end: text.len() };
    let (sources, operators) = match language {
        Language::Lucene => (Vec::new(), lucene::parse(text, None)?),
        Language::Kql => (Vec::new(), kql::parse(text, None)?),
        Language::FilterPattern => (Vec::new(), filter_pattern::conditions(text)?.0),
        Language::Logql => match logql::parse_plain(text)? {
            logql::Query::Log(log) => (log.sources, log.operators),
            logql::Query::Metric(metric) => return Err(metric_error(&metric, text, whole).into()),
        },
        other => return Err(untranslated(other, text, whole)),
    };
    let commands = commands(&sources, &operators).map_err(|operator| not_said(&operator, text, whole))?;
    format_insights(&commands.join("\n| "))
}

/// Returns the error for a language that is not translated.
pub(crate) fn untranslated(language: Language, text: &str, whole: Span) -> QueryErrors {
    let message = format!("a query in {} is not translated", language.name());
    QueryError::new("not-translatable", message, text, whole).into()
}

/// Returns what there are no words for, and what it is.
fn not_said(operator: &Operator, text: &str, whole: Span) -> QueryErrors {
    let (message, hint) = match operator {
        Operator::Extend { name, .. } if name.starts_with("#columns") => (
            "Insights QL has no words for columns between blanks".to_owned(),
            "ask the pattern itself with language \"filter-pattern\", or take the columns apart with parse".to_owned(),
        ),
        operator => (
            format!("Insights QL has no words for this part: {operator}"),
            "ask the original in its own language".to_owned(),
        ),
    };
    QueryError::new("not-translatable", message, text, whole).with_hint(hint).into()
}

/// Why a metric query is not translated: its windows end at instants, and those of Insights begin at round times. For
/// counts and rates that are summed, the hint is what counts the same events in spans.
pub(crate) fn metric_error(metric: &logql::MetricQuery, text: &str, whole: Span) -> QueryError {
    let message = "a metric query of LogQL looks back from every step; Insights counts in spans of time";
    let nearest = metric.as_counts().and_then(|counts| {
        let mut all = commands(&counts.log.sources, &counts.log.operators).ok()?;
        let mut groups = vec![format!("bin({})", span_text(counts.window_ns)?)];
        for (label, expr) in &counts.by {
            let value = insights_text::text(expr)?;
            let name = insights_text::name(label)?;
            groups.push(if value == name { value } else { format!("{value} as {name}") });
        }
        let value = if counts.per_second {
            format!("count(*) / {} as rate", counts.window_ns / types::Timestamp::SECOND)
        } else {
            "count(*) as count".to_owned()
        };
        all.push(format!("stats {value} by {}", groups.join(", ")));
        format_insights(&all.join("\n| ")).ok()
    });
    let hint = match nearest {
        Some(nearest) => format!("nearest to it is: {nearest}"),
        None => "translate the part in braces, then add: stats count(*) by bin(5m)".to_owned(),
    };
    QueryError::new("not-translatable", message, text, whole).with_hint(hint)
}

/// Returns a window of whole seconds as Insights writes it.
fn span_text(window_ns: i64) -> Option<String> {
    let seconds = window_ns / types::Timestamp::SECOND;
    if seconds < 1 || window_ns % types::Timestamp::SECOND != 0 {
        return None;
    }
    Some(match seconds {
        seconds if seconds % 3600 == 0 => format!("{}h", seconds / 3600),
        seconds if seconds % 60 == 0 => format!("{}m", seconds / 60),
        seconds => format!("{seconds}s"),
    })
}

/// Writes a query for single events: what `operators` do to them, and further conditions. `None` where Insights has no
/// words for some of it.
pub fn events_text(sources: &[types::GroupPattern], operators: &[Operator], also: &[Expr]) -> Option<String> {
    // What cannot be read back was not said.
    insights_text::events_text(sources, operators, also).filter(|text| format_insights(text).is_ok())
}
