//! Opens segments and reads runs out of them.
//!
//! Opening reads the trailer, the footer and the header. What a run needs as a whole (templates, shape table,
//! word index, dictionaries) is read when a query first asks and kept; blocks are read each time.

mod exact;

use std::collections::VecDeque;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use types::{
    Column, Derivation, FieldSummary, MinuteCounts, Narrowed, ProbeField, RowSet, Run, RunInfo, RunKey, ScanError,
    Strings, TextProbe, Timestamp, TypeSet, Value, id_column, is_text_key, part_of_column,
};
use xxhash_rust::xxh3::xxh3_64;
use zstd::bulk::Decompressor;

use super::bytes::{Cursor, Damage, Decoded};
use super::column;
use super::filter;
use super::footer::{self, RunFooter};
use super::search::{self, Needle};
use super::section::{SectionEntry, SectionId};
use super::shape::{BlockShapes, Shapes};
use super::template::{Holds, Kind, LiteralMatcher, Template, is_word_byte};
use super::texts::{self, TEXT_SECTIONS, TemplateIds, Variables};
use super::words::{self, WordIndex};
use super::{END_MAGIC, FORMAT_VERSION, HEADER_BYTES, MAGIC, RunSummary, SegmentMeta, TRAILER_BYTES};

pub(crate) use exact::RunReader;

/// Bytes read at the end of a file to have trailer and footer in one read.
const TAIL_BYTES: u64 = 64 << 10;

/// Largest footer that is believed.
const FOOTER_BYTES_MAX: usize = 256 << 20;

/// Decompressors that a segment keeps: as many as threads read it at once on a small machine.
const DECOMPRESSORS_MAX: usize = 4;

/// What of blocks a run keeps for the next field that a query asks for: one block for each of a few threads.
const RECENT_BLOCKS_MAX: usize = 4;

/// Prepared literals that a run keeps during a query; a query has a handful.
const MATCHES_MAX: usize = 16;

/// An opened segment.
pub(crate) struct Segment {
    name: String,
    file: File,
    meta: SegmentMeta,
    runs: Vec<OpenRun>,
    summaries: Vec<RunSummary>,
    sections: Vec<SectionEntry>,
    /// Segments that this one stands for.
    replaced: Vec<u128>,
    /// Those not in use, each with some 100 KB of tables.
    decompressors: Mutex<Vec<Decompressor<'static>>>,
}

/// A run with what was read of it as a whole.
struct OpenRun {
    footer: RunFooter,
    shapes: OnceLock<Arc<Shapes>>,
    templates: OnceLock<Arc<Vec<Template>>>,
    words: OnceLock<Arc<WordIndex>>,
    dictionaries: Vec<OnceLock<Arc<Vec<Value>>>>,
}

impl Segment {
    /// Opens the segment file at `path` of the store `store`; errors call it `name`.
    pub(crate) fn open(path: &Path, name: String, store: [u8; 16]) -> Result<Arc<Self>, ScanError> {
        let error = |offset: u64, problem: String| ScanError { file: name.clone(), offset, problem };
        let file = File::open(path).map_err(|e| error(0, e.to_string()))?;
        let length = file.metadata().map_err(|e| error(0, e.to_string()))?.len();
        if length < (HEADER_BYTES + TRAILER_BYTES) as u64 {
            return Err(error(0, format!("file ends too early, {length} bytes")));
        }
        let mut header = [0; HEADER_BYTES];
        file.read_exact_at(&mut header, 0).map_err(|e| error(0, e.to_string()))?;
        let meta = read_header(&header).map_err(|problem| error(0, problem.0.into()))?;
        if meta.store != store {
            return Err(error(16, "segment belongs to another store".into()));
        }
        let tail_length = length.min(TAIL_BYTES) as usize;
        let tail_from = length - tail_length as u64;
        let mut tail = vec![0; tail_length];
        file.read_exact_at(&mut tail, tail_from).map_err(|e| error(tail_from, e.to_string()))?;
        let trailer = &tail[tail_length - TRAILER_BYTES..];
        let place = Trailer::read(trailer, length).map_err(|d| error(length - TRAILER_BYTES as u64, d.0.into()))?;
        let mut stored = vec![0; place.stored_length];
        file.read_exact_at(&mut stored, place.offset).map_err(|e| error(place.offset, e.to_string()))?;
        let parsed = place.open(&stored).and_then(|plain| read_footer(&plain, &meta, place.offset));
        let (runs, sections, replaced) = parsed.map_err(|damage| error(place.offset, damage.0.into()))?;
        let summaries = runs.iter().map(|run| run.summary.clone()).collect();
        let runs = runs.into_iter().map(OpenRun::new).collect();
        let decompressors = Mutex::default();
        Ok(Arc::new(Self { name, file, meta, runs, summaries, sections, replaced, decompressors }))
    }

