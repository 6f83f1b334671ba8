//! Writes a segment: events in time order, block by block, then footer and trailer.

mod rows;
mod series;
mod series_fields;

use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashSet;
use types::{Batch, Column, GroupName, MinuteCounts, Origin, RowSet, TimeRange, Timestamp, ensure};
use xxhash_rust::xxh3::xxh3_64;

use self::rows::{RowsInOrder, gather_block};
use crate::bytes::{put_varint, put_zigzag};
use crate::column::dependent::{self, BlockColumn};
use crate::column::shared_ids::SharedIds;
use crate::column::successive;
use crate::column_writer::ColumnWriter;
use crate::error::SegmentError;
use crate::filter::FilterTable;
use crate::footer::{self, BlockFooter, ColumnFooter, Lineage, RunFooter};
use crate::format::{self, END_MAGICS, FORMAT_OF_EVENTS, block_rows};
use crate::meta::{RunSummary, SegmentMeta};
use crate::numbers::Bases;
use crate::section::{SectionId, SectionWriter};
use crate::shape::ShapeTable;
use crate::texts::{self, BlockTexts, MessageWriter};
use crate::times::{put_deltas, put_times};
use crate::{duration, field_filter, field_minutes, proof, word_index};

/// zstd level of the footer: small, and read at every opening.
const FOOTER_LEVEL: i32 = 3;

/// Events per minute from which on a run of one block has counts by minute: for fewer, counting them costs no more.
const EVENTS_PER_MINUTE_MIN: usize = 8;

/// Events of one group that are to be written into a segment.
pub struct RunInput {
    /// The group.
    pub group: GroupName,
    /// Its number.
    pub group_id: u32,
    /// Its events, in any order.
    pub batches: Vec<Arc<Batch>>,
    /// Only events in this range are taken.
    pub range: TimeRange,
    /// Size of the events as their senders sent them.
    pub bytes_raw: u64,
}

/// A finished segment.
pub struct SegmentFile {
    /// The whole file.
    pub bytes: Vec<u8>,
    /// Its runs, in the order of the input; inputs without an event in range have none.
    pub runs: Vec<RunSummary>,
}

/// What must be known of a run before its first block is written.
pub struct RunOutline {
    /// The group.
    pub group: GroupName,
    /// Its number.
    pub group_id: u32,
    /// Size of the events as their senders sent them.
    pub bytes_raw: u64,
    /// How many events will come.
    pub n_rows: usize,
    /// Names of all fields that may come, in any order.
    pub fields: Vec<Arc<str>>,
}

/// A segment while it is written, run by run.
///
/// Memory: one block of rows at a time, and the finished sections.
pub struct SegmentWriter {
    meta: SegmentMeta,
    sections: SectionWriter,
    runs: Vec<RunFooter>,
    lineage: Lineage,
    format: u16,
    /// Where several runs will come.
    shared: Option<SharedIds>,
}

impl SegmentWriter {
    /// Returns a segment without events whose sections will be compressed with zstd at `level`. Ids of its runs are stored together
    /// where more than one will come.
    pub fn new(meta: SegmentMeta, level: i32, n_runs: usize) -> Result<Self, SegmentError> {
        let sections = SectionWriter::new(level)?;
        let shared = (n_runs > 1).then(SharedIds::default);
        Ok(Self { meta, sections, runs: Vec::new(), lineage: Lineage::default(), format: FORMAT_OF_EVENTS, shared })
    }

    /// Ends with [`SegmentError::Stopped`] once `is_stopped` returns `true`, also within a block.
    pub fn stop_when(&mut self, is_stopped: impl Fn() -> bool + 'static) {
        self.sections.is_stopped = Box::new(is_stopped);
    }

    /// Adds a run. `blocks` are its events in order of time and acceptance, [`block_rows`] each but for the last.
    pub fn add_run(
        &mut self,
        outline: RunOutline,
        blocks: impl Iterator<Item = Result<Batch, SegmentError>>,
    ) -> Result<(), SegmentError> {
        let expected = outline.n_rows;
        self.format = self.format.max(format::of_run(&outline.group, outline.n_rows));
        let run = RunWriter::new(outline, &mut self.sections)?;
        let run = run.write(blocks, &mut self.sections, self.shared.as_mut())?;
        let found = run.summary.n_events;
        ensure!(found == expected as u64, SegmentError::Rows { expected: expected as u64, found });
        self.runs.push(run);
        Ok(())
    }

