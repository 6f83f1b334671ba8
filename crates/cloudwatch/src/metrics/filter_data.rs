//! The data of metrics that filters make, worked out from the stored events when they are asked for: a datum for each event that
//! matches, at the event's time.
//!
//! So they are as old as the events are kept, and events from before the filter count too.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use alert::metrics::{label_text, number_of};
use door::problem::Problem;
use execute::BlockVisitor;
use ingest::datum::{Datum, MetricName, NO_UNIT};
use plan::{Expr, Operator, Plan};
use types::{Column, GroupPattern, TimeRange, Timestamp, Value};

use super::source::MetricSource;
use crate::metric_filters::Filter;
use crate::patterns::showing;

const TIME: &str = "@timestamp";

const MINUTE_MS: i64 = 60_000;

/// A datum of a filter: its time in ms, and the values of the filter's dimensions.
struct FilterDatum {
    time: i64,
    dimensions: Vec<String>,
    datum: Datum,
}

/// Returns the data that filters make of a metric from `from` to before `to`, in ms, by unit.
///
/// # Errors
/// If events cannot be read, or there are more than `n_max` data.
pub(super) fn data_of(
    source: &dyn MetricSource,
    metric: &MetricName,
    range: (i64, i64),
    n_max: usize,
) -> Result<BTreeMap<String, Vec<(i64, Datum)>>, Problem> {
    let mut by_unit: BTreeMap<String, Vec<(i64, Datum)>> = BTreeMap::new();
    let is_meant = |filter: &Filter| {
        filter.namespace == metric.namespace
            && filter.metric == metric.name
            && filter.dimensions.keys().eq(metric.dimensions.keys())
    };
    for filter in source.filters()?.into_iter().filter(is_meant) {
        let of_filter = filter.data(source, range, n_max)?;
        let data = of_filter.into_iter().filter(|one| one.dimensions.iter().eq(metric.dimensions.values()));
        let unit = filter.unit.unwrap_or_else(|| NO_UNIT.to_owned());
        by_unit.entry(unit).or_default().extend(data.map(|one| (one.time, one.datum)));
    }
    Ok(by_unit)
}

/// Returns the metrics that filters make of events from `from` to before `to`, in ms, of a namespace if it is given.
///
/// # Errors
/// If events cannot be read, or there are more than `n_max` data.
pub(super) fn metrics(
    source: &dyn MetricSource,
    namespace: Option<&str>,
    range: (i64, i64),
    n_max: usize,
) -> Result<BTreeSet<MetricName>, Problem> {
    let mut found = BTreeSet::new();
    for filter in source.filters()? {
        if namespace.is_some_and(|wanted| wanted != filter.namespace) {
            continue;
        }
        for FilterDatum { dimensions, .. } in filter.data(source, range, n_max)? {
            let dimensions = filter.dimensions.keys().cloned().zip(dimensions).collect();
            let (namespace, name) = (filter.namespace.clone(), filter.metric.clone());
            found.insert(MetricName { namespace, name, dimensions });
        }
    }
    Ok(found)
}

impl Filter {
    fn data(&self, source: &dyn MetricSource, range: (i64, i64), n_max: usize) -> Result<Vec<FilterDatum>, Problem> {
        let constant = self.value.parse::<f64>().ok();
        let value = Some(self.value.as_str()).filter(|_| constant.is_none());
        let selectors: Vec<&str> = value.into_iter().chain(self.dimensions.values().map(String::as_str)).collect();
        // A pattern that is no longer understood makes no data; it was checked when it was put.
        let Ok(mut plan) = showing(&self.pattern, &selectors) else { return Ok(Vec::new()) };
        plan.edit(|operators| {
            if let Some(Operator::Project { columns, .. }) = operators.last_mut() {
                columns.push((TIME.into(), Expr::Field(TIME.into())));
            }
        });
        let reader = Reader { constant, n_max, found: Mutex::default(), is_full: Mutex::default() };
        self.read(source, &plan, range, &reader)?;
        if *reader.is_full.lock().unwrap_or_else(PoisonError::into_inner) {
            let message = format!("metric {:?} has more than {n_max} data in this range", self.metric);
            return Err(Problem::bad_request("too-much-memory", message).hint("ask for a shorter range"));
        }
        let mut data = reader.found.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(default) = self.default {
            data.extend(self.defaults(source, range, (default, &data))?);
        }
        Ok(data)
    }

