//! Sources as people are shown them: what the store has of each file, put beside what its shipper told of it.
//!
//! A gap is bytes that never arrived and that nobody is about to send: what lies between two ranges that the store
//! has; what lies before the first and behind where the shipper began; what was acknowledged to the shipper and is not here
//! (set aside, sent to another server, or lost with a disk); and the end of a file that is gone at the shipper.
//! What is only on its way is lag.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use serde::Serialize;
use storage::{ShippedFile, Store};
use types::{GroupScope, Hold, Timestamp};

use super::Sources;
use super::report::{GivenUp, Input};
use super::told::ToldSources;
use crate::sources::source::{File, Generation, SILENCE_NS, Source, has_passed};

/// Files of a source that are shown: those with trouble first, then those heard of last.
const FILES_SHOWN_MAX: usize = 500;

/// Gaps of a file that are named.
const GAPS_NAMED_MAX: usize = 100;

types::named! {
    /// How a shipper stands.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
    #[serde(rename_all = "lowercase")]
    pub enum SourceState {
        /// It was silent for half a minute.
        Down = "down",
        /// It told that it has stopped.
        Stopped = "stopped",
        /// It told of itself within that.
        Up = "up",
        /// It never did, or the server has only just started.
        Unknown = "unknown",
    }
}

/// All sources within somebody's reach.
#[derive(Clone, Debug, Serialize)]
pub struct SourcesView {
    /// Those that are known by name: by host, then by name.
    pub sources: Vec<SourceView>,
    /// How many sources have shipped files and are not known by name any more; only for who may see everything.
    pub forgotten: Option<usize>,
}

/// A shipper.
#[derive(Clone, Debug, Serialize)]
pub struct SourceView {
    /// Its random id.
    pub source: String,
    /// The host that it is on.
    pub host: String,
    /// Its version, as far as it told.
    pub version: Option<String>,
    /// When it started, as far as it told.
    pub started: Option<String>,
    /// How it stands.
    pub state: SourceState,
    /// When it was heard of first.
    pub first_seen: String,
    /// And last.
    pub last_seen: String,
    /// Bytes of its files that it is still to send.
    pub lag_bytes: u64,
    /// Bytes that came in a second, of late.
    pub rate_bytes_per_s: u64,
    /// Bytes that never arrived.
    pub gap_bytes: u64,
    /// Events of its files that were refused when they came, and are not here.
    pub refused_events: u64,
    /// What went wrong last, if it still does.
    pub last_error: Option<String>,
    /// Pieces of batches that were refused since its start.
    pub refused: u64,
    /// What it gave up since its start.
    pub given_up: GivenUp,
    /// Inputs that are no files.
    pub inputs: Vec<Input>,
    /// Its files.
    pub files: Vec<FileView>,
    /// Files that are not shown.
    pub files_left_out: usize,
}

/// A file of a shipper.
#[derive(Clone, Debug, Serialize)]
pub struct FileView {
    /// Its random id.
    pub file: String,
    /// Where it was when it was seen first; nothing where it is a file of the shipper's own.
    pub path: String,
    /// The group of its events.
    pub group: String,
    /// The stream of its events.
    pub stream: String,
    /// When it was heard of first.
    pub first_seen: String,
    /// And last.
    pub last_seen: String,
    /// Bytes that came in a second, of late.
    pub rate_bytes_per_s: u64,
    /// How often it began anew, and once.
    pub generations: usize,
    /// The generation that it has now.
    #[serde(flatten)]
    pub now: GenerationView,
    /// Earlier ones that are not whole.
    pub earlier: Vec<GenerationView>,
}

/// A generation of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GenerationView {
    /// Its number.
    pub generation: u64,
    /// Bytes that the file has, as far as its shipper told.
    pub size: Option<u64>,
    /// Where the last bytes that are here end.
    pub offset: u64,
    /// Bytes that are here.
    pub bytes: u64,
    /// Bytes that the shipper is still to send.
    pub lag_bytes: u64,
    /// Which bytes never arrived: from, to (excluded); the first hundred gaps.
    pub gaps: Vec<(u64, u64)>,
    /// How many gaps there are.
    pub n_gaps: usize,
    /// Bytes of the gaps that are named.
    pub gap_bytes: u64,
    /// Events of it that were refused when they came, and are not here.
    pub refused_events: u64,
    /// Their bytes.
    pub refused_bytes: u64,
    /// Whether everything is here; nothing where it is not known how large the file is.
    pub complete: Option<bool>,
    /// What went wrong with it last, if it still does.
    pub last_error: Option<String>,
}

