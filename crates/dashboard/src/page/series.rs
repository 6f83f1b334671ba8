//! Series of an answer: numbers with labels, by time or at one instant, whatever the language of the query.

use std::collections::{BTreeSet, HashMap};

use types::{Timestamp, Value};

use super::model::{Table, TableKind};
use crate::document::LegendValue;

/// What is shown of nothing.
pub(super) const NOTHING: &str = "–";

/// The times of the points of a series.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Timing {
    /// Each point has its own.
    #[default]
    Course,
    /// The answer has only this one, in ms; its points are at 0.
    Instant(i64),
    /// The answer has none; its points are at 0.
    Timeless,
}

/// A line of a panel, or at one instant a number with a name.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct PanelSeries {
    pub(super) name: String,
    pub(super) labels: Vec<(String, String)>,
    /// In the order of time: an instant in ms, a value. An answer that is not by time has one point at 0.
    pub(super) points: Vec<(i64, f64)>,
    /// The times of the points.
    pub(super) timing: Timing,
    /// How much later the times are than the starts of the bins that they belong to, in ms.
    pub(super) lag_ms: i64,
}

impl PanelSeries {
    /// Returns the value of a label.
    pub(super) fn label(&self, name: &str) -> Option<&str> {
        self.labels.iter().find(|(label, _)| label == name).map(|(_, value)| value.as_str())
    }

    /// Returns a number of its values; none of a series without points.
    pub(super) fn number(&self, of: LegendValue) -> Option<f64> {
        let values = || self.points.iter().map(|(_, value)| *value);
        let last = values().next_back()?;
        Some(match of {
            LegendValue::Last => last,
            LegendValue::Max => values().fold(f64::NEG_INFINITY, f64::max),
            LegendValue::Min => values().fold(f64::INFINITY, f64::min),
            LegendValue::Mean => values().sum::<f64>() / self.points.len() as f64,
            LegendValue::Sum => values().sum(),
        })
    }

    /// Returns the sum of the sizes of its values, by which series are chosen where there are too many.
    pub(super) fn size(&self) -> f64 {
        self.points.iter().map(|(_, value)| value.abs()).sum()
    }

    /// Returns the value that counts for every time; `None` if the answer has a time.
    pub(super) fn constant(&self) -> Option<f64> {
        match &self.points[..] {
            [(_, value)] if self.timing == Timing::Timeless => Some(*value),
            _ => None,
        }
    }

    /// Returns the series of one instant with its time.
    pub(super) fn at_its_time(mut self) -> Self {
        if let Timing::Instant(at) = self.timing {
            self.points.iter_mut().for_each(|point| point.0 = at);
            self.timing = Timing::Course;
        }
        self
    }

    /// Returns the series with its points at the starts of bins.
    pub(super) fn at_starts(mut self) -> Self {
        self.points.iter_mut().for_each(|point| point.0 = point.0.saturating_sub(self.lag_ms));
        self.lag_ms = 0;
        self
    }

    /// Returns the value at an instant.
    pub(super) fn at(&self, ms: i64) -> Option<f64> {
        let at = self.points.binary_search_by_key(&ms, |point| point.0).ok()?;
        Some(self.points[at].1)
    }
}

/// Reports whether an answer is by time. Events have a time, too; their numbers are points.
pub(super) fn is_by_time(table: &Table) -> bool {
    let Some(time) = time_column(table) else { return false };
    let instants: BTreeSet<_> = table.rows.iter().map(|row| instant(row.get(time))).collect();
    instants.len() > 1
}

/// Returns the series of an answer.
pub(super) fn series_of(table: &Table) -> Vec<PanelSeries> {
    let numbers: Vec<usize> = (0..table.columns.len()).filter(|at| is_numeric(table, *at)).collect();
    let time = time_column(table);
    let is_by_time = is_by_time(table);
    let only = time.and_then(|time| instant(table.rows.first()?.get(time)));
    let timing = if is_by_time { Timing::Course } else { only.map_or(Timing::Timeless, Timing::Instant) };
    let labels: Vec<usize> = (0..table.columns.len()).filter(|at| Some(*at) != time && !numbers.contains(at)).collect();
    let mut found: Vec<PanelSeries> = Vec::new();
    let mut places: HashMap<(usize, Vec<String>), usize> = HashMap::new();
    for row in &table.rows {
        let at = time.filter(|_| is_by_time).map_or(Some(0), |time| instant(row.get(time)));
        let Some(at) = at else { continue };
        let values: Vec<String> = labels.iter().map(|label| cell_text(row.get(*label))).collect();
        for number in &numbers {
            let Some(value) = row.get(*number).and_then(Option::as_ref).and_then(number_in) else { continue };
            let place = *places.entry((*number, values.clone())).or_insert_with(|| {
                let names = labels.iter().map(|label| table.columns[*label].name.clone());
                let labels = names.zip(values.iter().cloned()).collect();
                let name = table.columns[*number].name.clone();
                found.push(PanelSeries { name, labels, points: Vec::new(), timing, lag_ms: table.lag_ms });
                found.len() - 1
            });
            if value.is_finite() {
                found[place].points.push((at, value));
            }
        }
    }
    found.iter_mut().for_each(|series| series.points.sort_by_key(|point| point.0));
    found
}

/// Returns all instants of series, in order.
pub(super) fn instants(series: &[PanelSeries]) -> Vec<i64> {
    let all: BTreeSet<i64> = series.iter().flat_map(|one| one.points.iter().map(|point| point.0)).collect();
    all.into_iter().collect()
}

/// Returns the distance of points in ms: the least that there is, or else `otherwise`.
pub(super) fn distance_of(series: &[PanelSeries], otherwise: i64) -> i64 {
    let gaps = series.iter().flat_map(|one| one.points.windows(2).map(|pair| pair[1].0 - pair[0].0));
    gaps.filter(|gap| *gap > 0).min().unwrap_or(otherwise)
}

/// Writes a value as a text, without quotes around it.
pub(super) fn cell_text(value: Option<&Option<Value>>) -> String {
    match value {
        None | Some(None) => NOTHING.to_owned(),
        Some(Some(Value::String(text))) => text.to_string(),
        Some(Some(other)) => {
            let mut json = String::new();
            other.write_json(&mut json);
            json.trim_matches('"').to_owned()
        }
    }
}

/// Returns the number that a value is; texts are the numbers that JSON does not have.
pub(super) fn number_in(value: &Value) -> Option<f64> {
    match value {
        Value::String(text) => match &**text {
            "NaN" => Some(f64::NAN),
            "+Inf" => Some(f64::INFINITY),
            "-Inf" => Some(f64::NEG_INFINITY),
            _ => None,
        },
        other => other.as_f64(),
    }
}

/// Returns the first column of instants.
pub(super) fn time_column(table: &Table) -> Option<usize> {
    table.columns.iter().position(|column| column.kind == TableKind::Time)
}

/// Returns the instant that a cell holds, in ms.
pub(super) fn instant(value: Option<&Option<Value>>) -> Option<i64> {
    match value? {
        Some(Value::Timestamp(at)) => Some(at.0.div_euclid(Timestamp::MILLISECOND)),
        _ => None,
    }
}

fn is_numeric(table: &Table, at: usize) -> bool {
    match table.columns[at].kind {
        TableKind::Number => true,
        TableKind::Time | TableKind::Name => false,
        TableKind::Any => {
            let mut values = table.rows.iter().filter_map(|row| row.get(at)?.as_ref()).peekable();
            values.peek().is_some() && values.all(|value| number_in(value).is_some())
        }
    }
}