    /// Says which bytes of shipped files its events were, as `positions` encodes them.
    pub fn put_positions(&mut self, positions: &[u8]) -> Result<(), SegmentError> {
        if !positions.is_empty() {
            let section = self.sections.reserve(1);
            self.sections.fill(section, positions)?;
            self.lineage.positions = Some(section);
        }
        Ok(())
    }

    /// Finishes the segment, which replaces the segments `replaced`.
    pub fn finish(mut self, replaced: &[u128]) -> Result<SegmentFile, SegmentError> {
        self.lineage.replaced = replaced.to_vec();
        if let Some(shared) = self.shared.take().filter(SharedIds::is_used) {
            self.format = self.format.max(format::FORMAT_OF_SHARED_IDS);
            shared.finish(&mut self.sections)?;
        }
        let mut file = self.meta.header(self.format);
        let mut footer = footer::encode(&self.meta, &self.runs);
        self.sections.finish(&mut file, &mut footer);
        footer::put_lineage(&mut footer, &self.lineage);
        let stored = zstd::bulk::compress(&footer, FOOTER_LEVEL)?;
        let mut trailer = Vec::with_capacity(crate::format::TRAILER_BYTES);
        trailer.extend_from_slice(&(file.len() as u64).to_le_bytes());
        trailer.extend_from_slice(&(stored.len() as u32).to_le_bytes());
        trailer.extend_from_slice(&(footer.len() as u32).to_le_bytes());
        trailer.extend_from_slice(&xxh3_64(&stored).to_le_bytes());
        trailer.extend_from_slice(&END_MAGICS[usize::from(self.format) - 1]);
        file.extend_from_slice(&stored);
        file.extend_from_slice(&trailer);
        Ok(SegmentFile { bytes: file, runs: self.runs.into_iter().map(|run| run.summary).collect() })
    }
}

/// Writes the events of `inputs`, which came from `positions`, as one segment, compressed with zstd at `level`.
pub fn write(
    meta: &SegmentMeta,
    inputs: &[RunInput],
    positions: &[u8],
    level: i32,
) -> Result<SegmentFile, SegmentError> {
    let mut writer = SegmentWriter::new(*meta, level, inputs.len())?;
    for input in inputs {
        let mut rows = RowsInOrder::new(&input.batches, input.range);
        let n_rows = rows.n_rows();
        if n_rows > 0 {
            let block_rows = block_rows(&input.group);
            let blocks = std::iter::from_fn(|| {
                let of_block: Vec<(u32, u32)> = rows.by_ref().take(block_rows).collect();
                (!of_block.is_empty()).then(|| Ok(gather_block(&input.batches, &of_block)))
            });
            writer.add_run(outline(input, n_rows), blocks)?;
        }
    }
    writer.put_positions(positions)?;
    writer.finish(&[])
}

fn outline(input: &RunInput, n_rows: usize) -> RunOutline {
    let mut names: HashSet<&Arc<str>, RandomState> = HashSet::default();
    let mut series: HashSet<usize, RandomState> = HashSet::default();
    for batch in &input.batches {
        names.extend(batch.fields.iter().map(|(name, _)| name));
        // Batches share series: each is looked at once.
        let new = batch.series.iter().flat_map(|of_batch| of_batch.iter());
        let new = new.filter(|of_batch| series.insert(Arc::as_ptr(of_batch) as usize));
        names.extend(new.flat_map(|of_batch| of_batch.fields()).map(|(name, _)| name));
    }
    let fields = names.into_iter().cloned().collect();
    RunOutline { group: input.group.clone(), group_id: input.group_id, bytes_raw: input.bytes_raw, n_rows, fields }
}

struct RunWriter {
    group: GroupName,
    group_id: u32,
    bytes_raw: u64,
    n_blocks: usize,
    whole: SectionId,
    system: SectionId,
    columns: Vec<ColumnWriter>,
    origins: Vec<Origin>,
    shapes: ShapeTable,
    messages: MessageWriter,
    /// Over the messages of all blocks so far.
    filter: Option<FilterTable>,
    minutes: Vec<MinuteCounts>,
    blocks: Vec<BlockFooter>,
    sequences: (u64, u64),
}

