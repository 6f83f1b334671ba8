//! Values unlike those that the same time of earlier days or weeks had.
//!
//! The band is the median of the same window of each earlier season and a robust deviation, so that one earlier outage
//! does not widen it.

use std::collections::BTreeMap;

use types::{TimeRange, Timestamp, Value};

use super::DetectorInput;
use crate::compile::CompiledRule;
use crate::detectors::cells::{Key, columns_of, key_of, partial_of, rounded};
use crate::detectors::history_cache::STANDS_NS;
use crate::kind::{Anomaly, Direction, SEASONS_MIN};
use crate::rule::window_of;
use crate::{Rule, Table};

/// Columns after the value.
const COLUMNS: [&str; 3] = ["usual", "lower", "upper"];

/// Asks for the window, and for the windows of earlier seasons.
pub(super) fn answer(
    rule: &Rule,
    anomaly: &Anomaly,
    compiled: &mut CompiledRule,
    asking: &DetectorInput<'_>,
) -> Result<Table, String> {
    let range = window_of(rule, asking.now);
    let window = asking.of_range(rule, compiled, range)?;
    let past = asking.memory.recall(rule, asking.now, STANDS_NS, || {
        ranges(anomaly, range).into_iter().map(|range| asking.of_range(rule, compiled, range)).collect()
    })?;
    let value_at = compiled.value.unwrap_or(0);
    let n_labels = compiled.labels.len();
    let labels: Vec<usize> = compiled.labels.iter().map(|(at, _)| *at).collect();
    let judging = Scorer { anomaly, labels: &labels, value_at, is_count: compiled.is_count };
    let rows = judging.rows(&window, &past);
    let value_name = window.columns.get(value_at).cloned().unwrap_or_else(|| "value".to_owned());
    let names: Vec<String> = compiled.labels.iter().map(|(_, name)| name.clone()).collect();
    let columns = columns_of(&names, [value_name.as_str()].into_iter().chain(COLUMNS));
    compiled.labels.iter_mut().enumerate().for_each(|(at, label)| label.0 = at);
    compiled.value = Some(n_labels);
    // A value that nothing can be compared with is missing, also where it is a count.
    compiled.is_count = false;
    Ok(Table { columns, rows, partial: partial_of([&window].into_iter().chain(past.iter())) })
}

/// Returns the windows of earlier seasons, that of the last season first.
fn ranges(anomaly: &Anomaly, range: TimeRange) -> Vec<TimeRange> {
    let n_seasons = anomaly.history_ns / anomaly.season_ns.max(1);
    let shifts = (1..=n_seasons).map(|season| season.saturating_mul(anomaly.season_ns));
    let earlier = |time: Timestamp, shift: i64| Timestamp(time.0.saturating_sub(shift));
    shifts.map(|shift| TimeRange { from: earlier(range.from, shift), to: earlier(range.to, shift) }).collect()
}

struct Scorer<'j> {
    anomaly: &'j Anomaly,
    labels: &'j [usize],
    value_at: usize,
    is_count: bool,
}

impl Scorer<'_> {
    fn value(&self, row: &[Option<Value>]) -> Option<f64> {
        row.get(self.value_at)?.as_ref()?.as_f64()
    }

    fn key(&self, row: &[Option<Value>]) -> Key {
        key_of(row, self.labels.iter().copied())
    }

    /// Returns a row for each label set of the window; of counts also for those that earlier seasons had.
    fn rows(&self, window: &Table, past: &[Table]) -> Vec<Vec<Option<Value>>> {
        let mut labels: BTreeMap<Key, Vec<Option<Value>>> = BTreeMap::new();
        let earlier = past.iter().filter(|_| self.is_count);
        for row in [window].into_iter().chain(earlier).flat_map(|table| &table.rows) {
            let values = || self.labels.iter().map(|at| row.get(*at).cloned().flatten()).collect();
            labels.entry(self.key(row)).or_insert_with(values);
        }
        let by_set = |table: &Table| -> BTreeMap<Key, Option<f64>> {
            table.rows.iter().map(|row| (self.key(row), self.value(row))).collect()
        };
        let (now, past): (_, Vec<_>) = (by_set(window), past.iter().map(by_set).collect());
        // Before its first event a store knows nothing, and behind it that a set has no row means that it had none.
        let is_known = |values: &BTreeMap<_, Option<f64>>| values.values().flatten().any(|value| *value != 0.0);
        let n_known = past.iter().rposition(is_known).map_or(0, |last| last + 1);
        let zero = self.is_count.then_some(0.0);
        let row = |(key, labels): (Key, Vec<Option<Value>>)| {
            let value = now.get(&key).copied().flatten().or(zero);
            let of_season = |values: &BTreeMap<_, Option<f64>>| values.get(&key).copied().flatten().or(zero);
            let peers: Vec<f64> = past[..n_known].iter().filter_map(of_season).collect();
            let usual = execute::usual(&peers, self.is_count).filter(|_| peers.len() >= SEASONS_MIN);
            self.row(labels, value, usual)
        };
        labels.into_iter().map(row).collect()
    }

    fn row(
        &self,
        labels: Vec<Option<Value>>,
        value: Option<f64>,
        usual: Option<execute::UsualValue>,
    ) -> Vec<Option<Value>> {
        let mut row = labels;
        let (Some(value), Some(usual)) = (value, usual) else {
            row.extend([None, None, None, None, Some(Value::Boolean(false))]);
            return row;
        };
        let half = self.anomaly.band * usual.deviation;
        let (lower, upper) = (usual.usual - half, usual.usual + half);
        let is_outside = match self.anomaly.direction {
            Direction::Up => value > upper,
            Direction::Down => value < lower,
            Direction::Both => value > upper || value < lower,
        };
        row.extend([value, usual.usual, lower, upper].map(|value| Some(rounded(value))));
        row.push(Some(Value::Boolean(is_outside)));
        row
    }
}

#[cfg(test)]
mod tests;
