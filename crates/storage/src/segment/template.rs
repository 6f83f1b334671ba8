//! Splits a message into a template and typed variables, and tells which templates can hold a text.
//!
//! A *word* is a maximal run of ASCII letters, digits and bytes of non-ASCII characters. Words that hold a digit
//! are variables, so are IPv4 addresses and UUIDs as a whole; everything else is literal. Therefore a word
//! without digits stands in the template and nowhere else (but for words of hex letters alone, which a UUID or
//! a long hex number may hold): searching words means searching templates.
//!
//! A template is the message with each variable replaced by the marker byte of its kind. A message that holds a
//! marker byte, or that is very long, is kept raw.

use super::bytes::{Damage, Decoded};

/// Longest message in bytes that is split; longer ones hardly repeat and would make long templates.
const SPLIT_BYTES_MAX: usize = 8 << 10;

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
}

pub(crate) const KINDS: [Kind; 5] = [Kind::Integer, Kind::Address, Kind::Hex, Kind::Uuid, Kind::Text];

/// DC1 to NAK: control characters that log texts practically never hold.
const MARKER_FIRST: u8 = 0x11;

impl Kind {
    pub(crate) fn marker(self) -> u8 {
        MARKER_FIRST + self as u8
    }

    pub(crate) fn of_marker(byte: u8) -> Option<Self> {
        KINDS.get(usize::from(byte.checked_sub(MARKER_FIRST)?)).copied()
    }

    /// Whether `byte` can be part of a variable of this kind.
    fn admits(self, byte: u8) -> bool {
        match self {
            Self::Integer => byte.is_ascii_digit(),
            Self::Address => byte.is_ascii_digit() || byte == b'.',
            Self::Hex => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
            Self::Uuid => matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-'),
            Self::Text => is_word_byte(byte),
        }
    }
}

pub(crate) fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80
}

/// Splits `message`: the template goes into `template`, each variable is given to `variable` in order.
///
/// `false`: the message must be kept raw (and what was given is to be forgotten).
pub(crate) fn split<'m>(message: &'m str, template: &mut Vec<u8>, mut variable: impl FnMut(Kind, &'m str)) -> bool {
    let bytes = message.as_bytes();
    if bytes.len() > SPLIT_BYTES_MAX {
        return false;
    }
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        if !is_word_byte(byte) {
            if Kind::of_marker(byte).is_some() {
                return false;
            }
            template.push(byte);
            at += 1;
            continue;
        }
        let mut end = at;
        let mut has_digit = false;
        while end < bytes.len() && is_word_byte(bytes[end]) {
            has_digit |= bytes[end].is_ascii_digit();
            end += 1;
        }
        let word = &bytes[at..end];
        let (kind, end) = match classify(bytes, at, end, has_digit) {
            Some(found) => found,
            None => {
                template.extend_from_slice(word);
                at = end;
                continue;
            }
        };
        template.push(kind.marker());
        // Word ends and the ends of addresses and UUIDs lie beside ASCII bytes, hence on character boundaries.
        variable(kind, &message[at..end]);
        at = end;
    }
    true
}

/// The kind of the variable that starts with the word `at..end`, and where it ends; `None` for a literal word.
fn classify(bytes: &[u8], at: usize, end: usize, has_digit: bool) -> Option<(Kind, usize)> {
    let word = &bytes[at..end];
    let is_hex = |b: &[u8]| b.iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if word.len() == 8 && is_uuid(&bytes[at..]) {
        return Some((Kind::Uuid, at + 36));
    }
    if !has_digit {
        let long_hex = word.len() >= 16 && word.len().is_multiple_of(2) && is_hex(word);
        return long_hex.then_some((Kind::Hex, end));
    }
    if word.len() <= 3
        && let Some(end) = address_end(bytes, at)
    {
        return Some((Kind::Address, end));
    }
    let kind = if word.iter().all(u8::is_ascii_digit) {
        let canonical = word.len() == 1 || word[0] != b'0';
        let fits = word.len() <= 18;
        if canonical && fits { Kind::Integer } else { Kind::Text }
    } else if word.len() >= 8 && word.len().is_multiple_of(2) && is_hex(word) {
        Kind::Hex
    } else {
        Kind::Text
    };
    Some((kind, end))
}

