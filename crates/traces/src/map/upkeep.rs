//! Reads the slices of the last hour in advance, so that the first map is as quick as the next one, and removes slices from the
//! file whose segments are gone.
//!
//! A pass reads the slices that are new or have changed, with the columns that the map needs: each span about once while it is
//! hot, once from its segment, and once more when that is compacted within the hour. It does so after a start, which is when people
//! look, and while people ask for maps; without either it reads no event. As a query of the server it gives way to those of callers.

use std::collections::HashSet;
use std::sync::{Arc, Weak};
use std::time::Duration;

use door::query_run::read;
use door::server::{Server, Shared};
use storage::Store;
use types::{TimeRange, Timestamp};

use super::{aligned, slices};
use crate::plans::span_groups;
use crate::read::Reading;
use crate::state::TracesState;
use crate::times;

/// How often it looks for new spans.
const PAUSE: Duration = Duration::from_secs(10);

/// How often it looks which segments are gone, in passes: each time, the rest of the file may be written again.
const FORGET_PASSES: u64 = 6;

/// How long it continues after the last request for a map, also over restarts.
const INTEREST_NS: i64 = Timestamp::DAY;

/// The same for a node of a fleet. Each node would read the same objects.
const INTEREST_OF_NODE_NS: i64 = Timestamp::HOUR;

/// Keeps the slices of the last hour known until the server ends.
pub async fn follow_spans(server: Weak<Server>, state: Arc<TracesState>) {
    for pass in 0_u64.. {
        let Some(running) = server.upgrade().map(Shared::of_server) else { return };
        let (range, step) = aligned(times::last_hour(running.now()));
        // Without the newest slices, which still grow and would be read each time.
        let range = TimeRange { to: Timestamp(range.to.0.saturating_sub(2 * step)), ..range };
        let (of_thread, of_file) = (running.clone(), state.clone());
        let has_work = move || {
            of_file.file.save_asked();
            if pass.is_multiple_of(FORGET_PASSES) {
                forget_gone(of_thread.whole_store(), &of_file);
            }
            is_wanted(&of_thread, &of_file, pass == 0) && !of_thread.snapshot(&span_groups(&[]), range).runs.is_empty()
        };
        if tokio::task::spawn_blocking(has_work).await.unwrap_or_default() {
            read_slices(&running, state.clone(), (range, step)).await;
        }
        drop(running);
        tokio::time::sleep(PAUSE).await;
    }
}

/// Reports whether someone is likely to ask for a map.
fn is_wanted(server: &Shared, state: &TracesState, is_start: bool) -> bool {
    let is_of_fleet = server.whole_store().nodes().is_some();
    let interest_ns = if is_of_fleet { INTEREST_OF_NODE_NS } else { INTEREST_NS };
    let since = Timestamp(server.now().0.saturating_sub(interest_ns));
    (is_start && !is_of_fleet) || state.file.was_asked_since(since)
}

/// Removes the slices of segments that no snapshot has any more, after a deletion, retention or a compaction.
fn forget_gone(store: &Store, state: &TracesState) {
    let Some((segments, range)) = state.file.segments() else { return };
    let runs = store.known_snapshot(&[], range).runs;
    let existing: HashSet<u128> = runs.iter().filter_map(|run| Some(run.info().key?.segment)).collect();
    let gone: HashSet<u128> = segments.difference(&existing).copied().collect();
    if !gone.is_empty() {
        state.file.forget(&gone);
    }
}

async fn read_slices(server: &Shared, state: Arc<TracesState>, (range, step): (TimeRange, i64)) {
    let work = move |run: &door::query_run::QueryRun<'_>| {
        let mut reading = Reading::default();
        slices(run, &state, (range, step), &[], &mut reading).map(|_| ())
    };
    if let Err(problem) = read(server, "service map of the last hour", work).await {
        tracing::debug!(reason = problem.message, "service map of the last hour not read ahead");
    }
}
