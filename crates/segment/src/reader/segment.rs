//! An open segment: its footer, and its sections on demand.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use types::{Hold, Origin, ScanError, VALUE_FIELD};
use zstd::bulk::Decompressor;

use super::end::{EndContents, check_header};
use crate::bytes::Decoded;
use crate::error::Result;
use crate::footer::{Lineage, RunFooter};
use crate::format::HEADER_BYTES;
use crate::heap;
use crate::meta::{RunSummary, SegmentMeta};
use crate::reader::end::SegmentEnd;
use crate::reader::names::RunNames;
use crate::section::{SectionEntry, SectionId};
use crate::section_cache::{SectionCache, SegmentSections};
use crate::source::{FilePool, Source};

/// Decompressors that wait to be used: as many as threads of a few queries.
const DECOMPRESSORS_MAX: usize = 16;

/// An opened segment.
pub struct Segment {
    /// What errors call it.
    pub name: String,
    pub(super) source: Box<dyn Source>,
    /// The segment's identity.
    pub meta: SegmentMeta,
    pub(super) format: u16,
    pub(super) runs: Vec<OpenRun>,
    pub(super) summaries: Vec<RunSummary>,
    pub(super) sections: Vec<SectionEntry>,
    lineage: Lineage,
    /// Its part of the cache, once it has one.
    pub(super) kept: OnceLock<SegmentSections>,
    pub(super) days: OnceLock<Vec<Vec<(i64, u64)>>>,
}

/// A run as its segment holds it while it is open: what says where the rest lies.
pub(super) struct OpenRun {
    pub(super) footer: RunFooter,
    /// The names of fields, stored and derived.
    pub(super) names: RunNames,
    /// Held while something of the run is read that all who ask need: it is read once.
    pub(super) reading: Mutex<()>,
}

impl Segment {
    /// Opens the segment file at `path` of the store `store` with a descriptor of its own; errors call it `name`.
    pub fn open(path: &Path, name: String, store: [u8; 16]) -> Result<Arc<Self>> {
        let file = FilePool::new(1).open(path);
        let file = file.map_err(|e| ScanError { file: name.clone(), offset: 0, problem: e.to_string() })?;
        Self::open_source(Box::new(file), name, store)
    }

    /// Opens a segment of the store `store`; errors call it `name`.
    pub fn open_source(source: Box<dyn Source>, name: String, store: [u8; 16]) -> Result<Arc<Self>> {
        let end = SegmentEnd::read(&*source);
        let end = end.map_err(|e| source.scan_error(&name, 0, e.to_string()))?;
        Self::open_end(end, source, name, store)
    }

    /// Opens a segment whose end was read already.
    pub fn open_end(end: SegmentEnd, source: Box<dyn Source>, name: String, store: [u8; 16]) -> Result<Arc<Self>> {
        let content = end.open(store).map_err(|(offset, problem)| {
            // The header knows best what this is, if it can be read.
            let header = source.read_at(0, HEADER_BYTES).ok();
            let of_header = header.and_then(|header| check_header(&header, None).err());
            let problem = of_header.map_or(problem, |damage| damage.0.into());
            ScanError { file: name.clone(), offset, problem }
        })?;
        let EndContents { meta, format, runs, sections, lineage } = content;
        let summaries = runs.iter().map(|run| run.summary.clone()).collect();
        let runs = runs.into_iter().map(OpenRun::new).collect();
        let (kept, days) = Default::default();
        Ok(Arc::new(Self { name, source, meta, format, runs, summaries, sections, lineage, kept, days }))
    }

    /// Keeps what queries read, as long as there is room.
    pub fn keep_sections(&self, cache: &Arc<SectionCache>) {
        self.kept.get_or_init(|| SegmentSections::new(cache, self.footer_bytes()));
    }

    /// Returns what it holds itself while it is open, roughly.
    fn footer_bytes(&self) -> usize {
        let of_run = |OpenRun { footer, .. }: &OpenRun| {
            let of_names = footer.columns.iter().map(|column| heap::of_text(&column.name)).sum::<usize>();
            let of_lists = heap::of_items(&footer.columns) + heap::of_items(&footer.blocks);
            size_of::<OpenRun>() + size_of::<RunSummary>() + of_names + of_lists
        };
        heap::of_items(&self.sections) + self.runs.iter().map(of_run).sum::<usize>()
    }

    /// Returns segments whose events this one holds in their place.
    pub fn replaced(&self) -> &[u128] {
        &self.lineage.replaced
    }

    /// Decodes the section with the positions of its events in shipped files; the default if there is none.
    pub fn positions<T: Default>(&self, decode: impl FnOnce(&[u8]) -> Decoded<T>) -> Result<T> {
        let Some(section) = self.lineage.positions else { return Ok(T::default()) };
        let offset = self.sections.get(section as usize).map_or(0, |entry| entry.offset);
        decode(&self.section(section)?).map_err(|damage| self.error(offset, damage.0.into()))
    }

