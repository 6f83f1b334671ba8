//! A template taken apart into literals and variables.

use std::ops::Range;

use crate::bytes::Decoded;
use crate::template::kind::{Kind, Slot};
use crate::words::words;

/// A template: literals and the variables between them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Template<'t> {
    text: &'t str,
    /// Where it begins among the bytes of all templates of its run.
    start: u32,
    /// Where each variable begins among them.
    variables: &'t [u32],
}

/// Gives the places of the variables of a template of a segment of `format`, in order.
pub(super) fn each_marker(bytes: &[u8], format: u16, mut found: impl FnMut(usize)) -> Decoded<()> {
    let mut at = 0;
    while let Some(marker) = next_marker(bytes, at) {
        let length = Slot::check(&bytes[marker..], format)?;
        if length.is_some() {
            found(marker);
        }
        at = marker + length.unwrap_or(1);
    }
    Ok(())
}

/// Returns the place of the first marker from `from` on.
fn next_marker(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    // Eight bytes in one step, as long as none of them is a control character.
    while let Some(eight) = bytes.get(at..at + 8).and_then(|eight| eight.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*eight);
        let below = word.wrapping_sub(0x2020_2020_2020_2020) & !word & 0x8080_8080_8080_8080;
        if below == 0 {
            at += 8;
            continue;
        }
        let first = at + (below.trailing_zeros() / 8) as usize;
        if Kind::is_marker(bytes[first]) {
            return Some(first);
        }
        at = first + 1;
    }
    let rest = bytes.get(at..).unwrap_or_default();
    rest.iter().position(|byte| Kind::is_marker(*byte)).map(|place| at + place)
}

/// Parts of a template in order.
pub(crate) enum Piece<'a> {
    Literal(&'a str),
    Variable(Slot),
}

impl<'t> Template<'t> {
    /// Takes a template that begins at `start` of the bytes of all, as its `variables` do.
    pub(super) fn new(text: &'t str, start: u32, variables: &'t [u32]) -> Self {
        Self { text, start, variables }
    }

    pub(super) fn bytes(self) -> &'t [u8] {
        self.text.as_bytes()
    }

    /// Returns variable number `index`, and the range of bytes that stands for it.
    pub(super) fn variable(self, index: usize) -> Option<(Range<usize>, Slot)> {
        let at = (self.variables.get(index)? - self.start) as usize;
        let (slot, length) = Slot::read(&self.bytes()[at..])?;
        Some((at..at + length, slot))
    }

    /// Returns the variables in order, as [`Self::variable`] does.
    pub(super) fn variables(self) -> impl Iterator<Item = (Range<usize>, Slot)> {
        (0..self.variables.len()).map_while(move |index| self.variable(index))
    }

    /// Returns the variables, each with the template up to it.
    pub(crate) fn slots_in_context(self) -> impl Iterator<Item = (&'t [u8], Slot)> {
        self.variables().map(move |(place, slot)| (&self.bytes()[..place.start], slot))
    }

    /// Returns its parts in order.
    pub(crate) fn pieces(self) -> impl Iterator<Item = Piece<'t>> {
        let mut start = 0;
        self.variables().map(Some).chain([None]).flat_map(move |variable| {
            let end = variable.as_ref().map_or(self.text.len(), |(place, _)| place.start);
            // Markers never lie inside a character.
            let literal = self.text.get(start..end).filter(|literal| !literal.is_empty()).map(Piece::Literal);
            start = variable.as_ref().map_or(end, |(place, _)| place.end);
            [literal, variable.map(|(_, slot)| Piece::Variable(slot))].into_iter().flatten()
        })
    }

    /// Returns the words of the literals in lower case, for the word index.
    pub(crate) fn words(self) -> impl Iterator<Item = String> + 't {
        self.pieces().flat_map(|piece| match piece {
            Piece::Literal(text) => words(text).map(str::to_ascii_lowercase).collect(),
            Piece::Variable(_) => Vec::new(),
        })
    }
}

#[cfg(test)]
mod tests;
