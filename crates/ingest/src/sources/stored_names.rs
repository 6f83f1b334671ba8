//! Names of sources and their files over a restart: a document of the control store for each source.
//!
//! | kind | name | document |
//! |---|---|---|
//! | `source` | xxh3-128 of the source, in hexadecimal | `{"source","host","first_ns","last_ns","reported_ns","stopped","files":[…]}` |
//!
//! A file is `{"file","path","group","stream","first_ns","last_ns","generations":[[number, begin, expected],…]}`:
//! where the shipper began, and up to where bytes had to be here; with `"contents":{number: {"from","end","hash"}}` and
//! `"refused":{number: {"events","bytes"}}` where something is known.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use types::Timestamp;
use xxhash_rust::xxh3::xxh3_128;

use super::RefusedCount;
use crate::sources::content::Content;
use crate::sources::source::{File, Generation, Source};

pub(super) const KIND: &str = "source";

/// What is kept of a source.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Document {
    source: String,
    host: String,
    first_ns: i64,
    last_ns: i64,
    reported_ns: Option<i64>,
    #[serde(default)]
    stopped: bool,
    files: Vec<KeptFile>,
}

#[derive(Debug, Serialize, Deserialize)]
struct KeptFile {
    file: String,
    path: String,
    group: String,
    stream: String,
    first_ns: i64,
    last_ns: i64,
    generations: Vec<(u64, u64, u64)>,
    /// What is known of generations beside that, by number.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    contents: BTreeMap<u64, Content>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    refused: BTreeMap<u64, RefusedCount>,
}

/// Returns what the document of a source is called: a source may have any name.
pub(super) fn document_name(source: &str) -> String {
    format!("{:032x}", xxh3_128(source.as_bytes()))
}

pub(super) fn write(name: &str, source: &Source) -> String {
    serde_json::to_string(&document_of(name, source)).expect("texts and numbers are JSON")
}

/// Returns what is kept of a source.
pub(super) fn document_of(name: &str, source: &Source) -> Document {
    let generation = |(number, one): (&u64, &Generation)| (*number, one.begin, source.expected(one));
    let files = source.files.iter().map(|(file, known)| KeptFile {
        file: file.clone(),
        path: known.path.clone(),
        group: known.group.clone(),
        stream: known.stream.clone(),
        first_ns: known.first.0,
        last_ns: known.last.0,
        generations: known.generations.iter().map(generation).collect(),
        contents: known.generations.iter().filter_map(|(n, one)| Some((*n, one.content.clone()?))).collect(),
        refused: known
            .generations
            .iter()
            .filter(|(_, one)| one.refused.events > 0)
            .map(|(n, one)| (*n, one.refused))
            .collect(),
    });
    Document {
        source: name.to_owned(),
        host: source.host.clone(),
        first_ns: source.first.0,
        last_ns: source.last.0,
        reported_ns: source.reported.map(|at| at.0),
        stopped: source.has_stopped,
        files: files.collect(),
    }
}

/// Returns a source and its name; nothing where the document is none of this version.
pub(super) fn read(json: &str) -> Option<(String, Source)> {
    serde_json::from_str(json).ok().map(source_of)
}

/// Returns the source that a document is of, and its name.
pub(super) fn source_of(document: Document) -> (String, Source) {
    let file = |mut kept: KeptFile| {
        let generation = |(number, begin, expected)| {
            let content = kept.contents.remove(&number);
            let refused = kept.refused.get(&number).copied().unwrap_or_default();
            (number, Generation { begin, expected, content, refused, told: None })
        };
        let file = File {
            path: kept.path,
            group: kept.group,
            stream: kept.stream,
            first: Timestamp(kept.first_ns),
            last: Timestamp(kept.last_ns),
            generations: kept.generations.into_iter().map(generation).collect(),
            ..File::default()
        };
        (kept.file, file)
    };
    let source = Source {
        host: document.host,
        first: Timestamp(document.first_ns),
        last: Timestamp(document.last_ns),
        reported: document.reported_ns.map(Timestamp),
        has_stopped: document.stopped,
        files: document.files.into_iter().map(file).collect::<BTreeMap<_, _>>(),
        kept: Some(Timestamp(document.last_ns)),
        ..Source::default()
    };
    (document.source, source)
}
