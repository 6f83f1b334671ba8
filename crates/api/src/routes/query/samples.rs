//! Samples as rows: time, labels, value.

use std::collections::BTreeSet;
use std::sync::Arc;

use execute::{Answer, ColumnInfo, ColumnKind};
use promql::METRIC_NAME;
use types::{Timestamp, VALUE_FIELD, Value, column_of_label};

/// The column of times.
const TIME_COLUMN: &str = "@timestamp";

/// A sample: labels, time in ms, value.
pub(super) type Sample = (promql::Labels, i64, promql::Value);

/// Turns samples into rows: time, labels (the name of the metric first) and value, of a native histogram as text.
pub(super) fn rows_of(samples: Vec<Sample>) -> Answer {
    let names: BTreeSet<Arc<str>> =
        samples.iter().flat_map(|(labels, ..)| labels.iter().map(|label| label.name.clone())).collect();
    let named = names.iter().filter(|name| &***name == METRIC_NAME);
    let names: Vec<Arc<str>> = named.chain(names.iter().filter(|name| &***name != METRIC_NAME)).cloned().collect();
    let is_finite =
        samples.iter().all(|(.., value)| matches!(value, promql::Value::Float(number) if number.is_finite()));
    let column = |name: &str, kind| ColumnInfo { name: name.to_owned(), kind, approximate: false };
    let mut columns = vec![column(TIME_COLUMN, ColumnKind::Timestamp)];
    columns.extend(names.iter().map(|name| column(&column_of_label(name), ColumnKind::String)));
    columns.push(column(VALUE_FIELD, if is_finite { ColumnKind::Float } else { ColumnKind::Any }));
    let rows = samples.into_iter().map(|(labels, time, value)| {
        let time = Value::Timestamp(Timestamp(time.saturating_mul(Timestamp::MILLISECOND)));
        let label = |name: &Arc<str>| Some(labels.get(name)).filter(|text| !text.is_empty()).map(Value::text);
        let value = match value {
            promql::Value::Float(number) if number.is_finite() => Value::Float(number),
            // JSON has no number that is not finite.
            promql::Value::Float(number) => Value::text(not_finite(number)),
            promql::Value::Histogram(histogram) => Value::text(histogram.to_string()),
        };
        std::iter::once(Some(time)).chain(names.iter().map(label)).chain([Some(value)]).collect()
    });
    Answer { rows: rows.collect(), columns, ..Answer::default() }
}

fn not_finite(value: f64) -> &'static str {
    if value.is_nan() {
        "NaN"
    } else if value > 0.0 {
        "+Inf"
    } else {
        "-Inf"
    }
}

#[cfg(test)]
mod tests;