fn is_uuid(bytes: &[u8]) -> bool {
    let Some(uuid) = bytes.get(..36) else { return false };
    let ends_there = bytes.get(36).is_none_or(|b| !is_word_byte(*b));
    ends_there
        && uuid.iter().enumerate().all(|(i, b)| match i {
            8 | 13 | 18 | 23 => *b == b'-',
            _ => matches!(b, b'0'..=b'9' | b'a'..=b'f'),
        })
}

/// Where the IPv4 address that starts at `at` ends, if there is one that is not part of a longer dotted number.
fn address_end(bytes: &[u8], at: usize) -> Option<usize> {
    if at >= 2 && bytes[at - 1] == b'.' && bytes[at - 2].is_ascii_digit() {
        return None;
    }
    let mut end = at;
    for part in 0..4 {
        if part > 0 {
            if bytes.get(end) != Some(&b'.') {
                return None;
            }
            end += 1;
        }
        let digits = bytes[end..].iter().take(4).take_while(|b| b.is_ascii_digit()).count();
        let text = &bytes[end..end + digits];
        let number = text.iter().fold(0u32, |sum, b| sum * 10 + u32::from(b - b'0'));
        if digits == 0 || digits > 3 || number > 255 || (digits > 1 && text[0] == b'0') {
            return None;
        }
        end += digits;
    }
    let next = bytes.get(end).copied();
    let goes_on =
        next.is_some_and(is_word_byte) || (next == Some(b'.') && bytes.get(end + 1).is_some_and(u8::is_ascii_digit));
    (!goes_on).then_some(end)
}

/// The value of an address in the form that [`push_address`] writes back.
pub(crate) fn parse_address(text: &str) -> u32 {
    text.split('.').fold(0, |sum, part| sum << 8 | part.bytes().fold(0, |n, b| n * 10 + u32::from(b - b'0')))
}

pub(crate) fn push_address(out: &mut Vec<u8>, address: u32) {
    // Four numbers of three digits and the points behind them, of which the last one is left out.
    let mut text = [0; 16];
    let mut length = 0;
    for part in address.to_be_bytes() {
        let digits = [b'0' + part / 100, b'0' + part / 10 % 10, b'0' + part % 10, b'.'];
        let n_zeros = usize::from(part < 100) + usize::from(part < 10);
        let n_digits = digits.len() - n_zeros;
        text[length..length + n_digits].copy_from_slice(&digits[n_zeros..]);
        length += n_digits;
    }
    out.extend_from_slice(&text[..length - 1]);
}

pub(crate) fn push_hex(out: &mut Vec<u8>, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.extend(bytes.iter().flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]));
}

/// Writes a number as people do. The standard library's way through a formatter takes several times as long.
pub(crate) fn push_integer(out: &mut Vec<u8>, number: i64) {
    // An i64 has at most 19 digits.
    let mut digits = [0; 19];
    let mut from = digits.len();
    let mut rest = number.unsigned_abs();
    while rest >= 10 && from > 1 {
        from -= 1;
        digits[from] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    if number < 0 {
        out.push(b'-');
    }
    out.push(b'0' + rest as u8);
    out.extend_from_slice(&digits[from..]);
}

/// Packs lower-case hex digits; bytes that are none are skipped (the dashes of a UUID).
pub(crate) fn pack_hex(out: &mut Vec<u8>, text: &str) {
    let mut digits = text.bytes().filter_map(|b| match b {
        b'0'..=b'9' => Some(b - b'0'),
        b'a'..=b'f' => Some(b - b'a' + 10),
        _ => None,
    });
    while let (Some(high), Some(low)) = (digits.next(), digits.next()) {
        out.push(high << 4 | low);
    }
}

/// A template taken apart: literals and the variables between them.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    bytes: Vec<u8>,
    kinds: Vec<Kind>,
}

