//! A batch in memory as a run.

pub(crate) mod samples;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use crate::batch::Derivation;
use crate::minute_counts::MinuteCounts;
use crate::run::{FieldSummary, Narrowed, ProbeField, Run, RunIdentity, RunInfo, ScanError, TakeSamples, TextProbe};
use crate::series::SeriesOfRows;
use crate::system_fields::{id_column, is_text_key, part_of_column};
use crate::type_set::TypeSet;
use crate::{Batch, Column, GroupName, Numbers, RowSet, SampleStreams, Strings, TimeRange, Timestamp, Value};

/// Rows of one block of a run in memory.
const BATCH_BLOCK_ROWS: usize = 16 * 1024;

/// The number of the next run.
static NEXT_NUMBER: AtomicU64 = AtomicU64::new(0);

/// Returns a number that no other run in memory of this process has.
pub(crate) fn next_number() -> u64 {
    NEXT_NUMBER.fetch_add(1, Ordering::Relaxed)
}

/// A batch in memory as a run.
#[derive(Debug)]
pub struct BatchRun {
    info: RunInfo,
    /// Unique among the runs in memory of this process.
    number: u64,
    batch: Arc<Batch>,
    n_bytes_read: AtomicU64,
    /// Made when somebody asks for samples; `None` where not all events are. Runs with the same streams share it.
    sample_streams: Arc<OnceLock<Option<Arc<SampleStreams>>>>,
}

impl BatchRun {
    /// Takes a batch, putting its rows in order of time first where they are not. The batch must not be empty.
    pub fn new(group: GroupName, group_id: u32, batch: Arc<Batch>) -> Self {
        let batch = if batch.timestamps.is_sorted() {
            batch
        } else {
            let rows: Vec<(u32, u32)> = batch.time_order().into_iter().map(|row| (0, row)).collect();
            Arc::new(Batch::gather(&[&batch], &rows))
        };
        let first = Timestamp(batch.timestamps.first().unwrap_or_default());
        let last = Timestamp(batch.timestamps.last().unwrap_or_default());
        let info = RunInfo { group, group_id, key: None, n_events: batch.len() as u64, first, last };
        Self { info, number: next_number(), batch, n_bytes_read: AtomicU64::new(0), sample_streams: Arc::default() }
    }

