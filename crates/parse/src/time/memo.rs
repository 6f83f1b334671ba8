//! What is known of a text: its first line, the signs in it, and the time that was read last.

use std::cell::Cell;

use super::forms::{self, Civil};
use crate::signs::{Signs, sign, signs};

/// Reading a time looks at fewer bytes than these.
const REACH: usize = 96;

/// Most bytes of a line that is searched for signs; a longer one counts as having all.
const SIGNS_BYTES_MAX: usize = 4 << 10;

/// Where a text begins, its length, the calendar time at its beginning and where that ends.
type ReadTime = (usize, usize, (Civil, usize));

/// Caches the first line of a text and the time read last, which several readers of a line need.
///
/// A text is known by the address of its first byte, so a memo must not outlive the text that it is used for.
#[derive(Debug, Default)]
pub(crate) struct TimeMemo {
    /// The last calendar time read.
    found: Cell<Option<ReadTime>>,
    /// The addresses at which the first line of a text begins and ends, and whether another line follows.
    first_line: Cell<(usize, usize, bool)>,
    /// The signs that the first line is known to lack.
    lacks: Cell<Signs>,
    /// The address of a text that is known to be one line without a word of a level or a death; 0 if none is.
    silent: Cell<usize>,
}

impl TimeMemo {
    /// Returns the first line of a text, which may begin within the known one.
    #[inline]
    pub(crate) fn first_line<'t>(&self, text: &'t str) -> &'t str {
        let start = text.as_ptr().addr();
        let (first, end, is_followed) = self.first_line.get();
        if first <= start && start <= end && (is_followed || text.len() <= end - start) {
            &text[..text.len().min(end - start)]
        } else {
            self.find_first_line(text)
        }
    }

    #[inline(never)]
    fn find_first_line<'t>(&self, text: &'t str) -> &'t str {
        let start = text.as_ptr().addr();
        let newline = memchr::memchr(b'\n', text.as_bytes());
        let length = newline.unwrap_or(text.len());
        self.first_line.set((start, start + length, newline.is_some()));
        self.lacks.set(0);
        self.silent.set(0);
        &text[..length]
    }

    /// Returns kinds of characters that a line lacks: all such, but none if it is long, and of the rest of the first line those
    /// that all of that lacks.
    pub(crate) fn learn_signs(&self, line: &[u8]) -> Signs {
        let (start, (first, end, _)) = (line.as_ptr().addr(), self.first_line.get());
        let is_end = first <= start && start + line.len() == end;
        let known = self.lacks.get();
        if is_end && known != 0 {
            return known;
        }
        let lacks = if line.len() > SIGNS_BYTES_MAX { 0 } else { !signs(line) };
        if is_end && first == start {
            self.lacks.set(lacks);
        }
        lacks
    }

    /// Reports whether the first line of a text is known to lack an ASCII mark.
    pub(crate) fn lacks(&self, text: &str, mark: u8) -> bool {
        let (first, end, _) = self.first_line.get();
        (first..=end).contains(&text.as_ptr().addr()) && self.lacks.get() & sign(mark) != 0
    }

    /// Forgets the text: another may come to have its address.
    pub(crate) fn forget(&self) {
        self.first_line.set((0, 0, false));
        self.found.set(None);
    }

    /// Reports whether a text may have an ASCII mark, by the signs of its first line.
    pub(crate) fn may_have(&self, text: &str, mark: u8) -> bool {
        let line = self.first_line(text);
        line.len() < text.len() || self.learn_signs(line.as_bytes()) & sign(mark) == 0
    }

    /// Notes that the first line of a text has no word of a level or a death.
    pub(crate) fn note_silent(&self, text: &str) {
        let is_one_line = self.first_line(text).len() == text.len();
        self.silent.set(if is_one_line { text.as_ptr().addr() } else { 0 });
    }

    /// Reports whether a text is known to be one line without a word of a level or a death.
    pub(crate) fn is_silent(&self, text: &str) -> bool {
        self.silent.get() == text.as_ptr().addr()
    }

    /// Reads the calendar time at `at`.
    pub(super) fn parse_at(&self, b: &[u8], at: usize) -> Option<(Civil, usize)> {
        let rest = b.get(at..).filter(|rest| !rest.is_empty())?;
        let address = rest.as_ptr().addr();
        if let Some((known, length, (civil, end))) = self.found.get()
            && known == address
            && (length == rest.len() || length.min(rest.len()) >= REACH || end == rest.len())
        {
            return Some((civil, at + end));
        }
        let (civil, end) = forms::parse_at(rest, 0)?;
        self.found.set(Some((address, rest.len(), (civil, end))));
        Some((civil, at + end))
    }

    /// Returns the calendar time that was read last.
    pub(super) fn last(&self) -> Option<Civil> {
        self.found.get().map(|(_, _, (civil, _))| civil)
    }

    /// Where the calendar time ends that a text begins with.
    pub(crate) fn time_end(&self, text: &[u8]) -> Option<usize> {
        self.parse_at(text, 0).map(|(_, end)| end)
    }
}

#[cfg(test)]
mod tests;
