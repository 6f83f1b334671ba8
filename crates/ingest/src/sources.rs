//! The gap ledger: which shippers there are, how they stand, and what of their files arrived.
//!
//! The store knows which bytes of which file it has, and knows files by random names. What they are called comes from
//! headers of batches ([`Sources::note`]) and from what shippers tell of themselves ([`Sources::report`]). Names
//! are kept in the control store, the rest in memory alone.
//!
//! Bounded: files that are whole and that nobody speaks of any more go after a day, everything else after 30 days, and
//! what was heard of longest ago when there are too many. What is forgotten is how a file is called; its positions
//! stay with the store, so that nothing is ever stored twice.

mod content;
mod file_range;
mod held_ranges;
mod report;
mod scrapes;
mod source;
mod stored_names;
mod targets;
#[cfg(test)]
mod tests;
mod told;
mod view;

use std::collections::BTreeMap;
use std::sync::Mutex;

use self::source::FORGET_NS;
use crate::sources::report::TEXT_CHARS_MAX;
use crate::sources::source::{File, FileReport, Source, has_passed};
use storage::{Store, StoreError};
use types::{GroupName, GroupScope, Hold, Timestamp};

pub(crate) use self::content::{ContentHash, RefusedCount};
pub use self::file_range::{FilePlace, FileRangeState, FileRangeView};
pub use self::held_ranges::HeldRange;
pub use self::scrapes::{ReportedScrapes, SourceScrapes, visible_scrapes};
pub use self::targets::InputScrapes;
pub use self::told::ToldSources;
pub use self::view::{SourceState, SourceView, SourcesView};

/// Most sources that are known by name, and most files of all of them.
const SOURCES_MAX: usize = 10_000;
const FILES_MAX: usize = 50_000;

/// How often it is looked what is to be written down.
const LOOK_NS: i64 = Timestamp::SECOND;

/// How often it is looked what can be forgotten.
const SWEEP_NS: i64 = 10 * Timestamp::MINUTE;

/// What shippers and their files are called and how they stand.
#[derive(Default)]
pub struct Sources {
    known: Mutex<SourceRegistry>,
}

#[derive(Default)]
struct SourceRegistry {
    sources: BTreeMap<String, Source>,
    n_files: usize,
    /// Since when reports are heard here.
    began: Option<Timestamp>,
    swept: Option<Timestamp>,
    looked: Option<Timestamp>,
}

/// What a batch says of the file that it is a part of.
pub(crate) struct Heard<'a> {
    pub(crate) source: &'a str,
    pub(crate) host: &'a str,
    pub(crate) file: &'a str,
    pub(crate) generation: u64,
    /// Where the shipper began with the generation, if it says so.
    pub(crate) begin: u64,
    pub(crate) path: &'a str,
    pub(crate) group: &'a GroupName,
    pub(crate) stream: &'a str,
    /// Bytes that were not there before.
    pub(crate) n_new: u64,
    /// Where the batch ends, and the content of the file up to there.
    pub(crate) end: u64,
    pub(crate) content: Option<&'a ContentHash>,
    /// Events of it that were refused now.
    pub(crate) refused: RefusedCount,
}

/// Why a report is not taken.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// It cannot be read.
    #[error("report of a shipper: {0}")]
    Unreadable(String),
}

impl Sources {
    /// Takes up what was kept before the start. What cannot be read is not known until shippers tell it again.
    pub(crate) fn resume(store: &Store) -> Self {
        let documents = store.settings().all(stored_names::KIND).unwrap_or_default();
        let sources: BTreeMap<String, Source> =
            documents.iter().filter_map(|(_, json)| stored_names::read(json)).collect();
        let n_files = sources.values().map(|source| source.files.len()).sum();
        Self { known: Mutex::new(SourceRegistry { sources, n_files, ..SourceRegistry::default() }) }
    }

