//! What a picker offers: services, names of spans, names and values of attributes.

use std::collections::BTreeSet;

use plan::{Operator, Plan};
use types::{GroupPattern, TimeRange, Value};

use door::problem::Problem;
use door::query_run::QueryRun;

use crate::plans::{count_by, equal, is_present, is_span, show, sort, span_groups};
use crate::read::Reading;
use crate::times;

/// Limit on the values of one list.
const VALUES_MAX: u64 = 1_000;

/// Returns the values of a field among the spans of `service`, or of all, most frequent first, with their counts.
pub(crate) fn values(
    run: &QueryRun<'_>,
    field: &str,
    conditions: &[Operator],
    range: TimeRange,
    reading: &mut Reading,
) -> Result<Vec<Value>, Problem> {
    let mut operators = vec![Operator::Filter(is_span()), Operator::Filter(is_present(field))];
    operators.extend(conditions.iter().cloned());
    operators.extend([count_by(&[field]), Operator::Sort(vec![sort("n", true)]), Operator::Limit(VALUES_MAX)]);
    operators.push(show([field], false));
    let (groups, scope) = (span_groups(&[]), times::scope(run.server.now()));
    let snapshot = run.snapshot(&groups, range);
    let rows = reading.add(run.execute_on(&snapshot, &Plan::new(operators), &scope, range)?);
    Ok(rows.into_iter().filter_map(|row| row.into_iter().next().flatten()).collect())
}

/// Returns the values of a field as texts, in order.
pub(crate) fn texts(
    run: &QueryRun<'_>,
    field: &str,
    conditions: &[Operator],
    range: TimeRange,
) -> Result<Vec<String>, Problem> {
    let values = values(run, field, conditions, range, &mut Reading::default())?;
    let texts: BTreeSet<String> = values.iter().map(Value::to_string).collect();
    Ok(texts.into_iter().collect())
}

/// Returns the condition that a span is of a service.
pub(crate) fn of_service(service: &str) -> Vec<Operator> {
    vec![Operator::Filter(equal("service", service))]
}

/// Returns the names of the fields that spans of a range may have, without system fields.
pub(crate) fn field_names(run: &QueryRun<'_>, range: TimeRange, groups: &[GroupPattern]) -> BTreeSet<String> {
    let snapshot = run.snapshot(&span_groups(groups), range);
    let names = snapshot.runs.iter().filter_map(|run| run.field_names().ok()).flatten();
    names.filter(|name| !name.starts_with('@')).map(|name| name.to_string()).collect()
}
