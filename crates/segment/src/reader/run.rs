//! One run of a segment during one query.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use types::{
    Addresses, Column, Examples, FieldMinutes, FieldSummary, MinuteCounts, Narrowed, RowSet, Run, RunInfo, RunKey,
    SampleStreams, ScanError, Strings, TakeSamples, TextProbe, Timestamp, Value, id_column, is_text_key,
    part_of_column,
};

use super::decode::{add_derived, decode_minutes, section_of_field};
use super::recent::Recent;
use super::segment::{OpenRun, Segment};
use crate::bytes::{Cursor, Damage, Decoded};
use crate::error::Result;
use crate::held::Holding;
use crate::numbers::Bases;
use crate::section::SectionId;
use crate::section_cache::SegmentSections;
use crate::shape::{BlockShapes, Shapes};
use crate::texts::{self, ColumnSelection, TemplateIds, Variables, Vocabulary};
use crate::times::{take_deltas, take_times};
use crate::{column, field_minutes, footer, heap};

/// One run of a segment during one query.
pub(super) struct SegmentRun {
    pub(super) segment: Arc<Segment>,
    index: usize,
    info: RunInfo,
    /// Reports whether what is read is worth keeping; who writes a segment again reads it once.
    pub(super) is_query: bool,
    bytes_read: AtomicU64,
    recent: OnceLock<Arc<Holding<Recent>>>,
}

/// A section of a column, whole or as it is stored.
pub(super) enum SectionForm {
    Restored(Arc<Vec<u8>>),
    /// Another section says what it holds.
    Stored(Arc<Vec<u8>>),
}

impl Segment {
    /// Returns run number `index` as a query sees it; `version` is that of its tombstones.
    pub fn run(self: &Arc<Self>, index: usize, version: u32) -> Option<Arc<dyn Run>> {
        Some(Arc::new(self.open_run(index, version, true)?))
    }

    pub(super) fn open_run(self: &Arc<Self>, index: usize, version: u32, is_query: bool) -> Option<SegmentRun> {
        let summary = self.summaries.get(index)?;
        let info = RunInfo {
            group: summary.group.clone(),
            group_id: summary.group_id,
            key: Some(RunKey { segment: self.meta.segment, run: index as u32, version }),
            n_events: summary.n_events,
            first: summary.first,
            last: summary.last,
        };
        Some(SegmentRun {
            segment: self.clone(),
            index,
            info,
            is_query,
            bytes_read: AtomicU64::new(0),
            recent: OnceLock::new(),
        })
    }
}

impl SegmentRun {
    pub(super) fn run(&self) -> &OpenRun {
        // Made by `Segment::run`, which checks the index against the same list.
        &self.segment.runs[self.index]
    }

    /// Returns what the query has of the run now. It may be let go once the query reads others.
    pub(super) fn recent(&self) -> Arc<Recent> {
        let kept = self.segment.kept.get().filter(|_| self.is_query);
        self.recent.get_or_init(Arc::default).get(kept.map(SegmentSections::held))
    }

    /// Returns a section of a block. What was kept of it counts as read, since it is what the answer is made from.
    pub(super) fn section(&self, id: SectionId) -> Result<Arc<Vec<u8>>> {
        self.section_with(id, Ok)
    }

    /// Returns what `restore` makes of a section, which is kept in its place.
    pub(super) fn section_with(
        &self,
        id: SectionId,
        restore: impl FnOnce(Vec<u8>) -> Result<Vec<u8>>,
    ) -> Result<Arc<Vec<u8>>> {
        let kept = self.segment.kept.get().filter(|_| self.is_query);
        if let Some(known) = kept.and_then(|kept| kept.get(id)) {
            self.count_read(id);
            return Ok(known);
        }
        let section = Arc::new(restore(self.fresh_section(id)?)?);
        if let Some(kept) = kept.filter(|_| !section.is_empty()) {
            kept.put(id, &section);
        }
        Ok(section)
    }

    /// Returns section `id` as it is stored, if it is one of a kind that is not restored as a whole and nobody did; else what
    /// `restore` makes of it, which is kept in its place.
    pub(super) fn section_or_stored(
        &self,
        id: SectionId,
        is_of_kind: impl FnOnce(&[u8]) -> bool,
        restore: impl FnOnce(Vec<u8>) -> Result<Vec<u8>>,
    ) -> Result<SectionForm> {
        let kept = self.segment.kept.get().filter(|_| self.is_query);
        let as_stored = self.id_beside(id);
        let known = |number| kept.and_then(|kept| kept.get(number)).inspect(|_| self.count_read(id));
        if let Some(restored) = known(id) {
            return Ok(SectionForm::Restored(restored));
        }
        // What stands beside may have been asked for as another kind.
        let stored = known(as_stored).map_or_else(|| self.fresh_section(id).map(Arc::new), Ok)?;
        let is_as_stored = is_of_kind(&stored);
        let section = if is_as_stored { stored } else { Arc::new(restore(Arc::unwrap_or_clone(stored))?) };
        if let Some(kept) = kept.filter(|_| !section.is_empty()) {
            kept.put(if is_as_stored { as_stored } else { id }, &section);
        }
        Ok(if is_as_stored { SectionForm::Stored(section) } else { SectionForm::Restored(section) })
    }

