//! A query in any language, asked for values that its author has not asked to be shown.
//!
//! Metrics count what a query finds, by fields that it need not mention; whatever it computes can be named as well.

use crate::insights::{ParseOptions, parse_rule};
use crate::query_language::Language;
use crate::translate::{metric_error, untranslated};
use crate::{filter_pattern, kql, logql, lucene};
use plan::{Expr, Name, Operator, Plan, PlanDraft, QueryErrors, Span};

/// Parses a query and returns the plan whose columns are these fields, in this order. A
/// name is a field, or a column that the query gives a name; in filter patterns also `$.property` and `$column`.
///
/// Errors: what cannot be read, queries of numbers instead of events, and times: they would stand still while events
/// continue.
pub fn parse_showing(
    text: &str,
    language: Language,
    names: &[&str],
    options: &ParseOptions,
) -> Result<Plan, QueryErrors> {
    let mut draft = match language {
        Language::Insights => parse_rule(text, options)?,
        Language::Lucene => of_operators(lucene::parse(text, None)?),
        Language::Kql => of_operators(kql::parse(text, None)?),
        Language::Logql => match logql::parse(text)? {
            logql::Query::Log(log) => PlanDraft { sources: log.sources, ..of_operators(log.operators) },
            logql::Query::Metric(metric) => {
                let whole = Span { start: 0, end: text.len() };
                return Err(metric_error(&metric, text, whole).into());
            }
        },
        Language::FilterPattern if names.iter().any(|name| name.starts_with('$')) => {
            return filter_pattern::parse_filter_pattern_showing(text, names);
        }
        Language::FilterPattern => of_operators(filter_pattern::conditions(text)?.0),
        other => return Err(untranslated(other, text, Span { start: 0, end: text.len() })),
    };
    if let Some(Operator::Project { columns, .. }) = draft.operators.last_mut() {
        *columns = names.iter().map(|name| shown(name, columns)).collect();
    }
    Ok(draft.finish())
}

fn of_operators(mut operators: Vec<Operator>) -> PlanDraft {
    operators.push(Operator::Project { columns: Vec::new(), is_events: true });
    PlanDraft { operators, ..PlanDraft::default() }
}

/// Returns a column of the query by its name there, else a field.
fn shown(name: &str, columns: &[(Name, Expr)]) -> (Name, Expr) {
    let known = columns.iter().find(|(known, _)| **known == *name);
    known.cloned().unwrap_or_else(|| (name.into(), Expr::Field(name.into())))
}

#[cfg(test)]
mod tests;
