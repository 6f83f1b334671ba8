//! A shipper, its files and their generations, as the ledger keeps them in memory.

use super::report::cut;
use crate::sources::content::{Content, RefusedCount};
use crate::sources::report::Report;
use std::collections::BTreeMap;
use types::Timestamp;

/// Generations of a file that are remembered; earlier ones are whole or told by the gaps that they have.
const GENERATIONS_MAX: usize = 8;

/// A shipper reports every ten seconds: one that was silent for so long is down.
pub(crate) const SILENCE_NS: i64 = 30 * Timestamp::SECOND;

/// How quickly a rate forgets, in nanoseconds.
const RATE_DECAY_NS: f64 = 30e9;

/// A shipper.
#[derive(Clone, Debug, Default)]
pub(crate) struct Source {
    pub(crate) host: String,
    pub(crate) first: Timestamp,
    /// When anything of it came last.
    pub(crate) last: Timestamp,
    pub(crate) reported: Option<Timestamp>,
    /// Whether it told then that it has stopped.
    pub(crate) has_stopped: bool,
    /// What it told last; nothing before it does so anew.
    pub(crate) report: Option<Report>,
    pub(crate) files: BTreeMap<String, File>,
    pub(crate) is_changed: bool,
    pub(crate) kept: Option<Timestamp>,
}

/// A file of a shipper.
#[derive(Clone, Debug, Default)]
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) group: String,
    pub(crate) stream: String,
    pub(crate) first: Timestamp,
    pub(crate) last: Timestamp,
    pub(crate) rate: Rate,
    pub(crate) generations: BTreeMap<u64, Generation>,
}

/// A generation of a file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Generation {
    /// Where the shipper began with it: what stands before was left out on purpose.
    pub(crate) begin: u64,
    /// Up to where bytes had to be here when this was written down; what is told since counts instead.
    pub(crate) expected: u64,
    /// The content up to the furthest place that its shipper told it of.
    pub(crate) content: Option<Content>,
    /// Events that were refused when they came.
    pub(crate) refused: RefusedCount,
    pub(crate) told: Option<FileReport>,
}

/// What a shipper told of a file.
#[derive(Clone, Debug)]
pub(crate) struct FileReport {
    pub(crate) at: Timestamp,
    pub(crate) size: u64,
    /// How far a server has acknowledged it to the shipper.
    pub(crate) offset: u64,
    /// Whether it is deleted and given up.
    pub(crate) is_gone: bool,
    pub(crate) last_error: Option<String>,
}

/// Bytes in a second, of late.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rate {
    pub(crate) n_bytes: f64,
    pub(crate) at: Timestamp,
}

impl Rate {
    pub(crate) fn left(&self, now: Timestamp) -> f64 {
        let passed_ns = now.0.saturating_sub(self.at.0).max(0) as f64;
        self.n_bytes * (-passed_ns / RATE_DECAY_NS).exp()
    }

    pub(crate) fn add(&mut self, n_bytes: u64, now: Timestamp) {
        *self = Self { n_bytes: self.left(now) + n_bytes as f64, at: now };
    }

    pub(crate) fn bytes_per_s(&self, now: Timestamp) -> f64 {
        self.left(now) / (RATE_DECAY_NS / Timestamp::SECOND as f64)
    }
}

impl Source {
    pub(crate) fn is_called(&mut self, host: &str) {
        self.is_changed |= set(&mut self.host, host);
    }

    /// Reports whether what changed, or when it was heard of last, is to be written down.
    pub(crate) fn is_due(&self, now: Timestamp) -> bool {
        let Some(kept) = self.kept else { return self.is_changed };
        let is_changed = self.is_changed && has_passed(KEEP_CHANGES_NS, kept, now);
        is_changed || self.last > kept && has_passed(KEEP_TIMES_NS, kept, now)
    }