    /// Returns a number for what is kept beside section `id`: no section of the file has it.
    pub(super) fn id_beside(&self, id: SectionId) -> SectionId {
        id.wrapping_add(self.segment.sections.len() as SectionId)
    }

    pub(super) fn fresh_section(&self, id: SectionId) -> Result<Vec<u8>> {
        self.count_read(id);
        self.segment.section(id)
    }

    fn count_read(&self, id: SectionId) {
        let length = self.segment.sections.get(id as usize).map_or(0, |entry| entry.stored_length);
        self.bytes_read.fetch_add(u64::from(length), Ordering::Relaxed);
    }

    pub(super) fn is_there(&self, id: SectionId) -> bool {
        self.segment.sections.get(id as usize).is_some_and(|entry| entry.stored_length > 0)
    }

    /// Reads a section and decodes it; what is wrong is reported with its place.
    pub(super) fn decoded<T>(&self, id: SectionId, decode: impl FnOnce(&[u8]) -> Decoded<T>) -> Result<T> {
        let bytes = self.section(id)?;
        decode(&bytes).map_err(|damage| self.damage(id, damage))
    }

    pub(super) fn damage(&self, id: SectionId, damage: Damage) -> ScanError {
        let offset = self.segment.sections.get(id as usize).map_or(0, |entry| entry.offset);
        self.segment.error(offset, damage.0.into())
    }

    pub(super) fn system_section(&self, kind: usize, block: usize) -> SectionId {
        let footer = &self.run().footer;
        footer.system + (kind * footer.blocks.len() + block) as SectionId
    }

    pub(super) fn has_words(&self) -> bool {
        self.is_there(self.run().footer.whole + footer::WORDS)
    }

    pub(super) fn block_shapes(&self, block: usize, shapes: &Shapes) -> Result<Arc<BlockShapes>> {
        let run = self.run();
        let (n_columns, n_origins) = (run.footer.columns.len(), run.footer.origins.len());
        let n_rows = self.block_rows(block);
        self.recent().shapes_of_blocks.get(block, || {
            self.decoded(self.system_section(footer::SHAPES, block), |bytes| {
                BlockShapes::decode(bytes, n_rows, n_columns, n_origins, shapes)
            })
        })
    }

    pub(super) fn times(&self, block: usize) -> Result<Vec<i64>> {
        let n_rows = self.block_rows(block);
        self.decoded(self.system_section(footer::TIMES, block), |bytes| {
            take_times(&mut Cursor::new(bytes), n_rows, self.segment.format)
        })
    }

    /// Returns the times of a block, read once for all fields of it.
    pub(super) fn shared_times(&self, block: usize) -> Result<Arc<Vec<i64>>> {
        self.recent().times_of_block.get(block, || self.times(block))
    }

    pub(super) fn deltas(&self, kind: usize, block: usize) -> Result<Vec<i64>> {
        let n_rows = self.block_rows(block);
        self.decoded(self.system_section(kind, block), |bytes| take_deltas(&mut Cursor::new(bytes), n_rows))
    }

    pub(super) fn levels(&self, block: usize) -> Result<Vec<u8>> {
        let n_rows = self.block_rows(block);
        self.decoded(self.system_section(footer::LEVELS, block), |bytes| Ok(Cursor::new(bytes).take(n_rows)?.to_vec()))
    }

    pub(super) fn template_ids(&self, block: usize, vocabulary: &Vocabulary) -> Result<Arc<TemplateIds>> {
        let n_rows = self.block_rows(block);
        self.recent().templates_of_blocks.get(block, || {
            let id = self.system_section(footer::TEXTS, block);
            self.decoded(id, |bytes| TemplateIds::decode(bytes, n_rows, vocabulary))
        })
    }

