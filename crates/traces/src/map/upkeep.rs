//! Reads the slices of the last hour of spans in advance, so that the first map is as quick as the next one, and removes slices from
//! the file whose segments are gone.
//!
//! A pass reads the slices that are new or have changed, with the columns that the map needs: each span about once while it is
//! hot, once from its segment, and once more when that is compacted within the hour. This takes about a twentieth of the CPU that
//! storing the spans takes. Without new spans it reads no event. As a query of the server it gives way to those of callers. A node of a
//! fleet does so only after a request: each would read the same objects.

use std::collections::HashSet;
use std::sync::{Arc, Weak};
use std::time::Duration;

use door::{Server, Shared};
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

/// How long a node of a fleet continues after the last request for a map, also over restarts.
const INTEREST_OF_NODE_NS: i64 = Timestamp::HOUR;

/// Keeps the slices of the last hour known until the server ends, from `first` on.
pub async fn follow_spans(server: Weak<Server>, state: Arc<TracesState>, first: Duration) {
    tokio::time::sleep(first).await;
    for pass in 0_u64.. {
        let Some(running) = server.upgrade().map(Shared::of_server) else { return };
        let (of_thread, of_file) = (running.clone(), state.clone());
        let wanted = move || {
            of_file.file.save_asked();
            if pass.is_multiple_of(FORGET_PASSES) {
                forget_gone(of_thread.whole_store(), &of_file);
            }
            range_wanted(&of_thread, &of_file)
        };
        if let Some(hour) = tokio::task::spawn_blocking(wanted).await.unwrap_or_default() {
            read_slices(&running, state.clone(), hour).await;
        }
        drop(running);
        tokio::time::sleep(PAUSE).await;
    }
}

/// Returns the hour before the newest span, which may be long ago, and the length of its slices; `None` where there is none, or no
/// map is likely to be asked for.
fn range_wanted(server: &Shared, state: &TracesState) -> Option<(TimeRange, i64)> {
    let now = server.now();
    let is_of_fleet = server.whole_store().nodes().is_some();
    if is_of_fleet && !state.file.was_asked_since(Timestamp(now.0.saturating_sub(INTEREST_OF_NODE_NS))) {
        return None;
    }
    let within = if is_of_fleet { times::last_hour(now) } else { TimeRange::ALL };
    let runs = server.snapshot(&span_groups(&[]), within).runs;
    let newest = runs.iter().map(|run| run.info().last).max()?;
    let (range, step) = aligned(times::last_hour(newest.min(now)));
    // Without the newest slices, which still grow and would be read each time.
    let grown = now.0.div_euclid(step).saturating_sub(1).saturating_mul(step);
    Some((TimeRange { to: range.to.min(Timestamp(grown)), ..range }, step))
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
    if let Err(problem) = server.read("service map of the last hour", work).await {
        tracing::debug!(reason = problem.message, "service map of the last hour not read ahead");
    }
}
