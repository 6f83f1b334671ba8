//! Cutting the bytes of a file into events, as the encoding and the input of the file ask for.

use parse::Utf16;

use super::state::LinePosition;
use crate::boundary::{self, Cut, Multiline, Place, TailState};

/// Bytes of the pieces of a line that is too long to be kept whole.
pub(super) const PIECE_BYTES: usize = 4 << 20;

/// What lines of a file are.
#[derive(Clone, Copy)]
pub(super) struct Lines<'m> {
    pub(super) multiline: &'m Multiline,
    pub(super) encoding: Option<Utf16>,
    pub(super) place: Place,
}

impl Lines<'_> {
    /// Cuts whole events off the start of bytes at `place` in the file.
    pub(super) fn cut(self, bytes: &[u8], place: u64, settled: TailState) -> Cut {
        match self.encoding {
            Some(encoding) => boundary::cut_utf16(encoding, bytes, place, settled, self.multiline),
            None => boundary::cut(bytes, self.place, settled, self.multiline),
        }
    }

    /// Cuts what is too long to wait for its end: at the end of a line, or a piece off a line, not within a character.
    pub(super) fn cut_by_force(self, bytes: &[u8], place: u64) -> (Cut, LinePosition) {
        let by_lines = self.cut(bytes, place, TailState::Lines);
        if by_lines.n_bytes > 0 {
            return (by_lines, LinePosition::Start);
        }
        let part = &bytes[..bytes.len().min(PIECE_BYTES)];
        if let Some(encoding) = self.encoding {
            let n_bytes = encoding
                .characters(part, place)
                .filter(|(character, _)| character.is_some())
                .last()
                .map_or(part.len(), |(_, end)| end);
            return (Cut { n_bytes, lengths: Some(vec![n_bytes as u64]) }, LinePosition::Within);
        }
        let at_returns = boundary::cut_at_returns(bytes, self.multiline);
        if at_returns.n_bytes > 0 {
            return (at_returns, LinePosition::Start);
        }
        let n_last = part.iter().rev().take(4).take_while(|b| **b & 0xC0 == 0x80).count();
        // The character that the last bytes begin may not be whole: leave it for the next piece.
        let candidate = part.len().saturating_sub(n_last + 1);
        let n_bytes = if candidate > 0 && part[candidate] >= 0xC0 { candidate } else { part.len() };
        (Cut { n_bytes, lengths: None }, LinePosition::Within)
    }
}