impl RunWriter {
    fn new(outline: RunOutline, sections: &mut SectionWriter) -> Result<Self, SegmentError> {
        let RunOutline { group, group_id, bytes_raw, n_rows, fields: mut names } = outline;
        let n_blocks = n_rows.div_ceil(block_rows(&group));
        names.push("@logStream".into());
        names.sort();
        names.dedup();
        let messages = MessageWriter::new(FORMAT_OF_EVENTS, &names);
        let whole = sections.reserve(footer::WHOLE_SECTIONS);
        let system = sections.reserve(n_blocks * footer::SYSTEM_SECTIONS);
        let n_counted = field_minutes::n_counted(n_rows, names.len());
        let column = |name| ColumnWriter::new(name, (n_counted, n_blocks), group.has_samples(), sections);
        let columns: Vec<ColumnWriter> = names.into_iter().map(column).collect();
        Ok(Self {
            group,
            group_id,
            bytes_raw,
            n_blocks,
            whole,
            system,
            shapes: ShapeTable::new(columns.len())?,
            columns,
            origins: Vec::new(),
            messages,
            filter: None,
            minutes: Vec::new(),
            blocks: Vec::new(),
            sequences: (u64::MAX, 0),
        })
    }

    fn write(
        mut self,
        blocks: impl Iterator<Item = Result<Batch, SegmentError>>,
        sections: &mut SectionWriter,
        mut shared: Option<&mut SharedIds>,
    ) -> Result<RunFooter, SegmentError> {
        let mut n_events = 0;
        for (block, batch) in blocks.enumerate() {
            let batch = batch?;
            n_events += batch.len() as u64;
            if block >= self.n_blocks {
                let expected = (self.n_blocks * block_rows(&self.group)) as u64;
                return Err(SegmentError::Rows { expected, found: n_events });
            }
            self.write_system(block, &batch, sections)?;
            if self.write_series(block, &batch, sections)? {
                continue;
            }
            let batch = if batch.series.is_some() { batch.spelled_out() } else { batch };
            let texts = self.messages.block(&batch);
            self.write_columns(block, &batch, sections, shared.as_deref_mut())?;
            self.write_texts(block, &batch, texts, sections)?;
        }
        self.write_whole(sections)?;
        let first = self.blocks.first().map_or(Timestamp(0), |block| block.first);
        let last = self.blocks.last().map_or(Timestamp(0), |block| block.last);
        let columns = self.columns.into_iter().enumerate().map(|(number, column)| ColumnFooter {
            is_in_messages: self.messages.is_made_of(number),
            is_escaped: self.messages.is_escaped(number),
            filter: column.filter_section,
            name: column.name,
            types: column.types,
            n_events: column.n_events,
            dictionary: column.dictionary.encode().map(|_| column.dictionary_section),
            first_section: column.first_section,
        });
        Ok(RunFooter {
            summary: RunSummary {
                group: self.group,
                group_id: self.group_id,
                n_events,
                first,
                last,
                first_sequence: self.sequences.0,
                last_sequence: self.sequences.1,
                bytes_raw: self.bytes_raw,
            },
            blocks: self.blocks,
            origins: self.origins,
            columns: columns.collect(),
            whole: self.whole,
            system: self.system,
        })
    }

    /// Returns the number of a system section: those of one kind follow each other block by block.
    fn system_section(&self, kind: usize, block: usize) -> SectionId {
        self.system + (kind * self.n_blocks + block) as SectionId
    }

