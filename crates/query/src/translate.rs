//! Plans of other dialects as text of Insights QL: `translate` of LogQL, Lucene and KQL.
//!
//! The text has the same plan as the original, which tests hold it to. What Insights has no words for is refused. Which
//! columns are shown and how many rows is left to Insights: the other dialects leave that to the request.

mod expression;
#[cfg(test)]
mod tests;

use crate::error::{QueryError, QueryErrors, Span};
use crate::insights::format_insights;
use crate::plan::{Operator, Parse, ParseMethod};
use crate::{logql, lucene};
use expression::{quoted, regex_literal};

/// Languages that can be translated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Of Grafana Loki.
    LogQl,
    /// Query strings of Lucene and KQL.
    Lucene,
}

/// Gives a query in Insights QL that has the same plan as `text`.
///
/// Errors: what the language cannot read, and what Insights cannot say, with its place.
pub fn translate(text: &str, language: Language) -> Result<String, QueryErrors> {
    let whole = Span { start: 0, end: text.len() };
    let (sources, operators) = match language {
        Language::Lucene => (Vec::new(), lucene::parse(text)?),
        Language::LogQl => match logql::parse(text)? {
            logql::Query::Log(log) => (log.sources, log.operators),
            logql::Query::Metric(_) => {
                let message = "a metric query of LogQL looks back from every step; Insights counts in spans of time";
                let error = QueryError::new("not-translatable", message, text, whole);
                return Err(error
                    .with_hint("translate the part in braces, then add: stats count(*) by bin(5m)")
                    .into());
            }
        },
    };
    let mut commands = Vec::new();
    if !sources.is_empty() {
        let names: Vec<String> = sources.iter().map(|source| quoted(source.as_str())).collect();
        commands.push(format!("source {}", names.join(", ")));
    }
    for operator in &operators {
        match command(operator) {
            Some(command) => commands.push(command),
            None => {
                let message = format!("Insights QL has no words for this part: {operator}");
                return Err(QueryError::new("not-translatable", message, text, whole).into());
            }
        }
    }
    format_insights(&commands.join("\n| "))
}

/// The command that an operator comes from.
fn command(operator: &Operator) -> Option<String> {
    match operator {
        Operator::Filter(condition) => Some(format!("filter {}", expression::text(condition)?)),
        Operator::Parse(parse) => parse_command(parse),
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
        _ => return None,
    };
    Some(format!("parse {text} {method}"))
}
