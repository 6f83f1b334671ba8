//! What senders say of their metrics: type, help and unit. Senders repeat it every few minutes; `known_metrics` keeps it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, Weak};

use door::{Outcome, Parameters, Problem, Reply, Result, Server};
use exposition::has_suffix;
use promql::METRIC_NAME;
use serde_json::{Value, json};
use series::{SAMPLE_GROUPS, SampleSource};
use storage::{Settings, StoreError};
use types::{Hold, Timestamp};

use crate::exemplars::recent::RecentExemplars;
use crate::format;
use crate::known_metrics::{KnownMetrics, load, save};
pub(crate) use crate::known_metrics::{Metadata, kind_of_number, kind_of_word};

/// Most metrics that something is known of.
const METRICS_MAX: usize = 100_000;

/// Longest help text.
const HELP_BYTES_MAX: usize = 4 << 10;

/// A request of this API.
pub(crate) type Call = door::call::Call<MetricsState>;

/// The state of this API.
#[derive(Debug, Default)]
pub struct MetricsState {
    known: Mutex<KnownMetrics>,
    pushes: Mutex<PushClock>,
    exemplars: Mutex<RecentExemplars>,
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
    /// Reads what was known before the server started. Blocks.
    pub(crate) fn load(settings: Settings<'_>) -> Self {
        let state = Self::default();
        load(settings, &state.known);
        state
    }

    /// Returns the exemplars that were stored last.
    pub(crate) fn recent_exemplars(&self) -> MutexGuard<'_, RecentExemplars> {
        self.exemplars.hold()
    }

    /// Returns the clock of pushes. While it is held, no other push is stored or repeated.
    pub(crate) fn push_clock(&self) -> MutexGuard<'_, PushClock> {
        self.pushes.hold()
    }

    /// Returns what is known of the metrics that samples of some names belong to, in order of name.
    pub(crate) fn families_of<'n>(&self, names: impl Iterator<Item = &'n str>) -> BTreeMap<String, Metadata> {
        let known = self.known.hold();
        let family = |name: &'n str| {
            if let Some(metadata) = known.metrics.get(name) {
                return Some((name.to_owned(), metadata.clone()));
            }
            let (base, suffix) = name.rsplit_once('_')?;
            let metadata = known.metrics.get(base).filter(|metadata| has_suffix(metadata.kind, suffix))?;
            Some((base.to_owned(), metadata.clone()))
        };
        names.filter_map(family).collect()
    }

    /// Notes what a sender says of a metric.
    pub(crate) fn note(&self, metric: &str, mut metadata: Metadata) {
        metadata.help.truncate(metadata.help.floor_char_boundary(HELP_BYTES_MAX));
        let mut known = self.known.hold();
        if known.metrics.len() < METRICS_MAX || known.metrics.contains_key(metric) {
            known.note(metric, metadata);
        }
    }
}

/// Takes what shippers said of the metrics that they scrape.
pub(crate) fn receive(server: &Server, state: &MetricsState) {
    for described in server.app.intake.descriptions.take() {
        let kind = kind_of_word(&described.kind).unwrap_or_else(|| kind_of_number(0));
        state.note(&described.metric, Metadata { kind, help: described.help, unit: described.unit });
    }
}

/// Writes changed metadata until the server ends, as often as pushed samples are repeated, and takes up what other nodes of a
/// fleet have written.
pub async fn keep_metadata(server: Weak<Server>, state: Arc<MetricsState>) {
    while let Some(interval) = server.upgrade().map(|server| server.app.own_samples.pushes) {
        tokio::time::sleep(interval).await;
        let Some(server) = server.upgrade() else { return };
        let state = state.clone();
        receive(&server, &state);
        let exchange = move || {
            save_metadata(server.settings(), &state)?;
            if server.whole_store().nodes().is_some() {
                load(server.settings(), &state.known);
            }
            Ok::<(), StoreError>(())
        };
        let saved = tokio::task::spawn_blocking(exchange).await;
        if let Ok(Err(error)) = saved {
            tracing::debug!(%error, "metadata of metrics not written; it is at the next interval");
        }
    }
}

/// Writes the metadata that has changed. Blocks.
///
/// # Errors
/// If the control store does not take it; it is written the next time.
pub fn save_metadata(settings: Settings<'_>, state: &MetricsState) -> Result<(), StoreError> {
    save(settings, &state.known)
}

/// Answers `metadata`: what is known of all metrics, or of one, as far as the caller may read series of them.
///
/// What senders say of a metric names no group: what a caller may read goes by the names of the series in their groups.
pub(crate) fn get(Call { server, parameters, .. }: Call) -> Outcome {
    let limit = limit_of(&parameters)?;
    receive(&server, &server.state);
    if server.reaches_all(&SAMPLE_GROUPS.map(str::to_owned)) {
        let known = server.state.known.hold();
        return Ok(format::reply(shown(known.metrics.iter(), parameters.get("metric"), limit), Vec::new()));
    }
    let (range, state) =
        ((i64::MIN / Timestamp::MILLISECOND, i64::MAX / Timestamp::MILLISECOND - 1), server.state.clone());
    Ok(Reply::query(&server, "metadata of metrics", move |run| {
        let source = SampleSource::new(run, usize::MAX);
        let sets = source.label_sets(&[], range)?;
        let names: BTreeSet<String> = sets.iter().map(|labels| labels.get(METRIC_NAME).to_owned()).collect();
        let known = state.families_of(names.iter().map(String::as_str));
        Ok(format::reply(shown(known.iter(), parameters.get("metric"), limit), source.into_missing()))
    }))
}

/// Returns the parameter `limit`; a negative one and none mean no limit, as in Prometheus.
fn limit_of(parameters: &Parameters) -> Result<usize> {
    let limit = parameters.get("limit").map(str::parse::<i64>).transpose();
    let limit = limit.map_err(|_| Problem::bad_parameter("limit must be a number"))?;
    Ok(limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX))
}

/// Returns the first metrics as Prometheus lists them, or only one.
fn shown<'m>(metrics: impl Iterator<Item = (&'m String, &'m Metadata)>, metric: Option<&str>, limit: usize) -> Value {
    let metrics = metrics.filter(|(name, _)| metric.is_none_or(|metric| metric == *name)).take(limit);
    let object =
        |(name, of): (&String, &Metadata)| (name.clone(), json!([{"type": of.kind, "help": of.help, "unit": of.unit}]));
    Value::Object(metrics.map(object).collect())
}

#[cfg(test)]
mod tests;
