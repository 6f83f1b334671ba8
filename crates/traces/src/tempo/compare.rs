//! The answer of `compare()`: how often each value of each field occurs among selected spans and among the others.
//!
//! As in Tempo, a series has the label `__meta_type` (`baseline`, `selection`, `baseline_total`, `selection_total`) and one label
//! named as the field. The totals count the spans that have the field. Ids, times and durations are left out; so are the fields of
//! a trace, which no span has.

use std::collections::BTreeMap;

use door::{Problem, QueryRun, Result};
use plan::{Name, Plan};
use storage::Snapshot;
use traceql::{ComparePlan, Series, ValueCount};
use types::{Timestamp, Value};

use crate::plans::span_groups;
use crate::read::Reading;
use crate::span::{is_of_resource, is_own_field};
use crate::{times, values};

/// Limit on the fields compared.
const FIELDS_MAX: usize = 100;

/// Limit on the values of one field, over all steps and both sides, that are counted at once. For a field with more, the most
/// frequent values are found first.
const COUNTS_MAX: usize = 20_000;

/// The label with what a series counts.
const META_TYPE: &str = "__meta_type";

/// The counts of one value, by the time of the point.
type Points = BTreeMap<Timestamp, i64>;

/// Returns the series of a comparison. What is missing is in `reading`.
pub(super) fn series(run: &QueryRun<'_>, compare: &ComparePlan, reading: &mut Reading) -> Result<Vec<Series>> {
    let queries = ComparisonQueries { run, snapshot: run.snapshot(&span_groups(&[]), compare.range), compare };
    let names = values::matched_names(run, compare.range, compare.base.clone(), reading)?;
    let mut fields: Vec<(Name, String)> =
        names.iter().filter_map(|name| Some((name.as_str().into(), label_of(name)?))).collect();
    if fields.len() > FIELDS_MAX {
        let left_out: Vec<String> = fields.drain(FIELDS_MAX..).map(|(_, label)| label).collect();
        reading.cut(format!("more than {FIELDS_MAX} fields; not compared: {}", left_out.join(", ")));
    }
    let names: Vec<Name> = fields.iter().map(|(name, _)| name.clone()).collect();
    let totals = queries.rows(&compare.totals(&names), compare, reading)?;
    let mut all = Vec::new();
    for (place, (name, label)) in fields.iter().enumerate() {
        let [baseline, selection] = queries.values(name, reading)?;
        for (meta_type, values) in [("baseline", baseline), ("selection", selection)] {
            all.extend(values.into_iter().map(|(value, points)| series_of(meta_type, label, Some(value), points)));
        }
        for (meta_type, is_selected) in [("baseline_total", false), ("selection_total", true)] {
            let of_side = totals.iter().filter_map(|row| compare.total(row, place));
            let of_side = of_side.filter(|total| total.is_selected == is_selected && total.count > 0);
            let points = of_side.map(|total| (total.time, total.count)).collect();
            all.push(series_of(meta_type, label, None, points));
        }
    }
    all.retain(|series| !series.points.is_empty());
    Ok(all)
}

/// Returns TraceQL's name for a field of spans; `None` for fields that are not compared.
fn label_of(name: &str) -> Option<String> {
    Some(match name {
        "name" | "kind" | "status" => name.to_owned(),
        "status_message" => "statusMessage".to_owned(),
        "scope.name" => "instrumentation:name".to_owned(),
        "scope.version" => "instrumentation:version".to_owned(),
        "service" => "resource.service.name".to_owned(),
        "service.name" => return None,
        name if is_own_field(name) => return None,
        name => {
            let sent = name.strip_prefix("attributes.").unwrap_or(name);
            let scope = if is_of_resource(sent) { "resource" } else { "span" };
            let field = traceql::Field::parse(&format!("{scope}.{sent}"));
            field.map_or_else(|_| format!("{scope}.\"{sent}\""), |field| field.to_string())
        }
    })
}

fn series_of(meta_type: &str, label: &str, value: Option<Value>, points: Points) -> Series {
    Series {
        labels: vec![(META_TYPE.into(), Some(Value::text(meta_type))), (label.to_owned(), value)],
        points: points.into_iter().map(|(time, count)| (time, count as f64)).collect(),
        exemplars: Vec::new(),
    }
}

/// The queries of a comparison, all on one snapshot.
struct ComparisonQueries<'a> {
    run: &'a QueryRun<'a>,
    snapshot: Snapshot,
    compare: &'a ComparePlan,
}

impl ComparisonQueries<'_> {
    fn rows(&self, plan: &Plan, compare: &ComparePlan, reading: &mut Reading) -> Result<Vec<Vec<Option<Value>>>> {
        let scope = times::scope(self.run.server.now());
        Ok(reading.add(self.run.execute_on(&self.snapshot, plan, &scope, compare.range)?))
    }

    fn counts(
        &self,
        compare: &ComparePlan,
        name: &Name,
        most: usize,
        reading: &mut Reading,
    ) -> Result<Vec<ValueCount>> {
        let rows = self.rows(&compare.values(name, most), compare, reading)?;
        Ok(rows.iter().filter_map(|row| compare.value(row)).collect())
    }

    /// Returns the most frequent values of a field: first those in the baseline, then those in the selection.
    fn values(&self, name: &Name, reading: &mut Reading) -> Result<[Vec<(Value, Points)>; 2], Problem> {
        let found = self.counts(self.compare, name, COUNTS_MAX + 1, reading)?;
        if found.len() <= COUNTS_MAX {
            return Ok([false, true].map(|is_selected| most_frequent(&found, is_selected, self.compare.most)));
        }
        let mut sides = [Vec::new(), Vec::new()];
        for (side, is_selected) in sides.iter_mut().zip([false, true]) {
            let of_side = self.compare.side(is_selected);
            let top = self.counts(&of_side, name, self.compare.most, reading)?;
            let values: Vec<Value> = top.iter().filter_map(|count| count.value.clone()).collect();
            if values.is_empty() {
                continue;
            }
            let stepped = self.compare.with_values(name, &values);
            let found = self.counts(&stepped, name, usize::MAX, reading)?;
            let found: Vec<ValueCount> = found
                .into_iter()
                .filter(|count| count.value.as_ref().is_some_and(|value| values.contains(value)))
                .collect();
            let sum = |counts: &[ValueCount]| -> i64 {
                counts.iter().filter(|count| count.is_selected == is_selected).map(|count| count.count).sum()
            };
            if sum(&found) == sum(&top) {
                *side = most_frequent(&found, is_selected, self.compare.most);
            } else {
                // Lists, and texts that read as other types, may equal more values than themselves, or fewer.
                reading.cut(format!("the field {name} has too many values to be compared"));
            }
        }
        Ok(sides)
    }
}

/// Returns the most frequent values of one side.
fn most_frequent(counts: &[ValueCount], is_selected: bool, most: usize) -> Vec<(Value, Points)> {
    // By the texts with their types: a number and a text with its digits are two values.
    let mut values: BTreeMap<String, (Value, Points)> = BTreeMap::new();
    for count in counts.iter().filter(|count| count.is_selected == is_selected) {
        let Some(value) = &count.value else { continue };
        let (_, points) = values.entry(format!("{value:?}")).or_insert_with(|| (value.clone(), Points::new()));
        *points.entry(count.time).or_default() += count.count;
    }
    let mut values: Vec<(Value, Points)> = values.into_values().collect();
    values.sort_by_key(|(_, points)| std::cmp::Reverse(points.values().sum::<i64>()));
    values.truncate(most);
    values
}
