//! Several batches of samples in memory as one run.
//!
//! A sender's requests are a batch each. A question about a few series would look into every one of them; here it looks its series
//! up once, however many requests have brought them. Batches stay as they are: what this adds are the places of rows, and those
//! are worked out when somebody asks.

mod by_stream;
mod place;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use self::by_stream::{ByStream, Union};
use self::place::{Place, follow_each_other};
use crate::batch_run::{BatchRun, next_number, samples};
use crate::minute_counts::MinuteCounts;
use crate::run::{FieldSummary, Narrowed, Run, RunIdentity, RunInfo, ScanError, TakeSamples, TextProbe};
use crate::{Batch, Column, HISTOGRAM_FIELD, RowSet, SampleStreams, Timestamp, VALUE_FIELD};

/// Rows of a batch that may be one of several: a place has 16 bits for them.
const PART_ROWS_MAX: usize = 1 << 16;

/// Several batches of samples in memory as one run, whose rows are one block.
#[derive(Debug)]
pub struct SampleRun {
    info: RunInfo,
    /// Unique among the runs in memory of this process.
    number: u64,
    parts: Vec<Arc<BatchRun>>,
    /// Addresses of the lists of streams of the parts, sorted.
    lists: Vec<usize>,
    /// The streams of all parts; runs with the same lists of series share it. `None` where not all events are samples.
    union: Arc<OnceLock<Option<Union>>>,
    by_stream: OnceLock<Option<ByStream>>,
    /// The places of all rows, in order of time.
    in_order: OnceLock<Vec<Place>>,
    n_bytes_read: AtomicU64,
}

impl SampleRun {
    /// Most rows that a run should have.
    pub const ROWS_MAX: usize = 1 << 17;

    /// Most batches that a run can have: a place has 16 bits for them.
    pub const PARTS_MAX: usize = 1 << 16;

    /// Reports whether a batch may be one of several: it has samples that are numbers, and not too many.
    pub fn takes(run: &BatchRun) -> bool {
        let batch = run.batch();
        let are_numbers = batch.stored(VALUE_FIELD).is_some() && batch.stored(HISTOGRAM_FIELD).is_none();
        are_numbers && batch.series.is_some() && batch.len() <= PART_ROWS_MAX
    }

    /// Combines at most [`PARTS_MAX`](Self::PARTS_MAX) batches of one group, all accepted by [`takes`](Self::takes). Returns `None` if `parts` is empty.
    pub fn new(parts: Vec<Arc<BatchRun>>) -> Option<Self> {
        let info = RunInfo {
            n_events: parts.iter().map(|part| part.info().n_events).sum(),
            first: parts.iter().map(|part| part.info().first).min()?,
            last: parts.iter().map(|part| part.info().last).max()?,
            ..parts.first()?.info().clone()
        };
        let lists = by_stream::lists_of(&parts);
        let (union, by_stream, in_order, n_bytes_read) = Default::default();
        Some(Self { info, number: next_number(), parts, lists, union, by_stream, in_order, n_bytes_read })
    }

    /// Shares what is made of the lists of series with one of `others` that has the same ones.
    pub fn beside<'r>(self, mut others: impl Iterator<Item = &'r Self>) -> Self {
        match others.find(|other| other.lists == self.lists) {
            Some(other) => Self { union: other.union.clone(), ..self },
            None => self,
        }
    }

    /// The batches that it consists of.
    pub fn parts(&self) -> &[Arc<BatchRun>] {
        &self.parts
    }

    fn union(&self) -> Option<&Union> {
        self.union.get_or_init(|| Union::of(&self.parts)).as_ref()
    }

    fn by_stream(&self) -> Option<&ByStream> {
        self.by_stream.get_or_init(|| Some(ByStream::of(&self.parts, self.union()?))).as_ref()
    }

    fn in_order(&self) -> &[Place] {
        self.in_order.get_or_init(|| {
            let of_part = |(part, run): (usize, &Arc<BatchRun>)| {
                (0..run.batch().len()).map(move |row| Place { part: part as u16, row: row as u16 })
            };
            let mut places: Vec<Place> = self.parts.iter().enumerate().flat_map(of_part).collect();
            if !follow_each_other(&self.parts) {
                places.sort_by_key(|place| place.key(&self.parts));
            }
            places
        })
    }

    /// Returns some rows, by their places in order of time, as a batch.
    fn gathered(&self, rows: &RowSet) -> Batch {
        let in_order = self.in_order();
        let places = rows.iter().map(|row| (u32::from(in_order[row].part), u32::from(in_order[row].row)));
        let batches: Vec<&Batch> = self.parts.iter().map(|part| &**part.batch()).collect();
        Batch::gather(&batches, &places.collect::<Vec<_>>())
    }
}

impl Run for SampleRun {
    fn info(&self) -> &RunInfo {
        &self.info
    }

    fn identity(&self) -> Option<RunIdentity> {
        Some(RunIdentity::InMemory(self.number))
    }

    fn n_blocks(&self) -> usize {
        1
    }

