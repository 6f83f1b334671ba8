//! Sources that fell silent: label sets that were there and have no event in the window, and those that are expected.

use std::collections::BTreeMap;

use types::{Timestamp, Value};

use super::DetectorInput;
use crate::compile::CompiledRule;
use crate::detectors::cells::{Key, columns_of, key_of, partial_of};
use crate::detectors::history_cache::STANDS_NS;
use crate::kind::Absence;
use crate::rule::window_of;
use crate::{Rule, Table};

/// The columns after those of the label sets: seconds since the last event, and when it was.
const COLUMNS: [&str; 2] = ["silent", "last"];

/// Queries the present sources, and the earlier ones.
pub(super) fn answer(
    rule: &Rule,
    absence: &Absence,
    compiled: &mut CompiledRule,
    asking: &DetectorInput<'_>,
) -> Result<Table, String> {
    let window = asking.of_range(rule, compiled, window_of(rule, asking.now))?;
    // Who was there last after the question about the past is seen by that about the window, if no longer than a window
    // passes between two of the former.
    let stands_ns = STANDS_NS.min(rule.window_ns);
    let past = asking
        .memory
        .recall(rule, asking.now, stands_ns, || Ok(vec![asking.of_last(rule, compiled, absence.forget_ns)?]))?;
    let n_by = absence.by.len();
    compiled.value = Some(n_by);
    let spans = Spans { now: asking.now, from: window_of(rule, asking.now).from };
    let past_rows = past.first().map(|table| &table.rows[..]).unwrap_or_default();
    let rows = rows(absence, &spans, past_rows, &window.rows);
    let n_silent = rows.iter().filter(|row| compiled.fires(row)).count();
    compiled.note = Some(match (n_silent, rows.len()) {
        (0, n) => format!("all of {n} sent events"),
        (n_silent, n) => format!("{n_silent} of {n} silent"),
    });
    let columns = columns_of(&absence.by, COLUMNS);
    Ok(Table { columns, rows, partial: partial_of([&window].into_iter().chain(past.iter())) })
}

struct Spans {
    now: Timestamp,
    /// Where the window begins.
    from: Timestamp,
}

/// A label set.
struct Source {
    labels: Vec<Option<Value>>,
    /// When its last event was.
    last: Option<Timestamp>,
}

/// Returns a row for each label set that is known or expected.
fn rows(
    absence: &Absence,
    spans: &Spans,
    past: &[Vec<Option<Value>>],
    window: &[Vec<Option<Value>>],
) -> Vec<Vec<Option<Value>>> {
    let n_by = absence.by.len();
    let mut known: BTreeMap<Key, Source> = BTreeMap::new();
    for row in past.iter().chain(window) {
        let last = match row.get(n_by + 1) {
            Some(Some(Value::Timestamp(last))) => Some(*last),
            _ => None,
        };
        let labels = row[..n_by.min(row.len())].to_vec();
        let source = known.entry(key_of(row, 0..n_by)).or_insert(Source { labels, last: None });
        source.last = source.last.max(last);
    }
    for expected in &absence.expect {
        let is_it = |key: &Key| {
            let mut pairs = absence.by.iter().zip(key).filter_map(|(name, value)| Some((expected.get(name)?, value)));
            pairs.all(|(wanted, value)| value.as_ref() == Some(wanted))
        };
        let matching: Vec<_> = known.keys().filter(|key| is_it(key)).cloned().collect();
        let is_there = |key: &Key| known.get(key).is_some_and(|source| spans.is_there(source.last));
        let key: Key = absence.by.iter().map(|name| expected.get(name).cloned()).collect();
        // Fields that are not named may have any value, so one source that sends is enough.
        if matching.iter().any(is_there) || matching.contains(&key) {
            continue;
        }
        let labels = key.iter().map(|value| value.as_deref().map(Value::text)).collect();
        known.insert(key, Source { labels, last: None });
    }
    let row = |(key, Source { labels, last }): (Key, Source)| {
        let is_forgotten = last.is_some_and(|last| spans.now.0.saturating_sub(last.0) >= absence.forget_ns);
        if is_forgotten && !is_expected(absence, &key) {
            return None;
        }
        let silent = last.map(|last| Value::Integer(spans.now.0.saturating_sub(last.0).max(0) / Timestamp::SECOND));
        let mut row = labels;
        row.resize(n_by, None);
        row.extend([silent, last.map(Value::Timestamp), Some(Value::Boolean(!spans.is_there(last)))]);
        Some(row)
    };
    known.into_iter().filter_map(row).collect()
}

fn is_expected(absence: &Absence, key: &[Option<String>]) -> bool {
    let is_it = |expected: &BTreeMap<String, String>| {
        let mut pairs = absence.by.iter().zip(key);
        pairs.all(|(name, value)| expected.get(name) == value.as_ref())
    };
    absence.by.is_empty() || absence.expect.iter().any(is_it)
}

impl Spans {
    fn is_there(&self, last: Option<Timestamp>) -> bool {
        last.is_some_and(|last| last >= self.from)
    }
}

#[cfg(test)]
mod tests;
