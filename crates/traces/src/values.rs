//! The entries of pickers: services, names of spans, names and values of attributes.

use std::collections::{BTreeSet, HashSet};

use execute::Stats;
use plan::{Expr, Operator, Plan};
use types::{GroupPattern, TimeRange, Value};

use door::{QueryRun, Result};

use crate::plans::{count_by, equal, is_present, is_span, show, sort, span_groups};
use crate::read::Reading;
use crate::times;

/// Limit on the values of one list.
const VALUES_MAX: u64 = 1_000;

/// Returns the values of a field among the spans that meet the conditions, most frequent first. Of lists, their items: those are what
/// conditions compare.
pub(crate) fn values(
    run: &QueryRun<'_>,
    field: &str,
    conditions: &[Operator],
    range: TimeRange,
    reading: &mut Reading,
) -> Result<Vec<Value>> {
    let mut operators = vec![Operator::Filter(is_span()), Operator::Filter(is_present(field))];
    operators.extend(conditions.iter().cloned());
    operators.extend([count_by(&[field]), Operator::Sort(vec![sort("n", true)]), Operator::Limit(VALUES_MAX + 1)]);
    operators.push(show([field], false));
    let (groups, scope) = (span_groups(&[]), times::scope(run.server.now()));
    let snapshot = run.snapshot(&groups, range);
    let mut rows = reading.add(run.execute_on(&snapshot, &Plan::new(operators), &scope, range)?);
    if rows.len() as u64 > VALUES_MAX {
        reading.cut(format!("{field} has more than {VALUES_MAX} values; the rarest are missing"));
        rows.truncate(VALUES_MAX as usize);
    }
    let mut known = HashSet::new();
    let items = rows.into_iter().filter_map(|row| row.into_iter().next().flatten()).flat_map(items);
    Ok(items.filter(|value| known.insert(value.to_string())).collect())
}

/// Returns the items of a list, or the value.
pub(crate) fn items(value: Value) -> Vec<Value> {
    match value {
        Value::List(items) => items.iter().flatten().cloned().collect(),
        value => vec![value],
    }
}

/// Returns the values of a field as texts, in order.
pub(crate) fn texts(
    run: &QueryRun<'_>,
    field: &str,
    conditions: &[Operator],
    range: TimeRange,
    reading: &mut Reading,
) -> Result<Vec<String>> {
    let values = values(run, field, conditions, range, reading)?;
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

/// Returns the names of the fields of the spans of a range that meet a condition, without system fields.
pub(crate) fn matched_names(
    run: &QueryRun<'_>,
    range: TimeRange,
    condition: Expr,
    reading: &mut Reading,
) -> Result<BTreeSet<String>> {
    let (groups, scope) = (span_groups(&[]), times::scope(run.server.now()));
    let snapshot = run.snapshot(&groups, range);
    let progress = |stats: &Stats| run.note(stats);
    let plan = Plan::new(vec![Operator::Filter(is_span()), Operator::Filter(condition), show(["@id"], true)]);
    let found = execute::matched_fields(&plan, &snapshot.runs, &run.request(range, &scope, &progress))?;
    reading.partial_reasons.extend(found.partial_reasons);
    if found.fields.iter().any(|field| field.approximate) {
        reading.cut("only the fields of some of the spans were read; rare ones may be missing".to_owned());
    }
    Ok(found.fields.into_iter().map(|field| field.name).filter(|name| !name.starts_with('@')).collect())
}