    fn write_system(&mut self, block: usize, batch: &Batch, sections: &mut SectionWriter) -> Result<(), SegmentError> {
        let (timestamps, mut times) = (batch.timestamps.to_slice(), Vec::new());
        put_times(&mut times, &timestamps);
        sections.fill(self.system_section(footer::TIMES, block), &times)?;
        let mut ingestion_times = Vec::new();
        put_deltas(&mut ingestion_times, &batch.ingestion_times.to_slice());
        sections.fill(self.system_section(footer::INGESTION_TIMES, block), &ingestion_times)?;
        let sequences: Vec<i64> = batch.sequences.iter().map(|sequence| sequence as i64).collect();
        let mut encoded = Vec::new();
        put_deltas(&mut encoded, &sequences);
        sections.fill(self.system_section(footer::SEQUENCES, block), &encoded)?;
        sections.fill(self.system_section(footer::LEVELS, block), &batch.levels.to_slice())?;
        if let Some((first, last)) = batch.sequences.bounds() {
            self.sequences = (self.sequences.0.min(first), self.sequences.1.max(last));
        }
        for minute in MinuteCounts::of_rows(&timestamps, batch.levels.iter()) {
            match self.minutes.last_mut().filter(|last| last.minute == minute.minute) {
                Some(last) => last.counts.iter_mut().zip(minute.counts).for_each(|(sum, count)| *sum += count),
                None => self.minutes.push(minute),
            }
        }
        let time = |time: Option<i64>| Timestamp(time.unwrap_or_default());
        self.blocks.push(BlockFooter {
            n_rows: batch.len() as u32,
            first: time(batch.timestamps.first()),
            last: time(batch.timestamps.last()),
        });
        Ok(())
    }

    fn write_columns(
        &mut self,
        block: usize,
        batch: &Batch,
        sections: &mut SectionWriter,
        mut shared: Option<&mut SharedIds>,
    ) -> Result<(), SegmentError> {
        let missing = Column::Missing { n_rows: batch.len() };
        let mut fields = batch.fields.iter().peekable();
        let mut values: Vec<&Column> = Vec::with_capacity(self.columns.len());
        let mut of_block: Vec<Option<BlockColumn>> = Vec::with_capacity(self.columns.len());
        let minutes = field_minutes::minutes_of(&batch.timestamps.to_slice());
        for (number, column) in self.columns.iter_mut().enumerate() {
            sections.look_for_stop(number)?;
            let of_column = if *column.name == *"@logStream" {
                &batch.streams
            } else {
                // Both lists are sorted by name, and the block's is part of the run's.
                fields.next_if(|(name, _)| *name == column.name).map_or(&missing, |(_, values)| values)
            };
            of_block.push(column.encode(of_column, &minutes)?);
            values.push(of_column);
        }
        if let Some((name, _)) = fields.next() {
            return Err(SegmentError::Unfaithful(format!("field {name:?} was not declared")));
        }
        dependent::shorten(&mut of_block);
        if self.group.has_samples()
            && let Some(series) = self.columns.iter().position(|column| *column.name == *"@logStream")
        {
            successive::shorten(&mut of_block, &values, series);
        }
        let mut field_filter = Vec::new();
        for ((column, values), of_block) in self.columns.iter_mut().zip(values).zip(&of_block) {
            match of_block {
                None => field_filter::put_none(&mut field_filter),
                Some(BlockColumn { present, section }) => {
                    field_filter::put(&mut field_filter, values, present, section, &mut column.filter);
                    let shortened = shared.as_deref_mut().and_then(|shared| shared.shorten(section, sections));
                    sections.fill(column.first_section + block as SectionId, shortened.as_ref().unwrap_or(section))?;
                }
            }
        }
        sections.fill(self.system_section(footer::FIELDS, block), &field_filter)?;
        let presence: Vec<Option<RowSet>> =
            of_block.into_iter().map(|column| column.map(|column| column.present)).collect();
        let origin_numbers: Vec<u32> = batch.origins.iter().map(|origin| self.origin_number(origin)).collect();
        let origins: Vec<u32> = batch.origin_codes.iter().map(|code| origin_numbers[code as usize]).collect();
        let shapes = self.shapes.encode_block(batch.len(), &origins, &presence);
        Ok(sections.fill(self.system_section(footer::SHAPES, block), &shapes)?)
    }

    fn origin_number(&mut self, origin: &Origin) -> u32 {
        let known = self.origins.iter().position(|known| known == origin);
        known.unwrap_or_else(|| {
            self.origins.push(origin.clone());
            self.origins.len() - 1
        }) as u32
    }