    /// Shares what is made of the streams with one of `others` that has the same ones.
    pub fn beside<'r>(self, mut others: impl Iterator<Item = &'r Self>) -> Self {
        let streams = |batch: &Batch| match (&batch.series, &batch.streams) {
            (Some(_), Column::Dictionary { values, .. }) => Some(Arc::as_ptr(values)),
            _ => None,
        };
        let Some(own) = streams(&self.batch) else { return self };
        match others.find(|other| streams(&other.batch) == Some(own)) {
            Some(other) => Self { sample_streams: other.sample_streams.clone(), ..self },
            None => self,
        }
    }

    /// The batch, in time order.
    pub fn batch(&self) -> &Arc<Batch> {
        &self.batch
    }

    fn range(&self, block: usize) -> std::ops::Range<usize> {
        let from = block * BATCH_BLOCK_ROWS;
        from..(from + BATCH_BLOCK_ROWS).min(self.batch.len())
    }

    /// Reads one field of the rows of a block. Takes care not to copy a whole batch for a few rows.
    pub(crate) fn read_one(&self, name: &str, rows: &RowSet) -> Column {
        let batch = &self.batch;
        let pick = |values: &Numbers<i64>| Column::Timestamps(rows.iter().map(|row| values.get(row)).collect());
        match name {
            "@timestamp" => pick(&batch.timestamps),
            "@ingestionTime" => pick(&batch.ingestion_times),
            "@message" => Column::Strings { values: self.messages(rows), present: None },
            "@level" => crate::column::level_column(&rows.iter().map(|row| batch.levels.get(row)).collect::<Vec<_>>()),
            "@id" => {
                id_column(&self.info, rows.iter().map(|row| (batch.timestamps.get(row), batch.sequences.get(row))))
            }
            "@partOf" => {
                let places = rows.iter().map(|row| (batch.timestamps.get(row), batch.sequences.get(row)));
                part_of_column(&self.info, places, &self.read_field("@part", rows))
            }
            "@log" => Column::constant(Value::String(self.info.group.shared()), rows.count()),
            "@logStream" => batch.streams.gather(rows),
            _ => self.read_field(name, rows),
        }
    }

    fn messages(&self, rows: &RowSet) -> Strings {
        match self.batch.series_of_rows() {
            Some(series) => series.messages(rows.iter().map(|row| series.codes[row])),
            None => self.batch.messages.gather(rows.iter()),
        }
    }

    fn read_field(&self, name: &str, rows: &RowSet) -> Column {
        let batch = &self.batch;
        if let (None, Some(series)) = (batch.stored(name), batch.series_of_rows()) {
            let codes: Vec<u32> = rows.iter().map(|row| series.codes[row]).collect();
            return series.column(name, &codes);
        }
        let stored = batch.fields.binary_search_by(|(known, _)| (**known).cmp(name));
        let stored = match stored {
            Ok(index) => batch.fields[index].1.gather(rows),
            Err(_) => Column::Missing { n_rows: rows.count() },
        };
        let is_derived = batch.origins.iter().any(|origin| {
            origin.text_key.as_deref() == Some(name) || origin.time_key.as_ref().is_some_and(|(key, _)| **key == *name)
        });
        if !is_derived {
            return stored;
        }
        let codes: Vec<u32> = rows.iter().map(|row| batch.origin_codes.get(row)).collect();
        let timestamps: Vec<i64> = rows.iter().map(|row| batch.timestamps.get(row)).collect();
        let messages = self.messages(rows);
        let origins = &batch.origins;
        Derivation { origins, codes: &codes, messages: &messages, timestamps: &timestamps }.overlay(name, stored)
    }

    /// Reports whether the text of some value where a probe looks may hold what it looks for.
    pub(crate) fn may_hold_text(&self, probe: &TextProbe<'_>) -> bool {
        // Texts in memory are as cheap to verify as any index over them would be to ask. Numbers and times are not:
        // most literals can be in none of them.
        match probe.field {
            ProbeField::Named(name) => self.may_hold(name, probe.literal),
            ProbeField::Message | ProbeField::Any => true,
        }
    }

    /// Tells whether the text of some value of a field may hold `literal`.
    fn may_hold(&self, name: &str, literal: &str) -> bool {
        let consists_of = |signs: &[u8]| literal.bytes().all(|byte| byte.is_ascii_digit() || signs.contains(&byte));
        let is_derived_text = self.batch.origins.iter().any(|origin| origin.text_key.as_deref() == Some(name));
        let is_derived_time = self.batch.origins.iter().any(|origin| {
            let key = origin.time_key.as_ref().map(|(key, _)| &**key);
            key == Some(name)
        });
        let is_of_series = self.batch.series_of_rows().is_some_and(|rows| rows.holds(name, literal));
        let may_be_stored = match self.batch.stored(name) {
            None if is_of_series => true,
            None | Some(Column::Missing { .. }) => false,
            Some(Column::Integers { .. } | Column::Floats { .. }) => consists_of(b".-+eE"),
            Some(_) => true,
        };
        is_derived_text || may_be_stored || (is_derived_time && consists_of(b"-:.+TZtzeE"))
    }

    /// Sums up one field. Values derived from text and time are counted by origin, not made.
    fn field_summary(&self, name: Arc<str>, n_by_origin: &[u64]) -> FieldSummary {
        let batch = &self.batch;
        let stored = batch.fields.binary_search_by(|(known, _)| known.cmp(&name)).ok();
        let mut types = TypeSet::default();
        let mut n_derived = 0;
        if let (None, Some(series)) = (stored, batch.series_of_rows()) {
            types.insert(&Value::text(""));
            let n_events = series.n_with(&name) as u64;
            return FieldSummary { name, types, n_events };
        }
        for (origin, n_events) in batch.origins.iter().zip(n_by_origin) {
            if origin.text_key.as_ref() == Some(&name) {
                types.insert(&Value::text(""));
                n_derived += n_events;
            } else if let Some((_, form)) = origin.time_key.as_ref().filter(|(key, _)| *key == name) {
                types.insert(&form.value(Timestamp(0)));
                n_derived += n_events;
            }
        }
        let n_events = match stored {
            None => n_derived,
            Some(index) => {
                let column = &batch.fields[index].1;
                types.insert_column(column);
                // Both in one event: the derived value is the one shown.
                if n_derived == 0 { column.n_present() as u64 } else { batch.field(&name).n_present() as u64 }
            }
        };
        FieldSummary { name, types, n_events }
    }
}

