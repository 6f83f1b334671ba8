//! Answers of ES|QL in the form of golden cases.
//!
//! Columns are `name:type`. The index `logs` is the group that events without a group's name go to; other groups have
//! their own names. The time of the request is that of all cases.

use esql::{EsqlError, Kind, Parameters};
use execute::Answer;
use plan::Plan;
use plan::{QueryError, QueryErrors};
use types::{GroupPattern, TimeRange, Value};

use super::case::Case;
use super::{GROUP, Runs, now};

/// Asks a case; `execute` runs a plan.
pub(crate) fn answer(
    case: &Case,
    all: &Runs,
    execute: &mut dyn FnMut(&Plan, TimeRange) -> Answer,
) -> Result<Answer, QueryErrors> {
    asked(case, all, execute).map_err(|error| {
        let (line, column) = (error.line, error.column);
        let message = error.reason.clone();
        QueryError { code: error.kind, message, line, column, start: 0, end: 0, hint: None }.into()
    })
}

fn asked(case: &Case, all: &Runs, execute: &mut dyn FnMut(&Plan, TimeRange) -> Answer) -> Result<Answer, EsqlError> {
    let statement = esql::parse(&case.query, &Parameters::default())?;
    let names = statement.indices().unwrap_or_default();
    let patterns: Vec<GroupPattern> =
        names.iter().map(|name| GroupPattern::new(if *name == "logs" { GROUP } else { name })).collect();
    let is_asked = |group: &str| GroupPattern::any_matches(&patterns, group);
    let runs: Vec<_> = all.iter().filter(|(group, _)| is_asked(group)).map(|(_, run)| run.clone()).collect();
    let checked = statement.check(&statement.schema(&runs), None, now())?;
    let mut plan = checked.plan;
    plan.sources = patterns;
    let mut answer = execute(&plan, checked.range);
    for (column, (name, kind)) in answer.columns.iter_mut().zip(&checked.columns) {
        column.name = format!("{name}:{}", kind.column_name());
    }
    for row in &mut answer.rows {
        row.iter_mut().zip(&checked.columns).for_each(|(value, (_, kind))| retype(value, *kind));
    }
    Ok(answer)
}

/// A value as it is shown: decimals that are whole are decimals all the same.
fn retype(value: &mut Option<Value>, kind: Kind) {
    if let (Some(Value::Integer(number)), Kind::Double) = (&value, kind) {
        *value = Some(Value::Float(*number as f64));
    }
}