    /// The segment's identity.
    pub(crate) fn meta(&self) -> SegmentMeta {
        self.meta
    }

    /// Segments whose events this one holds in their place.
    pub(crate) fn replaced(&self) -> &[u128] {
        &self.replaced
    }

    /// What the segment holds.
    pub(crate) fn summaries(&self) -> &[RunSummary] {
        &self.summaries
    }

    /// Run number `index` as a query sees it; `version` is that of its tombstones.
    pub(crate) fn run(self: &Arc<Self>, index: usize, version: u32) -> Option<Arc<dyn Run>> {
        Some(Arc::new(self.open_run(index, version)?))
    }

    fn open_run(self: &Arc<Self>, index: usize, version: u32) -> Option<SegmentRun> {
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
            bytes_read: AtomicU64::new(0),
            matches: Mutex::default(),
            shapes_of_blocks: Recent::default(),
            templates_of_blocks: Recent::default(),
        })
    }

    /// Reads and checks every section; returns how many bytes were checked.
    pub(crate) fn verify(&self) -> Result<u64, ScanError> {
        let mut n_bytes = 0;
        for id in 0..self.sections.len() as SectionId {
            self.section(id)?;
            n_bytes += u64::from(self.sections[id as usize].stored_length);
        }
        Ok(n_bytes)
    }

    fn section(&self, id: SectionId) -> Result<Vec<u8>, ScanError> {
        let Some(entry) = self.sections.get(id as usize) else {
            return Err(self.error(0, format!("section {id} is missing")));
        };
        if entry.stored_length == 0 {
            return Ok(Vec::new());
        }
        let mut stored = vec![0; entry.stored_length as usize];
        let read = self.file.read_exact_at(&mut stored, entry.offset);
        read.map_err(|error| self.error(entry.offset, error.to_string()))?;
        let mut decompressor = self.decompressor().map_err(|error| self.error(entry.offset, error.to_string()))?;
        let opened = entry.open(stored, &mut decompressor).map_err(|damage| self.error(entry.offset, damage.0.into()));
        let mut idle = self.decompressors.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < DECOMPRESSORS_MAX {
            idle.push(decompressor);
        }
        opened
    }

    /// A decompressor that is not in use. Making one costs as much as decompressing a small section.
    fn decompressor(&self) -> std::io::Result<Decompressor<'static>> {
        // A poisoned lock only means that another query thread panicked; the list is still whole.
        let idle = self.decompressors.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.map_or_else(Decompressor::new, Ok)
    }

    fn error(&self, offset: u64, problem: String) -> ScanError {
        ScanError { file: self.name.clone(), offset, problem }
    }
}

fn read_header(header: &[u8; HEADER_BYTES]) -> Decoded<SegmentMeta> {
    let (content, checksum) = header.split_at(HEADER_BYTES - 8);
    let mut cursor = Cursor::new(header);
    if cursor.array()? != MAGIC {
        return Err(Damage("file is no segment"));
    }
    if xxh3_64(content).to_le_bytes() != checksum {
        return Err(Damage("checksum mismatch in the header"));
    }
    if u16::from_le_bytes(cursor.array()?) > FORMAT_VERSION {
        return Err(Damage("segment was written by a newer version"));
    }
    cursor.take(6)?;
    Ok(SegmentMeta {
        store: cursor.array()?,
        segment: u128::from_le_bytes(cursor.array()?),
        partition: i64::from_le_bytes(cursor.array()?),
    })
}

/// Where the footer is and what it must look like.
struct Trailer {
    offset: u64,
    stored_length: usize,
    plain_length: usize,
    checksum: u64,
}

