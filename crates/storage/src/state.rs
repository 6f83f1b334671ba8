//! What the store holds at one instant: everything that a snapshot must see together.
//!
//! One lock guards it, taken for writing only to put in place what was worked out before. The writer thread
//! changes hot events, groups, batch ids and positions; a flush exchanges a generation for its segments.

mod acceptance;
pub(crate) mod deletions;
mod retention;
mod trims;

pub use self::acceptance::Acceptance;
use crate::batch_ids::BatchIds;
use crate::catalog::{RunRow, SegmentRow};
use crate::deletion::{Deletion, Mask, MaskedRun, Masks};
use crate::groups::{GroupStatus, Groups};
use crate::hot::{Generation, HotGroup};
use crate::positions::Positions;
use crate::retention::{Retentions, RetiredRuns, Trims};
pub(super) use crate::tier::Place;
use crate::tier::Tier;
use segment::{RunSummary, Segment};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use types::{GroupPattern, GroupScope, LeftOut, Run, ScanError, TimeRange, Timestamp};

/// Damage that the scrub found, by segment.
pub(crate) type ScrubFindings = BTreeMap<u128, ScanError>;

/// What the store holds.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) groups: Groups,
    /// Hot events that came since the last flush began.
    pub(crate) active: Generation,
    /// Hot events that a flush is writing.
    pub(crate) flushing: Option<Arc<Generation>>,
    pub(crate) segments: Vec<Arc<StoredSegment>>,
    pub(crate) damaged: Vec<DamagedSegment>,
    /// Segments that can be read and in which the scrub found damage.
    pub(crate) flawed: ScrubFindings,
    /// Accepted events that the last start did not find.
    pub(crate) lost: Vec<LostEvents>,
    pub(crate) ids: BatchIds,
    pub(crate) positions: Positions,
    /// Limits that groups have of their own.
    pub(crate) retentions: Retentions,
    pub(crate) retired: RetiredRuns,
    /// In a fleet, the objects whose events are hot: by their numbers, the sequence at which each ends and its bytes.
    pub(crate) objects: BTreeMap<u64, (u64, u64)>,
    /// What retention hides inside segments of several days.
    pub(crate) trims: Trims,
    /// Deletions of events that are still on the disk.
    pub(crate) deletions: Vec<Arc<Deletion>>,
    /// What deletions and trims hide in segments.
    pub(crate) masks: Masks,
}

/// A segment that the catalog knows and that can be read.
pub(crate) struct StoredSegment {
    pub(crate) segment: Arc<Segment>,
    /// Its path relative to the data directory, or its name in the object store.
    pub(crate) file: String,
    pub(crate) n_bytes: u64,
    pub(crate) tier: Tier,
    pub(crate) place: Place,
}

impl StoredSegment {
    /// Returns the segment as the catalog knows it.
    pub(crate) fn row(&self) -> SegmentRow {
        let Self { segment, file, n_bytes, tier, place } = self;
        let runs = segment.summaries().iter().map(RunRow::from).collect();
        let id = segment.meta.segment;
        SegmentRow { id, file: file.clone(), n_bytes: *n_bytes, tier: *tier, place: *place, runs }
    }
}

/// A segment that the catalog knows and that cannot be read.
#[derive(Clone, Debug)]
pub(crate) struct DamagedSegment {
    pub(crate) error: ScanError,
    /// Where it is, if it is an object that is tried again until the object store answers.
    pub(crate) awaited: Option<SegmentRow>,
    /// What it held: group, first and last time.
    pub(crate) runs: Vec<(u32, Timestamp, Timestamp)>,
}

/// Accepted events that are gone: no answer over their groups is whole. Their times are not known.
#[derive(Clone, Debug)]
pub(crate) struct LostEvents {
    pub(crate) error: ScanError,
    /// Their groups; `None` if these are not known either.
    pub(crate) groups: Option<Vec<u32>>,
}

/// The events of one instant, for a query. It never changes and keeps what it needs.
pub struct Snapshot {
    /// Runs that may hold events asked for, newest first.
    pub runs: Vec<Arc<dyn Run>>,
    /// Segments that may hold events asked for and cannot be read, and files of the WAL that did: the answer is partial.
    pub damaged: Vec<ScanError>,
    /// What is missing of groups beside the store: the answer is partial, unless it is read otherwise.
    pub left_out: Vec<LeftOut>,
    /// How many segments there are.
    pub segments_total: usize,
    /// How many of them hold nothing that was asked for.
    pub segments_pruned: usize,
}

impl State {
    pub(crate) fn generations(&self) -> impl Iterator<Item = &Generation> {
        self.flushing.as_deref().into_iter().chain([&self.active])
    }

    /// Returns hot groups that are not deleted.
    fn hot_groups(&self) -> impl Iterator<Item = (u32, &HotGroup)> {
        let groups = self.generations().flat_map(|generation| &generation.groups);
        groups.map(|(id, group)| (*id, group)).filter(|(id, _)| self.groups.has_id(*id))
    }

