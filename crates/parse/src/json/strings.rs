//! Texts in quotes: found eight bytes at a time, unescaped only where there is something to unescape.

use super::scan::Scanner;
use super::{JsonError, Span};

impl Scanner<'_> {
    /// Reads a text in quotes; one without escapes stays where it is.
    pub(super) fn string(&mut self) -> Result<Span, JsonError> {
        let start = self.at + 1;
        self.at = end_of_plain(self.bytes, start);
        match self.peek() {
            Some(b'"') => {
                let span = self.span(start);
                self.at += 1;
                Ok(span)
            }
            Some(_) => self.string_with_escapes(start),
            None => Err(self.error("text without closing quote")),
        }
    }

    fn string_with_escapes(&mut self, start: usize) -> Result<Span, JsonError> {
        let scratch_start = self.out.scratch.len();
        let mut plain_from = start;
        loop {
            self.out.scratch.push_str(&self.line[plain_from..self.at]);
            match self.peek() {
                Some(b'"') => break,
                Some(_) => self.escape()?,
                None => return Err(self.error("text without closing quote")),
            }
            plain_from = self.at;
            self.at = end_of_plain(self.bytes, self.at);
        }
        self.at += 1;
        Ok(Span { start: scratch_start as u32, end: self.out.scratch.len() as u32, is_scratch: true })
    }

    fn escape(&mut self) -> Result<(), JsonError> {
        let character = match self.bytes.get(self.at + 1) {
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(*byte),
            Some(b'n') => '\n',
            Some(b't') => '\t',
            Some(b'r') => '\r',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'u') => return self.unicode_escape(),
            _ => return Err(self.error("unknown escape")),
        };
        self.out.scratch.push(character);
        self.at += 2;
        Ok(())
    }

    /// Reads `\uXXXX`, with its second half where it is the first of a pair; a lone half becomes U+FFFD.
    fn unicode_escape(&mut self) -> Result<(), JsonError> {
        let unit = self.hex_unit(self.at).ok_or_else(|| self.error("expected four hexadecimal digits"))?;
        self.at += 6;
        let low = if (0xd800..0xdc00).contains(&unit) { self.hex_unit(self.at) } else { None };
        let code = match low.filter(|low| (0xdc00..0xe000).contains(low)) {
            Some(low) => {
                self.at += 6;
                0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00)
            }
            None => unit,
        };
        let character = char::from_u32(code);
        self.out.is_lossy |= character.is_none();
        self.out.scratch.push(character.unwrap_or(char::REPLACEMENT_CHARACTER));
        Ok(())
    }

    /// The code unit of the escape `\uXXXX` at `at`, if there is one.
    fn hex_unit(&self, at: usize) -> Option<u32> {
        let escape = self.bytes.get(at..at + 6)?;
        if !escape.starts_with(b"\\u") {
            return None;
        }
        escape[2..].iter().try_fold(0, |sum, byte| Some(sum * 16 + char::from(*byte).to_digit(16)?))
    }
}

/// Where the first quote or backslash from `at` on stands, or the end. Eight bytes at a time.
fn end_of_plain(bytes: &[u8], mut at: usize) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = ONES << 7;
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word & HIGHS;
    while let Some(eight) = bytes.get(at..at + 8) {
        let word = u64::from_le_bytes(eight.try_into().expect("the slice has eight bytes"));
        // Marks above the lowest may be wrong, the lowest never is.
        let found = zeros(word ^ (ONES * b'"' as u64)) | zeros(word ^ (ONES * b'\\' as u64));
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while at < bytes.len() && !matches!(bytes[at], b'"' | b'\\') {
        at += 1;
    }
    at
}
