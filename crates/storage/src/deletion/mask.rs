//! Masks: which rows of a run in a segment are deleted or hidden by retention (`retention::trims`), and how that changes
//! the description of the run.
//!
//! A mask is worked out once, when events are deleted or a segment with deleted events is opened: it takes reading
//! the sequences of the run, and times and levels of the blocks concerned. Afterwards snapshots need nothing but it,
//! until the segment is written again without these rows.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, OnceLock};

use segment::{Segment, day_of};
use types::{MinuteCounts, RowSet, Run, ScanError, Timestamp, Value};
use xxhash_rust::xxh3::xxh3_64;

use super::Deletion;
use super::sequences::Finder;
use crate::retention::{Edge, Trims, edges_of};

/// Deleted rows of a block up to which their numbers are kept; of more, a bit for every row.
const FEW_ROWS: usize = 1024;

/// Masks by segment and group.
pub(crate) type Masks = HashMap<(u128, u32), Arc<Mask>>;

/// What removes events from segments: deletions, and retention inside segments of several days.
#[derive(Clone, Copy)]
pub(crate) struct Removals<'a> {
    pub(crate) deletions: &'a [Arc<Deletion>],
    pub(crate) trims: &'a Trims,
}

/// The deleted rows of a run. What retention hides counts as deleted.
#[derive(Debug)]
pub(crate) struct Mask {
    /// The deletions that they come from.
    pub(crate) deletions: BTreeSet<u64>,
    /// The trims that they come from.
    pub(crate) edges: Vec<Edge>,
    pub(crate) n_deleted: u64,
    /// How many of them deletions took, whether or not retention hides them too.
    pub(crate) n_erased: u64,
    /// How many of them can come back: retention hides them, and their undo window is not over.
    pub(crate) n_undoable: u64,
    /// How many events are left.
    pub(crate) n_events: u64,
    /// Times of the first and the last event that is left.
    pub(crate) first: Timestamp,
    pub(crate) last: Timestamp,
    /// Of each block that has any, what is deleted.
    blocks: BTreeMap<usize, BlockMask>,
    /// Numbers of the blocks of which something is left.
    pub(crate) shown: Vec<usize>,
    /// The deleted events by minute and level.
    minutes: Vec<MinuteCounts>,
    /// How many deleted events have each field, once requested.
    fields: OnceLock<BTreeMap<Arc<str>, u64>>,
}

/// The deleted rows of a block.
#[derive(Debug)]
struct BlockMask {
    n_rows: usize,
    rows: Rows,
    n_deleted: usize,
    /// Times of the first and the last event that is left, where one is.
    times: Option<(Timestamp, Timestamp)>,
}

#[derive(Debug)]
enum Rows {
    Few(Vec<u32>),
    Many(RowSet),
}

impl BlockMask {
    fn new(deleted: RowSet, times: &[i64]) -> Self {
        let left = |row: &usize| !deleted.contains(*row);
        let first = (0..times.len()).find(left);
        let last = (0..times.len()).rfind(left);
        let times = first.zip(last).map(|(first, last)| (Timestamp(times[first]), Timestamp(times[last])));
        let (n_rows, n_deleted) = (deleted.n_rows(), deleted.count());
        let rows = if n_deleted <= FEW_ROWS {
            Rows::Few(deleted.iter().map(|row| row as u32).collect())
        } else {
            Rows::Many(deleted)
        };
        Self { n_rows, rows, n_deleted, times }
    }

    fn deleted(&self) -> RowSet {
        match &self.rows {
            Rows::Many(rows) => rows.clone(),
            Rows::Few(numbers) => {
                let mut rows = RowSet::none(self.n_rows);
                numbers.iter().for_each(|row| rows.insert(*row as usize));
                rows
            }
        }
    }

    fn contains(&self, row: usize) -> bool {
        match &self.rows {
            Rows::Many(rows) => rows.contains(row),
            Rows::Few(numbers) => u32::try_from(row).is_ok_and(|row| numbers.binary_search(&row).is_ok()),
        }
    }
}