    fn block_rows(&self, _: usize) -> usize {
        self.info.n_events as usize
    }

    fn block_times(&self, _: usize) -> (Timestamp, Timestamp) {
        (self.info.first, self.info.last)
    }

    fn first_sequence(&self) -> u64 {
        self.parts.iter().map(|part| part.first_sequence()).min().unwrap_or(0)
    }

    fn last_sequence(&self) -> u64 {
        self.parts.iter().map(|part| part.last_sequence()).max().unwrap_or(u64::MAX)
    }

    fn fields(&self) -> Result<Vec<FieldSummary>, ScanError> {
        let mut fields: Vec<FieldSummary> = Vec::new();
        for part in &self.parts {
            fields.extend(part.fields()?);
        }
        fields.sort_by(|a, b| a.name.cmp(&b.name));
        fields.dedup_by(|other, kept| {
            let is_same = other.name == kept.name;
            if is_same {
                kept.types.merge(other.types);
                kept.n_events += other.n_events;
            }
            is_same
        });
        Ok(fields)
    }

    fn field_names(&self) -> Result<Vec<Arc<str>>, ScanError> {
        let mut names: Vec<Arc<str>> = self.parts.iter().flat_map(|part| part.batch().field_names()).collect();
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    fn minutes(&self) -> Result<Option<Vec<MinuteCounts>>, ScanError> {
        let batch_of = |place: &Place| self.parts[usize::from(place.part)].batch();
        let times = self.in_order().iter().map(|place| batch_of(place).timestamps.get(usize::from(place.row)));
        let levels = self.in_order().iter().map(|place| batch_of(place).levels.get(usize::from(place.row)));
        Ok(Some(MinuteCounts::of_rows(&times.collect::<Vec<_>>(), levels)))
    }

    fn narrow(&self, block: usize, probe: &TextProbe<'_>) -> Result<Narrowed, ScanError> {
        let n_rows = self.block_rows(block);
        let may_hold = self.parts.iter().any(|part| part.may_hold_text(probe));
        let rows = if may_hold { RowSet::all(n_rows) } else { RowSet::none(n_rows) };
        Ok(Narrowed { rows, exact: !may_hold })
    }

    fn is_message(&self, name: &str) -> bool {
        self.parts.iter().all(|part| part.is_message(name))
    }

    fn rows_of_samples(&self, block: usize, is_wanted: &dyn Fn(&str) -> bool) -> Result<Option<RowSet>, ScanError> {
        let mut wanted: Vec<RowSet> = Vec::with_capacity(self.parts.len());
        for part in &self.parts {
            // A part has more than one block only if it has more rows than a block.
            let mut of_part = RowSet::none(part.batch().len());
            let mut from = 0;
            for block in 0..part.n_blocks() {
                let Some(rows) = part.rows_of_samples(block, is_wanted)? else { return Ok(None) };
                rows.iter().for_each(|row| of_part.insert(from + row));
                from += rows.n_rows();
            }
            wanted.push(of_part);
        }
        let in_order = self.in_order();
        let is_wanted = |row: usize| wanted[usize::from(in_order[row].part)].contains(usize::from(in_order[row].row));
        Ok(Some(RowSet::of(self.block_rows(block), is_wanted)))
    }

    fn sample_streams(&self) -> Result<Option<Arc<SampleStreams>>, ScanError> {
        Ok(self.union().map(|union| union.streams.clone()))
    }

    fn samples(&self, _: usize, chosen: &[u32], taker: &mut dyn TakeSamples) -> Result<bool, ScanError> {
        let Some(by_stream) = self.by_stream() else { return Ok(false) };
        // Of a few series only some parts have samples; every part has columns of them.
        let mut columns: Vec<Option<samples::SampleColumns<'_>>> = vec![None; self.parts.len()];
        let mut buffer = samples::SampleBuffer::default();
        for (at, number) in chosen.iter().enumerate() {
            let rows = by_stream.places_of(*number).iter().filter_map(|place| {
                let of_part = &mut columns[usize::from(place.part)];
                if of_part.is_none() {
                    *of_part = samples::SampleColumns::of(self.parts[usize::from(place.part)].batch());
                }
                Some((of_part.as_ref().copied()?, usize::from(place.row)))
            });
            buffer.give(rows, at, taker);
        }
        Ok(true)
    }

    fn read(&self, _: usize, names: &[&str], rows: &RowSet) -> Result<Vec<Column>, ScanError> {
        let n_rows = rows.count();
        let gathered = BatchRun::new(self.info.group.clone(), self.info.group_id, Arc::new(self.gathered(rows)));
        let all = RowSet::all(n_rows);
        let columns: Vec<Column> = names.iter().map(|name| gathered.read_one(name, &all)).collect();
        let n_bytes: usize = columns.iter().map(Column::memory_bytes).sum();
        self.n_bytes_read.fetch_add(n_bytes as u64, Ordering::Relaxed);
        Ok(columns)
    }

    fn bytes_read(&self) -> u64 {
        self.n_bytes_read.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests;