    /// Takes note of a batch that is stored.
    pub(crate) fn note(&self, heard: &Heard<'_>, now: Timestamp) {
        let mut known = self.known.hold();
        let Some(source) = known.source(heard.source, now) else { return };
        source.is_called(heard.host);
        let Some(file) = known.file(heard.source, heard.file, now) else { return };
        let mut is_changed = file.begins(heard.generation, heard.begin);
        is_changed |= file.is_called(heard.generation, [heard.path, heard.group.as_str(), heard.stream]);
        file.rate.add(heard.n_new, now);
        is_changed |= file.holds(heard.generation, heard.content.and_then(|content| content.up_to(heard.end)));
        is_changed |= file.refuses(heard.generation, heard.refused);
        known.mark(heard.source, is_changed);
    }

    /// Takes what the shipper `source` tells of itself, as JSON; of its files those whose groups are `within` reach of
    /// who sends it. Gives how many these are.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn report(&self, source: &str, json: &[u8], within: &GroupScope, now: Timestamp) -> Result<usize, ReportError> {
        let unreadable = |error: serde_json::Error| ReportError::Unreadable(error.to_string());
        let (mut report, files) = report::read(json).map_err(unreadable)?;
        if source.is_empty() || source.len() > TEXT_CHARS_MAX {
            return Err(ReportError::Unreadable(format!("the name of a source has 1 to {TEXT_CHARS_MAX} bytes")));
        }
        let mut known = self.known.hold();
        let Some(of_source) = known.source(source, now) else { return Ok(0) };
        of_source.is_called(&report.host);
        let before = of_source.reported.replace(now);
        of_source.is_changed |= before.is_none() || of_source.has_stopped != report.has_stopped;
        of_source.has_stopped = report.has_stopped;
        let (n_told, mut n_taken) = (files.len(), 0);
        for told in files.into_iter().filter(|told| within.admits(told.group.as_str())) {
            let Some(file) = known.file(source, &told.file, now) else { continue };
            let mut is_changed = file.begins(told.generation, told.begin);
            is_changed |= file.is_called(told.generation, [&told.path, told.group.as_str(), &told.stream]);
            if let Some(generation) = file.generations.get_mut(&told.generation) {
                let report::ToldFile { size, offset, is_gone, last_error, content, .. } = told;
                is_changed |= generation.holds(content.and_then(|content| content.up_to(offset)));
                is_changed |= is_gone && generation.told.as_ref().is_none_or(|before| !before.is_gone);
                generation.told = Some(FileReport { at: now, size, offset, is_gone, last_error });
            }
            known.mark(source, is_changed);
            n_taken += 1;
        }
        report.names_all_files &= n_taken == n_told;
        known.bound_scrapes(source, &mut report);
        if let Some(of_source) = known.sources.get_mut(source) {
            of_source.report = Some(report);
            of_source.is_changed |= of_source.has_lost_sight(before);
        }
        Ok(n_taken)
    }

    /// Writes down what changed and forgets what is old, as far as it is due. Blocks.
    ///
    /// # Errors
    /// If the control store cannot be written; what could not be kept is kept the next time.
    pub fn look_after(&self, store: &Store, now: Timestamp) -> Result<(), StoreError> {
        if self.known.hold().takes_turn_to_sweep(now) && store.trusts_clock() {
            self.sweep(store, now)?;
        }
        let due: Vec<String> = {
            let mut known = self.known.hold();
            if known.looked.is_some_and(|at| !has_passed(LOOK_NS, at, now)) {
                return Ok(());
            }
            known.looked = Some(now);
            let is_due = |(_, source): &(&String, &Source)| source.is_due(now);
            known.sources.iter().filter(is_due).map(|(name, _)| name.clone()).collect()
        };
        due.iter().try_for_each(|name| self.keep(store, name, now))
    }

    /// Writes down what changed, whenever it was kept last, before the server ends. Blocks.
    ///
    /// # Errors
    /// If the control store cannot be written.
    pub fn keep_changes(&self, store: &Store, now: Timestamp) -> Result<(), StoreError> {
        let changed: Vec<String> = {
            let known = self.known.hold();
            known.sources.iter().filter(|(_, source)| source.is_changed).map(|(name, _)| name.clone()).collect()
        };
        changed.iter().try_for_each(|name| self.keep(store, name, now))
    }

    fn keep(&self, store: &Store, name: &str, now: Timestamp) -> Result<(), StoreError> {
        let json = {
            let mut known = self.known.hold();
            let Some(source) = known.sources.get_mut(name) else { return Ok(()) };
            (source.is_changed, source.kept) = (false, Some(now));
            stored_names::write(name, source)
        };
        store
            .settings()
            .put(stored_names::KIND, &stored_names::document_name(name), &json)
            .inspect_err(|_| self.known.hold().mark(name, true))
    }

    /// Forgets what nobody speaks of any more.
    fn sweep(&self, store: &Store, now: Timestamp) -> Result<(), StoreError> {
        let names: Vec<String> = self.known.hold().sources.keys().cloned().collect();
        for name in names {
            let shipped = store.shipped_files(&name);
            let mut known = self.known.hold();
            let Some(source) = known.sources.get_mut(&name) else { continue };
            let n_before = source.files.len();
            source.forget_files(&shipped, now);
            let n_forgotten = n_before - source.files.len();
            source.is_changed |= n_forgotten > 0;
            let is_gone = source.files.is_empty() && now.0.saturating_sub(source.last.0) > FORGET_NS;
            known.n_files -= n_forgotten;
            if is_gone {
                known.sources.remove(&name);
                drop(known);
                store.settings().remove(stored_names::KIND, &stored_names::document_name(&name))?;
            }
        }
        Ok(())
    }
}

