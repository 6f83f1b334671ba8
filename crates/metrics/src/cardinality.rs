//! How many series there are, and of what: `status/tsdb`, in Prometheus' form.
//!
//! Counted are series with a sample in the last hour, which is what a Prometheus holds in memory; how samples are stored has no
//! counterpart here and is left out.

use std::collections::{HashMap, HashSet};

use door::{Outcome, Problem, Reply};
use promql::Labels;
use serde_json::{Value, json};
use series::SampleSource;
use types::Timestamp;

use crate::format;
use crate::metadata::Call;

/// The range whose series are counted, in ms.
const RANGE: i64 = 3_600_000;

/// Rows of each list without the parameter `limit`, and with it at most; as in Prometheus.
const ROWS: usize = 10;
const ROWS_MAX: usize = 10_000;

const NAME: &str = "__name__";

/// Answers `status/tsdb`.
pub(crate) fn get(Call { server, parameters, .. }: Call) -> Outcome {
    let n_rows = parameters.get("limit").map_or(Ok(ROWS), |text| {
        let wrong = || Problem::bad_parameter(format!("limit must be a number from 1 to {ROWS_MAX}"));
        text.parse().ok().filter(|limit| (1..=ROWS_MAX).contains(limit)).ok_or_else(wrong)
    })?;
    let until = server.now().0 / Timestamp::MILLISECOND;
    Ok(Reply::query(&server, "number of series", move |run| {
        let source = SampleSource::new(run, usize::MAX);
        let sets = source.label_sets(&[], (until.saturating_sub(RANGE), until))?;
        let mut data = counts(&sets, n_rows);
        data["headStats"]["minTime"] = (until - RANGE).into();
        data["headStats"]["maxTime"] = until.into();
        Ok(format::reply(data, source.into_missing()))
    }))
}

/// Counts series by what they have in common.
fn counts(sets: &[Labels], n_rows: usize) -> Value {
    let mut by_name: HashMap<String, usize> = HashMap::new();
    let mut bytes_by_label: HashMap<String, usize> = HashMap::new();
    let mut by_pair: HashMap<String, usize> = HashMap::new();
    let mut values_by_label: HashMap<String, HashSet<&str>> = HashMap::new();
    for labels in sets {
        *by_name.entry(labels.get(NAME).to_owned()).or_default() += 1;
        for label in labels.iter() {
            let (name, value) = (label.name.to_string(), &*label.value);
            *by_pair.entry(format!("{name}={value}")).or_default() += 1;
            *bytes_by_label.entry(name.clone()).or_default() += value.len();
            values_by_label.entry(name).or_default().insert(value);
        }
    }
    let n_values = values_by_label.into_iter().map(|(name, values)| (name, values.len())).collect();
    json!({
        "headStats": {"numSeries": sets.len(), "numLabelPairs": by_pair.len()},
        "seriesCountByMetricName": largest(by_name, n_rows),
        "labelValueCountByLabelName": largest(n_values, n_rows),
        "memoryInBytesByLabelName": largest(bytes_by_label, n_rows),
        "seriesCountByLabelValuePair": largest(by_pair, n_rows),
    })
}

/// Returns the largest numbers, largest first.
fn largest(counts: HashMap<String, usize>, n_rows: usize) -> Value {
    let mut rows: Vec<(String, usize)> = counts.into_iter().collect();
    rows.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    rows.into_iter().take(n_rows).map(|(name, value)| json!({"name": name, "value": value})).collect()
}
