//! Plans of other dialects as text of Insights QL: `translate` of LogQL, Lucene and KQL, and filter patterns.
//!
//! The text has the same plan as the original, which tests hold it to. What Insights has no words for is refused. Which
//! columns are shown and how many rows is left to Insights: the other dialects leave that to the request.

mod expression;
#[cfg(test)]
mod tests;

use crate::error::{QueryError, QueryErrors, Span};
use crate::insights::format_insights;
use crate::plan::{Expr, Operator, Parse, ParseMethod};
use crate::{filter_pattern, kql, logql, lucene};
use expression::{quoted, regex_literal};

/// Languages that can be translated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Of Grafana Loki.
    LogQl,
    /// Query strings of Lucene.
    Lucene,
    /// Kibana's own language.
    Kql,
    /// CloudWatch's filter patterns.
    FilterPattern,
}

/// Gives a query in Insights QL that has the same plan as `text`.
///
/// Errors: what the language cannot read, and what Insights cannot say, with its place.
pub fn translate(text: &str, language: Language) -> Result<String, QueryErrors> {
    let whole = Span { start: 0, end: text.len() };
    let (sources, operators) = match language {
        Language::Lucene => (Vec::new(), lucene::parse(text, None)?),
        Language::Kql => (Vec::new(), kql::parse(text, None)?),
        Language::FilterPattern => (Vec::new(), filter_pattern::conditions(text)?.0),
        Language::LogQl => match logql::parse_plain(text)? {
            logql::Query::Log(log) => (log.sources, log.operators),
            logql::Query::Metric(metric) => return Err(metric_error(&metric, text, whole).into()),
        },
    };
    let commands = commands(&sources, &operators).map_err(|operator| not_said(&operator, text, whole))?;
    format_insights(&commands.join("\n| "))
}

/// What there are no words for, and what it is.
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
            let value = expression::text(expr)?;
            let name = expression::name(label)?;
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

/// A window of whole seconds as Insights writes it.
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

/// Conditions and what they are asked of as text of Insights QL: those of `operators`, and one more. `None` where Insights
/// has no words for some.
pub(crate) fn narrowed(sources: &[types::GroupPattern], operators: &[Operator], also: &Expr) -> Option<String> {
    let computed = |operator: &Operator| match operator {
        Operator::Extend { name, expr } => {
            Some(format!("eval {} = {}", expression::name(name)?, expression::text(expr)?))
        }
        operator => command(operator),
    };
    let mut all = commands(sources, &[]).ok()?;
    for operator in operators.iter().chain([&Operator::Filter(also.clone())]) {
        all.push(computed(operator)?);
    }
    let text = all.join(" | ");
    // What cannot be read back was not said.
    format_insights(&text).is_ok().then_some(text)
}

/// A condition as text of Insights QL.
pub(crate) fn condition_text(condition: &Expr) -> Option<String> {
    expression::text(condition)
}

/// The commands that operators come from, over the groups of `sources`; the operator that has none is the error.
fn commands(sources: &[types::GroupPattern], operators: &[Operator]) -> Result<Vec<String>, Box<Operator>> {
    let mut commands = Vec::new();
    if !sources.is_empty() {
        let names: Vec<String> = sources.iter().map(|source| quoted(source.as_str())).collect();
        commands.push(format!("source {}", names.join(", ")));
    }
    for operator in operators {
        commands.push(command(operator).ok_or_else(|| Box::new(operator.clone()))?);
    }
    Ok(commands)
}

/// The command that an operator comes from.
fn command(operator: &Operator) -> Option<String> {
    match operator {
        Operator::Filter(condition) => Some(format!("filter {}", expression::text(condition)?)),
        Operator::Parse(parse) => parse_command(parse),
        // Columns that only another dialect knows have no words.
        Operator::Extend { name, expr } if !name.starts_with('#') => {
            Some(format!("eval {} = {}", expression::name(name)?, expression::text(expr)?))
        }
        _ => None,
    }
}

fn parse_command(parse: &Parse) -> Option<String> {
    let text = expression::operand(&parse.text)?;
    let method = match &parse.method {
        ParseMethod::Format { format, prefix: None } => format.name().to_owned(),
        ParseMethod::Format { format, prefix: Some(prefix) } => {
            format!("{} as {}", format.name(), expression::name(prefix)?)
        }
        ParseMethod::Regex { regex, .. } => regex_literal(regex.as_str())?,
        ParseMethod::Glob { literals, names } => {
            let names = names.iter().map(|name| expression::name(name)).collect::<Option<Vec<String>>>()?;
            format!("{} as {}", quoted(&literals.join("*")), names.join(", "))
        }
    };
    Some(format!("parse {text} {method}"))
}