/// Parts of a template in order.
pub(crate) enum Piece<'a> {
    Literal(&'a str),
    Variable(Kind),
}

impl Template {
    /// Takes the bytes that [`split`] made.
    pub(crate) fn new(bytes: Vec<u8>) -> Decoded<Self> {
        // Markers are ASCII, so a template is UTF-8 exactly when its message was.
        std::str::from_utf8(&bytes).map_err(|_| Damage("a template is not UTF-8"))?;
        let kinds = bytes.iter().filter_map(|b| Kind::of_marker(*b)).collect();
        Ok(Self { bytes, kinds })
    }

    pub(crate) fn kinds(&self) -> &[Kind] {
        &self.kinds
    }

    pub(crate) fn pieces(&self) -> impl Iterator<Item = Piece<'_>> {
        let is_marker = |b: &u8| Kind::of_marker(*b).is_some();
        self.bytes
            .split_inclusive(is_marker)
            .flat_map(move |piece| {
                let kind = piece.last().and_then(|b| Kind::of_marker(*b));
                let literal = &piece[..piece.len() - usize::from(kind.is_some())];
                // Checked in `new`; markers never lie inside a character.
                let literal = std::str::from_utf8(literal).unwrap_or_default();
                [(!literal.is_empty()).then_some(Piece::Literal(literal)), kind.map(Piece::Variable)]
            })
            .flatten()
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

/// Whether a message of a template holds a literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holds {
    /// Certainly not.
    No,
    /// Only a look at the variables tells.
    Perhaps,
    /// Certainly, whatever the variables are.
    Yes,
}

/// A literal prepared for asking templates: a bit-parallel automaton over its first 64 bytes (Baeza-Yates and
/// Gonnet, "A new approach to text searching", 1992), in which a variable stands for any bytes of its kind.
pub(crate) struct LiteralMatcher {
    /// Bit `i` of `masks[b]`: byte `b` may stand at place `i` of the literal.
    masks: Box<[u64; 256]>,
    kind_masks: [u64; KINDS.len()],
    last: u64,
    is_whole: bool,
}

impl LiteralMatcher {
    /// Prepares a literal, which must not be empty.
    pub(crate) fn new(literal: &str, ignores_case: bool) -> Self {
        let bytes = &literal.as_bytes()[..literal.len().min(64)];
        let mut masks = Box::new([0u64; 256]);
        for (place, byte) in bytes.iter().enumerate() {
            masks[usize::from(*byte)] |= 1 << place;
            if ignores_case {
                masks[usize::from(byte.to_ascii_lowercase())] |= 1 << place;
                masks[usize::from(byte.to_ascii_uppercase())] |= 1 << place;
            }
        }
        let kind_mask = |kind: Kind| {
            let admitted = (0..=255u8).filter(|b| kind.admits(*b));
            admitted.fold(0, |mask, b| mask | masks[usize::from(b)])
        };
        let kind_masks = KINDS.map(kind_mask);
        Self { masks, kind_masks, last: 1 << (bytes.len() - 1), is_whole: bytes.len() == literal.len() }
    }

