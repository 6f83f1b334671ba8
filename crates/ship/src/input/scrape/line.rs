//! The lines that a scrape writes.
//!
//! ```text
//! {"__name__":"up","job":"node"} 1.0 1795210709000                                a sample: labels, value, time in ms
//! # {"exemplar":{"series":{"__name__":"…"},"labels":{"trace_id":"4b"},"value":"0.5","time":1795210709000}}
//! # {"metadata":{"metric":"up","type":"gauge","help":"…","unit":""}}
//! ```
//!
//! A server that knows only samples refuses the other two.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use exposition::{Exemplar, Metadata};
use serde_json::{Value, json};
use xxhash_rust::xxh3::xxh3_64;

use super::labels::LabelSet;

/// How often what pages say of a metric is repeated: a server that lost it, or another one, learns it again.
const REPEAT_EVERY: Duration = Duration::from_secs(300);

/// Most descriptions that are remembered. Beyond it all are forgotten; what comes again is then written once more.
const DESCRIPTIONS_MAX: usize = 100_000;

/// Longest help text: the server keeps no more.
const HELP_BYTES_MAX: usize = 4 << 10;

/// Most characters of names and values of an exemplar's labels. Source: OpenMetrics.
const EXEMPLAR_CHARACTERS_MAX: usize = 128;

/// Which descriptions of metrics were written when, by their hash. Targets of a job mostly say the same.
#[derive(Default)]
pub(super) struct Descriptions(HashMap<u64, Instant>);

impl Descriptions {
    /// Writes what pages say of a metric, unless it was written a short time ago.
    pub(super) fn push(&mut self, lines: &mut String, metric: &str, metadata: &Metadata, now: Instant) {
        let Metadata { kind, help, unit } = metadata;
        let help = &help[..help.floor_char_boundary(HELP_BYTES_MAX)];
        let said = json!({"metadata": {"metric": metric, "type": kind, "help": help, "unit": unit}}).to_string();
        let hash = xxh3_64(said.as_bytes());
        if self.0.get(&hash).is_some_and(|at| now.duration_since(*at) < REPEAT_EVERY) {
            return;
        }
        if self.0.len() >= DESCRIPTIONS_MAX {
            self.0.clear();
        }
        self.0.insert(hash, now);
        lines.push_str(&format!("# {said}\n"));
    }
}

/// Writes a sample of a time in ms.
pub(super) fn push_line(lines: &mut String, labels: &str, value: &str, time: i64) {
    lines.push_str(labels);
    lines.push_str(&format!(" {value} {time}\n"));
}

/// Reports whether an exemplar can be stored: OpenMetrics allows few characters, and each label once.
pub(super) fn exemplar_fits(exemplar: &Exemplar) -> bool {
    let n: usize = exemplar.labels.iter().map(|(name, value)| name.chars().count() + value.chars().count()).sum();
    let distinct: LabelSet = exemplar.labels.iter().cloned().collect();
    n <= EXEMPLAR_CHARACTERS_MAX && distinct.len() == exemplar.labels.len() && !distinct.contains_key("")
}

/// Writes the exemplar of a series; `time` is that of the scrape, in ms.
pub(super) fn push_exemplar(lines: &mut String, series: &str, exemplar: &Exemplar, time: i64) {
    let labels: LabelSet = exemplar.labels.iter().cloned().collect();
    let (value, time) = (number(exemplar.value), exemplar.time.unwrap_or(time));
    let series: Value = serde_json::from_str(series).expect("labels of a series are JSON");
    let said = json!({"exemplar": {"series": series, "labels": labels, "value": value, "time": time}});
    lines.push_str(&format!("# {said}\n"));
}

/// Returns a number in the shortest form that means exactly it.
pub(super) fn number(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned()
    } else {
        format!("{value:?}")
    }
}

#[cfg(test)]
mod tests;
