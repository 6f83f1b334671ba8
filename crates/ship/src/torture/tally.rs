//! What is stored, compared with what was written.

use std::collections::BTreeMap;

use super::writer::HEADER_MARK;
use super::{Rotation, WriterSummary, text_of};

/// Strange lines that are kept to be shown.
const STRANGE_MAX: usize = 5;

/// Counts stored events by the line that they must be.
#[derive(Debug)]
pub struct Tally {
    kinds: BTreeMap<&'static str, Kind>,
    /// Events that are no line of any kind, the first few.
    pub strange: Vec<String>,
}

#[derive(Debug)]
struct Kind {
    written: WriterSummary,
    /// How often each line is stored as it was written.
    times: Vec<u32>,
    n_altered: u64,
}

/// What became of the lines of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// How they were rotated.
    pub rotation: Rotation,
    /// How often.
    pub rotations: u64,
    /// Lines written.
    pub written: u64,
    /// Lines stored, each counted once.
    pub stored: u64,
    /// Lines that are not stored.
    pub lost: u64,
    /// Times that a line is stored beyond the first.
    pub repeated: u64,
    /// Events that begin like a line and are another text.
    pub altered: u64,
}

impl Verdict {
    /// Reports whether every line is stored once and as it was written.
    pub fn is_exact(&self) -> bool {
        self.lost == 0 && self.repeated == 0 && self.altered == 0
    }
}

impl Tally {
    /// Expects these lines.
    pub fn new(written: &[WriterSummary]) -> Self {
        let kind = |written: &WriterSummary| {
            let n_lines = usize::try_from(written.lines).unwrap_or(usize::MAX);
            (written.rotation.name(), Kind { written: *written, times: vec![0; n_lines], n_altered: 0 })
        };
        Self { kinds: written.iter().map(kind).collect(), strange: Vec::new() }
    }

    /// Takes the text of a stored event.
    pub fn take(&mut self, text: &str) {
        if text.starts_with(HEADER_MARK) {
            return;
        }
        let line = name_and_number(text).and_then(|(name, n)| Some((self.kinds.get_mut(name)?, n)));
        let Some((kind, n)) = line else {
            if self.strange.len() < STRANGE_MAX {
                self.strange.push(text.chars().take(100).collect());
            }
            return;
        };
        match usize::try_from(n).ok().and_then(|n| kind.times.get_mut(n)) {
            Some(times) if text == text_of(kind.written.rotation, n) => *times += 1,
            _ => kind.n_altered += 1,
        }
    }

    /// Returns what became of the lines, kind by kind.
    pub fn verdicts(&self) -> Vec<Verdict> {
        let verdict = |kind: &Kind| {
            let stored = kind.times.iter().filter(|times| **times > 0).count() as u64;
            Verdict {
                rotation: kind.written.rotation,
                rotations: kind.written.rotations,
                written: kind.written.lines,
                stored,
                lost: kind.written.lines - stored,
                repeated: kind.times.iter().map(|times| u64::from(times.saturating_sub(1))).sum(),
                altered: kind.n_altered,
            }
        };
        let mut verdicts: Vec<Verdict> = self.kinds.values().map(verdict).collect();
        verdicts.sort_by_key(|verdict| verdict.rotation);
        verdicts
    }

    /// Reports whether every line is stored once, as it was written, and nothing beside them.
    pub fn is_exact(&self) -> bool {
        self.strange.is_empty() && self.verdicts().iter().all(Verdict::is_exact)
    }
}

/// Returns the line that this text begins like.
fn name_and_number(text: &str) -> Option<(&str, u64)> {
    let (name, rest) = text.strip_prefix("w=")?.split_once(" n=")?;
    let number = rest.split(' ').next()?;
    Some((name, number.parse().ok()?))
}