impl Mask {
    /// Works out which rows of run `index` are deleted; `None` if none is.
    pub(crate) fn of(segment: &Arc<Segment>, index: usize, removed: Removals<'_>) -> Result<Option<Self>, ScanError> {
        let Some(summary) = segment.summaries().get(index) else { return Ok(None) };
        let edges = edges_of(removed.trims, segment.meta, summary);
        let concerns = |deletion: &&Arc<Deletion>| {
            deletion.group_id == summary.group_id
                && deletion.sequences.overlaps(summary.first_sequence, summary.last_sequence)
        };
        let concerned: Vec<&Arc<Deletion>> = removed.deletions.iter().filter(concerns).collect();
        if concerned.is_empty() && edges.is_empty() {
            return Ok(None);
        }
        let (Some(reader), Some(run)) = (segment.run_reader(index), segment.run(index, 0)) else { return Ok(None) };
        let mut building = MaskBuilder::new(&concerned, edges);
        for block in 0..reader.n_blocks() {
            let (times, sequences) = reader.places(block)?;
            building.add(&*run, block, &times, &sequences)?;
        }
        Ok(building.finish(summary.n_events))
    }

    /// Reports whether retention hides rows for good, which compaction is to leave out.
    pub(crate) fn has_expired(&self) -> bool {
        self.n_deleted > self.n_erased + self.n_undoable
    }

    /// Returns a number that no other mask of the run has, for what is remembered of runs.
    pub(crate) fn version(&self) -> u32 {
        let n_deleted = u32::try_from(self.n_deleted).unwrap_or(u32::MAX);
        // What is deleted of a run only grows. What retention hides can come back.
        let hash = |edge: &Edge| xxh3_64(&[edge.before.to_le_bytes(), edge.sequences_end.to_le_bytes()].concat());
        self.edges.iter().map(hash).fold(n_deleted, |version, hash| version.rotate_left(7) ^ (hash >> 32) as u32)
    }

    /// Returns how many events of each UTC day are deleted or hidden.
    pub(crate) fn hidden_by_day(&self) -> BTreeMap<i64, u64> {
        let mut days: BTreeMap<i64, u64> = BTreeMap::new();
        for minute in &self.minutes {
            let n_events: u64 = minute.counts.iter().copied().map(u64::from).sum();
            *days.entry(day_of(minute.range().from.0)).or_default() += n_events;
        }
        days
    }

    /// Returns the rows of a block that are left.
    pub(crate) fn left(&self, block: usize, n_rows: usize) -> RowSet {
        match self.blocks.get(&block) {
            None => RowSet::all(n_rows),
            Some(mask) => {
                let mut rows = mask.deleted();
                rows.invert();
                rows
            }
        }
    }

    /// Reports whether a row is deleted.
    pub(crate) fn is_deleted(&self, block: usize, row: usize) -> bool {
        self.blocks.get(&block).is_some_and(|mask| mask.contains(row))
    }

    /// Returns how many rows of a block are deleted.
    pub(crate) fn n_deleted_of(&self, block: usize) -> usize {
        self.blocks.get(&block).map_or(0, |mask| mask.n_deleted)
    }

    /// Times of the first and the last event that is left of a block that has deleted ones.
    pub(crate) fn times_of(&self, block: usize) -> Option<(Timestamp, Timestamp)> {
        self.blocks.get(&block)?.times
    }

    /// Takes the deleted events out of counts by minute.
    pub(crate) fn subtract(&self, minutes: Vec<MinuteCounts>) -> Vec<MinuteCounts> {
        let left = |mut minute: MinuteCounts| {
            if let Ok(at) = self.minutes.binary_search_by_key(&minute.minute, |deleted| deleted.minute) {
                let deleted = self.minutes[at].counts;
                minute
                    .counts
                    .iter_mut()
                    .zip(deleted)
                    .for_each(|(count, deleted)| *count = count.saturating_sub(deleted));
            }
            minute
        };
        minutes.into_iter().map(left).filter(|minute| minute.counts.iter().any(|count| *count > 0)).collect()
    }

    /// Returns how many deleted events have each field of the run; fields that none of them has are left out.
    pub(crate) fn deleted_fields(&self, run: &dyn Run) -> Result<&BTreeMap<Arc<str>, u64>, ScanError> {
        if let Some(known) = self.fields.get() {
            return Ok(known);
        }
        // A name that is stored and derived is named more than once.
        let names: BTreeSet<Arc<str>> = run.field_names()?.into_iter().collect();
        let mut counts: BTreeMap<Arc<str>, u64> = BTreeMap::new();
        for (block, mask) in &self.blocks {
            let deleted = mask.deleted();
            for name in &names {
                let n_present = run.read(*block, &[name], &deleted)?.first().map_or(0, types::Column::n_present);
                if n_present > 0 {
                    *counts.entry(name.clone()).or_default() += n_present as u64;
                }
            }
        }
        Ok(self.fields.get_or_init(|| counts))
    }
}

