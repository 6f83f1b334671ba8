//! Writes the samples of all pushed groups again, at an interval that is shorter than the lookback of PromQL.

use std::sync::{Arc, Weak};

use door::{Result, Server, Shared};

use super::{documents, samples};
use crate::metadata::MetricsState;

/// Most samples of one delivery.
const SAMPLES_MAX: usize = 20_000;

/// Repeats the pushed samples until the server ends. In a fleet, the node that evaluates rules does it.
pub async fn repeat_pushes(server: Weak<Server>, state: Arc<MetricsState>) {
    while let Some(interval) = server.upgrade().map(|server| server.app.own_samples.pushes) {
        tokio::time::sleep(interval).await;
        let Some(server) = server.upgrade() else { return };
        let state = state.clone();
        if let Ok(Err(problem)) = tokio::task::spawn_blocking(move || repeat(server, &state)).await {
            tracing::warn!(problem = problem.message, "pushed samples not repeated; they are at the next interval");
        }
    }
}

/// Writes the samples of all pushed groups once. Blocks.
///
/// # Errors
/// If the groups cannot be read, or the store does not take their samples.
pub fn repeat(server: Arc<Server>, state: &MetricsState) -> Result<()> {
    if !server.whole_store().has_alerts() {
        return Ok(());
    }
    let server = Shared::of_server(server);
    // Held, so that a push or a deletion is before all of these samples or after them.
    let mut clock = state.push_clock();
    let groups = documents::all(&server)?;
    let time = clock.next(server.now());
    let mut waiting = Vec::new();
    for group in groups {
        group.families().for_each(|(name, family)| state.note(name, family.metadata()));
        waiting.extend(group.samples(&server.app.intake.limits));
        if waiting.len() >= SAMPLES_MAX {
            samples::write(&server, time, &waiting, &[])?;
            waiting.clear();
        }
    }
    if waiting.is_empty() { Ok(()) } else { samples::write(&server, time, &waiting, &[]) }
}
