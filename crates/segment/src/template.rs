//! Templates: messages with their variables taken out.
//!
//! A *word* is a maximal run of ASCII letters, digits and bytes of non-ASCII characters. Words that hold a digit
//! are variables, so are IPv4 addresses, UUIDs and times (`moment`) as a whole; everything else is literal. Therefore
//! a word without digits stands in the template and nowhere else, but for hex letters alone, which a UUID or a long
//! hex number may hold, and for names of months and weekdays: searching words means searching templates. Where the
//! messages of a run have too many templates, texts in double quotes become variables as a whole (`split`), and such
//! a variable may hold any word.
//!
//! A template is the message with each variable replaced by the marker byte of its kind; behind the marker of a time
//! stands its form. A message that holds a marker byte, or that is very long, is kept raw. Segments of format 1 know
//! the first five kinds alone.

mod candidates;
mod matcher;
mod spelling;
mod split;
mod ways;

use std::ops::Range;
use std::sync::Arc;

use crate::bytes::{Damage, Decoded};
use crate::moment::{FORM_BYTES, Form};

pub(crate) use candidates::Written;
pub(crate) use matcher::{Holds, Kinds, LiteralMatcher};
pub(crate) use spelling::{pack_hex, parse_address, push_address, push_hex, push_integer};
pub(crate) use split::{Grain, Parts, Variable, split};
pub(crate) use ways::{Demand, ways};

/// Kinds of variables; the marker byte of kind `k` is `MARKER_FIRST + k`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// A number that fits `i64` and is written without leading zeros.
    Integer,
    /// A dotted IPv4 address without leading zeros.
    Address,
    /// An even number of lower-case hex digits, at least eight.
    Hex,
    /// 8-4-4-4-12 lower-case hex digits.
    Uuid,
    /// Any other word with a digit.
    Text,
    /// Date and time of day in one of the usual spellings.
    Time,
    /// What stands between two double quotes.
    Quoted,
}

pub(crate) const KINDS: [Kind; 7] =
    [Kind::Integer, Kind::Address, Kind::Hex, Kind::Uuid, Kind::Text, Kind::Time, Kind::Quoted];

/// How many of the kinds segments of format 1 know.
const KINDS_OF_FORMAT_1: usize = 5;

/// DC1 to ETB: control characters that log texts practically never hold.
const MARKER_FIRST: u8 = 0x11;

impl Kind {
    pub(crate) fn marker(self) -> u8 {
        MARKER_FIRST + self as u8
    }

    pub(crate) fn of_marker(byte: u8) -> Option<Self> {
        KINDS.get(usize::from(byte.checked_sub(MARKER_FIRST)?)).copied()
    }
}

pub(crate) fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80
}

/// A variable's place in a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) kind: Kind,
    /// How a time is spelled; only times have it.
    pub(crate) form: Option<Form>,
}

/// A template taken apart: literals and the variables between them.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    /// Its bytes, among those of the templates that it was read with.
    all: Arc<[u8]>,
    place: Range<u32>,
    /// Where each variable's marker stands, and its form behind it.
    slots: Vec<(Range<u32>, Slot)>,
}

/// Parts of a template in order.
pub(crate) enum Piece<'a> {
    Literal(&'a str),
    Variable(Slot),
}

impl Template {
    /// Takes the bytes that [`split`] made, or those of a segment of an earlier `format`.
    pub(crate) fn new(bytes: Vec<u8>, format: u16) -> Decoded<Self> {
        let n_bytes = bytes.len();
        Self::within(&bytes.into(), 0..n_bytes, format)
    }

    /// Takes the template at `place` of the bytes of several.
    pub(crate) fn within(all: &Arc<[u8]>, place: Range<usize>, format: u16) -> Decoded<Self> {
        let bytes = all.get(place.clone()).ok_or(Damage("a length is out of range"))?;
        let end = u32::try_from(place.end).map_err(|_| Damage("a length is out of range"))?;
        // Markers and forms are ASCII, so a template is UTF-8 exactly when its message was.
        std::str::from_utf8(bytes).map_err(|_| Damage("a template is not UTF-8"))?;
        let mut slots = Vec::new();
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            let known = Kind::of_marker(*byte);
            let Some(kind) = known.filter(|kind| format > 1 || (*kind as usize) < KINDS_OF_FORMAT_1) else {
                at += 1;
                continue;
            };
            let mut end = at + 1;
            let mut form = None;
            if kind == Kind::Time {
                end += FORM_BYTES;
                let read = bytes.get(at + 1..end).and_then(Form::of_bytes);
                form = Some(read.ok_or(Damage("a template has an unknown form of time"))?);
            }
            slots.push((at as u32..end as u32, Slot { kind, form }));
            at = end;
        }
        Ok(Self { place: end - bytes.len() as u32..end, all: all.clone(), slots })
    }

    fn bytes(&self) -> &[u8] {
        &self.all[self.place.start as usize..self.place.end as usize]
    }

    /// The variables, each with what stands before it from the beginning of the template on.
    pub(crate) fn slots_in_context(&self) -> impl Iterator<Item = (&[u8], Slot)> {
        self.slots.iter().map(|(place, slot)| (&self.bytes()[..place.start as usize], *slot))
    }

    /// Whether a variable is a quoted text, which may hold anything.
    #[cfg(test)]
    pub(crate) fn has_quoted(&self) -> bool {
        self.slots.iter().any(|(_, slot)| slot.kind == Kind::Quoted)
    }

    pub(crate) fn pieces(&self) -> impl Iterator<Item = Piece<'_>> {
        let ends = self.slots.iter().map(|(place, _)| place.end as usize);
        let starts = std::iter::once(0).chain(ends);
        let slots = self.slots.iter().map(Some).chain([None]);
        starts.zip(slots).flat_map(|(start, slot)| {
            let end = slot.map_or(self.bytes().len(), |(place, _)| place.start as usize);
            // Checked in `within`; markers never lie inside a character.
            let literal = std::str::from_utf8(&self.bytes()[start..end]).unwrap_or_default();
            let literal = (!literal.is_empty()).then_some(Piece::Literal(literal));
            [literal, slot.map(|(_, slot)| Piece::Variable(*slot))].into_iter().flatten()
        })
    }

    /// Lower-case words of the literals, for the word index.
    pub(crate) fn words(&self) -> impl Iterator<Item = String> + '_ {
        self.pieces().flat_map(|piece| match piece {
            Piece::Literal(text) => words(text).map(str::to_ascii_lowercase).collect(),
            Piece::Variable(_) => Vec::new(),
        })
    }
}

/// Words of a text.
pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_ascii() && !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty())
}