    /// Reports whether the shipper names all files and one is not among them that it named in the report before and that was to
    /// be sent on.
    pub(crate) fn has_lost_sight(&self, before: Option<Timestamp>) -> bool {
        let mut told =
            self.files.values().flat_map(|file| file.generations.values()).filter_map(|one| one.told.as_ref());
        let is_lost =
            |told: &FileReport| Some(told.at) == before && self.has_stopped_telling(told.at) && told.size > told.offset;
        told.any(is_lost)
    }

    /// Up to where bytes of a generation had to be here: what is acknowledged nobody sends again, and of a file that is
    /// gone nobody sends anything.
    pub(crate) fn expected(&self, generation: &Generation) -> u64 {
        match &generation.told {
            Some(told) if told.is_gone || self.has_stopped_telling(told.at) => told.offset.max(told.size),
            Some(told) => told.offset,
            None => generation.expected,
        }
    }

    /// Reports whether the shipper has named all its files since, and this was not among them.
    pub(crate) fn has_stopped_telling(&self, told_at: Timestamp) -> bool {
        let names_all = self.report.as_ref().is_some_and(|report| report.names_all_files);
        names_all && self.reported.is_some_and(|at| at > told_at)
    }

    pub(crate) fn forget_files(&mut self, shipped: &[storage::ShippedFile], now: Timestamp) {
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
    pub(crate) fn is_called(&mut self, generation: u64, [path, group, stream]: [&str; 3]) -> bool {
        if self.generations.last_key_value().is_some_and(|(last, _)| *last > generation) {
            return false;
        }
        let names = [(&mut self.path, path), (&mut self.group, group), (&mut self.stream, stream)];
        names.into_iter().fold(false, |is_changed, (name, new)| set(name, new) || is_changed)
    }

    /// Takes note of the content of a generation; tells whether it reaches further than before.
    pub(crate) fn holds(&mut self, generation: u64, content: Option<Content>) -> bool {
        self.generations.get_mut(&generation).is_some_and(|known| known.holds(content))
    }

    /// Takes note of refused events of a generation; tells whether there are any.
    pub(crate) fn refuses(&mut self, generation: u64, refused: RefusedCount) -> bool {
        let known = self.generations.get_mut(&generation).filter(|_| refused.events > 0);
        known.is_some_and(|known| {
            known.refused.events += refused.events;
            known.refused.bytes += refused.bytes;
            true
        })
    }

    pub(crate) fn has_refused(&self) -> bool {
        self.generations.values().any(|generation| generation.refused.events > 0)
    }

    /// Takes note of where a generation begins; tells whether that is new.
    pub(crate) fn begins(&mut self, generation: u64, begin: u64) -> bool {
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

/// Reports whether so much time has passed since then, or the clock was put back.
pub(crate) fn has_passed(duration_ns: i64, since: Timestamp, now: Timestamp) -> bool {
    !(0..duration_ns).contains(&now.0.saturating_sub(since.0))
}

impl Generation {
    /// Takes note of its content; tells whether it reaches further than before.
    pub(crate) fn holds(&mut self, content: Option<Content>) -> bool {
        let reaches = |content: &Content| self.content.as_ref().is_none_or(|known| known.end < content.end);
        let Some(content) = content.filter(reaches) else { return false };
        self.content = Some(content);
        true
    }
}

/// When files and sources are forgotten that nobody speaks of.
pub(crate) const FORGET_NS: i64 = 30 * Timestamp::DAY;

const FORGET_WHOLE_NS: i64 = Timestamp::DAY;

/// The same for files of the shipper's own, which it removes when they are delivered.
const FORGET_OWN_NS: i64 = 10 * Timestamp::MINUTE;

/// How often a source's names are written down at most where they change, and where only time has passed.
const KEEP_CHANGES_NS: i64 = Timestamp::MINUTE;

const KEEP_TIMES_NS: i64 = Timestamp::HOUR;

/// Puts a text, cut where it is too long, in the place of another; tells whether it is a new one.
fn set(text: &mut String, new: &str) -> bool {
    let new = cut(new);
    let is_changed = !new.is_empty() && text != new;
    if is_changed {
        new.clone_into(text);
    }
    is_changed
}
