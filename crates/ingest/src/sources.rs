//! The gap ledger: which shippers there are, how they stand, and what of their files arrived.
//!
//! The store knows which bytes of which file it has, and knows files by random names. What they are called comes from
//! headers of batches ([`Sources::note`]) and from what shippers tell of themselves ([`Sources::report`]). Names
//! are kept in the control store, the rest in memory alone.
//!
//! Bounded: files that are whole and that nobody speaks of any more go after a day, everything else after 30 days, and
//! what was heard of longest ago when there are too many. What is forgotten is how a file is called; its positions
//! stay with the store, so that nothing is ever stored twice.

mod held;
mod kept;
mod report;
#[cfg(test)]
mod tests;
mod view;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use storage::{Store, StoreError};
use types::{GroupName, GroupScope, Timestamp};

use self::held::Content;
pub use self::held::HeldRange;
pub(crate) use self::held::{ContentHash, Refused};
use self::report::Report;
pub use self::view::{SourceState, SourceView, SourcesView};

/// Most sources that are known by name, and most files of all of them.
const SOURCES_MAX: usize = 10_000;
const FILES_MAX: usize = 50_000;

/// Generations of a file that are remembered; earlier ones are whole or told by the gaps that they have.
const GENERATIONS_MAX: usize = 8;

/// A shipper reports every ten seconds: one that was silent for so long is down.
const SILENCE_NS: i64 = 30 * Timestamp::SECOND;

/// When files and sources are forgotten that nobody speaks of.
const FORGET_NS: i64 = 30 * Timestamp::DAY;
const FORGET_WHOLE_NS: i64 = Timestamp::DAY;
/// The same for files of the shipper's own, which it removes when they are delivered.
const FORGET_OWN_NS: i64 = 10 * Timestamp::MINUTE;

/// How often a source's names are written down at most where they change, and where only time has passed.
const KEEP_CHANGES_NS: i64 = Timestamp::MINUTE;
const KEEP_TIMES_NS: i64 = Timestamp::HOUR;

/// How often it is looked what is to be written down.
const LOOK_NS: i64 = Timestamp::SECOND;

/// How often it is looked what can be forgotten.
const SWEEP_NS: i64 = 10 * Timestamp::MINUTE;

/// How quickly a rate forgets, in nanoseconds.
const RATE_DECAY_NS: f64 = 30e9;

/// Longest texts in characters: what is longer is cut.
const TEXT_CHARS_MAX: usize = 1024;

/// What shippers and their files are called and how they stand.
#[derive(Default)]
pub struct Sources {
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    sources: BTreeMap<String, Source>,
    n_files: usize,
    /// Since when reports are heard here.
    began: Option<Timestamp>,
    swept: Option<Timestamp>,
    looked: Option<Timestamp>,
}

/// A shipper.
#[derive(Clone, Debug, Default)]
struct Source {
    host: String,
    first: Timestamp,
    /// When anything of it came last.
    last: Timestamp,
    reported: Option<Timestamp>,
    /// Whether it told then that it has stopped.
    has_stopped: bool,
    /// What it told last; nothing before it does so anew.
    report: Option<Report>,
    files: BTreeMap<String, File>,
    is_changed: bool,
    kept: Option<Timestamp>,
}

/// A file of a shipper.
#[derive(Clone, Debug, Default)]
struct File {
    path: String,
    group: String,
    stream: String,
    first: Timestamp,
    last: Timestamp,
    rate: Rate,
    generations: BTreeMap<u64, Generation>,
}

/// A generation of a file.
#[derive(Clone, Debug, Default)]
struct Generation {
    /// Where the shipper began with it: what stands before was left out on purpose.
    begin: u64,
    /// Up to where bytes had to be here when this was written down; what is told since counts instead.
    expected: u64,
    /// The content up to the furthest place that its shipper told it of.
    content: Option<Content>,
    /// Events that were refused when they came.
    refused: Refused,
    told: Option<Told>,
}

/// What a shipper told of a file.
#[derive(Clone, Debug)]
struct Told {
    at: Timestamp,
    size: u64,
    /// How far a server has acknowledged it to the shipper.
    offset: u64,
    /// Whether it is deleted and given up.
    is_gone: bool,
    last_error: Option<String>,
}

/// Bytes in a second, of late.
#[derive(Clone, Copy, Debug, Default)]
struct Rate {
    n_bytes: f64,
    at: Timestamp,
}

