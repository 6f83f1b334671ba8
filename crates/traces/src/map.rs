//! The service map: services and the calls between them, with rate, latency and errors.
//!
//! The range is cut into slices of equal length. A slice depends only on the events of its time, so it is read once and cached; a
//! later map reads only slices that are new or have changed. Slices of events in segments outlive a restart. See [`slices`] for
//! the content of a slice, [`graph`] for how slices become a map, [`file`] for slices on disk.

pub(crate) mod cache;
pub(crate) mod calls;
mod codec;
pub(crate) mod file;
pub(crate) mod graph;
mod logs;
pub(crate) mod measure;
pub(crate) mod scan;
pub(crate) mod slices;
pub(crate) mod upkeep;

use std::sync::Arc;

use execute::Answer;
use types::{GroupPattern, TimeRange, Timestamp};

use door::query_run::damages;
use door::{QueryRun, Result};

use self::graph::Graph;
use self::slices::Slice;
use crate::plans::span_groups;
use crate::read::Reading;
use crate::state::TracesState;

/// Approximate number of slices of a map: enough that the newest, which is read each time, is short; few enough to add up
/// quickly.
const SLICES: i64 = 150;

/// Lengths of slices: few, so that maps of different ranges share slices.
const STEPS: [i64; 11] = [
    Timestamp::SECOND,
    5 * Timestamp::SECOND,
    10 * Timestamp::SECOND,
    30 * Timestamp::SECOND,
    Timestamp::MINUTE,
    5 * Timestamp::MINUTE,
    15 * Timestamp::MINUTE,
    Timestamp::HOUR,
    6 * Timestamp::HOUR,
    Timestamp::DAY,
    7 * Timestamp::DAY,
];

/// Returns the map of a range, which is widened to whole slices.
pub(crate) fn map(
    run: &QueryRun<'_>,
    state: &TracesState,
    range: TimeRange,
    groups: &[GroupPattern],
    reading: &mut Reading,
) -> Result<Graph> {
    state.file.note_asked(run.server.now());
    let (range, step) = aligned(range);
    let slices = slices(run, state, (range, step), groups, reading)?;
    let mut graph = Graph::of(&slices, range);
    graph.add_logged(logs::services(run, range, groups, reading)?);
    Ok(graph)
}

/// Returns the slices of a range, all of one length; reads those that are not known.
fn slices(
    run: &QueryRun<'_>,
    state: &TracesState,
    (range, step): (TimeRange, i64),
    groups: &[GroupPattern],
    reading: &mut Reading,
) -> Result<Vec<Arc<Slice>>> {
    let snapshot = run.snapshot(&span_groups(groups), range);
    let n_slices = usize::try_from(range.to.0.saturating_sub(range.from.0) / step).unwrap_or_default();
    let slice_range = |index: usize| {
        let from = range.from.0.saturating_add((index as i64).saturating_mul(step));
        TimeRange { from: Timestamp(from), to: Timestamp(from.saturating_add(step)) }
    };
    let keys: Vec<Option<cache::SliceKey>> =
        (0..n_slices).map(|index| cache::key(slice_range(index), &snapshot.runs)).collect();
    let known =
        |key: &Option<cache::SliceKey>| key.as_ref().map_or_else(|| Some(Arc::default()), |key| state.slice(key));
    let mut slices: Vec<Option<Arc<Slice>>> = keys.iter().map(known).collect();
    let mut index = 0;
    while index < n_slices {
        let n_missing = slices[index..].iter().take_while(|slice| slice.is_none()).count();
        if n_missing == 0 {
            index += 1;
            continue;
        }
        let missing = TimeRange { from: slice_range(index).from, to: slice_range(index + n_missing - 1).to };
        for (place, read) in (index..).zip(scan::read_slices(run, &snapshot, missing, step, reading)?) {
            let slice = Arc::new(read.slice);
            if let Some(key) = keys[place].filter(|_| read.is_whole) {
                state.keep(key, &snapshot.runs, &slice);
            }
            slices[place] = Some(slice);
        }
        index += n_missing;
    }
    reading.add(Answer { partial_reasons: damages(&snapshot).collect(), ..Answer::default() });
    Ok(slices.into_iter().flatten().collect())
}

/// Returns the range that whole slices cover, and their length. A range ends with its last nanosecond: one until the full hour,
/// and that hour's first nanosecond with it, needs no slice of the next hour.
fn aligned(range: TimeRange) -> (TimeRange, i64) {
    let width = range.to.0.saturating_sub(range.from.0);
    let fitting = STEPS.into_iter().find(|step| width / step <= SLICES);
    let step = fitting.unwrap_or_else(|| (width / SLICES).max(1));
    let from = range.from.0.div_euclid(step).saturating_mul(step);
    let n_slices = (range.to.0.saturating_sub(from).saturating_add(step - 2) / step).max(1);
    let to = from.saturating_add(n_slices.saturating_mul(step));
    (TimeRange { from: Timestamp(from), to: Timestamp(to) }, step)
}

#[cfg(test)]
mod tests;