    pub(crate) fn hot_bytes(&self) -> u64 {
        self.generations().map(|generation| generation.memory_bytes).sum()
    }

    pub(crate) fn hot_events(&self) -> u64 {
        self.hot_groups().map(|(_, group)| group.n_events).sum()
    }

    /// Collects what a query over these groups and this range needs, of the groups within reach.
    pub(crate) fn select(&self, patterns: &[GroupPattern], within: &GroupScope, range: TimeRange) -> Selection {
        let wanted = self.groups.matching(patterns, within);
        let mut hot: Vec<Arc<dyn Run>> = Vec::new();
        for (_, group) in self.hot_groups().filter(|(id, _)| wanted.contains(id)) {
            let runs = group.shown_runs().iter();
            hot.extend(runs.filter(|run| range.overlaps(run.info().first, run.info().last)).cloned());
        }
        let is_asked = |run: &RunSummary| range.overlaps(run.first, run.last) && wanted.contains(&run.group_id);
        let mut segments = Vec::new();
        for stored in &self.segments {
            if stored.segment.summaries().iter().any(is_asked) {
                let id = stored.segment.meta.segment;
                let is_shown = |run: &RunSummary| is_asked(run) && !self.retired.contains_key(&(id, run.group_id));
                let shown = stored.segment.summaries().iter().enumerate().filter(|(_, run)| is_shown(run));
                let masked = shown.map(|(index, run)| (index, self.mask(id, run.group_id).cloned()));
                let is_left = |mask: &Option<Arc<Mask>>| {
                    mask.as_ref().is_none_or(|mask| mask.n_events > 0 && range.overlaps(mask.first, mask.last))
                };
                let shown: Vec<SelectedRun> = masked.filter(|(_, mask)| is_left(mask)).collect();
                if !shown.is_empty() {
                    segments.push((stored.segment.clone(), shown));
                }
            }
        }
        let is_missed = |damaged: &&DamagedSegment| {
            damaged.runs.iter().any(|(id, first, last)| wanted.contains(id) && range.overlaps(*first, *last))
        };
        let is_lost =
            |lost: &&LostEvents| lost.groups.as_ref().is_none_or(|ids| ids.iter().any(|id| wanted.contains(id)));
        let mut damaged: Vec<ScanError> = self.damaged.iter().filter(is_missed).map(|d| d.error.clone()).collect();
        let n_asked = segments.len() + damaged.len();
        let flawed = segments.iter().filter_map(|(segment, _)| self.flawed.get(&segment.meta.segment));
        damaged.extend(flawed.cloned());
        damaged.extend(self.lost.iter().filter(is_lost).map(|lost| lost.error.clone()));
        let segments_total = self.segments.len() + self.damaged.len();
        Selection { hot, segments, damaged, segments_total, segments_pruned: segments_total - n_asked }
    }

    /// Returns all groups with their sizes.
    pub(crate) fn group_statuses(&self) -> Vec<GroupStatus> {
        let mut by_id: BTreeMap<u32, GroupStatus> = BTreeMap::new();
        for (name, group) in self.groups.iter() {
            let streams = group.streams.iter().cloned().collect();
            let name = name.clone();
            let none =
                GroupStatus { name, n_events: 0, bytes_raw: 0, bytes_stored: 0, first: None, last: None, streams };
            by_id.insert(group.id, none);
        }
        let mut add = |id: u32, n_events: u64, raw: u64, stored: u64, times: Option<(Timestamp, Timestamp)>| {
            let Some(status) = by_id.get_mut(&id) else { return };
            status.n_events = status.n_events.saturating_add(n_events);
            status.bytes_raw = status.bytes_raw.saturating_add(raw);
            status.bytes_stored = status.bytes_stored.saturating_add(stored);
            if let Some((first, last)) = times {
                status.first = Some(status.first.map_or(first, |known| known.min(first)));
                status.last = Some(status.last.map_or(last, |known| known.max(last)));
            }
        };
        for stored in &self.segments {
            let runs = stored.segment.summaries();
            let raw_total: u128 = runs.iter().map(|run| u128::from(run.bytes_raw)).sum::<u128>().max(1);
            for run in self.live_sizes(stored) {
                let share = u128::from(stored.n_bytes) * u128::from(run.bytes_raw) / raw_total;
                add(run.group_id, run.n_events, run.bytes_raw, share as u64, Some((run.first, run.last)));
            }
        }
        for (id, group) in self.hot_groups() {
            add(id, group.n_events, group.raw_bytes, 0, group.times());
        }
        let mut statuses: Vec<GroupStatus> = by_id.into_values().collect();
        statuses.sort_by(|a, b| a.name.cmp(&b.name));
        statuses
    }