impl GenerationView {
    fn is_whole(&self) -> bool {
        self.n_gaps == 0 && self.lag_bytes == 0 && self.refused_events == 0
    }
}

impl Sources {
    /// Returns all sources of which somebody may see something: files of groups `within` their reach. What is about no group is
    /// for who may see everything.
    pub fn view(&self, store: &Store, within: &GroupScope, now: Timestamp) -> SourcesView {
        self.view_with(Vec::new(), store, within, now)
    }

    /// Returns the sources that this node and others of the fleet know.
    pub fn view_with(
        &self,
        others: Vec<ToldSources>,
        store: &Store,
        within: &GroupScope,
        now: Timestamp,
    ) -> SourcesView {
        let (mut known, mut began): (BTreeSet<String>, Timestamp) = {
            let mut known = self.known.hold();
            (known.sources.keys().cloned().collect(), *known.began.get_or_insert(now))
        };
        let mut told: BTreeMap<String, Source> = BTreeMap::new();
        for other in others {
            // Who was silent while a node began may have told that one.
            began = began.max(other.began());
            for (name, source) in other.into_sources(now) {
                let joined = match told.remove(&name) {
                    Some(before) => before.joined(source, now),
                    None => source,
                };
                told.insert(name, joined);
            }
        }
        known.extend(told.keys().cloned());
        let view = |name: &String| {
            let own = self.known.hold().sources.get(name).cloned();
            let source = match (own, told.remove(name)) {
                (Some(own), Some(told)) => own.joined(told, now),
                (own, told) => own.or(told)?,
            };
            source.view_within(name, store, within, (began, now))
        };
        let mut sources: Vec<SourceView> = known.iter().filter_map(view).collect();
        sources.sort_by(|a, b| (&a.host, &a.source).cmp(&(&b.host, &b.source)));
        let forgotten = || store.shipped_sources().iter().filter(|name| !known.contains(*name)).count();
        SourcesView { sources, forgotten: within.is_everything().then(forgotten) }
    }
}

impl Source {
    /// Returns what somebody may see of a source.
    fn view_within(
        &self,
        name: &str,
        store: &Store,
        within: &GroupScope,
        (began, now): (Timestamp, Timestamp),
    ) -> Option<SourceView> {
        let mut shipped: BTreeMap<String, BTreeMap<u64, ShippedFile>> = BTreeMap::new();
        for file in store.shipped_files(name) {
            shipped.entry(file.file.clone()).or_default().insert(file.generation, file);
        }
        let none = BTreeMap::new();
        let seen = self.files.iter().filter(|(_, file)| within.admits(&file.group));
        let files: Vec<FileView> =
            seen.map(|(id, file)| self.view_file(id, file, shipped.get(id).unwrap_or(&none), now)).collect();
        if files.is_empty() && !within.is_everything() {
            return None;
        }
        let mut view = self.view(name, files, (began, now));
        if !within.is_everything() {
            (view.inputs, view.last_error) = (Vec::new(), None);
            (view.refused, view.given_up) = (0, GivenUp::default());
        }
        Some(view)
    }

    pub(super) fn state(&self, began: Timestamp, now: Timestamp) -> SourceState {
        let is_within = |at: Timestamp| !has_passed(SILENCE_NS, at, now);
        match self.reported {
            Some(_) if self.has_stopped => SourceState::Stopped,
            Some(at) if self.report.is_some() && is_within(at) => SourceState::Up,
            // Nobody was there to hear it.
            Some(_) if self.report.is_none() && is_within(began) => SourceState::Unknown,
            Some(_) => SourceState::Down,
            None => SourceState::Unknown,
        }
    }

