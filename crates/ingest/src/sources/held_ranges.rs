//! What is held of a file, for a shipper that lost its state, or for a second one: `POST /api/v1/sources/{source}/held`.
//!
//! A shipper says with each batch which content its file has up to the end of the batch, as a hash. Asked with a host, a
//! group and a path, the ledger names the ranges of such files (the path with and without what rotation appends); asked
//! with hashes of these ranges, it says which are right, and only then which file of which shipper they are. A range is
//! named only while the store holds all of it. Nothing is written.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use storage::{SourcePosition, Store};
use types::{GroupScope, Hold, Timestamp, group_name_of_file};
use xxhash_rust::xxh3::xxh3_128;

use super::view::SourceState;
use super::{ReportError, Sources};
use crate::sources::content::Content;
use crate::sources::source::{File, Source};

/// Most ranges in an answer: rotations of one file.
const RANGES_MAX: usize = 1_000;

#[derive(Deserialize)]
struct Question {
    host: String,
    group: String,
    path: String,
    #[serde(default = "all_bytes")]
    size: u64,
    #[serde(default)]
    claims: Vec<Claim>,
}

fn all_bytes() -> u64 {
    u64::MAX
}

#[derive(Deserialize)]
struct Claim {
    id: String,
    hash: String,
}

/// A range of a file that the store holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HeldRange {
    /// What it is called here.
    pub id: String,
    /// Offset of its first byte.
    pub begin: u64,
    /// Offset after its last byte.
    pub end: u64,
    /// Whether the hash of its content is known.
    pub comparable: bool,
    /// Whether a claim says its hash.
    pub held: bool,
    /// The file, as its shipper calls it; only where the claim is right, as everything that follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Its path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// When it was heard of last, nanoseconds since the Unix epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_seen_ns: Option<i64>,
    /// Whether its shipper is another one that is up.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub shipping: bool,
}

impl Sources {
    /// Answers the question of the shipper `asking`, given as JSON, about files whose groups are `within` reach.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn held(
        &self,
        store: &Store,
        asking: &str,
        json: &[u8],
        within: &GroupScope,
        now: Timestamp,
    ) -> Result<Vec<HeldRange>, ReportError> {
        let question: Question =
            serde_json::from_slice(json).map_err(|error| ReportError::Unreadable(error.to_string()))?;
        if !within.admits(&question.group) {
            return Ok(Vec::new());
        }
        let began = *self.known.hold().began.get_or_insert(now);
        let mut ranges = Vec::new();
        for (name, source, shipping) in self.sources_of(&question.host, began, now) {
            let mut files = source.files.iter().filter(|(_, file)| question.is_about(file)).peekable();
            let known = files.peek().map(|_| store.shipped_files(&name)).unwrap_or_default();
            for (id, file) in files {
                for shipped in known.iter().filter(|shipped| shipped.file == *id) {
                    let content = file.generations.get(&shipped.generation).and_then(|one| one.content.as_ref());
                    let place = (&*name, &**id, shipped.generation);
                    let range = match content.filter(|content| holds(store, place, content.from..content.end)) {
                        Some(content) => question.range(place, content, file, shipping && name != asking),
                        None => uncomparable(place, shipped.start..shipped.end),
                    };
                    ranges.push(range);
                }
            }
        }
        ranges.retain(|range| range.end <= question.size);
        ranges.truncate(RANGES_MAX);
        Ok(ranges)
    }

    /// Returns the sources of a host by name, and whether each is up.
    fn sources_of(&self, host: &str, began: Timestamp, now: Timestamp) -> Vec<(String, Source, bool)> {
        let known = self.known.hold();
        let of_host = known.sources.iter().filter(|(_, source)| source.host == host);
        of_host
            .map(|(name, source)| (name.clone(), source.clone(), source.state(began, now) == SourceState::Up))
            .collect()
    }

    /// Takes note that a group is deleted: what was sent to it before is not here, and may be sent again.
    pub fn forget_content(&self, group: &str) {
        let mut known = self.known.hold();
        for source in known.sources.values_mut() {
            for file in source.files.values_mut().filter(|file| file.group == group) {
                file.generations.values_mut().for_each(|generation| generation.content = Some(Content::deleted()));
                source.is_changed = true;
            }
        }
    }
}

impl Question {
    /// Reports whether a file may be the one in question, or a rotation of it.
    fn is_about(&self, file: &File) -> bool {
        file.group == self.group && group_name_of_file(&file.path) == group_name_of_file(&self.path)
    }

    fn range(&self, place: (&str, &str, u64), content: &Content, file: &File, shipping: bool) -> HeldRange {
        let id = id_of(place, content.end);
        let held = self.claims.iter().any(|claim| claim.id == id && claim.hash == content.hash);
        HeldRange {
            id,
            begin: content.from,
            end: content.end,
            comparable: true,
            held,
            file: held.then(|| place.1.to_owned()),
            path: held.then(|| file.path.clone()),
            last_seen_ns: held.then_some(file.last.0),
            shipping: held && shipping,
        }
    }
}

fn uncomparable(place: (&str, &str, u64), range: Range<u64>) -> HeldRange {
    HeldRange {
        id: id_of(place, range.end),
        begin: range.start,
        end: range.end,
        comparable: false,
        held: false,
        file: None,
        path: None,
        last_seen_ns: None,
        shipping: false,
    }
}

/// Returns the id of a range, which reveals neither file nor shipper.
fn id_of((source, file, generation): (&str, &str, u64), end: u64) -> String {
    format!("{:032x}", xxh3_128(format!("{source}\0{file}\0{generation}\0{end}").as_bytes()))
}

/// Reports whether the store holds every byte of a range.
fn holds(store: &Store, (source, file, generation): (&str, &str, u64), range: Range<u64>) -> bool {
    let position = SourcePosition { source: source.to_owned(), file: file.to_owned(), generation, range };
    store.missing(&position).iter().all(Range::is_empty)
}