    fn write_texts(
        &mut self,
        block: usize,
        batch: &Batch,
        texts: BlockTexts<'_>,
        sections: &mut SectionWriter,
    ) -> Result<(), SegmentError> {
        let mut filter = texts.filter();
        let vocabulary = &self.messages.vocabulary;
        let field = self.columns.binary_search_by(|column| (*column.name).cmp(duration::FIELD)).ok();
        let values = batch.fields.iter().find(|(name, _)| field.is_some() && **name == *duration::FIELD);
        let durations = values.map(|(_, values)| duration::of_column(values)).unwrap_or_default();
        let bases = Bases { times: &batch.timestamps.to_slice(), durations: &durations };
        let mut encoded = texts.encode(vocabulary.slots(), &bases, field.unwrap_or_default());
        let name_of = |field: usize| self.columns.get(field).map(|column| &*column.name);
        if !proof::are_messages(&encoded, vocabulary, batch, name_of) {
            tracing::warn!(n_rows = batch.len(), "messages of a block are kept raw: they would not be rebuilt");
            encoded = texts::encode_raw(&batch.messages);
            if !proof::are_messages(&encoded, vocabulary, batch, name_of) {
                return Err(SegmentError::Unfaithful("messages do not come back".into()));
            }
            filter = FilterTable::of(batch.messages.iter(), 0);
        }
        self.fill_texts(block, &filter, encoded, sections)
    }

    fn fill_texts(
        &mut self,
        block: usize,
        filter: &FilterTable,
        encoded: [Vec<u8>; texts::TEXT_SECTIONS],
        sections: &mut SectionWriter,
    ) -> Result<(), SegmentError> {
        let bytes = filter.bytes();
        if !bytes.is_empty() {
            sections.fill(self.system_section(footer::FILTER, block), &bytes)?;
        }
        match &mut self.filter {
            Some(of_run) => of_run.merge(filter),
            None => self.filter = Some(filter.clone()),
        }
        for (number, section) in encoded.into_iter().enumerate() {
            if !section.is_empty() {
                sections.fill(self.system_section(footer::TEXTS + number, block), &section)?;
            }
        }
        Ok(())
    }

    fn write_whole(&mut self, sections: &mut SectionWriter) -> Result<(), SegmentError> {
        for column in &self.columns {
            if let Some(dictionary) = column.dictionary.encode() {
                sections.fill(column.dictionary_section, &dictionary)?;
            }
        }
        // A single block is its own filter, except for ids that repeat: nearly all runs lack a given trace, and all are
        // asked.
        for column in &mut self.columns {
            let filter = std::mem::take(&mut column.filter);
            if (self.n_blocks > 1 || filter.is_of_repeated_ids(column.n_events))
                && let Some(filter) = filter.encode()
            {
                let section = sections.reserve(1);
                sections.fill(section, &filter)?;
                column.filter_section = Some(section);
            }
        }
        if self.n_blocks > 1
            && let Some(filter) = self.filter.take().filter(|filter| !filter.is_full())
        {
            sections.fill(self.whole + footer::RUN_FILTER, &filter.bytes())?;
        }
        sections.fill(self.whole + footer::SHAPE_TABLE, &self.shapes.encode())?;
        let templates = self.messages.vocabulary.text();
        sections.fill(self.whole + footer::TEMPLATES, &templates.encode())?;
        if templates.n_templates() >= word_index::TEMPLATES_MIN {
            sections.fill(self.whole + footer::WORDS, &word_index::build(templates)?)?;
        }
        // What one short block says by itself is not said again.
        let n_rows: usize = self.blocks.iter().map(|block| block.n_rows as usize).sum();
        if self.n_blocks == 1 && n_rows < self.minutes.len() * EVENTS_PER_MINUTE_MIN {
            return Ok(());
        }
        let mut minutes = Vec::new();
        put_varint(&mut minutes, self.minutes.len() as u64);
        let mut last = 0;
        for minute in &self.minutes {
            put_zigzag(&mut minutes, minute.minute - last);
            last = minute.minute;
            minute.counts.iter().for_each(|count| put_varint(&mut minutes, u64::from(*count)));
        }
        let kept = field_minutes::worth_keeping(self.columns.iter().map(|column| &column.counter), n_rows);
        put_varint(&mut minutes, kept.len() as u64);
        for field in kept {
            let section = sections.reserve(1);
            sections.fill(section, &self.columns[field].counter.encode())?;
            put_varint(&mut minutes, field as u64);
            put_varint(&mut minutes, u64::from(section));
        }
        sections.fill(self.whole + footer::MINUTES, &minutes)?;
        Ok(())
    }
}