    /// Returns what of a segment is in snapshots, less what is deleted of it.
    pub(crate) fn live_sizes<'a>(&'a self, stored: &'a StoredSegment) -> impl Iterator<Item = RunSize> + 'a {
        let id = stored.segment.meta.segment;
        self.live_runs(stored).filter_map(move |run| {
            let RunSummary { group_id, n_events, first, last, bytes_raw, .. } = *run;
            let whole = RunSize { group_id, n_events, bytes_raw, first, last };
            let Some(mask) = self.mask(id, group_id) else { return Some(whole) };
            let bytes_raw = u128::from(bytes_raw) * u128::from(mask.n_events) / u128::from(n_events.max(1));
            let left = RunSize {
                n_events: mask.n_events,
                bytes_raw: bytes_raw as u64,
                first: mask.first,
                last: mask.last,
                ..whole
            };
            (mask.n_events > 0).then_some(left)
        })
    }

    /// Returns segments of which every run belongs to a deleted group or was retired long enough ago.
    pub(crate) fn dead_segments(&self) -> Vec<Arc<StoredSegment>> {
        let is_dead = |stored: &StoredSegment| {
            let id = stored.segment.meta.segment;
            stored.segment.summaries().iter().all(|run| self.is_expendable(id, run.group_id))
        };
        self.segments.iter().filter(|stored| is_dead(stored)).cloned().collect()
    }

    /// Lets snapshots see new segments, each once: where the answer to the commit was lost, a node of a fleet may have found
    /// them in the catalog before whoever wrote them shows them.
    pub(crate) fn add_segments(&mut self, new: impl Iterator<Item = Arc<StoredSegment>>) {
        let id = |stored: &StoredSegment| stored.segment.meta.segment;
        let known: HashSet<u128> = self.segments.iter().map(|stored| id(stored)).collect();
        self.segments.extend(new.filter(|stored| !known.contains(&id(stored))));
    }

    /// Takes out segments.
    pub(crate) fn remove_segments(&mut self, removed: &[Arc<StoredSegment>]) {
        self.segments.retain(|stored| !removed.iter().any(|gone| Arc::ptr_eq(gone, stored)));
        self.forget_retired();
    }
}

/// How much of a run is in snapshots.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RunSize {
    pub(crate) group_id: u32,
    pub(crate) n_events: u64,
    pub(crate) bytes_raw: u64,
    pub(crate) first: Timestamp,
    pub(crate) last: Timestamp,
}

/// The number of a run in its segment, and what of it is deleted.
type SelectedRun = (usize, Option<Arc<Mask>>);

/// What a snapshot consists of, before segments are asked for their runs: that is done without the lock.
pub(crate) struct Selection {
    hot: Vec<Arc<dyn Run>>,
    /// Segments with the runs that are asked for.
    segments: Vec<(Arc<Segment>, Vec<SelectedRun>)>,
    damaged: Vec<ScanError>,
    segments_total: usize,
    segments_pruned: usize,
}

impl Selection {
    /// Leaves out runs whose events were accepted longer before or after than those of others, beyond the limits. Runs with
    /// sequences that overlap those wanted stay.
    pub(crate) fn retain_nearest(&mut self, wanted: &Acceptance) {
        let of_hot = |run: &Arc<dyn Run>| wanted.distance(run.first_sequence(), run.last_sequence());
        let of_stored = |run: &RunSummary| wanted.distance(run.first_sequence, run.last_sequence);
        let stored = self
            .segments
            .iter()
            .flat_map(|(segment, runs)| runs.iter().filter_map(move |(index, _)| segment.summaries().get(*index)));
        let stored = stored.map(|run| (of_stored(run), run.n_events));
        let hot = self.hot.iter().map(|run| (of_hot(run), run.info().n_events));
        let distance_max = wanted.distance_max(stored.chain(hot).collect());
        self.hot.retain(|run| of_hot(run) <= distance_max);
        for (segment, runs) in &mut self.segments {
            let summaries = segment.summaries();
            runs.retain(|(index, _)| summaries.get(*index).is_some_and(|run| of_stored(run) <= distance_max));
        }
        self.segments.retain(|(_, runs)| !runs.is_empty());
    }

    pub(crate) fn into_snapshot(self) -> Snapshot {
        let Self { hot: mut runs, segments, damaged, segments_total, segments_pruned } = self;
        for (segment, asked) in &segments {
            for (index, mask) in asked {
                let run = segment.run(*index, 0);
                runs.extend(run.map(|run| match mask {
                    Some(mask) => Arc::new(MaskedRun::new(run, mask.clone())) as Arc<dyn Run>,
                    None => run,
                }));
            }
        }
        runs.sort_by_key(|run| std::cmp::Reverse(run.info().last));
        Snapshot { runs, damaged, left_out: Vec::new(), segments_total, segments_pruned }
    }
}
