//! Queries of LogQL for numbers: the labels of a series are a label set, its number is the value.

use std::collections::BTreeSet;

use language::logql::{Series, Steps, run_metric};
use plan::Name;
use types::{TimeRange, Value};

use super::DetectorInput;
use crate::compile::CompiledRule;
use crate::detectors::cells::{columns_of, number};
use crate::{EventTime, Question, Rule, Table};

/// The column with the number.
const VALUE: &str = "value";

/// Asks a metric query at the instant of the evaluation. Its windows are those that it names.
pub(super) fn answer(rule: &Rule, compiled: &mut CompiledRule, asking: &DetectorInput<'_>) -> Result<Table, String> {
    let Some(metric) = &compiled.metric else { return Ok(Table::default()) };
    let mut partial = None;
    let run = |plan: &plan::Plan, range: TimeRange| {
        let question = Question {
            plan,
            groups: &rule.groups,
            scope: &rule.scope,
            range,
            now: asking.now,
            n_rows_max: usize::MAX,
            time: EventTime::Own,
        };
        let table = asking.ask.ask(&question)?;
        partial = partial.take().or(table.partial);
        Ok(table.rows)
    };
    let series = run_metric(&metric.query, Steps::instant(asking.now), run);
    let series = series.map_err(|error: language::logql::MetricError<String>| error.to_string())?;
    let (columns, mut rows) = rows_of(&series);
    let names: Vec<Name> = columns.iter().map(|name| Name::from(name.as_str())).collect();
    let holds = execute::holds_for(&metric.condition, &names, &rows, asking.now);
    rows.iter_mut().zip(holds).for_each(|(row, holds)| row.push(Some(Value::Boolean(holds))));
    compiled.take_series_labels(&columns[..columns.len() - 1]);
    let columns = columns_of(&columns, []);
    Ok(Table { columns, rows, partial })
}

/// Returns names of the columns, `value` last, and a row for each series; one without a number has none.
fn rows_of(series: &[Series]) -> (Vec<String>, Vec<Vec<Option<Value>>>) {
    let labels = series.iter().flat_map(|series| series.labels.iter().map(|(name, _)| name.as_str()));
    let labels: BTreeSet<&str> = labels.filter(|name| *name != VALUE).collect();
    let row = |series: &Series| {
        let label = |name: &&str| {
            let found = series.labels.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| Value::text(value.as_str()))
        };
        let number = series.points.last().map(|point| number(point.value));
        labels.iter().map(label).chain([number]).collect()
    };
    let rows = series.iter().map(row).collect();
    (labels.iter().copied().chain([VALUE]).map(str::to_owned).collect(), rows)
}

#[cfg(test)]
mod tests;
