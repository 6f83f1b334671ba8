//! What a node of a fleet knows of shippers, told to the others, and all of it as one.
//!
//! A shipper reports to one node, and later perhaps to another one: its last report counts. What the store has of files is the
//! same for all nodes.

use serde::{Deserialize, Serialize};
use types::{Hold, Timestamp};

use super::Sources;
use super::report::Report;
use super::stored_names::{self, Document};
use crate::sources::source::{File, FileReport, Generation, Rate, Source};

/// What a node knows of shippers.
#[derive(Debug, Serialize, Deserialize)]
pub struct ToldSources {
    /// Since when it hears reports, in ns since the epoch.
    began_ns: i64,
    sources: Vec<ToldSource>,
}

/// A shipper.
#[derive(Debug, Serialize, Deserialize)]
struct ToldSource {
    names: Document,
    /// The last report; absent if it came before the start of the node.
    report: Option<Report>,
    reports: Vec<ToldGeneration>,
    /// Bytes that came of late, by file.
    rates: Vec<(String, f64)>,
}

/// What the shipper told of a generation of a file.
#[derive(Debug, Serialize, Deserialize)]
struct ToldGeneration {
    file: String,
    generation: u64,
    at_ns: i64,
    size: u64,
    offset: u64,
    is_gone: bool,
    last_error: Option<String>,
}

impl Sources {
    /// Returns what is known here.
    pub fn told(&self, now: Timestamp) -> ToldSources {
        let mut known = self.known.hold();
        let began_ns = known.began.get_or_insert(now).0;
        let sources = known.sources.iter().map(|(name, source)| ToldSource::of(name, source, now)).collect();
        ToldSources { began_ns, sources }
    }
}

impl ToldSources {
    /// Returns since when the node hears reports.
    pub(super) fn began(&self) -> Timestamp {
        Timestamp(self.began_ns)
    }

    /// Returns the shippers by name.
    pub(super) fn into_sources(self, now: Timestamp) -> impl Iterator<Item = (String, Source)> {
        self.sources.into_iter().map(move |told| told.into_source(now))
    }
}

impl ToldSource {
    fn of(name: &str, source: &Source, now: Timestamp) -> Self {
        let generations = source.files.iter().flat_map(|(file, known)| {
            known.generations.iter().map(move |(number, generation)| (file, *number, generation))
        });
        let reports = generations.filter_map(|(file, generation, known)| {
            let FileReport { at, size, offset, is_gone, last_error } = known.told.clone()?;
            Some(ToldGeneration { file: file.clone(), generation, at_ns: at.0, size, offset, is_gone, last_error })
        });
        let rates = source.files.iter().map(|(file, known)| (file.clone(), known.rate.left(now)));
        Self {
            names: stored_names::document_of(name, source),
            report: source.report.clone(),
            reports: reports.collect(),
            rates: rates.filter(|(_, n_bytes)| *n_bytes >= 1.0).collect(),
        }
    }

    fn into_source(self, now: Timestamp) -> (String, Source) {
        let (name, mut source) = stored_names::source_of(self.names);
        source.report = self.report;
        for told in self.reports {
            let file = source.files.get_mut(&told.file);
            if let Some(known) = file.and_then(|file| file.generations.get_mut(&told.generation)) {
                let ToldGeneration { at_ns, size, offset, is_gone, last_error, .. } = told;
                known.told = Some(FileReport { at: Timestamp(at_ns), size, offset, is_gone, last_error });
            }
        }
        for (file, n_bytes) in self.rates {
            if let Some(file) = source.files.get_mut(&file) {
                file.rate = Rate { n_bytes, at: now };
            }
        }
        (name, source)
    }
}

impl Source {
    /// Joins what two nodes know of a shipper.
    pub(super) fn joined(self, other: Self, now: Timestamp) -> Self {
        // A report from before the start of a node is known by its time alone.
        let rank = |of: &Self| (of.reported, of.report.is_some());
        let (mut last, earlier) = if rank(&other) > rank(&self) { (other, self) } else { (self, other) };
        last.first = last.first.min(earlier.first);
        last.last = last.last.max(earlier.last);
        if last.host.is_empty() {
            last.host = earlier.host;
        }
        for (name, file) in earlier.files {
            let joined = match last.files.remove(&name) {
                Some(known) => known.joined(file, now),
                None => file,
            };
            last.files.insert(name, joined);
        }
        last
    }
}

impl File {
    fn joined(self, other: Self, now: Timestamp) -> Self {
        let (mut last, earlier) = if other.last > self.last { (other, self) } else { (self, other) };
        last.first = last.first.min(earlier.first);
        last.rate = Rate { n_bytes: last.rate.left(now) + earlier.rate.left(now), at: now };
        for (number, generation) in earlier.generations {
            match last.generations.get_mut(&number) {
                Some(known) => known.join(generation),
                None => {
                    last.generations.insert(number, generation);
                }
            }
        }
        last
    }
}

impl Generation {
    fn join(&mut self, other: Self) {
        self.begin = self.begin.min(other.begin);
        self.expected = self.expected.max(other.expected);
        self.holds(other.content);
        // Both may have read the same count at their start: a sum would count twice.
        if other.refused.events > self.refused.events {
            self.refused = other.refused;
        }
        let told_at = |told: &Option<FileReport>| told.as_ref().map(|told| told.at);
        if told_at(&other.told) > told_at(&self.told) {
            self.told = other.told;
        }
    }
}