    /// Returns the default value for each minute with events of which none matches.
    fn defaults(
        &self,
        source: &dyn MetricSource,
        range: (i64, i64),
        (default, data): (f64, &[FilterDatum]),
    ) -> Result<Vec<FilterDatum>, Problem> {
        let columns = vec![(TIME.into(), Expr::Field(TIME.into()))];
        let plan = Plan::new(vec![Operator::Project { columns, is_events: true }]);
        let minutes = Minutes::default();
        self.read(source, &plan, range, &minutes)?;
        let mut minutes = minutes.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        for one in data {
            minutes.remove(&one.time.div_euclid(MINUTE_MS));
        }
        let datum = |minute: i64| FilterDatum {
            time: (minute * MINUTE_MS).max(range.0),
            dimensions: Vec::new(),
            datum: Datum::of_value(default, 1.0),
        };
        Ok(minutes.into_iter().map(datum).collect())
    }

    fn read(
        &self,
        source: &dyn MetricSource,
        plan: &Plan,
        (from, to): (i64, i64),
        visitor: &dyn BlockVisitor,
    ) -> Result<(), Problem> {
        let instant = |ms: i64| Timestamp(ms.saturating_mul(Timestamp::MILLISECOND));
        let range = TimeRange { from: instant(from), to: instant(to) };
        match source.visit(plan, vec![GroupPattern::new(self.group.as_str())], range, visitor)? {
            None => Ok(()),
            // A statistic of a part of the values would look like one of all.
            Some(reason) => Err(Problem::internal(format!("not all events can be read: {reason}"))),
        }
    }
}

fn time_of(column: &Column, row: usize) -> Option<i64> {
    match column.value(row)? {
        Value::Timestamp(time) => Some(time.0.div_euclid(Timestamp::MILLISECOND)),
        _ => None,
    }
}

/// Collects the data of blocks. The columns are the value unless it is `constant`, those of the dimensions, and the time.
struct Reader {
    constant: Option<f64>,
    n_max: usize,
    found: Mutex<Vec<FilterDatum>>,
    is_full: Mutex<bool>,
}

impl Reader {
    /// Returns the datum of a row; an event without a number, or without one of the dimensions, is none of the metric.
    fn datum(&self, columns: &[Arc<Column>], row: usize) -> Option<FilterDatum> {
        let (time, rest) = columns.split_last()?;
        let (value, dimensions) = rest.split_at(usize::from(self.constant.is_none()).min(rest.len()));
        let value = match self.constant {
            Some(value) => value,
            None => number_of(&value.first()?.value(row)?)?,
        };
        let dimensions = dimensions.iter().map(|column| column.value(row).map(|value| label_text(&value)));
        let dimensions = dimensions.collect::<Option<Vec<_>>>()?;
        Some(FilterDatum { time: time_of(time, row)?, dimensions, datum: Datum::of_value(value, 1.0) })
    }
}

impl BlockVisitor for Reader {
    fn expect(&self, _: &[(Timestamp, Timestamp)]) {}

    fn visit(&self, _: usize, columns: &[Arc<Column>]) {
        let Some(time) = columns.last() else { return };
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if found.len() + time.n_rows() > self.n_max {
            *self.is_full.lock().unwrap_or_else(PoisonError::into_inner) = true;
            return;
        }
        found.extend((0..time.n_rows()).filter_map(|row| self.datum(columns, row)));
    }
}

/// Collects the minutes in which there are events.
#[derive(Default)]
struct Minutes(Mutex<BTreeSet<i64>>);

impl BlockVisitor for Minutes {
    fn expect(&self, _: &[(Timestamp, Timestamp)]) {}

    fn visit(&self, _: usize, columns: &[Arc<Column>]) {
        let Some(time) = columns.first() else { return };
        let minutes = (0..time.n_rows()).filter_map(|row| Some(time_of(time, row)?.div_euclid(MINUTE_MS)));
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(minutes);
    }
}
