//! Reads the slices of the last hour in advance, so that the first map is as quick as the next one.

use std::sync::{Arc, Weak};
use std::time::Duration;

use door::query_run::read;
use door::server::{Server, Shared};
use types::{TimeRange, Timestamp};

use super::{aligned, slices};
use crate::plans::span_groups;
use crate::read::Reading;
use crate::state::TracesState;
use crate::times;

/// How often it looks for new spans.
const PAUSE: Duration = Duration::from_secs(10);

/// How long a node of a fleet continues after the last request for a map. Each node would read the same objects.
const INTEREST_NS: i64 = Timestamp::HOUR;

/// Keeps the slices of the last hour in the cache until the server ends.
pub async fn follow_spans(server: Weak<Server>, state: Arc<TracesState>) {
    loop {
        // At once after a start, too: that is when people look.
        let Some(running) = server.upgrade().map(Shared::of_server) else { return };
        let is_of_fleet = running.whole_store().nodes().is_some();
        if !is_of_fleet || state.was_asked_since(Timestamp(running.now().0.saturating_sub(INTEREST_NS))) {
            read_last_hour(&running, state.clone()).await;
        }
        drop(running);
        tokio::time::sleep(PAUSE).await;
    }
}

async fn read_last_hour(server: &Shared, state: Arc<TracesState>) {
    let (range, step) = aligned(times::last_hour(server.now()));
    // Without the newest slices, which still grow and would be read each time.
    let range = TimeRange { to: Timestamp(range.to.0.saturating_sub(2 * step)), ..range };
    let of_thread = server.clone();
    let has_spans = move || !of_thread.snapshot(&span_groups(&[]), range).runs.is_empty();
    if !tokio::task::spawn_blocking(has_spans).await.unwrap_or_default() {
        return;
    }
    let work = move |run: &door::query_run::QueryRun<'_>| {
        let mut reading = Reading::default();
        slices(run, &state.slices, (range, step), &[], &mut reading).map(|_| ())
    };
    if let Err(problem) = read(server, "service map of the last hour", work).await {
        tracing::debug!(reason = problem.message, "service map of the last hour not read ahead");
    }
}
