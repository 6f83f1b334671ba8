//! The exemplars of a store, by the series that they belong to.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use execute::BlockVisitor;
use ingest::sample::{EXEMPLAR_LABELS, EXEMPLAR_TYPE, label_pairs, number_of_text};
use promql::{Labels, Matcher};
use types::{Column, GroupPattern, Hold, Timestamp, Value};

use crate::source::{ReadBlocks, plan_of, time_range};

/// The groups that contain exemplars.
const GROUPS: [&str; 2] = ["exemplars/*", "overflow"];

/// Stream, time, value, labels.
const COLUMNS: [&str; 4] = ["@logStream", "@timestamp", "value", EXEMPLAR_LABELS];

/// An exemplar as it was stored.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredExemplar {
    /// Its own labels.
    pub labels: Labels,
    /// The value observed.
    pub value: f64,
    /// ms since the epoch.
    pub time: i64,
}

/// Exemplars by the labels of their series, those of each in order of time.
pub type ExemplarsOfSeries = BTreeMap<Labels, Vec<StoredExemplar>>;

/// Returns the exemplars, from one time to another, both included, in ms, of all series that some selector accepts; at most `n_max`
/// of them, the latest of each series first. Also returns why some may be missing.
///
/// # Errors
/// If blocks cannot be read.
pub fn exemplars<B: ReadBlocks>(
    blocks: &B,
    selectors: &[Vec<Matcher>],
    range: (i64, i64),
    n_max: usize,
) -> Result<(ExemplarsOfSeries, Vec<String>), B::Error> {
    let groups = GROUPS.map(GroupPattern::new).to_vec();
    let (mut found, mut missing) = (ExemplarsOfSeries::new(), Vec::new());
    for matchers in selectors {
        let reader = ExemplarReader { matchers, found: Mutex::default() };
        let reasons = blocks.read(&plan_of(EXEMPLAR_TYPE, matchers, &COLUMNS), &groups, time_range(range), &reader)?;
        missing.extend(reasons.iter().map(|reason| format!("exemplars may be missing: {reason}")));
        for (labels, exemplars) in reader.found.into_held() {
            found.entry(labels).or_insert(exemplars);
        }
    }
    missing.sort();
    missing.dedup();
    for exemplars in found.values_mut() {
        exemplars.sort_by(|a, b| a.time.cmp(&b.time).then_with(|| a.labels.cmp(&b.labels)));
        exemplars.dedup_by(|a, b| a.time == b.time && a.labels == b.labels && a.value.to_bits() == b.value.to_bits());
    }
    if bound(&mut found, n_max) {
        missing.push(format!("only the latest exemplars of each series are returned: there are more than {n_max}"));
    }
    Ok((found, missing))
}

/// Leaves the latest exemplars of each series, so many that there are at most `n_max`; reports whether some were taken away.
fn bound(found: &mut ExemplarsOfSeries, n_max: usize) -> bool {
    let n: usize = found.values().map(Vec::len).sum();
    if n <= n_max {
        return false;
    }
    let n_each = (n_max / found.len().max(1)).max(1);
    found.values_mut().for_each(|exemplars| drop(exemplars.drain(..exemplars.len().saturating_sub(n_each))));
    let mut left = n_max;
    found.retain(|_, exemplars| {
        let fits = exemplars.len() <= left;
        left -= if fits { exemplars.len() } else { 0 };
        fits
    });
    true
}

struct ExemplarReader<'m> {
    matchers: &'m [Matcher],
    found: Mutex<ExemplarsOfSeries>,
}

impl BlockVisitor for ExemplarReader<'_> {
    fn visit(&self, _: usize, columns: &[Arc<Column>]) {
        let [streams, times, values, labels] = columns else { return };
        let text = |column: &Column, row: usize| match column.value(row) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        for row in 0..streams.n_rows() {
            let exemplar = || {
                let series = Labels::new(label_pairs(&text(streams, row)?)?);
                let value = match values.value(row)? {
                    Value::Float(number) => number,
                    Value::Integer(number) => number as f64,
                    Value::String(text) => number_of_text(&text)?,
                    _ => return None,
                };
                let Value::Timestamp(time) = times.value(row)? else { return None };
                let labels = Labels::new(label_pairs(&text(labels, row)?)?);
                let is_wanted = self.matchers.iter().all(|matcher| matcher.accepts(series.get(&matcher.name)));
                let time = time.0.div_euclid(Timestamp::MILLISECOND);
                is_wanted.then_some((series, StoredExemplar { labels, value, time }))
            };
            if let Some((series, exemplar)) = exemplar() {
                let mut found = self.found.hold();
                found.entry(series).or_default().push(exemplar);
            }
        }
    }
}

#[cfg(test)]
mod tests;