/// A mask while it is worked out, block by block.
struct MaskBuilder<'a> {
    finders: Vec<(u64, Finder<'a>)>,
    edges: Vec<Edge>,
    found: BTreeSet<u64>,
    blocks: BTreeMap<usize, BlockMask>,
    shown: Vec<usize>,
    minutes: BTreeMap<i64, [u32; 7]>,
    first: Timestamp,
    last: Timestamp,
    n_deleted: u64,
    n_erased: u64,
    n_undoable: u64,
}

impl<'a> MaskBuilder<'a> {
    fn new(deletions: &[&'a Arc<Deletion>], edges: Vec<Edge>) -> Self {
        Self {
            finders: deletions.iter().map(|deletion| (deletion.id, Finder::new(&deletion.sequences))).collect(),
            edges,
            found: BTreeSet::new(),
            blocks: BTreeMap::new(),
            shown: Vec::new(),
            minutes: BTreeMap::new(),
            first: Timestamp(i64::MAX),
            last: Timestamp(i64::MIN),
            n_deleted: 0,
            n_erased: 0,
            n_undoable: 0,
        }
    }

    fn add(&mut self, run: &dyn Run, block: usize, times: &[i64], sequences: &[u64]) -> Result<(), ScanError> {
        let mut deleted = RowSet::none(sequences.len());
        for (id, finder) in &mut self.finders {
            let of_deletion = RowSet::of_slice(sequences, |sequence| finder.contains(*sequence));
            if !of_deletion.is_empty() {
                self.found.insert(*id);
                deleted.or(&of_deletion);
            }
        }
        self.n_erased += deleted.count() as u64;
        self.hide_expired(&mut deleted, times, sequences);
        if deleted.is_empty() {
            let time = |time: Option<&i64>| Timestamp(time.copied().unwrap_or_default());
            self.show(block, time(times.first()), time(times.last()));
            return Ok(());
        }
        self.count_minutes(run, block, times, &deleted)?;
        self.n_deleted += deleted.count() as u64;
        let mask = BlockMask::new(deleted, times);
        if let Some((first, last)) = mask.times {
            self.show(block, first, last);
        }
        self.blocks.insert(block, mask);
        Ok(())
    }

    /// Adds the rows that retention hides.
    fn hide_expired(&mut self, deleted: &mut RowSet, times: &[i64], sequences: &[u64]) {
        for is_final in [true, false] {
            let n_before = deleted.count();
            for edge in self.edges.iter().filter(|edge| edge.is_final == is_final) {
                let n_older = times.partition_point(|time| *time < edge.before);
                let hidden =
                    (0..n_older).filter(|row| sequences.get(*row).is_some_and(|one| *one < edge.sequences_end));
                hidden.for_each(|row| deleted.insert(row));
            }
            if !is_final {
                self.n_undoable += (deleted.count() - n_before) as u64;
            }
        }
    }

    fn show(&mut self, block: usize, first: Timestamp, last: Timestamp) {
        self.shown.push(block);
        self.first = self.first.min(first);
        self.last = self.last.max(last);
    }

    fn count_minutes(&mut self, run: &dyn Run, block: usize, times: &[i64], deleted: &RowSet) -> Result<(), ScanError> {
        let levels = run.read(block, &["@level"], deleted)?.into_iter().next();
        for (place, row) in deleted.iter().enumerate() {
            let code = match levels.as_ref().and_then(|levels| levels.value(place)) {
                Some(Value::String(name)) => types::Level::parse(&name).map_or(0, types::Level::code),
                _ => 0,
            };
            let minute = times[row].div_euclid(Timestamp::MINUTE);
            self.minutes.entry(minute).or_default()[usize::from(code).min(6)] += 1;
        }
        Ok(())
    }

    fn finish(self, n_events: u64) -> Option<Mask> {
        let Self { edges, found, blocks, shown, minutes, first, last, n_deleted, n_erased, n_undoable, .. } = self;
        // One that hides nothing still records which trims were looked at.
        if n_deleted == 0 && edges.is_empty() {
            return None;
        }
        let minutes = minutes.into_iter().map(|(minute, counts)| MinuteCounts { minute, counts }).collect();
        let n_events = n_events.saturating_sub(n_deleted);
        let fields = OnceLock::new();
        let deletions = found;
        Some(Mask {
            deletions,
            edges,
            n_deleted,
            n_erased,
            n_undoable,
            n_events,
            first,
            last,
            blocks,
            shown,
            minutes,
            fields,
        })
    }
}
