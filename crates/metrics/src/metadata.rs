//! What senders say of their metrics: type, help and unit. Kept in memory; senders repeat it every minute.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Json;
use door::parameters::Parameters;
use door::server::FamilyServer;
use exposition::KINDS;
pub(crate) use exposition::{Metadata, kind_of_word};
use ingest::sample::SeriesLabels;
use promql::Annotations;
use serde_json::{Value, json};
use types::Timestamp;

use crate::format;
use crate::series_cache::SeriesCache;

/// Most metrics that something is known of.
const METRICS_MAX: usize = 100_000;

/// Longest help text.
const HELP_BYTES_MAX: usize = 4 << 10;

/// The state of this API.
#[derive(Debug, Default)]
pub struct MetricsState {
    known: Mutex<BTreeMap<String, Metadata>>,
    series: Mutex<SeriesCache>,
    pushes: Mutex<PushClock>,
}

/// The times of pushed samples: each is later than the one before, so that of two pushes the second counts.
#[derive(Debug, Default)]
pub(crate) struct PushClock {
    last_ms: i64,
}

impl PushClock {
    /// Returns a time in ms, as soon after the last one as `now` allows.
    pub(crate) fn next(&mut self, now: Timestamp) -> i64 {
        self.last_ms = (now.0 / Timestamp::MILLISECOND).max(self.last_ms.saturating_add(1));
        self.last_ms
    }
}

impl MetricsState {
    /// Returns the labels that a sender spelled so before.
    pub(crate) fn series(&self, spelled: &[u8]) -> Option<Arc<SeriesLabels>> {
        self.series.lock().unwrap_or_else(PoisonError::into_inner).get(spelled)
    }

    /// Notes how labels are spelled by a sender.
    pub(crate) fn note_series(&self, spelled: &[u8], labels: &Arc<SeriesLabels>) {
        self.series.lock().unwrap_or_else(PoisonError::into_inner).put(spelled, labels);
    }

    /// Returns the clock of pushes. While it is held, no other push is stored or repeated.
    pub(crate) fn push_clock(&self) -> MutexGuard<'_, PushClock> {
        self.pushes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what a sender says of a metric.
    pub(crate) fn note(&self, metric: &str, mut metadata: Metadata) {
        metadata.help.truncate(metadata.help.floor_char_boundary(HELP_BYTES_MAX));
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() < METRICS_MAX || known.contains_key(metric) {
            known.insert(metric.to_owned(), metadata);
        }
    }
}

/// Returns Prometheus' word for a type; the numbers are the same in both versions of remote write.
pub(crate) fn kind_of_number(number: u64) -> &'static str {
    usize::try_from(number).ok().and_then(|number| KINDS.get(number)).copied().unwrap_or(KINDS[0])
}

/// Answers `metadata`: what is known of all metrics, or of one.
pub(crate) async fn get(server: FamilyServer<MetricsState>, parameters: Parameters) -> Json<Value> {
    let limit = parameters.get("limit").and_then(|text| text.parse().ok()).unwrap_or(METRICS_MAX);
    let wanted = parameters.get("metric");
    let known = server.state.known.lock().unwrap_or_else(PoisonError::into_inner);
    let metrics = known.iter().filter(|(name, _)| wanted.is_none_or(|wanted| wanted == *name)).take(limit);
    let object =
        |(name, of): (&String, &Metadata)| (name.clone(), json!([{"type": of.kind, "help": of.help, "unit": of.unit}]));
    Json(format::success(Value::Object(metrics.map(object).collect()), Vec::new(), &Annotations::default()))
}