    fn view(&self, name: &str, mut files: Vec<FileView>, (began, now): (Timestamp, Timestamp)) -> SourceView {
        let report = self.report.clone().unwrap_or_default();
        let known = |text: String| Some(text).filter(|text| !text.is_empty());
        let all = || files.iter().flat_map(|file| file.earlier.iter().chain([&file.now]));
        let lag_bytes = all().map(|generation| generation.lag_bytes).sum();
        let gap_bytes = all().map(|generation| generation.gap_bytes).sum();
        let refused_events = all().map(|generation| generation.refused_events).sum();
        let of_file = all().find_map(|generation| generation.last_error.clone());
        let rate_bytes_per_s = files.iter().map(|file| file.rate_bytes_per_s).sum();
        files.sort_by(|a, b| a.rank().cmp(&b.rank()).then_with(|| b.last_seen.cmp(&a.last_seen)));
        let files_left_out = files.len().saturating_sub(FILES_SHOWN_MAX);
        files.truncate(FILES_SHOWN_MAX);
        files.sort_by(|a, b| a.rank().cmp(&b.rank()).then_with(|| a.path.cmp(&b.path)));
        SourceView {
            source: name.to_owned(),
            host: self.host.clone(),
            version: known(report.version),
            started: report.started,
            state: self.state(began, now),
            first_seen: self.first.to_string(),
            last_seen: self.last.to_string(),
            lag_bytes,
            rate_bytes_per_s,
            gap_bytes,
            refused_events,
            last_error: report.last_error.or(of_file),
            refused: report.refused,
            given_up: report.given_up,
            inputs: report.inputs,
            files,
            files_left_out,
        }
    }

    fn view_file(&self, id: &str, file: &File, shipped: &BTreeMap<u64, ShippedFile>, now: Timestamp) -> FileView {
        let numbers: BTreeSet<u64> = file.generations.keys().chain(shipped.keys()).copied().collect();
        let view = |number: &u64| self.view_generation(*number, file.generations.get(number), shipped.get(number));
        let mut generations: Vec<GenerationView> = numbers.iter().map(view).collect();
        // A file is made with a generation.
        let last = generations.pop().unwrap_or_else(|| self.view_generation(0, None, None));
        generations.retain(|generation| !generation.is_whole());
        FileView {
            file: id.to_owned(),
            path: file.path.clone(),
            group: file.group.clone(),
            stream: file.stream.clone(),
            first_seen: file.first.to_string(),
            last_seen: file.last.to_string(),
            rate_bytes_per_s: file.rate.bytes_per_s(now) as u64,
            generations: numbers.len(),
            now: last,
            earlier: generations,
        }
    }

    fn view_generation(
        &self,
        number: u64,
        known: Option<&Generation>,
        shipped: Option<&ShippedFile>,
    ) -> GenerationView {
        let begin = known.map(|generation| generation.begin);
        let offset = shipped.map_or(begin.unwrap_or(0), |shipped| shipped.end);
        let mut gaps: Vec<Range<u64>> = Vec::new();
        if let (Some(begin), Some(shipped)) = (begin, shipped)
            && begin < shipped.start
        {
            gaps.push(begin..shipped.start);
        }
        let mut n_gaps = gaps.len() + shipped.map_or(0, |shipped| shipped.n_gaps);
        gaps.extend(shipped.into_iter().flat_map(|shipped| shipped.gaps.iter().cloned()));
        let told = known.and_then(|generation| generation.told.as_ref());
        let refused = known.map(|generation| generation.refused).unwrap_or_default();
        let expected = known.map_or(0, |generation| self.expected(generation));
        if expected > offset {
            gaps.push(offset..expected);
            n_gaps += 1;
        }
        let end = offset.max(expected);
        let lag_bytes = told.map_or(0, |told| told.size.saturating_sub(end));
        let size = told.map(|told| told.size.max(end));
        gaps.truncate(GAPS_NAMED_MAX);
        GenerationView {
            generation: number,
            size,
            offset,
            bytes: shipped.map_or(0, |shipped| shipped.bytes),
            lag_bytes,
            gap_bytes: gaps.iter().map(|gap| gap.end - gap.start).sum(),
            gaps: gaps.into_iter().map(|gap| (gap.start, gap.end)).collect(),
            n_gaps,
            refused_events: refused.events,
            refused_bytes: refused.bytes,
            complete: if n_gaps > 0 || refused.events > 0 { Some(false) } else { size.map(|_| lag_bytes == 0) },
            last_error: told.filter(|told| self.reported == Some(told.at)).and_then(|told| told.last_error.clone()),
        }
    }
}

impl FileView {
    /// Files with trouble come first.
    fn rank(&self) -> u8 {
        let has_gaps = self.now.n_gaps > 0 || self.now.refused_events > 0 || !self.earlier.is_empty();
        match (has_gaps, self.now.last_error.is_some(), self.now.lag_bytes > 0) {
            (true, ..) => 0,
            (_, true, _) => 1,
            (_, _, true) => 2,
            _ => 3,
        }
    }
}
