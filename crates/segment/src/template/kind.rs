//! Kinds of variables, and the bytes that represent variables in a template.

use crate::bytes::{Damage, Decoded};
use crate::time_text::{FORM_BYTES, Form};

/// Kinds of variables; the marker byte of kind `k` is `MARKER_FIRST + k`, but for the last two, which only values of fields have.
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
    /// Any text.
    Any,
    /// What JSON spells: a number, `true` or `false`, a list, a text in quotes that has escapes.
    Json,
}

pub(crate) const KINDS: [Kind; 9] =
    [Kind::Integer, Kind::Address, Kind::Hex, Kind::Uuid, Kind::Text, Kind::Time, Kind::Quoted, Kind::Any, Kind::Json];

/// How many kinds have a marker.
const KINDS_MARKED: usize = 7;

/// How many of them segments of format 1 know.
const KINDS_OF_FORMAT_1: usize = 5;

/// DC1 to CAN: control characters that log texts practically never hold.
const MARKER_FIRST: u8 = 0x11;

/// The marker of a variable that is the value of a field; its kind and the number of the field follow.
const FIELD_MARKER: u8 = MARKER_FIRST + KINDS_MARKED as u8;

/// How many bytes follow it.
const FIELD_BYTES: usize = 3;

/// Fields that templates can name.
pub(crate) const FIELDS_MAX: usize = DIGITS * DIGITS;

/// What follows is written with printable characters of ASCII, so that a template stays text without markers.
const DIGITS: usize = 94;
const DIGIT_FIRST: u8 = b'!';

impl Kind {
    pub(crate) fn marker(self) -> u8 {
        MARKER_FIRST + self as u8
    }

    /// Reports whether a byte is a marker: what most bytes are asked.
    pub(super) fn is_marker(byte: u8) -> bool {
        byte.wrapping_sub(MARKER_FIRST) <= KINDS_MARKED as u8
    }
}

/// Writes a variable of a kind that is the value of a field.
pub(super) fn put_field(out: &mut Vec<u8>, kind: Kind, field: u16) {
    let field = usize::from(field);
    let digits = [kind as usize, field / DIGITS, field % DIGITS];
    out.push(FIELD_MARKER);
    out.extend(digits.map(|digit| DIGIT_FIRST + digit as u8));
}

/// Reads what follows the marker of a field.
fn take_field(bytes: &[u8]) -> Option<(Kind, u16)> {
    let digit = |byte: u8| byte.checked_sub(DIGIT_FIRST).map(usize::from).filter(|digit| *digit < DIGITS);
    let [kind, high, low] = *bytes.first_chunk::<FIELD_BYTES>()?;
    let kind = KINDS.get(digit(kind)?).filter(|kind| **kind != Kind::Time)?;
    Some((*kind, (digit(high)? * DIGITS + digit(low)?) as u16))
}

/// A variable's place in a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) kind: Kind,
    /// How a time is spelled; only times have it.
    pub(crate) form: Option<Form>,
    /// The number of the run's field whose value it is: stored with the field and not with messages.
    pub(crate) field: Option<u16>,
}

impl Slot {
    /// Returns a variable of a kind that has neither form nor field.
    pub(crate) fn plain(kind: Kind) -> Self {
        Self { kind, form: None, field: None }
    }

    /// Returns the length of the variable that begins with the marker at the beginning of `bytes`; `None` if templates of segments
    /// of `format` have no such marker.
    pub(super) fn check(bytes: &[u8], format: u16) -> Decoded<Option<usize>> {
        let Some(marker) = bytes.first() else { return Ok(None) };
        let n_known = match format {
            1 => KINDS_OF_FORMAT_1,
            2 => KINDS_MARKED,
            _ => KINDS_MARKED + 1,
        };
        let number = usize::from(marker.wrapping_sub(MARKER_FIRST));
        if number >= n_known {
            return Ok(None);
        }
        let unknown = match *marker == FIELD_MARKER {
            true => "a template has an unknown field",
            false => "a template has an unknown form of time",
        };
        Self::read(bytes).map(|(_, length)| Some(length)).ok_or(Damage(unknown))
    }

    /// Reads the variable that begins with the marker at the beginning of `bytes`, and how long it is.
    #[inline]
    pub(super) fn read(bytes: &[u8]) -> Option<(Self, usize)> {
        let (marker, rest) = bytes.split_first()?;
        if *marker == FIELD_MARKER {
            let (kind, field) = take_field(rest)?;
            return Some((Self { field: Some(field), ..Self::plain(kind) }, 1 + FIELD_BYTES));
        }
        let kind = *KINDS[..KINDS_MARKED].get(usize::from(marker.wrapping_sub(MARKER_FIRST)))?;
        if kind != Kind::Time {
            return Some((Self::plain(kind), 1));
        }
        let form = Form::of_bytes(rest.get(..FORM_BYTES)?)?;
        Some((Self { form: Some(form), ..Self::plain(kind) }, 1 + FORM_BYTES))
    }
}
