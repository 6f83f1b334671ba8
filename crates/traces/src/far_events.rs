//! Spans of a trace far away in time from the rest of it: those of a host whose clock is wrong, or of work that took decades.
//!
//! They were accepted at about the time at which the rest was. Runs of spans outside the time of the trace are asked in the order
//! of acceptance, nearest first, up to a limit; each is asked as a whole first, so that only those with the id are read.

use storage::{Acceptance, Snapshot};
use types::TimeRange;

use door::QueryRun;

use crate::plans::span_groups;

/// Limit on the events of the runs that are asked on either side, and on the runs: where clocks are right, none of them has the id.
const EVENTS_MAX: u64 = 2_000_000;
const RUNS_MAX: usize = 64;

/// Returns the runs to ask before and after a range, each time with the range to ask for. `found` has the runs in which the rest of
/// the trace is. Segments that cannot be read are no reason to doubt a trace far away from them.
pub(crate) fn around(run: &QueryRun<'_>, near: TimeRange, found: &Snapshot) -> Vec<(Snapshot, TimeRange)> {
    let sequences = found.runs.iter().map(|run| (run.first_sequence(), run.last_sequence()));
    let sequences = sequences.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))).unwrap_or_default();
    let accepted = Acceptance { sequences, n_events_max: EVENTS_MAX, n_runs_max: RUNS_MAX };
    let before = TimeRange { to: near.from, ..TimeRange::ALL };
    let after = TimeRange { from: near.to, ..TimeRange::ALL };
    let snapshot = |range| Snapshot { damaged: Vec::new(), ..run.snapshot_near(&span_groups(&[]), range, &accepted) };
    let snapshots = [before, after].into_iter().map(|range| (snapshot(range), range));
    snapshots.filter(|(snapshot, _)| !snapshot.runs.is_empty()).collect()
}
