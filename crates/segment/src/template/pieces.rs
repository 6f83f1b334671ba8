//! A template taken apart into literals and variables.

use std::ops::Range;
use std::sync::Arc;

use crate::bytes::{Damage, Decoded};
use crate::template::kind::{Kind, Slot};
use crate::words::words;

/// A template taken apart: literals and the variables between them.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    /// Its bytes, among those of the templates that it was read with.
    all: Arc<str>,
    place: Range<u32>,
    /// Place of each variable's marker and what belongs to it.
    pub(super) slots: Vec<(Range<u32>, Slot)>,
}

/// Gives the variables of a template in order, each with the place of its marker and what belongs to it.
pub(crate) fn each_variable(bytes: &[u8], format: u16, mut found: impl FnMut(Range<u32>, Slot)) -> Decoded<()> {
    let mut at = 0;
    while let Some(marker) = next_marker(bytes, at) {
        at = marker;
        let Some((slot, length)) = Slot::read(&bytes[at..], format)? else {
            at += 1;
            continue;
        };
        let end = at + length;
        found(at as u32..end as u32, slot);
        at = end;
    }
    Ok(())
}

/// Returns the parts of a template whose variables are `slots`.
pub(crate) fn pieces_between<'a>(
    bytes: &'a [u8],
    slots: impl Iterator<Item = (Range<u32>, Slot)>,
) -> impl Iterator<Item = Piece<'a>> {
    let mut start = 0;
    slots.map(Some).chain([None]).flat_map(move |slot| {
        let end = slot.as_ref().map_or(bytes.len(), |(place, _)| place.start as usize);
        // Checked where it was read; markers never lie inside a character.
        let literal = std::str::from_utf8(&bytes[start..end]).unwrap_or_default();
        start = slot.as_ref().map_or(end, |(place, _)| place.end as usize);
        let literal = (!literal.is_empty()).then_some(Piece::Literal(literal));
        [literal, slot.map(|(_, slot)| Piece::Variable(slot))].into_iter().flatten()
    })
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

impl Template {
    /// Takes the bytes that [`split`] made, or those of a segment of an earlier `format`.
    pub(crate) fn new(bytes: Vec<u8>, format: u16) -> Decoded<Self> {
        // Markers and forms are ASCII, so a template is UTF-8 exactly when its message was.
        let text = String::from_utf8(bytes).map_err(|_| Damage("a template is not UTF-8"))?;
        Self::within(&text.as_str().into(), 0..text.len(), format)
    }

    /// Takes the template at `place` of the bytes of several.
    pub(crate) fn within(all: &Arc<str>, place: Range<usize>, format: u16) -> Decoded<Self> {
        let bytes = all.get(place.clone()).ok_or(Damage("a length is out of range"))?.as_bytes();
        let end = u32::try_from(place.end).map_err(|_| Damage("a length is out of range"))?;
        // Most templates have no more.
        let mut slots = Vec::with_capacity(4);
        each_variable(bytes, format, |place, slot| slots.push((place, slot)))?;
        Ok(Self { place: end - bytes.len() as u32..end, all: all.clone(), slots })
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.all.as_bytes()[self.place.start as usize..self.place.end as usize]
    }

    /// Returns the variables, each with the template up to it.
    pub(crate) fn slots_in_context(&self) -> impl Iterator<Item = (&[u8], Slot)> {
        self.slots.iter().map(|(place, slot)| (&self.bytes()[..place.start as usize], *slot))
    }

    /// Reports whether a variable is a quoted text, which may hold anything.
    #[cfg(test)]
    pub(crate) fn has_quoted(&self) -> bool {
        self.slots.iter().any(|(_, slot)| slot.kind == Kind::Quoted)
    }

    pub(crate) fn pieces(&self) -> impl Iterator<Item = Piece<'_>> {
        pieces_between(self.bytes(), self.slots.iter().cloned())
    }

    /// Returns the words of the literals in lower case, for the word index.
    pub(crate) fn words(&self) -> impl Iterator<Item = String> + '_ {
        self.pieces().flat_map(|piece| match piece {
            Piece::Literal(text) => words(text).map(str::to_ascii_lowercase).collect(),
            Piece::Variable(_) => Vec::new(),
        })
    }
}

#[cfg(test)]
mod tests;