impl Run for BatchRun {
    fn info(&self) -> &RunInfo {
        &self.info
    }

    fn identity(&self) -> Option<RunIdentity> {
        Some(RunIdentity::InMemory(self.number))
    }

    fn n_blocks(&self) -> usize {
        self.batch.len().div_ceil(BATCH_BLOCK_ROWS)
    }

    fn block_rows(&self, block: usize) -> usize {
        self.range(block).len()
    }

    fn block_times(&self, block: usize) -> (Timestamp, Timestamp) {
        let (rows, times) = (self.range(block), &self.batch.timestamps);
        (Timestamp(times.get(rows.start)), Timestamp(times.get(rows.end - 1)))
    }

    fn rows_within(&self, block: usize, range: TimeRange) -> Option<std::ops::Range<usize>> {
        let (rows, times) = (self.range(block), &self.batch.timestamps);
        let first_from = |time: Timestamp| {
            let (mut begin, mut end) = (rows.start, rows.end);
            while begin < end {
                let middle = usize::midpoint(begin, end);
                if times.get(middle) < time.0 { begin = middle + 1 } else { end = middle }
            }
            begin - rows.start
        };
        Some(first_from(range.from)..first_from(range.to))
    }

    fn first_sequence(&self) -> u64 {
        self.batch.sequences.bounds().map_or(0, |(first, _)| first)
    }

    fn last_sequence(&self) -> u64 {
        self.batch.sequences.bounds().map_or(0, |(_, last)| last)
    }

    fn fields(&self) -> Result<Vec<FieldSummary>, ScanError> {
        let mut n_by_origin = vec![0u64; self.batch.origins.len()];
        self.batch.origin_codes.iter().for_each(|code| n_by_origin[code as usize] += 1);
        let names = self.batch.field_names().into_iter();
        Ok(names.map(|name| self.field_summary(name, &n_by_origin)).collect())
    }

    fn field_names(&self) -> Result<Vec<Arc<str>>, ScanError> {
        Ok(self.batch.field_names())
    }

    fn minutes(&self) -> Result<Option<Vec<MinuteCounts>>, ScanError> {
        Ok(Some(MinuteCounts::of_rows(&self.batch.timestamps.to_slice(), self.batch.levels.iter())))
    }

    fn is_message(&self, name: &str) -> bool {
        name == "@message" || is_text_key(&self.batch.origins, self.batch.stored(name).is_some(), name)
    }

    fn narrow(&self, block: usize, probe: &TextProbe<'_>) -> Result<Narrowed, ScanError> {
        let may_hold = self.may_hold_text(probe);
        let n_rows = self.block_rows(block);
        let rows = if may_hold { RowSet::all(n_rows) } else { RowSet::none(n_rows) };
        Ok(Narrowed { rows, exact: !may_hold })
    }

    fn rows_of_samples(&self, block: usize, is_wanted: &dyn Fn(&str) -> bool) -> Result<Option<RowSet>, ScanError> {
        let series = self.batch.series_of_rows().filter(SeriesOfRows::are_samples);
        Ok(series.map(|series| series.rows_of(self.range(block), is_wanted)))
    }

    fn sample_streams(&self) -> Result<Option<Arc<SampleStreams>>, ScanError> {
        let make = || {
            self.batch.series_of_rows().filter(SeriesOfRows::are_samples)?;
            match &self.batch.streams {
                Column::Dictionary { values, .. } => Some(Arc::new(SampleStreams::new(values.clone()))),
                _ => None,
            }
        };
        Ok(self.sample_streams.get_or_init(make).clone())
    }

    fn samples(&self, block: usize, chosen: &[u32], taker: &mut dyn TakeSamples) -> Result<bool, ScanError> {
        Ok(samples::give(&self.batch, self.range(block), chosen, taker))
    }

    fn read(&self, block: usize, names: &[&str], rows: &RowSet) -> Result<Vec<Column>, ScanError> {
        let range = self.range(block);
        let mut of_batch = RowSet::none(range.end);
        rows.iter().for_each(|row| of_batch.insert(range.start + row));
        of_batch.resize(self.batch.len());
        let columns: Vec<Column> = names.iter().map(|name| self.read_one(name, &of_batch)).collect();
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
