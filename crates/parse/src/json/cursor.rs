//! A way through JSON for readers that know what they look for: values are taken where they stand, nothing is built.

use std::borrow::Cow;

use super::JsonError;
use super::strings::{Unescaper, end_of_plain};

/// A place in a JSON text, at or before a value.
///
/// Each step reads what comes next, goes past it and past the white space before it. What is skipped is only looked at as far
/// as it takes to find its end.
#[derive(Clone, Debug)]
pub struct JsonCursor<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> JsonCursor<'t> {
    /// The beginning of a text.
    pub fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    /// What was not read yet.
    pub fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    /// Goes past `n_bytes` that the caller has read of the rest.
    ///
    /// # Panics
    /// Where they end within a character.
    pub fn advance(&mut self, n_bytes: usize) {
        self.at += n_bytes;
        assert!(self.text.is_char_boundary(self.at), "what was read ends with a character");
    }

    /// The first byte of what comes next.
    #[inline]
    pub fn peek(&mut self) -> Option<u8> {
        loop {
            match self.text.as_bytes().get(self.at) {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                next => return next.copied(),
            }
        }
    }

    /// Goes past an ASCII `byte` where it comes next; says whether it did.
    #[inline]
    pub fn take(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    /// Goes past `text` where it comes next, byte by byte; says whether it did.
    #[inline]
    pub fn take_text(&mut self, text: &str) -> bool {
        let is_next = self.text.as_bytes()[self.at..].starts_with(text.as_bytes());
        self.at += if is_next { text.len() } else { 0 };
        is_next
    }

    /// Goes past `byte`, which must come next.
    ///
    /// # Errors
    /// `problem`, where it does not.
    #[inline]
    pub fn expect(&mut self, byte: u8, problem: &'static str) -> Result<(), JsonError> {
        if self.take(byte) { Ok(()) } else { Err(self.error(problem)) }
    }

    /// Says whether a further member or element follows, behind a comma unless `is_first`; goes past `end` where none does.
    ///
    /// # Errors
    /// Where neither a comma nor the end comes next.
    #[inline]
    pub fn has_next(&mut self, is_first: bool, end: u8) -> Result<bool, JsonError> {
        if self.take(end) {
            return Ok(false);
        }
        if is_first || self.take(b',') {
            return Ok(true);
        }
        Err(self.error("expected a comma or the end of the object or list"))
    }

    /// A name and the colon behind it.
    ///
    /// # Errors
    /// Where there is none.
    #[inline]
    pub fn name(&mut self) -> Result<Cow<'t, str>, JsonError> {
        let name = self.string()?;
        self.expect(b':', "expected \":\"")?;
        Ok(name)
    }

    /// A text in quotes, in place where it has no escapes. Halves of surrogate pairs become U+FFFD.
    ///
    /// # Errors
    /// Where there is none.
    #[inline]
    pub fn string(&mut self) -> Result<Cow<'t, str>, JsonError> {
        self.expect(b'"', "expected a text in quotes")?;
        let start = self.at;
        self.at = end_of_plain(self.text.as_bytes(), start);
        if self.text.as_bytes().get(self.at) == Some(&b'"') {
            self.at += 1;
            return Ok(Cow::Borrowed(&self.text[start..self.at - 1]));
        }
        let mut text = String::new();
        let mut unescaped = Unescaper { line: self.text, at: self.at, out: &mut text, is_lossy: false };
        let read = unescaped.read(start);
        self.at = unescaped.at;
        read.map_err(|problem| self.error(problem))?;
        Ok(Cow::Owned(text))
    }

    /// The letters of a number, `true`, `false` or `null`, which it may or may not be.
    ///
    /// # Errors
    /// Where none comes next.
    #[inline]
    pub fn scalar(&mut self) -> Result<&'t str, JsonError> {
        self.peek();
        let rest = self.rest();
        let is_of_scalar = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
        let n_bytes = rest.bytes().take_while(|byte| is_of_scalar(byte)).count();
        types::ensure!(n_bytes != 0, self.error("expected a value"));
        self.at += n_bytes;
        Ok(&rest[..n_bytes])
    }

    /// Goes past a value of any kind, whose objects and lists only have to end, and returns it as it is written.
    ///
    /// # Errors
    /// Where there is none, or it does not end.
    pub fn skip(&mut self) -> Result<&'t str, JsonError> {
        let next = self.peek();
        let start = self.at;
        match next {
            Some(b'"') => self.skip_string()?,
            Some(b'{' | b'[') => self.skip_nested()?,
            _ => drop(self.scalar()?),
        }
        Ok(&self.text[start..self.at])
    }

    fn skip_string(&mut self) -> Result<(), JsonError> {
        let bytes = self.text.as_bytes();
        self.at = end_of_plain(bytes, self.at + 1);
        while bytes.get(self.at) == Some(&b'\\') {
            // What is escaped is no end; where it is a longer character, its other bytes are none either.
            self.at = end_of_plain(bytes, self.at + 2);
        }
        if self.at >= bytes.len() {
            self.at = bytes.len();
            return Err(self.error("text without closing quote"));
        }
        self.at += 1;
        Ok(())
    }

    fn skip_nested(&mut self) -> Result<(), JsonError> {
        let mut depth = 0usize;
        loop {
            match self.text.as_bytes().get(self.at) {
                Some(b'"') => {
                    self.skip_string()?;
                    continue;
                }
                Some(b'{' | b'[') => depth += 1,
                Some(b'}' | b']') => depth -= 1,
                Some(_) => {}
                None => return Err(self.error("an object or list without its end")),
            }
            self.at += 1;
            if depth == 0 {
                return Ok(());
            }
        }
    }

    /// A problem with what comes next.
    #[cold]
    pub fn error(&self, problem: &'static str) -> JsonError {
        JsonError::at(self.text.as_bytes(), self.at, problem)
    }
}

#[cfg(test)]
mod tests;