impl Rate {
    fn left(&self, now: Timestamp) -> f64 {
        let passed_ns = now.0.saturating_sub(self.at.0).max(0) as f64;
        self.n_bytes * (-passed_ns / RATE_DECAY_NS).exp()
    }

    fn add(&mut self, n_bytes: u64, now: Timestamp) {
        *self = Self { n_bytes: self.left(now) + n_bytes as f64, at: now };
    }

    fn bytes_per_s(&self, now: Timestamp) -> f64 {
        self.left(now) / (RATE_DECAY_NS / Timestamp::SECOND as f64)
    }
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
    pub(crate) refused: Refused,
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
        let documents = store.settings(kept::KIND).unwrap_or_default();
        let sources: BTreeMap<String, Source> = documents.iter().filter_map(|(_, json)| kept::read(json)).collect();
        let n_files = sources.values().map(|source| source.files.len()).sum();
        Self { known: Mutex::new(Known { sources, n_files, ..Known::default() }) }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of a batch that is stored.
    pub(crate) fn note(&self, heard: &Heard<'_>, now: Timestamp) {
        let mut known = self.known();
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
    /// Where it cannot be read.
    pub fn report(&self, source: &str, json: &[u8], within: &GroupScope, now: Timestamp) -> Result<usize, ReportError> {
        let unreadable = |error: serde_json::Error| ReportError::Unreadable(error.to_string());
        let (mut report, files) = report::read(json).map_err(unreadable)?;
        if source.is_empty() || source.len() > TEXT_CHARS_MAX {
            return Err(ReportError::Unreadable(format!("the name of a source has 1 to {TEXT_CHARS_MAX} bytes")));
        }
        let mut known = self.known();
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
                generation.told = Some(Told { at: now, size, offset, is_gone, last_error });
            }
            known.mark(source, is_changed);
            n_taken += 1;
        }
        report.names_all_files &= n_taken == n_told;
        if let Some(of_source) = known.sources.get_mut(source) {
            of_source.report = Some(report);
            of_source.is_changed |= of_source.has_lost_sight(before);
        }
        Ok(n_taken)
    }

    /// Writes down what changed and forgets what is old, as far as it is due. Blocks.
    ///
    /// # Errors
    /// Where the control store cannot be written; what could not be kept is kept the next time.
    pub fn look_after(&self, store: &Store, now: Timestamp) -> Result<(), StoreError> {
        if self.known().takes_turn_to_sweep(now) && store.trusts_clock() {
            self.sweep(store, now)?;
        }
        let due: Vec<String> = {
            let mut known = self.known();
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
    /// Where the control store cannot be written.
    pub fn keep_changes(&self, store: &Store, now: Timestamp) -> Result<(), StoreError> {
        let changed: Vec<String> = {
            let known = self.known();
            known.sources.iter().filter(|(_, source)| source.is_changed).map(|(name, _)| name.clone()).collect()
        };
        changed.iter().try_for_each(|name| self.keep(store, name, now))
    }

    fn keep(&self, store: &Store, name: &str, now: Timestamp) -> Result<(), StoreError> {
        let json = {
            let mut known = self.known();
            let Some(source) = known.sources.get_mut(name) else { return Ok(()) };
            (source.is_changed, source.kept) = (false, Some(now));
            kept::write(name, source)
        };
        store.put_setting(kept::KIND, &kept::document_name(name), &json).inspect_err(|_| self.known().mark(name, true))
    }

    /// Forgets what nobody speaks of any more.
    fn sweep(&self, store: &Store, now: Timestamp) -> Result<(), StoreError> {
        let names: Vec<String> = self.known().sources.keys().cloned().collect();
        for name in names {
            let shipped = store.shipped_files(&name);
            let mut known = self.known();
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
                store.remove_setting(kept::KIND, &kept::document_name(&name))?;
            }
        }
        Ok(())
    }
}

impl Known {
    /// The source of this name, which is heard of now; nothing where there are too many.
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

    /// A file of a source, which is heard of now; room is made where there are too many.
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

impl Source {
    fn is_called(&mut self, host: &str) {
        self.is_changed |= set(&mut self.host, host);
    }

    /// Whether what changed, or when it was heard of last, is to be written down.
    fn is_due(&self, now: Timestamp) -> bool {
        let Some(kept) = self.kept else { return self.is_changed };
        let is_changed = self.is_changed && has_passed(KEEP_CHANGES_NS, kept, now);
        is_changed || self.last > kept && has_passed(KEEP_TIMES_NS, kept, now)
    }

