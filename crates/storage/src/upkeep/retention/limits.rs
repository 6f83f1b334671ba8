//! Which runs are beyond which limits. Pure: what there is in, a judgement out.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use segment::range_of;
use types::{GroupName, Timestamp};

use crate::deletion::Mask;
use crate::retention::{LONG_AGO, Removal};
use crate::state::{State, StoredSegment};
use crate::tier::Place;
use crate::upkeep::shares::share_of;

/// A run, or a day of a group in segments of several days, that is in snapshots or can still come back.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    segment: u128,
    group_id: u32,
    n_events: u64,
    first: Timestamp,
    pub(super) last: Timestamp,
    /// Its share of the segment's bytes.
    pub(super) n_bytes: u64,
    pub(super) is_retired: bool,
    /// The UTC day, where it is all that segments of several days hold of it; else it is a run.
    pub(super) day: Option<i64>,
}

impl Candidate {
    /// Returns the run, where it is one.
    pub(super) fn run(&self) -> Option<(u128, u32)> {
        self.day.is_none().then_some((self.segment, self.group_id))
    }

    /// Adds what another segment holds of the same day.
    fn merge(&mut self, other: &Self) {
        self.n_events += other.n_events;
        self.n_bytes += other.n_bytes;
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
    }
}

/// The limits that hold for a group.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Runs go whose last event is older than this.
    pub(super) oldest: Option<i64>,
    /// Bytes beyond which the oldest go.
    pub(super) bytes: Option<u64>,
}

/// Returns the runs among candidates.
pub(super) fn runs_of(candidates: &[Candidate]) -> impl Iterator<Item = (u128, u32)> {
    candidates.iter().filter_map(Candidate::run)
}

/// What becomes of a group's runs.
#[derive(Debug, Default)]
pub(super) struct RetentionPlan {
    /// Live ones that are to go.
    pub(super) beyond: Vec<Candidate>,
    /// Retired ones that are allowed.
    pub(super) back: Vec<Candidate>,
    /// Events that were live.
    pub(super) n_events_live: u64,
}

impl Limits {
    pub(super) fn is_none(&self) -> bool {
        self.oldest.is_none() && self.bytes.is_none()
    }

    /// Judges the runs of one group. While the clock is not trusted none goes for its age.
    pub(super) fn judge(&self, runs: Vec<Candidate>, is_trusted: bool) -> RetentionPlan {
        let n_events_live = runs.iter().filter(|run| !run.is_retired).map(|run| run.n_events).sum();
        let (beyond, kept) = self.split(runs.clone());
        let beyond = if is_trusted { beyond } else { Self { oldest: None, ..*self }.split(runs).0 };
        let beyond = beyond.into_iter().filter(|run| !run.is_retired).collect();
        let back = kept.into_iter().filter(|run| run.is_retired).collect();
        RetentionPlan { beyond, back, n_events_live }
    }

    /// Splits runs into those beyond the limits and those within.
    fn split(&self, mut runs: Vec<Candidate>) -> (Vec<Candidate>, Vec<Candidate>) {
        runs.sort_by_key(|run| (run.last, run.segment));
        let oldest = self.oldest.unwrap_or(i64::MIN);
        let (mut beyond, mut kept): (Vec<Candidate>, Vec<Candidate>) =
            runs.into_iter().partition(|run| run.last.0 < oldest);
        let mut n_bytes: u64 = kept.iter().map(|run| run.n_bytes).sum();
        let mut n_dropped = 0;
        for run in kept.iter().take(kept.len().saturating_sub(1)) {
            if n_bytes <= self.bytes.unwrap_or(u64::MAX) {
                break;
            }
            n_bytes = n_bytes.saturating_sub(run.n_bytes);
            n_dropped += 1;
        }
        beyond.extend(kept.drain(..n_dropped));
        (beyond, kept)
    }
}

/// Returns what runs hold together.
pub(super) fn sum(runs: &[Candidate]) -> Removal {
    Removal {
        n_events: runs.iter().map(|run| run.n_events).sum(),
        n_bytes: runs.iter().map(|run| run.n_bytes).sum(),
        n_runs: runs.len() as u64,
        first: runs.iter().map(|run| run.first).min(),
        last: runs.iter().map(|run| run.last).max(),
    }
}

/// Returns the runs of all groups that are not deleted, but for those that cannot come back.
pub(super) fn by_group(state: &State) -> Vec<(&GroupName, Vec<Candidate>)> {
    let mut by_id: HashMap<u32, Vec<Candidate>> = HashMap::new();
    for stored in &state.segments {
        add_runs(state, stored, |candidate| by_id.entry(candidate.group_id).or_default().push(candidate));
    }
    let of_group = |(name, group): (_, &crate::groups::Group)| Some((name, merge_days(by_id.remove(&group.id)?)));
    state.groups.iter().filter_map(of_group).collect()
}

/// Returns the runs of one group.
pub(super) fn of_group(state: &State, group: &GroupName) -> Vec<Candidate> {
    let mut runs = Vec::new();
    let Some(id) = state.groups.id_of(group) else { return runs };
    for stored in state.segments.iter().filter(|stored| stored.segment.summaries().iter().any(|r| r.group_id == id)) {
        add_runs(state, stored, |candidate| runs.extend(Some(candidate).filter(|candidate| candidate.group_id == id)));
    }
    merge_days(runs)
}

