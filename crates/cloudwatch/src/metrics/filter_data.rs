//! The data of metrics that filters make, worked out from the stored events when they are asked for: a datum for each event that
//! matches, at the event's time in seconds. Equal values of a second are one datum with a count.
//!
//! They reach back as far as events are kept, also to before the filter was created.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

use alert::metrics::{label_text, number_of};
use door::{Problem, Result};
use execute::BlockVisitor;
use ingest::datum::{Datum, MetricName, NO_UNIT};
use plan::{Expr, Operator, Plan};
use types::{Column, GroupPattern, Hold, Timestamp, Value};

use super::source::MetricSource;
use crate::metric_filters::Filter;

const TIME: &str = "@timestamp";

const SECOND_MS: i64 = 1_000;
const MINUTE_MS: i64 = 60_000;

/// Most sets of dimensions of a filter that are listed.
const SETS_MAX: usize = 10_000;

/// A range from its start to before its end, in ms.
type Range = (i64, i64);

/// Returns the data that filters make of a metric, by unit.
///
/// # Errors
/// If events cannot be read, or there are more than `n_max` data.
pub(super) fn data_of(
    source: &dyn MetricSource,
    metric: &MetricName,
    range: Range,
    n_max: usize,
) -> Result<BTreeMap<String, Vec<(i64, Datum)>>> {
    let mut by_unit: BTreeMap<String, Vec<(i64, Datum)>> = BTreeMap::new();
    let mut n_left = n_max;
    for filter in source.filters(Some(&metric.name))?.into_iter().filter(|filter| filter.makes(metric)) {
        let data = data_of_filter(source, &filter, metric, (range, n_left))?;
        n_left = n_left.saturating_sub(data.len());
        by_unit.entry(filter.unit.unwrap_or_else(|| NO_UNIT.to_owned())).or_default().extend(data);
    }
    Ok(by_unit)
}

/// Returns the metrics that filters make of the events of a range, in a namespace if it is given.
///
/// # Errors
/// If events cannot be read, or a filter makes very many metrics.
pub(super) fn metrics(
    source: &dyn MetricSource,
    namespace: Option<&str>,
    range: Range,
) -> Result<BTreeSet<MetricName>> {
    let mut found = BTreeSet::new();
    for filter in source.filters(None)? {
        if namespace.is_some_and(|wanted| wanted != filter.namespace) {
            continue;
        }
        let Some(plan) = plan_of(&filter) else { continue };
        let reader = SetReader { n_dimensions: filter.dimensions.len(), found: Mutex::default() };
        source.visit_all(&plan, group_of(&filter), range, &reader)?;
        let sets = reader.found.into_held();
        if sets.len() > SETS_MAX {
            let message =
                format!("metric {:?} has more than {SETS_MAX} sets of dimensions in this range", filter.metric);
            return Err(Problem::bad_request("too-much-memory", message).hint("ask for a shorter range"));
        }
        found.extend(sets.into_iter().map(|texts| MetricName {
            namespace: filter.namespace.clone(),
            name: filter.metric.clone(),
            dimensions: filter.dimensions.keys().cloned().zip(texts).collect(),
        }));
    }
    Ok(found)
}

fn data_of_filter(
    source: &dyn MetricSource,
    filter: &Filter,
    metric: &MetricName,
    (range, n_max): (Range, usize),
) -> Result<Vec<(i64, Datum)>> {
    let Some(plan) = plan_of(filter) else { return Ok(Vec::new()) };
    let wanted: Vec<&str> = metric.dimensions.values().map(String::as_str).collect();
    let reader = Reader { constant: filter.constant(), wanted, n_max, found: Mutex::default() };
    // Whether a minute has a match is seen in the whole of it.
    let read = if filter.default.is_some() { whole_minutes(range) } else { range };
    let is_within = |time: i64| (range.0..range.1).contains(&time);
    source.visit_all(&plan, group_of(filter), read, &reader)?;
    let found = reader.found.into_held();
    if found.counts.len() > n_max {
        let message = format!("metric {:?} has more than {n_max} data in this range", filter.metric);
        return Err(Problem::bad_request("too-much-memory", message).hint("ask for a shorter range"));
    }
    let datum =
        |((second, bits), n): ((i64, u64), u64)| (second * SECOND_MS, Datum::of_value(f64::from_bits(bits), n as f64));
    let mut data: Vec<(i64, Datum)> = found.counts.into_iter().map(datum).collect();
    data.retain(|(time, _)| is_within(*time));
    if let Some(default) = filter.default {
        let columns = vec![(TIME.into(), Expr::Field(TIME.into()))];
        let plan = Plan::new(vec![Operator::Project { columns, is_events: true }]);
        let minutes = Minutes::default();
        source.visit_all(&plan, group_of(filter), read, &minutes)?;
        let minutes = minutes.0.into_held();
        let without = minutes.difference(&found.minutes).map(|minute| minute * MINUTE_MS);
        data.extend(without.filter(|time| is_within(*time)).map(|time| (time, Datum::of_value(default, 1.0))));
    }
    Ok(data)
}