impl Trailer {
    fn read(bytes: &[u8], file_length: u64) -> Decoded<Self> {
        let mut cursor = Cursor::new(bytes);
        let trailer = Self {
            offset: u64::from_le_bytes(cursor.array()?),
            stored_length: u32::from_le_bytes(cursor.array()?) as usize,
            plain_length: u32::from_le_bytes(cursor.array()?) as usize,
            checksum: u64::from_le_bytes(cursor.array()?),
        };
        let end = trailer.offset.checked_add(trailer.stored_length as u64);
        if cursor.array()? != END_MAGIC || end != Some(file_length - TRAILER_BYTES as u64) {
            return Err(Damage("file has no end"));
        }
        if trailer.plain_length > FOOTER_BYTES_MAX {
            return Err(Damage("footer is too large"));
        }
        Ok(trailer)
    }

    fn open(&self, stored: &[u8]) -> Decoded<Vec<u8>> {
        if xxh3_64(stored) != self.checksum {
            return Err(Damage("checksum mismatch in the footer"));
        }
        let plain = zstd::bulk::decompress(stored, self.plain_length);
        let plain = plain.map_err(|_| Damage("footer cannot be decompressed"))?;
        if plain.len() == self.plain_length { Ok(plain) } else { Err(Damage("footer has another length")) }
    }
}

/// The runs, the sections, and the segments that this one stands for.
type Footer = (Vec<RunFooter>, Vec<SectionEntry>, Vec<u128>);

fn read_footer(plain: &[u8], meta: &SegmentMeta, end: u64) -> Decoded<Footer> {
    let mut cursor = Cursor::new(plain);
    let (footer_meta, runs) = footer::decode(&mut cursor)?;
    if footer_meta != *meta {
        return Err(Damage("header and footer disagree"));
    }
    let sections = SectionEntry::read_directory(&mut cursor, HEADER_BYTES as u64, end)?;
    Ok((runs, sections, footer::take_replaced(&mut cursor)?))
}

impl OpenRun {
    fn new(footer: RunFooter) -> Self {
        let dictionaries = footer.columns.iter().map(|_| OnceLock::new()).collect();
        Self { footer, shapes: OnceLock::new(), templates: OnceLock::new(), words: OnceLock::new(), dictionaries }
    }
}

/// One run of a segment during one query.
struct SegmentRun {
    segment: Arc<Segment>,
    index: usize,
    info: RunInfo,
    bytes_read: AtomicU64,
    /// What the run's templates say of each literal asked, so that each is asked once and not for each block.
    matches: Mutex<Vec<(String, bool, Arc<TemplateMatches>)>>,
    shapes_of_blocks: Recent<BlockShapes>,
    templates_of_blocks: Recent<TemplateIds>,
}

/// What was read of a few blocks lately: a query asks for several fields of a block, one after the other.
struct Recent<T>(Mutex<VecDeque<(usize, Arc<T>)>>);

impl<T> Default for Recent<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Recent<T> {
    fn get(&self, block: usize, read: impl FnOnce() -> Result<T, ScanError>) -> Result<Arc<T>, ScanError> {
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = lock().iter().find(|(known, _)| *known == block).map(|(_, value)| value.clone());
        if let Some(known) = known {
            return Ok(known);
        }
        let value = Arc::new(read()?);
        let mut recent = lock();
        recent.truncate(RECENT_BLOCKS_MAX - 1);
        recent.push_front((block, value.clone()));
        Ok(value)
    }
}

/// What templates say of a literal.
struct TemplateMatches {
    /// By template number less one.
    holds: Vec<Holds>,
    /// Whether any of them is certain.
    any_certain: bool,
}

impl SegmentRun {
    fn run(&self) -> &OpenRun {
        // Made by `Segment::run`, which checks the index against the same list.
        &self.segment.runs[self.index]
    }

    fn section(&self, id: SectionId) -> Result<Vec<u8>, ScanError> {
        let length = self.segment.sections.get(id as usize).map_or(0, |entry| entry.stored_length);
        self.bytes_read.fetch_add(u64::from(length), Ordering::Relaxed);
        self.segment.section(id)
    }

