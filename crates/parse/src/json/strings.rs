//! Texts in quotes: found eight bytes at a time, unescaped only where there is something to unescape.

use super::JsonError;
use super::scan::Scanner;
use crate::json::members::Span;

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
        let mut unescaped = Unescaper { line: self.line, at: self.at, out: &mut self.out.scratch, is_lossy: false };
        let read = unescaped.read(start);
        self.at = unescaped.at;
        self.out.is_lossy |= unescaped.is_lossy;
        read.map_err(|problem| self.error(problem))?;
        Ok(Span { start: scratch_start as u32, end: self.out.scratch.len() as u32, is_scratch: true })
    }
}

/// Writes a text without its escapes.
pub(super) struct Unescaper<'s, 'o> {
    pub(super) line: &'s str,
    /// Where reading goes on; at an error, where that is.
    pub(super) at: usize,
    pub(super) out: &'o mut String,
    /// Whether an escape stood for no character.
    pub(super) is_lossy: bool,
}

impl Unescaper<'_, '_> {
    /// Reads to behind the closing quote the text that began at `plain_from`, whose first escape is the next byte.
    pub(super) fn read(&mut self, mut plain_from: usize) -> Result<(), &'static str> {
        loop {
            self.out.push_str(&self.line[plain_from..self.at]);
            match self.line.as_bytes().get(self.at) {
                Some(b'"') => break,
                Some(_) => self.escape()?,
                None => return Err("text without closing quote"),
            }
            plain_from = self.at;
            self.at = end_of_plain(self.line.as_bytes(), self.at);
        }
        self.at += 1;
        Ok(())
    }

    fn escape(&mut self) -> Result<(), &'static str> {
        let character = match self.line.as_bytes().get(self.at + 1) {
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(*byte),
            Some(b'n') => '\n',
            Some(b't') => '\t',
            Some(b'r') => '\r',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'u') => return self.unicode_escape(),
            _ => return Err("unknown escape"),
        };
        self.out.push(character);
        self.at += 2;
        Ok(())
    }

    /// Reads `\uXXXX`, with its second half where it is the first of a pair; a lone half becomes U+FFFD.
    fn unicode_escape(&mut self) -> Result<(), &'static str> {
        let unit = self.hex_unit(self.at).ok_or("expected four hexadecimal digits")?;
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
        self.is_lossy |= character.is_none();
        self.out.push(character.unwrap_or(char::REPLACEMENT_CHARACTER));
        Ok(())
    }

    /// The code unit of the escape `\uXXXX` at `at`, if there is one.
    fn hex_unit(&self, at: usize) -> Option<u32> {
        let escape = self.line.as_bytes().get(at..at + 6)?;
        if !escape.starts_with(b"\\u") {
            return None;
        }
        escape[2..].iter().try_fold(0, |sum, byte| Some(sum * 16 + char::from(*byte).to_digit(16)?))
    }
}

/// Where the first quote or backslash from `at` on stands, or the end. Eight bytes at a time.
pub(super) fn end_of_plain(bytes: &[u8], mut at: usize) -> usize {
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