fn whole_minutes((from, to): Range) -> Range {
    let end = to.div_euclid(MINUTE_MS) + i64::from(to.rem_euclid(MINUTE_MS) > 0);
    (from.div_euclid(MINUTE_MS) * MINUTE_MS, end.saturating_mul(MINUTE_MS))
}

/// Returns the plan of a filter, with the time as the last column; none of a pattern that is no longer understood.
fn plan_of(filter: &Filter) -> Option<Plan> {
    let mut plan = filter.plan().ok()?;
    plan.edit(|operators| {
        if let Some(Operator::Project { columns, .. }) = operators.last_mut() {
            columns.push((TIME.into(), Expr::Field(TIME.into())));
        }
    });
    Some(plan)
}

fn group_of(filter: &Filter) -> Vec<GroupPattern> {
    vec![GroupPattern::new(filter.group.as_str())]
}

fn time_of(column: &Column, row: usize) -> Option<i64> {
    match column.value(row)? {
        Value::Timestamp(time) => Some(time.0.div_euclid(Timestamp::MILLISECOND)),
        _ => None,
    }
}

/// The values of a metric.
#[derive(Default)]
struct ValueCounts {
    /// How often each value was in each second, by its bits.
    counts: HashMap<(i64, u64), u64>,
    /// Minutes in which events match.
    minutes: BTreeSet<i64>,
}

/// Counts the values of one metric. The columns are the value unless it is `constant`, those of the dimensions, and the time.
struct Reader<'m> {
    constant: Option<f64>,
    /// The values of the dimensions.
    wanted: Vec<&'m str>,
    n_max: usize,
    found: Mutex<ValueCounts>,
}

impl Reader<'_> {
    /// Returns the value of a row of the metric; an event without a number gives no datum.
    fn value(&self, columns: &[Arc<Column>], row: usize) -> Option<f64> {
        let (value, dimensions) = columns.split_at(usize::from(self.constant.is_none()).min(columns.len()));
        let is_meant = |(column, wanted): (&Arc<Column>, &&str)| {
            column.value(row).is_some_and(|value| label_text(&value) == **wanted)
        };
        if !dimensions.iter().zip(&self.wanted).all(is_meant) {
            return None;
        }
        match self.constant {
            Some(value) => Some(value),
            None => number_of(&value.first()?.value(row)?),
        }
    }
}

impl BlockVisitor for Reader<'_> {
    fn visit(&self, _: usize, columns: &[Arc<Column>]) {
        let Some((times, rest)) = columns.split_last() else { return };
        let mut found = self.found.hold();
        for row in 0..times.n_rows() {
            if found.counts.len() > self.n_max {
                return;
            }
            let Some(time) = time_of(times, row) else { continue };
            found.minutes.insert(time.div_euclid(MINUTE_MS));
            if let Some(value) = self.value(rest, row) {
                *found.counts.entry((time.div_euclid(SECOND_MS), value.to_bits())).or_default() += 1;
            }
        }
    }
}

/// Collects sets of values of dimensions, which are the columns before the last one, the time.
struct SetReader {
    n_dimensions: usize,
    found: Mutex<BTreeSet<Vec<String>>>,
}

impl BlockVisitor for SetReader {
    fn visit(&self, _: usize, columns: &[Arc<Column>]) {
        let Some((times, rest)) = columns.split_last() else { return };
        let (_, dimensions) = rest.split_at(rest.len().saturating_sub(self.n_dimensions));
        let mut found = self.found.hold();
        for row in 0..times.n_rows() {
            if found.len() > SETS_MAX {
                return;
            }
            let texts = dimensions.iter().map(|column| column.value(row).map(|value| label_text(&value)));
            if let Some(texts) = texts.collect::<Option<Vec<_>>>() {
                found.insert(texts);
            }
        }
    }
}

/// Collects the minutes in which there are events.
#[derive(Default)]
struct Minutes(Mutex<BTreeSet<i64>>);

impl BlockVisitor for Minutes {
    fn visit(&self, _: usize, columns: &[Arc<Column>]) {
        let Some(times) = columns.first() else { return };
        let minutes = (0..times.n_rows()).filter_map(|row| Some(time_of(times, row)?.div_euclid(MINUTE_MS)));
        self.0.hold().extend(minutes);
    }
}
