//! What the ledger knows about a range of bytes of one file: read, sent, stored, refused, or never arrived.

use std::ops::Range;

use serde::Serialize;
use storage::{SourcePosition, Store};
use types::{GroupScope, Hold, Timestamp};

use super::Sources;
use super::view::SourceState;
use crate::sources::source::{File, Generation, Source};

/// Files that may be meant by one path: rotations, and hosts with the same path.
const FILES_MAX: usize = 20;

/// A range of bytes of a file.
#[derive(Clone, Debug)]
pub struct FilePlace<'a> {
    /// The path of the file.
    pub path: &'a str,
    /// The host; any if there is none.
    pub host: Option<&'a str>,
    /// The file and generation, as its shipper calls them; any file with the path if there is none.
    pub identity: Option<(&'a str, u64)>,
    /// The bytes.
    pub range: Range<u64>,
}

/// What became of a range of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FileRangeState {
    /// All bytes were accepted.
    Accepted,
    /// The shipper began after them, on purpose.
    LeftOut,
    /// The shipper has not sent them yet.
    Waiting,
    /// They were never accepted, and no one will send them.
    Lost,
    /// The file is shorter, as far as the shipper reported.
    BeyondEnd,
}

/// What is known about a range of bytes of a file.
#[derive(Clone, Debug, Serialize)]
pub struct FileRangeView {
    /// The random id of the shipper.
    pub source: String,
    /// Its host.
    pub host: String,
    /// How it stands.
    pub shipper: SourceState,
    /// When anything of it arrived last.
    pub last_seen: String,
    /// The file, as its shipper calls it.
    pub file: String,
    /// How often it was truncated or replaced in place.
    pub generation: u64,
    /// The path.
    pub path: String,
    /// The group of its events.
    pub group: String,
    /// Their stream.
    pub stream: String,
    /// What became of the bytes.
    pub state: FileRangeState,
    /// Bytes of the file, as far as its shipper reported.
    pub size: Option<u64>,
    /// Bytes that a server acknowledged to the shipper.
    pub offset: Option<u64>,
    /// Events of the file that were refused.
    pub refused_events: u64,
    /// The last error of the file or its shipper, while it lasts.
    pub last_error: Option<String>,
}

impl Sources {
    /// Returns what is known about a range of bytes: an element for each file that may be meant, of groups `within` reach of the
    /// caller; the one heard of last first.
    pub fn file_range(
        &self,
        store: &Store,
        place: &FilePlace<'_>,
        within: &GroupScope,
        now: Timestamp,
    ) -> Vec<FileRangeView> {
        let (began, sources) = {
            let mut known = self.known.hold();
            let began = *known.began.get_or_insert(now);
            let has_file = |source: &Source| source.files.iter().any(|(id, file)| place.is_about(source, id, file));
            let sources: Vec<(String, Source)> = (known.sources.iter())
                .filter(|(_, source)| has_file(source))
                .map(|(name, source)| (name.clone(), source.clone()))
                .collect();
            (began, sources)
        };
        let mut found: Vec<(Timestamp, FileRangeView)> = Vec::new();
        for (name, source) in &sources {
            let files = source.files.iter().filter(|(id, file)| place.is_about(source, id, file));
            for (id, file) in files.filter(|(_, file)| within.admits(&file.group)) {
                let view = |(number, generation): (&u64, &Generation)| {
                    let mut view = place.view(store, (name, source), (id, file), (*number, generation));
                    view.shipper = source.state(began, now);
                    (file.last, view)
                };
                let wanted = place.identity.map(|(_, generation)| generation);
                let is_wanted = |number: &u64| wanted.is_none_or(|wanted| wanted == *number);
                found.extend(file.generations.iter().rev().filter(|(number, _)| is_wanted(number)).map(view));
            }
        }
        found.sort_by(|(a, _), (b, _)| b.cmp(a));
        found.into_iter().take(FILES_MAX).map(|(_, view)| view).collect()
    }
}

impl FilePlace<'_> {
    fn is_about(&self, source: &Source, id: &str, file: &File) -> bool {
        let is_host = self.host.is_none_or(|host| host == source.host);
        let is_file = self.identity.map_or(file.path == self.path, |(wanted, _)| wanted == id);
        is_host && is_file
    }

    fn view(
        &self,
        store: &Store,
        (name, source): (&str, &Source),
        (id, file): (&str, &File),
        (number, generation): (u64, &Generation),
    ) -> FileRangeView {
        let (file_name, range) = (id.to_owned(), self.range.clone());
        let position = SourcePosition { source: name.to_owned(), file: file_name, generation: number, range };
        let is_accepted = store.missing(&position).iter().all(Range::is_empty);
        let told = generation.told.as_ref();
        FileRangeView {
            source: name.to_owned(),
            host: source.host.clone(),
            shipper: SourceState::Unknown,
            last_seen: source.last.to_string(),
            file: id.to_owned(),
            generation: number,
            path: file.path.clone(),
            group: file.group.clone(),
            stream: file.stream.clone(),
            state: self.state(is_accepted, source, generation),
            size: told.map(|told| told.size),
            offset: told.map(|told| told.offset),
            refused_events: generation.refused.events,
            last_error: told.and_then(|told| told.last_error.clone()),
        }
    }

    fn state(&self, is_accepted: bool, source: &Source, generation: &Generation) -> FileRangeState {
        let is_known_end = generation.told.as_ref().filter(|told| told.size < self.range.end);
        match () {
            () if is_accepted => FileRangeState::Accepted,
            () if self.range.end <= generation.begin => FileRangeState::LeftOut,
            // What is acknowledged to the shipper, or was in a file that is gone, is sent by no one.
            () if self.range.start < source.expected(generation) => FileRangeState::Lost,
            () if is_known_end.is_some() => FileRangeState::BeyondEnd,
            () => FileRangeState::Waiting,
        }
    }
}