    /// Reads a section and decodes it; what is wrong is reported with its place.
    fn decoded<T>(&self, id: SectionId, decode: impl FnOnce(&[u8]) -> Decoded<T>) -> Result<T, ScanError> {
        let bytes = self.section(id)?;
        let offset = self.segment.sections.get(id as usize).map_or(0, |entry| entry.offset);
        decode(&bytes).map_err(|damage| self.segment.error(offset, damage.0.into()))
    }

    /// Reads what belongs to the run as a whole once, and keeps it.
    fn kept<T>(
        &self,
        cell: &OnceLock<Arc<T>>,
        id: SectionId,
        decode: impl FnOnce(&[u8]) -> Decoded<T>,
    ) -> Result<Arc<T>, ScanError> {
        if let Some(known) = cell.get() {
            return Ok(known.clone());
        }
        let read = Arc::new(self.decoded(id, decode)?);
        Ok(cell.get_or_init(|| read).clone())
    }

    fn system_section(&self, kind: usize, block: usize) -> SectionId {
        let footer = &self.run().footer;
        footer.system + (kind * footer.blocks.len() + block) as SectionId
    }

    fn shapes(&self) -> Result<Arc<Shapes>, ScanError> {
        let run = self.run();
        let (n_columns, n_origins) = (run.footer.columns.len(), run.footer.origins.len());
        let id = run.footer.whole + footer::SHAPE_TABLE;
        self.kept(&run.shapes, id, |bytes| Shapes::decode(bytes, n_columns, n_origins))
    }

    fn templates(&self) -> Result<Arc<Vec<Template>>, ScanError> {
        let run = self.run();
        self.kept(&run.templates, run.footer.whole + footer::TEMPLATES, decode_templates)
    }

    fn words(&self) -> Result<Arc<WordIndex>, ScanError> {
        let run = self.run();
        self.kept(&run.words, run.footer.whole + footer::WORDS, WordIndex::open)
    }

    fn dictionary(&self, column: usize) -> Result<Option<Arc<Vec<Value>>>, ScanError> {
        let run = self.run();
        let Some(id) = run.footer.columns[column].dictionary else { return Ok(None) };
        let cell = &run.dictionaries[column];
        if let Some(known) = cell.get() {
            return Ok(Some(known.clone()));
        }
        let read = self.decoded(id, column::decode_run_dictionary)?;
        Ok(Some(cell.get_or_init(|| read).clone()))
    }

    fn block_shapes(&self, block: usize, shapes: &Shapes) -> Result<Arc<BlockShapes>, ScanError> {
        let run = self.run();
        let (n_columns, n_origins) = (run.footer.columns.len(), run.footer.origins.len());
        let n_rows = self.block_rows(block);
        self.shapes_of_blocks.get(block, || {
            self.decoded(self.system_section(footer::SHAPES, block), |bytes| {
                BlockShapes::decode(bytes, n_rows, n_columns, n_origins, shapes)
            })
        })
    }

    fn times(&self, block: usize) -> Result<Vec<i64>, ScanError> {
        let n_rows = self.block_rows(block);
        self.decoded(self.system_section(footer::TIMES, block), |bytes| take_times(&mut Cursor::new(bytes), n_rows))
    }

    fn deltas(&self, kind: usize, block: usize) -> Result<Vec<i64>, ScanError> {
        let n_rows = self.block_rows(block);
        self.decoded(self.system_section(kind, block), |bytes| take_deltas(&mut Cursor::new(bytes), n_rows))
    }

    fn levels(&self, block: usize) -> Result<Vec<u8>, ScanError> {
        let n_rows = self.block_rows(block);
        self.decoded(self.system_section(footer::LEVELS, block), |bytes| Ok(Cursor::new(bytes).take(n_rows)?.to_vec()))
    }

    fn template_ids(&self, block: usize, templates: &[Template]) -> Result<Arc<TemplateIds>, ScanError> {
        let n_rows = self.block_rows(block);
        self.templates_of_blocks.get(block, || {
            let id = self.system_section(footer::TEXTS, block);
            self.decoded(id, |bytes| TemplateIds::decode(bytes, n_rows, templates))
        })
    }

