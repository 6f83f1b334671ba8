//! What the lines of a source teach about how its entries begin.
//!
//! A source whose lines (nearly) all have a time at the head teaches that one without is no entry of its own. The score of a
//! line depends on the lines of its block of the source and of the block before, and on nothing else: a reader that takes the
//! source up at any place learns the same from at most two blocks as one that has read all of it.

use super::line;
use crate::colour;
use crate::runtime::{self, LANES_TAUGHT};

/// Bytes of a block.
const BLOCK_BYTES: u64 = 32 << 10;

/// A line without a time weighs as much as so many with one: four of five have one where lines without continue entries.
const UNTIMED_WEIGHT: i8 = 4;

/// Bounds of a score: what many lines said is unsaid by a few screens of others.
const SCORE_MIN: i8 = -8;
const SCORE_MAX: i8 = 32;

/// How entries of a source begin, as far as its lines have shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// The block of the last line.
    block: u64,
    /// The score of each lane since the beginning of the block before, and since the beginning of this one.
    scores: [i8; LANES_TAUGHT],
    next: [i8; LANES_TAUGHT],
}

impl Profile {
    /// From where on lines before `offset` must be read to know the profile there.
    pub fn start_for(offset: u64) -> u64 {
        (offset / BLOCK_BYTES).saturating_sub(1) * BLOCK_BYTES
    }

    /// Learns from the lines of `text`, which begins at `offset` of the source with the beginning of a line. Lines that no
    /// longer matter at its end are left out.
    pub fn advance(&mut self, text: &[u8], offset: u64) {
        let from = Self::start_for(offset + text.len() as u64).saturating_sub(offset) as usize;
        let mut at =
            if from == 0 { 0 } else { memchr::memchr(b'\n', &text[from - 1..]).map_or(text.len(), |n| from + n) };
        let mut scratch = Vec::new();
        while at < text.len() {
            let end = memchr::memchr(b'\n', &text[at..]).map_or(text.len(), |length| at + length);
            let line = text[at..end].strip_suffix(b"\r").unwrap_or(&text[at..end]);
            let part = runtime::fragment(line);
            let (lane, content) = runtime::content(line, part.as_ref(), &mut scratch);
            let content = colour::without_leading(content);
            self.enter(offset + at as u64);
            if part.is_some_and(|part| part.is_message()) {
                self.learn(0, line, true);
            }
            self.learn(lane, content, line::has_clock(content));
            at = end + 1;
        }
    }

    /// Notes that a line begins at `offset` of the source.
    pub(super) fn enter(&mut self, offset: u64) {
        let block = offset / BLOCK_BYTES;
        if block != self.block {
            self.scores = if block == self.block + 1 { self.next } else { Default::default() };
            (self.next, self.block) = (Default::default(), block);
        }
    }

    /// Learns from the line that was entered.
    pub(super) fn learn(&mut self, lane: usize, line: &[u8], has_clock: bool) {
        let step = match line.first() {
            None | Some(b' ' | b'\t' | b'{' | b'}') => return,
            _ if has_clock => 1,
            _ if is_of_trace(line) => return,
            _ => -UNTIMED_WEIGHT,
        };
        for scores in [&mut self.scores, &mut self.next] {
            scores[lane] = (scores[lane] + step).clamp(SCORE_MIN, SCORE_MAX);
        }
    }

    /// How surely lines have a time at their head: not at all from 0 downwards.
    pub(super) fn score(&self, lane: usize) -> i8 {
        self.scores[lane]
    }
}

/// Reports whether a line is of a trace, which says nothing of how entries begin.
fn is_of_trace(line: &[u8]) -> bool {
    match line[0] {
        b'/' => line::is_gin_frame(line),
        b'T' if line.starts_with(b"Traceback (most") => true,
        b'C' if line.starts_with(b"Caused by: ") => true,
        _ => line::is_typed_exception(line),
    }
}
