//! catat's own metrics as samples of its store, so that rules and dashboards about it have something to ask from the first minute.
//!
//! What `/metrics` shows of catat itself is written at every `[metrics] own_interval`, as if a Prometheus scraped it: with the labels
//! `job="catat-itself"` and `instance`, and a stale marker where a series is gone. What could not be stored is not repeated.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use door::{Result, Server, Shared};
use exposition::{Format, read};
use ingest::sample::SeriesLabels;
use types::Timestamp;

use crate::metadata::MetricsState;
use crate::push::replace;

/// The job of the samples, by which their group is named.
const JOB: &str = "catat-itself";

/// Most samples of one writing: far more than a server has.
const SAMPLES_MAX: usize = 100_000;

/// Stores the server's own metrics until it ends, if it is to.
pub async fn store_own(server: Weak<Server>, state: Arc<MetricsState>) {
    let (mut before, mut last_code) = (Vec::new(), None);
    while let Some(interval) = server.upgrade().and_then(|server| server.app.own_samples.metrics) {
        tokio::time::sleep(interval).await;
        let Some(server) = server.upgrade() else { return };
        let (state, last) = (state.clone(), before.clone());
        let work = tokio::task::spawn_blocking(move || store(&Shared::of_server(server), &state, last));
        // A panic was reported where it happened.
        let Ok(stored) = work.await else { continue };
        let now = stored.map(|series| before = series).err();
        // The words of one that lasts differ: they have numbers.
        if let Some(problem) = now.as_ref().filter(|now| last_code.as_ref() != Some(&now.code)) {
            tracing::warn!(problem = problem.message, "catat's own metrics are not stored; they are when this is over");
        }
        last_code = now.map(|problem| problem.code);
    }
}

/// Stores what the server counts of itself now, and ends series that were there `before` and are no more. Returns those that are.
fn store(server: &Shared, state: &MetricsState, before: Vec<SeriesLabels>) -> Result<Vec<SeriesLabels>> {
    let Some(page) = server.app.metrics.own_page() else { return Ok(before) };
    let instance = &*server.app.own_samples.instance;
    // The page is the server's own; of a mistake in it, what stands before counts.
    let families = read(&page, Format::Text, SAMPLES_MAX).unwrap_or_else(|error| error.before);
    let mut samples = Vec::new();
    for family in families {
        state.note(&family.name, family.metadata);
        for sample in family.samples {
            let mut pairs = BTreeMap::from([("__name__", &*sample.name), ("instance", instance), ("job", JOB)]);
            // Labels of the sample take precedence.
            pairs.extend(sample.labels.iter().map(|(name, value)| (&**name, &**value)));
            let pairs = pairs.into_iter().map(|(name, value)| (Cow::from(name), Cow::from(value)));
            let labels = SeriesLabels::new(pairs, &server.app.intake.limits);
            samples.extend(labels.ok().map(|labels| (labels, sample.value)));
        }
    }
    replace(server, server.now().0 / Timestamp::MILLISECOND, &samples, before)?;
    Ok(samples.into_iter().map(|(labels, _)| labels).collect())
}