    fn variables(
        &self,
        block: usize,
        kinds: impl Iterator<Item = usize>,
        ids: &TemplateIds,
        templates: &[Template],
    ) -> Result<Variables, ScanError> {
        let mut variables = Variables::default();
        for kind in kinds {
            let id = self.system_section(footer::TEXTS + kind, block);
            self.decoded(id, |bytes| variables.decode(kind, bytes, ids, templates))?;
        }
        Ok(variables)
    }

    fn messages(&self, block: usize, rows: &RowSet) -> Result<Strings, ScanError> {
        let templates = self.templates()?;
        let ids = self.template_ids(block, &templates)?;
        let sections = ids.sections_of(rows, &templates);
        let variables = self.variables(block, sections.into_iter(), &ids, &templates)?;
        self.rebuilt(block, &ids, &variables, &templates, rows)
    }

    fn rebuilt(
        &self,
        block: usize,
        ids: &TemplateIds,
        variables: &Variables,
        templates: &[Template],
        rows: &RowSet,
    ) -> Result<Strings, ScanError> {
        let rebuilt = texts::rebuild(ids, variables, templates, rows);
        let section = self.system_section(footer::TEXTS, block);
        let offset = self.segment.sections.get(section as usize).map_or(0, |entry| entry.offset);
        rebuilt.map_err(|damage| self.segment.error(offset, damage.0.into()))
    }

    /// The stored column of a field, all rows of the block.
    fn stored_column(&self, block: usize, name: &str, shapes: &BlockShapes) -> Result<Column, ScanError> {
        self.stored_rows(block, name, &RowSet::all(self.block_rows(block)), shapes)
    }

    /// Rows of the stored column of a field.
    fn stored_rows(&self, block: usize, name: &str, rows: &RowSet, shapes: &BlockShapes) -> Result<Column, ScanError> {
        let run = self.run();
        let found = run.footer.columns.binary_search_by(|column| (*column.name).cmp(name));
        let missing = || Column::Missing { n_rows: rows.count() };
        let Ok(index) = found else { return Ok(missing()) };
        let present = shapes.rows_with(index as u32, &*self.shapes()?);
        if present.is_empty() {
            return Ok(missing());
        }
        let dictionary = self.dictionary(index)?;
        let id = run.footer.columns[index].first_section + block as SectionId;
        self.decoded(id, |bytes| column::decode(bytes, &present, rows, dictionary.as_ref()))
    }

    fn read_field(&self, block: usize, name: &str, rows: &RowSet, shapes: &BlockShapes) -> Result<Column, ScanError> {
        let stored = self.stored_rows(block, name, rows, shapes)?;
        let origins = &self.run().footer.origins;
        let is_text = origins.iter().any(|origin| origin.text_key.as_deref() == Some(name));
        let is_time = origins.iter().any(|origin| origin.time_key.as_ref().is_some_and(|(key, _)| **key == *name));
        if !is_text && !is_time {
            return Ok(stored);
        }
        let codes = shapes.origins(rows, &*self.shapes()?);
        let messages = if is_text { self.messages(block, rows)? } else { Strings::default() };
        let times = if is_time { self.times(block)? } else { Vec::new() };
        let timestamps: Vec<i64> = if is_time { rows.iter().map(|row| times[row]).collect() } else { Vec::new() };
        Ok(Derivation { origins, codes: &codes, messages: &messages, timestamps: &timestamps }.overlay(name, stored))
    }

    fn read_one(&self, block: usize, name: &str, rows: &RowSet) -> Result<Column, ScanError> {
        let picked = |values: Vec<i64>| Column::Timestamps(rows.iter().map(|row| values[row]).collect());
        Ok(match name {
            "@timestamp" => picked(self.times(block)?),
            "@ingestionTime" => picked(self.deltas(footer::INGESTION_TIMES, block)?),
            "@level" => {
                let levels = self.levels(block)?;
                Column::of_levels(&rows.iter().map(|row| levels[row]).collect::<Vec<_>>())
            }
            "@log" => Column::constant(Value::String(self.info.group.shared()), rows.count()),
            "@message" => Column::Strings { values: self.messages(block, rows)?, present: None },
            "@id" => {
                let (times, sequences) = (self.times(block)?, self.deltas(footer::SEQUENCES, block)?);
                id_column(&self.info, rows.iter().map(|row| (times[row], sequences[row] as u64)))
            }
            "@partOf" => {
                let parts = self.read_one(block, "@part", rows)?;
                let (times, sequences) = (self.times(block)?, self.deltas(footer::SEQUENCES, block)?);
                part_of_column(&self.info, rows.iter().map(|row| (times[row], sequences[row] as u64)), &parts)
            }
            name => {
                let shapes = self.block_shapes(block, &*self.shapes()?)?;
                self.read_field(block, name, rows, &shapes)?
            }
        })
    }