    /// Reads the `wanted` columns of variables; of numbers that are stored relative to the event, only those of `rows` are
    /// surely right.
    pub(super) fn variables(
        &self,
        block: usize,
        (wanted, rows): (&ColumnSelection, &RowSet),
        ids: &TemplateIds,
        vocabulary: &Vocabulary,
    ) -> Result<Variables<'static>> {
        let mut variables = Variables::default();
        for section in wanted.sections() {
            let id = self.system_section(footer::TEXTS + section, block);
            let bytes = self.section(id)?;
            let damaged = |damage| self.damage(id, damage);
            let base = texts::base_of(section, &bytes, ids, vocabulary, wanted).map_err(damaged)?;
            let (times, durations) = self.bases(block, base, rows)?;
            let bases = Bases { times: &times, durations: &durations };
            variables.decode(section, &bytes, ids, vocabulary, wanted, &bases).map_err(damaged)?;
        }
        Ok(variables)
    }

    pub(super) fn messages(&self, block: usize, rows: &RowSet) -> Result<Strings> {
        let vocabulary = self.vocabulary()?;
        self.make_slots(&vocabulary);
        let ids = self.template_ids(block, &vocabulary)?;
        self.rebuilt(block, &ids, &vocabulary, rows)
    }

    pub(super) fn rebuilt(
        &self,
        block: usize,
        ids: &TemplateIds,
        vocabulary: &Vocabulary,
        rows: &RowSet,
    ) -> Result<Strings> {
        let wanted = ids.wanted_by(rows, vocabulary);
        let mut variables = self.variables(block, (&wanted, rows), ids, vocabulary)?;
        for (column, field) in wanted.fields(vocabulary.slots()) {
            variables.put_field(column, Cow::Owned(self.stored_rows_of(block, self.checked_field(field)?, rows)?));
        }
        let rebuilt = texts::rebuild(ids, &variables, vocabulary, rows, &wanted);
        rebuilt.map_err(|damage| self.damage(self.system_section(footer::TEXTS, block), damage))
    }

    fn read_one(&self, block: usize, name: &str, rows: &RowSet) -> Result<Column> {
        let picked = |values: &[i64]| Column::Timestamps(rows.iter().map(|row| values[row]).collect());
        Ok(match name {
            "@timestamp" => picked(&self.shared_times(block)?),
            "@ingestionTime" => picked(&self.deltas(footer::INGESTION_TIMES, block)?),
            "@level" => {
                let levels = self.levels(block)?;
                Column::of_levels(&rows.iter().map(|row| levels[row]).collect::<Vec<_>>())
            }
            "@log" => Column::constant(Value::String(self.info.group.shared()), rows.count()),
            "@message" => Column::Strings { values: self.messages(block, rows)?, present: None },
            "@id" => {
                let (times, sequences) = (self.shared_times(block)?, self.deltas(footer::SEQUENCES, block)?);
                id_column(&self.info, rows.iter().map(|row| (times[row], sequences[row] as u64)))
            }
            "@partOf" => {
                let parts = self.read_one(block, "@part", rows)?;
                let (times, sequences) = (self.shared_times(block)?, self.deltas(footer::SEQUENCES, block)?);
                part_of_column(&self.info, rows.iter().map(|row| (times[row], sequences[row] as u64)), &parts)
            }
            name => {
                let shapes = self.block_shapes(block, &*self.shapes()?)?;
                self.read_field(block, name, rows, &shapes)?
            }
        })
    }
}

impl Run for SegmentRun {
    fn info(&self) -> &RunInfo {
        &self.info
    }

    fn n_blocks(&self) -> usize {
        self.run().footer.blocks.len()
    }

    fn block_rows(&self, block: usize) -> usize {
        self.run().footer.blocks[block].n_rows as usize
    }

    fn block_times(&self, block: usize) -> (Timestamp, Timestamp) {
        let block = &self.run().footer.blocks[block];
        (block.first, block.last)
    }

    fn first_sequence(&self) -> u64 {
        self.segment.summaries[self.index].first_sequence
    }

    fn last_sequence(&self) -> u64 {
        self.segment.summaries[self.index].last_sequence
    }

    fn field_names(&self) -> Result<Vec<Arc<str>>> {
        let footer = &self.run().footer;
        let stored = footer.columns.iter().filter(|column| column.n_events > 0 && *column.name != *"@logStream");
        let text_keys = footer.origins.iter().filter_map(|origin| origin.text_key.as_ref());
        let time_keys = footer.origins.iter().filter_map(|origin| origin.time_key.as_ref().map(|(key, _)| key));
        Ok(stored.map(|column| &column.name).chain(text_keys).chain(time_keys).cloned().collect())
    }

    fn fields(&self) -> Result<Vec<FieldSummary>> {
        let footer = &self.run().footer;
        let stored = footer.columns.iter().filter(|column| column.n_events > 0 && *column.name != *"@logStream");
        let mut fields: Vec<FieldSummary> = stored
            .map(|column| FieldSummary { name: column.name.clone(), types: column.types, n_events: column.n_events })
            .collect();
        for origin in &footer.origins {
            let text = origin.text_key.as_ref().map(|key| (key, Value::text("")));
            let time = origin.time_key.as_ref().map(|(key, form)| (key, form.value(Timestamp(0))));
            for (key, value) in text.into_iter().chain(time) {
                add_derived(&mut fields, key, &value, self.info.n_events);
            }
        }
        fields.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(fields)
    }