impl SourceRegistry {
    /// Returns the source of a name and notes the time; `None` if there are too many.
    fn source(&mut self, name: &str, now: Timestamp) -> Option<&mut Source> {
        self.began.get_or_insert(now);
        if !self.sources.contains_key(name) {
            if self.sources.len() >= SOURCES_MAX {
                return None;
            }
            let source = Source { first: now, last: now, is_changed: true, ..Source::default() };
            self.sources.insert(name.to_owned(), source);
        }
        let source = self.sources.get_mut(name)?;
        source.last = now;
        Some(source)
    }

    /// Returns a file of a source and notes the time; older files make room if there are too many.
    fn file(&mut self, source: &str, name: &str, now: Timestamp) -> Option<&mut File> {
        let is_new = !self.sources.get(source)?.files.contains_key(name);
        if is_new && self.n_files >= FILES_MAX {
            self.forget_oldest();
        }
        self.n_files += usize::from(is_new);
        let source = self.sources.get_mut(source)?;
        source.is_changed |= is_new;
        let file = source.files.entry(name.to_owned()).or_insert_with(|| File { first: now, ..File::default() });
        file.last = now;
        Some(file)
    }

    fn mark(&mut self, source: &str, is_changed: bool) {
        if let Some(source) = self.sources.get_mut(source).filter(|_| is_changed) {
            source.is_changed = true;
        }
    }

    /// Forgets a tenth of all files, those that were heard of longest ago.
    fn forget_oldest(&mut self) {
        let mut times: Vec<Timestamp> =
            self.sources.values().flat_map(|source| source.files.values().map(|file| file.last)).collect();
        times.sort_unstable();
        let Some(bound) = times.get(times.len() / 10).copied() else { return };
        let mut n_left = times.len() / 10 + 1;
        for source in self.sources.values_mut() {
            source.files.retain(|_, file| {
                let goes = n_left > 0 && file.last <= bound;
                n_left -= usize::from(goes);
                !goes
            });
            source.is_changed = true;
        }
        self.n_files = self.sources.values().map(|source| source.files.len()).sum();
    }

    fn takes_turn_to_sweep(&mut self, now: Timestamp) -> bool {
        let since = *self.swept.get_or_insert(now);
        let is_due = has_passed(SWEEP_NS, since, now);
        if is_due {
            self.swept = Some(now);
        }
        is_due
    }
}