    /// What the templates say of a literal; asked once per run and query.
    fn template_matches(&self, literal: &str, ignores_case: bool) -> Result<Arc<TemplateMatches>, ScanError> {
        let find = |known: &Vec<(String, bool, Arc<TemplateMatches>)>| {
            let same = known.iter().find(|(text, case, _)| text == literal && *case == ignores_case);
            same.map(|(_, _, matches)| matches.clone())
        };
        // A poisoned lock only means that another query thread panicked; the list is still whole.
        if let Some(found) = find(&self.matches.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(found);
        }
        let templates = self.templates()?;
        let matcher = LiteralMatcher::new(literal, ignores_case);
        let words = if templates.len() < words::TEMPLATES_MIN { Vec::new() } else { whole_words(literal) };
        let holds: Vec<Holds> = if words.is_empty() {
            templates.iter().map(|template| matcher.ask(template)).collect()
        } else {
            let mut holds = vec![Holds::No; templates.len()];
            let found = self.words()?.templates_with(&words);
            for id in found.map_err(|damage| self.segment.error(0, damage.0.into()))? {
                if let Some(template) = templates.get(id as usize - 1) {
                    holds[id as usize - 1] = matcher.ask(template);
                }
            }
            holds
        };
        let any_certain = holds.contains(&Holds::Yes);
        let matches = Arc::new(TemplateMatches { holds, any_certain });
        let mut known = self.matches.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MATCHES_MAX {
            known.remove(0);
        }
        known.push((literal.to_owned(), ignores_case, matches.clone()));
        Ok(matches)
    }

    /// Rows whose message holds a literal, exactly.
    fn rows_with_text(&self, block: usize, literal: &str, ignores_case: bool) -> Result<RowSet, ScanError> {
        let templates = self.templates()?;
        let matches = self.template_matches(literal, ignores_case)?;
        let needle = Needle::new(literal, ignores_case);
        let n_rows = self.block_rows(block);
        if !matches.any_certain && needle.stands_in_text_variables_only() && !self.may_hold(block, literal)? {
            return Ok(RowSet::none(n_rows));
        }
        let ids = self.template_ids(block, &templates)?;
        let holds = |id: u32| if id == 0 { Holds::No } else { matches.holds[id as usize - 1] };
        let (mut some, mut perhaps) = (false, false);
        for id in ids.templates() {
            some |= holds(id) == Holds::Yes;
            perhaps |= holds(id) == Holds::Perhaps;
        }
        let mut rows = RowSet::none(n_rows);
        if some {
            rows = RowSet::of(n_rows, |row| holds(ids.ids[row]) == Holds::Yes);
        }
        if perhaps {
            let unsure = RowSet::of(n_rows, |row| holds(ids.ids[row]) == Holds::Perhaps);
            rows.or(&self.verified(block, &needle, &unsure, &ids, &templates)?);
        }
        if ids.n_raw() > 0 {
            let raw = self.variables(block, std::iter::once(TEXT_SECTIONS - 1), &ids, &templates)?.raw;
            needle.find_in(&raw, |place| {
                if let Some(row) = ids.row_of_raw(place) {
                    rows.insert(row as usize);
                }
            });
        }
        Ok(rows)
    }

    /// Tells whether a piece of a word may stand in a text variable or a raw message of the block.
    fn may_hold(&self, block: usize, piece: &str) -> Result<bool, ScanError> {
        let raw = self.system_section(footer::TEXTS + TEXT_SECTIONS - 1, block);
        let has_raw = self.segment.sections.get(raw as usize).is_none_or(|entry| entry.stored_length > 0);
        let id = self.system_section(footer::FILTER, block);
        Ok(has_raw || self.decoded(id, |table| Ok(filter::may_hold(table, piece)))?)
    }