/// Puts what several segments hold of one day together: a day goes as a whole.
fn merge_days(candidates: Vec<Candidate>) -> Vec<Candidate> {
    let mut days: BTreeMap<(i64, bool), Candidate> = BTreeMap::new();
    let mut merged = Vec::new();
    for candidate in candidates {
        let Some(day) = candidate.day else {
            merged.push(candidate);
            continue;
        };
        match days.entry((day, candidate.is_retired)) {
            Entry::Vacant(entry) => drop(entry.insert(candidate)),
            Entry::Occupied(mut entry) => entry.get_mut().merge(&candidate),
        }
    }
    merged.extend(days.into_values());
    merged
}

fn add_runs(state: &State, stored: &StoredSegment, mut add: impl FnMut(Candidate)) {
    let segment = stored.segment.meta.segment;
    let total_raw: u128 = stored.segment.summaries().iter().map(|run| u128::from(run.bytes_raw)).sum();
    let days = stored.segment.known_days();
    for (index, run) in stored.segment.summaries().iter().enumerate() {
        let since = state.retired.get(&(segment, run.group_id));
        if since == Some(&LONG_AGO) {
            continue;
        }
        let mask = state.mask(segment, run.group_id);
        let whole = Candidate {
            segment,
            group_id: run.group_id,
            n_events: mask.map_or(run.n_events, |mask| mask.n_events),
            first: run.first,
            last: run.last,
            n_bytes: (u128::from(stored.n_bytes) * u128::from(run.bytes_raw) / total_raw.max(1)) as u64,
            is_retired: since.is_some(),
            day: None,
        };
        match days.and_then(|days| days.get(index)).filter(|_| since.is_none()) {
            Some(days) => split_days(&whole, days, mask.map(|mask| &**mask)).into_iter().for_each(&mut add),
            None => add(whole),
        }
    }
}

/// Splits a run into its days: what is shown of each, and what is hidden and can still come back.
fn split_days(run: &Candidate, days: &[(i64, u64)], mask: Option<&Mask>) -> Vec<Candidate> {
    let hidden = mask.map(Mask::hidden_by_day).unwrap_or_default();
    let n_of_run: u64 = days.iter().map(|(_, n_events)| n_events).sum();
    let mut parts = Vec::new();
    let mut n_before = 0u64;
    for (day, n_total) in days {
        let range = range_of(*day);
        let part = |n_events: u64, from: u64, is_retired| Candidate {
            n_events,
            first: run.first.max(range.from),
            last: run.last.min(Timestamp(range.to.0 - 1)),
            n_bytes: share_of(run.n_bytes, n_of_run, from..from + n_events),
            is_retired,
            day: Some(*day),
            ..*run
        };
        let n_hidden = hidden.get(day).copied().unwrap_or(0).min(*n_total);
        if *n_total > n_hidden {
            parts.push(part(n_total - n_hidden, n_before + n_hidden, false));
        }
        let edges = || mask.into_iter().flat_map(|mask| &mask.edges).filter(|edge| edge.before >= range.to.0);
        if n_hidden > 0 && edges().next().is_some() && !edges().any(|edge| edge.is_final) {
            parts.push(part(n_hidden, n_before, true));
        }
        n_before += n_total;
    }
    parts
}

/// Returns segments that make room for `n_bytes`: those of which everything is retired first, then the oldest; never the last.
pub(super) fn oldest_segments(state: &State, n_bytes: u64) -> Vec<(u128, u32)> {
    let is_retired = |stored: &Arc<StoredSegment>| state.live_runs(stored).next().is_none();
    let last = |stored: &Arc<StoredSegment>| stored.segment.summaries().iter().map(|run| run.last).max();
    // What lies in the object store takes no room here.
    let local = state.segments.iter().filter(|stored| stored.place == Place::Local);
    let mut segments: Vec<&Arc<StoredSegment>> = local.collect();
    segments.sort_by_key(|stored| (!is_retired(stored), last(stored)));
    segments.pop();
    let mut left = n_bytes;
    let mut beyond = Vec::new();
    for stored in segments {
        if left == 0 {
            break;
        }
        left = left.saturating_sub(stored.n_bytes);
        let id = stored.segment.meta.segment;
        beyond.extend(stored.segment.summaries().iter().map(|run| (id, run.group_id)));
    }
    beyond
}

/// Returns retired runs that can still be restored and whose removal frees `n_bytes`, oldest retirement first.
pub(super) fn oldest_undoable(state: &State, n_bytes: u64) -> Vec<(u128, u32)> {
    let mut undoable = Vec::new();
    for stored in &state.segments {
        add_runs(state, stored, |run| {
            let since = run.run().and_then(|id| state.retired.get(&id));
            undoable.extend(since.map(|since| (*since, run.last, run)));
        });
    }
    undoable.sort_by_key(|(since, last, run)| (*since, *last, run.segment));
    let mut left = n_bytes;
    let in_the_way = |(_, _, run): &(i64, Timestamp, Candidate)| {
        let is_needed = left > 0;
        left = left.saturating_sub(run.n_bytes);
        is_needed
    };
    undoable.into_iter().take_while(in_the_way).filter_map(|(_, _, run)| run.run()).collect()
}