    /// Whether the shipper names all files and one is not among them that it named in the report before and that was to
    /// be sent on.
    fn has_lost_sight(&self, before: Option<Timestamp>) -> bool {
        let mut told =
            self.files.values().flat_map(|file| file.generations.values()).filter_map(|one| one.told.as_ref());
        let is_lost =
            |told: &Told| Some(told.at) == before && self.has_stopped_telling(told.at) && told.size > told.offset;
        told.any(is_lost)
    }

    /// Up to where bytes of a generation had to be here: what is acknowledged nobody sends again, and of a file that is
    /// gone nobody sends anything.
    fn expected(&self, generation: &Generation) -> u64 {
        match &generation.told {
            Some(told) if told.is_gone || self.has_stopped_telling(told.at) => told.offset.max(told.size),
            Some(told) => told.offset,
            None => generation.expected,
        }
    }

    /// Whether the shipper has named all its files since, and this was not among them.
    fn has_stopped_telling(&self, told_at: Timestamp) -> bool {
        let names_all = self.report.as_ref().is_some_and(|report| report.names_all_files);
        names_all && self.reported.is_some_and(|at| at > told_at)
    }

    fn forget_files(&mut self, shipped: &[storage::ShippedFile], now: Timestamp) {
        let with_gaps: std::collections::BTreeSet<&str> =
            shipped.iter().filter(|file| file.n_gaps > 0).map(|file| file.file.as_str()).collect();
        self.files.retain(|name, file| {
            // A shipper that is away may come back without its state, and asks then what is known of its files.
            let is_away = self.last.0.saturating_sub(file.last.0) < FORGET_OWN_NS;
            let stays = with_gaps.contains(name.as_str()) || file.has_refused();
            let lasts_ns = match (stays, file.path.is_empty()) {
                (true, _) => FORGET_NS,
                (false, false) if is_away => FORGET_NS,
                (false, false) => FORGET_WHOLE_NS,
                (false, true) => FORGET_OWN_NS,
            };
            now.0.saturating_sub(file.last.0) <= lasts_ns
        });
    }
}

impl File {
    /// Takes the names that it has in one of its generations, if that is the latest; tells whether one is new.
    fn is_called(&mut self, generation: u64, [path, group, stream]: [&str; 3]) -> bool {
        if self.generations.last_key_value().is_some_and(|(last, _)| *last > generation) {
            return false;
        }
        let names = [(&mut self.path, path), (&mut self.group, group), (&mut self.stream, stream)];
        names.into_iter().fold(false, |is_changed, (name, new)| set(name, new) || is_changed)
    }

    /// Takes note of the content of a generation; tells whether it reaches further than before.
    fn holds(&mut self, generation: u64, content: Option<Content>) -> bool {
        self.generations.get_mut(&generation).is_some_and(|known| known.holds(content))
    }

    /// Takes note of refused events of a generation; tells whether there are any.
    fn refuses(&mut self, generation: u64, refused: Refused) -> bool {
        let known = self.generations.get_mut(&generation).filter(|_| refused.events > 0);
        known.is_some_and(|known| {
            known.refused.events += refused.events;
            known.refused.bytes += refused.bytes;
            true
        })
    }

    fn has_refused(&self) -> bool {
        self.generations.values().any(|generation| generation.refused.events > 0)
    }

    /// Takes note of where a generation begins; tells whether that is new.
    fn begins(&mut self, generation: u64, begin: u64) -> bool {
        let is_new = !self.generations.contains_key(&generation);
        let known = self.generations.entry(generation).or_insert(Generation { begin, ..Generation::default() });
        let is_earlier = begin < known.begin;
        known.begin = known.begin.min(begin);
        while self.generations.len() > GENERATIONS_MAX {
            self.generations.pop_first();
        }
        is_new || is_earlier
    }
}

/// Whether so much time has passed since then, or the clock was put back.
fn has_passed(duration_ns: i64, since: Timestamp, now: Timestamp) -> bool {
    !(0..duration_ns).contains(&now.0.saturating_sub(since.0))
}

/// Puts a text, cut where it is too long, in the place of another; tells whether it is a new one.
fn set(text: &mut String, new: &str) -> bool {
    let new = cut(new);
    let is_changed = !new.is_empty() && text != new;
    if is_changed {
        new.clone_into(text);
    }
    is_changed
}

/// The beginning of a text that is too long.
fn cut(text: &str) -> &str {
    text.char_indices().nth(TEXT_CHARS_MAX).map_or(text, |(at, _)| text.get(..at).unwrap_or_default())
}