    /// Of the rows `unsure`, those whose message holds the needle.
    fn verified(
        &self,
        block: usize,
        needle: &Needle,
        unsure: &RowSet,
        ids: &TemplateIds,
        templates: &[Template],
    ) -> Result<RowSet, ScanError> {
        let mut rows = RowSet::none(unsure.n_rows());
        if needle.stands_in_text_variables_only() {
            // The needle is part of one word, and only variables of kind text can hold it: no message is rebuilt.
            let section = std::iter::once(1 + Kind::Text as usize);
            let variables = self.variables(block, section, ids, templates)?;
            needle.find_in(&variables.texts, |place| {
                if let Some(row) = ids.row_of_variable(Kind::Text, place) {
                    rows.insert(row as usize);
                }
            });
            rows.and(unsure);
            return Ok(rows);
        }
        let sections = ids.sections_of(unsure, templates);
        let variables = self.variables(block, sections.into_iter(), ids, templates)?;
        let messages = self.rebuilt(block, ids, &variables, templates, unsure)?;
        let places: Vec<usize> = unsure.iter().collect();
        needle.find_in(&messages, |place| rows.insert(places[place as usize]));
        Ok(rows)
    }

    /// Rows whose field `name` may hold a literal.
    fn rows_with_value(&self, block: usize, name: &str, needle: &Needle) -> Result<Narrowed, ScanError> {
        let run = self.run();
        let n_rows = self.block_rows(block);
        let mut found = Narrowed { rows: RowSet::none(n_rows), exact: true };
        for origin in &run.footer.origins {
            let is_text = origin.text_key.as_deref() == Some(name);
            let time = origin.time_key.as_ref().filter(|(key, _)| **key == *name);
            if is_text || time.is_some_and(|(_, form)| needle.may_be_in_time(*form)) {
                return Ok(Narrowed { rows: RowSet::all(n_rows), exact: false });
            }
            found.exact &= time.is_none();
        }
        let Ok(index) = run.footer.columns.binary_search_by(|column| (*column.name).cmp(name)) else {
            return Ok(found);
        };
        let present = self.block_shapes(block, &*self.shapes()?)?.rows_with(index as u32, &*self.shapes()?);
        if present.is_empty() {
            return Ok(found);
        }
        let dictionary = self.dictionary(index)?;
        let id = run.footer.columns[index].first_section + block as SectionId;
        let (rows, exact) = self.decoded(id, |bytes| search::find(bytes, &present, dictionary.as_ref(), needle))?;
        Ok(Narrowed { rows, exact: exact && found.exact })
    }
}