    /// Returns what the segment holds.
    pub fn summaries(&self) -> &[RunSummary] {
        &self.summaries
    }

    /// Returns the number of events that have each field of run number `index`.
    pub fn field_events(&self, index: usize) -> impl Iterator<Item = u64> {
        self.runs.get(index).into_iter().flat_map(|run| run.footer.columns.iter().map(|column| column.n_events))
    }

    /// Reports whether blocks of run number `index` are read by series: all events have a value and a stream of the run's dictionary,
    /// and came as nothing else than samples.
    pub fn is_by_series(&self, index: usize) -> bool {
        let Some(OpenRun { footer, .. }) = self.runs.get(index) else { return false };
        let of_all = |name: &str| {
            let place = footer.columns.binary_search_by(|column| (*column.name).cmp(name)).ok()?;
            footer.columns.get(place).filter(|column| column.n_events == footer.summary.n_events)
        };
        let has_codes = of_all("@logStream").is_some_and(|column| column.dictionary.is_some());
        let is_plain = footer.origins.len() == 1 && footer.origins[0] == Origin::default();
        let group = &footer.summary.group;
        group.has_samples() && !group.has_data() && is_plain && has_codes && of_all(VALUE_FIELD).is_some()
    }

    /// Reads and checks the header and every section; returns how many bytes of sections were checked.
    pub fn verify(&self) -> Result<u64> {
        let mut n_bytes = 0;
        self.verify_while(|n_of_section| {
            n_bytes += n_of_section;
            true
        })?;
        Ok(n_bytes)
    }

    /// Verifies section by section and passes the bytes of each to `goes_on`; ends early when that returns `false`.
    pub fn verify_while(&self, mut goes_on: impl FnMut(u64) -> bool) -> Result<()> {
        let header = self.source.read_at(0, HEADER_BYTES).map_err(|error| self.error(0, error.to_string()))?;
        check_header(&header, Some((&self.meta, self.format))).map_err(|damage| self.error(0, damage.0.into()))?;
        for id in 0..self.sections.len() as SectionId {
            self.section(id)?;
            if !goes_on(u64::from(self.sections[id as usize].stored_length)) {
                break;
            }
        }
        Ok(())
    }

    pub(super) fn section(&self, id: SectionId) -> Result<Vec<u8>> {
        let Some(entry) = self.sections.get(id as usize) else {
            return Err(self.error(0, format!("section {id} is missing")));
        };
        if entry.stored_length == 0 {
            return Ok(Vec::new());
        }
        let failed = |error: std::io::Error| self.error(entry.offset, error.to_string());
        let read = || self.source.read_at(entry.offset, entry.stored_length as usize).map_err(failed);
        let mut decompressor = idle_or_new().map_err(failed)?;
        let mut opened = entry.open(read()?, &mut decompressor);
        if opened.is_err() && self.source.distrust(entry.range()) {
            opened = entry.open(read()?, &mut decompressor);
        }
        let opened = opened.map_err(|damage| self.error(entry.offset, damage.0.into()));
        let mut idle = idle_decompressors();
        if idle.len() < DECOMPRESSORS_MAX {
            idle.push(decompressor);
        }
        opened
    }

    pub(super) fn error(&self, offset: u64, problem: String) -> ScanError {
        self.source.scan_error(&self.name, offset, problem)
    }
}

/// Decompressors that are not in use, each with some 100 KB of tables: shared by all segments, of which a query may open a
/// thousand for the first time.
static IDLE_DECOMPRESSORS: Mutex<Vec<Decompressor<'static>>> = Mutex::new(Vec::new());

fn idle_decompressors() -> MutexGuard<'static, Vec<Decompressor<'static>>> {
    // A poisoned lock only means that another query thread panicked; the list is still whole.
    IDLE_DECOMPRESSORS.hold()
}

/// Returns a decompressor that is not in use. Making one costs as much as decompressing a small section.
fn idle_or_new() -> std::io::Result<Decompressor<'static>> {
    let idle = idle_decompressors().pop();
    idle.map_or_else(Decompressor::new, Ok)
}

impl OpenRun {
    fn new(footer: RunFooter) -> Self {
        let stored: Vec<&str> = footer.columns.iter().map(|column| &*column.name).collect();
        let text_keys = footer.origins.iter().filter_map(|origin| origin.text_key.as_ref());
        let time_keys = footer.origins.iter().filter_map(|origin| origin.time_key.as_ref().map(|(key, _)| key));
        let names = RunNames::new(&stored, text_keys.chain(time_keys).map(|name| &**name));
        Self { footer, names, reading: Mutex::default() }
    }
}