    pub(crate) fn ask(&self, template: &Template) -> Holds {
        // `states`: places of the literal reached with variables; `sure`: without any.
        let (mut states, mut sure) = (0u64, 0u64);
        let (mut perhaps, mut certainly) = (false, false);
        for byte in &template.bytes {
            match Kind::of_marker(*byte) {
                None => {
                    let mask = self.masks[usize::from(*byte)];
                    states = (states << 1 | 1) & mask;
                    sure = (sure << 1 | 1) & mask;
                    certainly |= sure & self.last != 0;
                }
                Some(kind) => {
                    let mask = self.kind_masks[kind as usize];
                    sure = 0;
                    states = (states << 1 | 1) & mask;
                    // A variable may be of any length: go on until nothing new is reached.
                    loop {
                        let further = states | ((states << 1 | 1) & mask);
                        if further == states {
                            break;
                        }
                        states = further;
                    }
                }
            }
            perhaps |= states & self.last != 0;
        }
        match (certainly && self.is_whole, perhaps || certainly) {
            (true, _) => Holds::Yes,
            (false, true) => Holds::Perhaps,
            (false, false) => Holds::No,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(message: &str, expected: &str) {
        let (mut template, mut shown) = (Vec::new(), Vec::new());
        assert!(split(message, &mut template, |kind, text| shown.push(format!("{kind:?} {text}"))));
        let text: String = String::from_utf8(template).expect("a template is text");
        let text: String = text.chars().map(|c| if c.is_control() { '*' } else { c }).collect();
        assert_eq!(format!("{text} | {}", shown.join(", ")), expected);
    }

    #[test]
    fn words_with_digits_are_variables() {
        check("took 12 ms", "took * ms | Integer 12");
        check("from 10.0.3.255:8080", "from *:* | Address 10.0.3.255, Integer 8080");
        check("version 1.2.3.4.5", "version *.*.*.*.* | Integer 1, Integer 2, Integer 3, Integer 4, Integer 5");
        check("user u17 id 007", "user * id * | Text u17, Text 007");
        check("trace 0a1b2c3d4e5f", "trace * | Hex 0a1b2c3d4e5f");
        check("id abcdefab-cdef-abcd-efab-cdefabcdefab!", "id *! | Uuid abcdefab-cdef-abcd-efab-cdefabcdefab");
        check("999.1.1.1", "*.*.*.* | Integer 999, Integer 1, Integer 1, Integer 1");
        check("", " | ");
    }

    #[test]
    fn a_marker_byte_keeps_a_message_raw() {
        assert!(!split("odd \u{12}", &mut Vec::new(), |_, _| {}));
    }

    fn matching(message: &str, literal: &str, ignores_case: bool) -> Holds {
        let mut bytes = Vec::new();
        assert!(split(message, &mut bytes, |_, _| {}));
        let template = Template::new(bytes).expect("a template is text");
        LiteralMatcher::new(literal, ignores_case).ask(&template)
    }

    #[test]
    fn templates_say_yes_no_or_perhaps() {
        assert_eq!(matching("connection refused by 10.0.0.1", "nnection refu", false), Holds::Yes);
        assert_eq!(matching("connection refused by 10.0.0.1", "Refused", false), Holds::No);
        assert_eq!(matching("connection refused by 10.0.0.1", "Refused", true), Holds::Yes);
        assert_eq!(matching("connection refused by 10.0.0.1", "by 77", false), Holds::Perhaps);
        assert_eq!(matching("connection refused by 10.0.0.1", "by x", false), Holds::No);
        assert_eq!(matching("connection refused by 10.0.0.1", "10.0", false), Holds::Perhaps);
    }

    proptest! {
        #[test]
        fn what_a_message_holds_its_template_never_denies(
            message in "[a-f0-9 .:/x\u{e9}-]{0,80}", from in 0usize..80, length in 1usize..70, ignores_case in any::<bool>(),
        ) {
            let mut bytes = Vec::new();
            if split(&message, &mut bytes, |_, _| {}) {
                let template = Template::new(bytes).expect("a template is text");
                let literal: String = message.chars().skip(from).take(length).collect();
                if !literal.is_empty() {
                    prop_assert_ne!(LiteralMatcher::new(&literal, ignores_case).ask(&template), Holds::No);
                }
                if matches!(LiteralMatcher::new("a 1", false).ask(&template), Holds::Yes) {
                    prop_assert!(message.contains("a 1"));
                }
            }
        }
    }
}