    fn minutes(&self) -> Result<Option<Vec<MinuteCounts>>> {
        let id = self.run().footer.whole + footer::MINUTES;
        if self.segment.format == 1 || self.is_there(id) {
            return self.decoded(id, decode_minutes).map(Some);
        }
        // One short block: it is counted.
        let (mut times, mut levels) = (Vec::new(), Vec::new());
        for block in 0..self.n_blocks() {
            times.extend(self.times(block)?);
            levels.extend(self.levels(block)?);
        }
        Ok(Some(MinuteCounts::of_rows(&times, levels.into_iter())))
    }

    fn field_minutes(&self, name: &str) -> Result<Option<FieldMinutes>> {
        let id = self.run().footer.whole + footer::MINUTES;
        let column = self.column_number(name).filter(|_| !self.is_derived(name) && self.is_there(id));
        let Some(column) = column else { return Ok(None) };
        let section = self.decoded(id, |bytes| section_of_field(bytes, column))?;
        section.map(|section| self.decoded(section, field_minutes::decode)).transpose()
    }

    fn is_message(&self, name: &str) -> bool {
        let is_stored = || self.column_number(name).is_some();
        name == "@message" || is_text_key(&self.run().footer.origins, is_stored(), name)
    }

    fn may_hold(&self, probe: &TextProbe<'_>) -> Result<bool> {
        self.may_hold_text(probe)
    }

    fn narrow(&self, block: usize, probe: &TextProbe<'_>) -> Result<Narrowed> {
        self.narrow_block(block, probe)
    }

    fn expect_search(&self, blocks: &[usize]) {
        self.announce_searches(blocks);
    }

    fn is_far(&self) -> bool {
        self.segment.source.is_far()
    }

    fn read(&self, block: usize, names: &[&str], rows: &RowSet) -> Result<Vec<Column>> {
        self.announce(block, names);
        names.iter().map(|name| self.read_one(block, name, rows)).collect()
    }

    fn examples(&self) -> Result<Option<Arc<Examples>>> {
        let number = self.id_beside(self.run().footer.whole + footer::TEMPLATES);
        let examples = self.whole(&self.recent().examples, number, || {
            let vocabulary = self.vocabulary()?;
            let example = |id| vocabulary.template(id).and_then(texts::example);
            // Number 0 is that of raw messages.
            let made: Examples = (0..=vocabulary.n_templates() as u32).map(example).collect();
            let of_texts: usize = made.iter().flatten().map(|text| heap::of_allocation(text.capacity())).sum();
            let n_bytes = of_texts + heap::of_items(&made);
            Ok((Arc::new(made), n_bytes))
        })?;
        Ok(Some(examples))
    }

    fn example_numbers(&self, block: usize, rows: &RowSet) -> Result<Vec<u32>> {
        let ids = self.template_ids(block, &*self.vocabulary()?)?;
        Ok(if rows.is_all() { ids.ids.clone() } else { rows.iter().map(|row| ids.ids[row]).collect() })
    }

    fn presence(&self, block: usize, name: &str) -> Result<Option<RowSet>> {
        if name.starts_with('@') || self.is_derived(name) {
            return Ok(None);
        }
        let Some(index) = self.column_number(name) else {
            return Ok(Some(RowSet::none(self.block_rows(block))));
        };
        let shapes = self.shapes()?;
        Ok(Some(self.block_shapes(block, &shapes)?.rows_with(index as u32, &shapes)))
    }

    fn read_addresses(&self, block: usize, name: &str, rows: &RowSet) -> Result<Option<Addresses>> {
        let Some(index) = self.column_number(name).filter(|_| !self.is_derived(name)) else { return Ok(None) };
        // What a filter knows costs less than reading the column twice where it holds something else.
        if self.segment.format == 1 || !self.field_filter(&self.recent(), block)?.is_of_addresses(index) {
            return Ok(None);
        }
        let shapes = self.shapes()?;
        let present = self.block_shapes(block, &shapes)?.rows_with(index as u32, &shapes);
        self.decoded_column(block, index, |bytes| column::decode_addresses(bytes, &present, rows))
    }

    fn rows_of_samples(&self, block: usize, is_wanted: &dyn Fn(&str) -> bool) -> Result<Option<RowSet>> {
        self.sample_rows(block, is_wanted)
    }

    fn sample_streams(&self) -> Result<Option<Arc<SampleStreams>>> {
        self.streams_of_samples()
    }

    fn samples(&self, block: usize, chosen: &[u32], taker: &mut dyn TakeSamples) -> Result<bool> {
        self.give_samples(block, chosen, taker)
    }

    fn bytes_read(&self) -> u64 {
        self.bytes_read.load(Ordering::Relaxed)
    }
}
