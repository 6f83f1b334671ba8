//! How times are spelled.

pub(super) const MONTHS: [&[u8; 3]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

/// Day 0 of the epoch was a Thursday.
pub(super) const WEEKDAYS: [&[u8; 3]; 7] = [b"Thu", b"Fri", b"Sat", b"Sun", b"Mon", b"Tue", b"Wed"];

/// Bytes of a form in a template.
pub(crate) const FORM_BYTES: usize = 5;

/// How a time is spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Form {
    pub(super) date: u8,
    pub(super) between: u8,
    pub(super) time: u8,
    pub(super) mark: u8,
    pub(super) digits: u8,
}

impl Form {
    /// Reads a form from a template.
    pub(crate) fn of_bytes(bytes: &[u8]) -> Option<Self> {
        let [date, between, time, mark, digits] = *bytes else { return None };
        let is_known = matches!(date, b'a'..=b'n')
            && matches!(time, b'a'..=b'd')
            && is_between(between)
            && digits.is_ascii_digit()
            && (mark == b'-' || is_mark(mark));
        is_known.then_some(Self { date, between, time, mark, digits: digits - b'0' })
    }

    /// Returns its bytes in the template.
    pub(crate) fn bytes(self) -> [u8; FORM_BYTES] {
        [self.date, self.between, self.time, self.mark, b'0' + self.digits]
    }

    /// Nanoseconds of one unit.
    pub(crate) fn unit_ns(self) -> i64 {
        10i64.pow(9 - u32::from(self.digits.min(9)))
    }

    /// Reports whether it holds names of months or days.
    pub(crate) fn has_names(self) -> bool {
        matches!(self.date, b'i'..=b'n')
    }

    /// Reports whether `byte`, which is no letter of a name, may occur in such a time.
    pub(crate) fn admits(self, byte: u8) -> bool {
        byte.is_ascii_digit()
            || byte == self.between
            || (byte == self.mark && self.digits > 0)
            || match self.date {
                b'a' | b'g' => byte == b'-',
                b'b' | b'e' | b'l' => byte == b'/',
                b'c' | b'h' => byte == b'.',
                b'i' | b'j' | b'k' | b'm' | b'n' => byte == b' ',
                _ => false,
            }
            || match self.time {
                b'a' | b'd' => byte == b':',
                b'b' => byte == b'.',
                _ => false,
            }
    }
}

pub(super) fn is_between(byte: u8) -> bool {
    matches!(byte, b' ' | b'T' | b'-' | b':' | b'_')
}

pub(super) fn is_mark(byte: u8) -> bool {
    matches!(byte, b'.' | b',' | b':')
}

/// Reports whether adjacent letters may be part of a name in some time, or the letters around one.
pub(crate) fn may_be_letters(letters: &[u8], ignores_case: bool) -> bool {
    let is_in = |name: &[u8; 3]| {
        let holds = |part: &[u8]| if ignores_case { part.eq_ignore_ascii_case(letters) } else { part == letters };
        name.windows(letters.len().max(1)).any(holds)
    };
    matches!(letters, b"T" | b"t" | b"Z" | b"z") || MONTHS.iter().chain(&WEEKDAYS).any(|name| is_in(name))
}