/// Words of a literal that stand in it as a whole, lower case, such as the word index can be asked for.
fn whole_words(literal: &str) -> Vec<String> {
    let starts_inside = literal.bytes().next().is_some_and(is_word_byte);
    let ends_inside = literal.bytes().last().is_some_and(is_word_byte);
    let mut all: Vec<&str> = super::template::words(literal).collect();
    if ends_inside {
        all.pop();
    }
    let whole = if starts_inside && !all.is_empty() { &all[1..] } else { &all[..] };
    whole.iter().filter(|word| words::is_asked(word)).map(|word| word.to_ascii_lowercase()).collect()
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

    fn last_sequence(&self) -> u64 {
        self.segment.summaries[self.index].last_sequence
    }

    fn field_names(&self) -> Result<Vec<Arc<str>>, ScanError> {
        let footer = &self.run().footer;
        let stored = footer.columns.iter().filter(|column| column.n_events > 0 && *column.name != *"@logStream");
        let text_keys = footer.origins.iter().filter_map(|origin| origin.text_key.as_ref());
        let time_keys = footer.origins.iter().filter_map(|origin| origin.time_key.as_ref().map(|(key, _)| key));
        Ok(stored.map(|column| &column.name).chain(text_keys).chain(time_keys).cloned().collect())
    }

    fn fields(&self) -> Result<Vec<FieldSummary>, ScanError> {
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

    fn minutes(&self) -> Result<Option<Vec<MinuteCounts>>, ScanError> {
        self.decoded(self.run().footer.whole + footer::MINUTES, decode_minutes).map(Some)
    }

    fn is_message(&self, name: &str) -> bool {
        let footer = &self.run().footer;
        let is_stored = || footer.columns.binary_search_by(|column| (*column.name).cmp(name)).is_ok();
        name == "@message" || is_text_key(&footer.origins, is_stored(), name)
    }

    fn narrow(&self, block: usize, probe: &TextProbe<'_>) -> Result<Narrowed, ScanError> {
        let is_message = match probe.field {
            ProbeField::Message => true,
            ProbeField::Named(name) => self.is_message(name),
            ProbeField::Any => false,
        };
        let case_is_known = !probe.ignores_case || probe.literal.is_ascii();
        if probe.field == ProbeField::Any || !case_is_known || probe.literal.is_empty() {
            return Ok(Narrowed { rows: RowSet::all(self.block_rows(block)), exact: false });
        }
        if let ProbeField::Named(name) = probe.field
            && !is_message
        {
            return self.rows_with_value(block, name, &Needle::new(probe.literal, probe.ignores_case));
        }
        Ok(Narrowed { rows: self.rows_with_text(block, probe.literal, probe.ignores_case)?, exact: true })
    }

    fn read(&self, block: usize, names: &[&str], rows: &RowSet) -> Result<Vec<Column>, ScanError> {
        names.iter().map(|name| self.read_one(block, name, rows)).collect()
    }

    fn bytes_read(&self) -> u64 {
        self.bytes_read.load(Ordering::Relaxed)
    }
}

/// Adds a derived field. How many events have it is an upper bound where several origins name it.
fn add_derived(fields: &mut Vec<FieldSummary>, name: &Arc<str>, value: &Value, n_events: u64) {
    let index = fields.iter().position(|field| field.name == *name).unwrap_or_else(|| {
        fields.push(FieldSummary { name: name.clone(), types: TypeSet::default(), n_events: 0 });
        fields.len() - 1
    });
    fields[index].types.insert(value);
    fields[index].n_events = n_events;
}

fn decode_templates(bytes: &[u8]) -> Decoded<Vec<Template>> {
    let mut cursor = Cursor::new(bytes);
    let n_templates = cursor.count(0)?;
    let lengths = cursor.integers(n_templates.min(bytes.len()))?;
    let template = |length: i64| {
        let length = usize::try_from(length).map_err(|_| Damage("a length is out of range"))?;
        Template::new(cursor.take(length)?.to_vec())
    };
    lengths.into_iter().map(template).collect()
}

fn decode_minutes(bytes: &[u8]) -> Decoded<Vec<MinuteCounts>> {
    let mut cursor = Cursor::new(bytes);
    let mut last = 0i64;
    let n_minutes = cursor.count(8)?;
    let minute = |_| {
        last = last.wrapping_add(cursor.zigzag()?);
        let mut counts = [0; 7];
        for count in &mut counts {
            *count = u32::try_from(cursor.varint()?).map_err(|_| Damage("a count is out of range"))?;
        }
        Ok(MinuteCounts { minute: last, counts })
    };
    (0..n_minutes).map(minute).collect()
}

fn take_deltas(cursor: &mut Cursor<'_>, n: usize) -> Decoded<Vec<i64>> {
    let mut last = cursor.zigzag()?;
    let mut values = Vec::with_capacity(n);
    values.push(last);
    for delta in cursor.integers(n.saturating_sub(1))? {
        last = last.wrapping_add(delta);
        values.push(last);
    }
    Ok(values)
}

fn take_times(cursor: &mut Cursor<'_>, n: usize) -> Decoded<Vec<i64>> {
    let mut times = take_deltas(cursor, n)?;
    times.iter_mut().for_each(|time| *time = time.wrapping_mul(1_000_000));
    if cursor.byte()? == 1 {
        let n_rests = cursor.varint()? as usize;
        if n_rests > n {
            return Err(Damage("a count is out of range"));
        }
        let gaps = cursor.integers(n_rests)?;
        let mut row = -1i64;
        for (gap, rest) in gaps.into_iter().zip(cursor.integers(n_rests)?) {
            row = row.wrapping_add(gap);
            let time = usize::try_from(row).ok().and_then(|row| times.get_mut(row));
            let time = time.ok_or(Damage("a row number is out of range"))?;
            *time = time.wrapping_add(rest);
        }
    }
    Ok(times)
}
