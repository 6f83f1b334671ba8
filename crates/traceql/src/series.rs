//! Series, built from the rows of a metrics query's plan.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use plan::{Expr, Function, Plan};
use types::{TimeRange, Timestamp, Value};

use crate::condition::field;
use crate::syntax::{SecondStage, Threshold};

/// A metrics query as one plan.
#[derive(Clone, Debug)]
pub struct SeriesPlan {
    /// Gives a row for each point of each series; [`SeriesPlan::series`] reads them.
    pub plan: Plan,
    /// The range of the events: whole steps, which may extend beyond the range of the request.
    pub range: TimeRange,
    pub(crate) shape: Shape,
}

/// Returns the first nanosecond of the step of a span.
pub(crate) fn step_of(first: i64, step: i64) -> Expr {
    let origin = Expr::Literal(Some(Value::Timestamp(Timestamp(first))));
    let length = Expr::Duration(plan::Length::Nanoseconds(step));
    Expr::Call(Function::TimeBucket, vec![field("@timestamp"), origin, length])
}

/// The label with the name of the function, of series without other labels.
pub(crate) const NAME_LABEL: &str = "__name__";

/// Names and values of labels.
pub(crate) type Labels = Vec<(String, Option<Value>)>;

/// Values over time.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Names as the query writes them, and values; fields that the spans do not have are left out, unless none has one. The
    /// value of a quantile is in the label `p`, the upper end of a histogram's bucket in `__bucket`, and a series without
    /// other labels has `__name__`.
    pub labels: Vec<(String, Option<Value>)>,
    /// Points in order of time; a step without spans has none.
    pub points: Vec<(Timestamp, f64)>,
    /// Some of the spans that count, in order of time, if they were added.
    pub exemplars: Vec<Exemplar>,
}

/// A span that counts for a point.
#[derive(Clone, Debug, PartialEq)]
pub struct Exemplar {
    /// When it began.
    pub time: Timestamp,
    /// The value that the function is computed from; for functions that count spans, the value of the point.
    pub value: f64,
    /// The id of its trace.
    pub trace_id: Arc<str>,
    /// Its own id.
    pub span_id: Arc<str>,
}

/// The meaning of the columns of rows.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    /// The name of the function.
    pub(crate) name: &'static str,
    /// Labels; each is a column after that of the time.
    pub(crate) labels: Vec<String>,
    /// The distance from a row's time to that of its point; `None` if rows have no time.
    pub(crate) end_of_step: Option<i64>,
    /// The time of the only point if rows have none.
    pub(crate) instant: Timestamp,
    /// The factor for the histogram's column, if there is one after the labels.
    pub(crate) bucket_scale: Option<f64>,
    /// Columns with values, last in a row.
    pub(crate) columns: Vec<Column>,
    /// The stages after the function.
    pub(crate) second: Vec<SecondStage>,
}

/// A column with values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    pub(crate) quantile: Option<f64>,
    /// The factor for the values.
    pub(crate) scale: f64,
}

impl SeriesPlan {
    /// Returns the series of the rows that [`SeriesPlan::plan`] gave, in the order of their labels' texts.
    pub fn series(&self, rows: &[Vec<Option<Value>>]) -> Vec<Series> {
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut all: Vec<Series> = Vec::new();
        for row in rows {
            let Some((time, base)) = self.shape.labels_of(row) else { continue };
            let n_before = row.len().saturating_sub(self.shape.columns.len());
            for (column, value) in self.shape.columns.iter().zip(&row[n_before..]) {
                let Some(number) = value.as_ref().and_then(Value::as_f64) else { continue };
                let labels = self.shape.with_quantile(&base, *column);
                let place = *places.entry(format!("{labels:?}")).or_insert(all.len());
                if place == all.len() {
                    all.push(Series { labels, points: Vec::new(), exemplars: Vec::new() });
                }
                all[place].points.push((time, number * column.scale));
            }
        }
        all.iter_mut().for_each(|series| series.points.sort_by_key(|(time, _)| *time));
        sort(&mut all);
        self.shape.second.iter().for_each(|second| apply(*second, &mut all));
        all.retain(|series| !series.points.is_empty());
        all
    }
}

/// Sorts series by the texts of their labels.
pub(crate) fn sort(all: &mut [Series]) {
    all.sort_by_cached_key(|series| format!("{:?}", series.labels));
}

impl Shape {
    /// Returns the time of a row's point and the labels that all its series have.
    pub(crate) fn labels_of(&self, row: &[Option<Value>]) -> Option<(Timestamp, Labels)> {
        let mut cells = row.iter();
        let time = match self.end_of_step {
            None => self.instant,
            Some(end) => match cells.next()? {
                Some(Value::Timestamp(start)) => Timestamp(start.0.saturating_add(end)),
                _ => return None,
            },
        };
        let mut labels: Labels = Vec::new();
        for name in &self.labels {
            if let Some(value) = cells.next()? {
                labels.push((name.clone(), Some(value.clone())));
            }
        }
        match (labels.is_empty(), self.labels.first()) {
            (true, Some(first)) => labels.push((first.clone(), None)),
            (true, None)
                if self.bucket_scale.is_none() && self.columns.iter().all(|column| column.quantile.is_none()) =>
            {
                labels.push((NAME_LABEL.into(), Some(Value::text(self.name))));
            }
            _ => {}
        }
        if let Some(scale) = self.bucket_scale {
            labels.push(("__bucket".into(), Some(Value::Float(cells.next()?.as_ref()?.as_f64()? * scale))));
        }
        Some((time, labels))
    }

    pub(crate) fn with_quantile(&self, labels: &[(String, Option<Value>)], column: Column) -> Labels {
        let quantile = column.quantile.map(|quantile| ("p".to_owned(), Some(Value::Float(quantile))));
        labels.iter().cloned().chain(quantile).collect()
    }
}

/// Ranks or compares the values of each instant.
pub(crate) fn apply(second: SecondStage, all: &mut [Series]) {
    let (count, is_top) = match second {
        SecondStage::Top(count) => (count, true),
        SecondStage::Bottom(count) => (count, false),
        SecondStage::Compare(comparison, threshold) => {
            let threshold = match threshold {
                Threshold::Number(number) => number,
                Threshold::Duration(length) => length as f64 / 1e9,
            };
            for series in all {
                series
                    .points
                    .retain(|(_, value)| value.partial_cmp(&threshold).is_some_and(|order| comparison.holds(order)));
            }
            return;
        }
    };
    let mut instants: BTreeMap<Timestamp, Vec<(f64, usize)>> = BTreeMap::new();
    for (place, series) in all.iter().enumerate() {
        for (time, value) in &series.points {
            instants.entry(*time).or_default().push((*value, place));
        }
    }
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let mut removed: Vec<HashSet<Timestamp>> = vec![HashSet::new(); all.len()];
    for (time, mut values) in instants {
        // Among equal values, those of the first series are kept.
        values.sort_by(|(a, _), (b, _)| if is_top { b.total_cmp(a) } else { a.total_cmp(b) });
        for (_, place) in values.into_iter().skip(count) {
            removed[place].insert(time);
        }
    }
    for (series, removed) in all.iter_mut().zip(removed) {
        series.points.retain(|(time, _)| !removed.contains(time));
    }
}
