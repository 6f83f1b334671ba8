//! What shippers say of the metrics on the pages that they scrape, until the API that answers for it takes it.

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde::Deserialize;
use types::Hold;

/// Most metrics that wait, and the longest name of one.
const METRICS_MAX: usize = 100_000;
const NAME_BYTES_MAX: usize = 1 << 10;

/// Longest help text.
const HELP_BYTES_MAX: usize = 4 << 10;

/// What a page says of a metric.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct MetricDescription {
    /// The name of the metric.
    pub metric: String,
    /// Prometheus' word for its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it means.
    pub help: String,
    /// The unit of its samples.
    pub unit: String,
}

/// Descriptions that were shipped and are still to be taken, the last of each metric.
#[derive(Debug, Default)]
pub struct MetricDescriptions(Mutex<BTreeMap<String, MetricDescription>>);

impl MetricDescriptions {
    /// Notes descriptions that were shipped with samples which are durable now.
    pub(crate) fn note(&self, descriptions: Vec<MetricDescription>) {
        if descriptions.is_empty() {
            return;
        }
        let mut waiting = self.0.hold();
        for mut description in descriptions {
            let metric = description.metric.clone();
            let has_room = waiting.len() < METRICS_MAX || waiting.contains_key(&metric);
            if has_room && (1..=NAME_BYTES_MAX).contains(&metric.len()) {
                for text in [&mut description.help, &mut description.unit] {
                    text.truncate(text.floor_char_boundary(HELP_BYTES_MAX));
                }
                waiting.insert(metric, description);
            }
        }
    }

    /// Takes the descriptions that came since the last time.
    pub fn take(&self) -> Vec<MetricDescription> {
        let waiting = std::mem::take(&mut *self.0.hold());
        waiting.into_values().collect()
    }
}

#[cfg(test)]
mod tests;
