//! Kinds of variables, and the marker bytes that represent them in a template.

use crate::time_text::Form;

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
    /// The text between two double quotes.
    Quoted,
}

pub(crate) const KINDS: [Kind; 7] =
    [Kind::Integer, Kind::Address, Kind::Hex, Kind::Uuid, Kind::Text, Kind::Time, Kind::Quoted];

/// How many of the kinds segments of format 1 know.
pub(super) const KINDS_OF_FORMAT_1: usize = 5;

/// DC1 to ETB: control characters that log texts practically never hold.
const MARKER_FIRST: u8 = 0x11;

impl Kind {
    pub(crate) fn marker(self) -> u8 {
        MARKER_FIRST + self as u8
    }

    /// Reports whether a byte is a marker: what most bytes are asked.
    pub(super) fn is_marker(byte: u8) -> bool {
        byte.wrapping_sub(MARKER_FIRST) < KINDS.len() as u8
    }

    pub(crate) fn of_marker(byte: u8) -> Option<Self> {
        KINDS.get(usize::from(byte.checked_sub(MARKER_FIRST)?)).copied()
    }
}

/// A variable's place in a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) kind: Kind,
    /// How a time is spelled; only times have it.
    pub(crate) form: Option<Form>,
}
