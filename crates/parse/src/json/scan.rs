//! The scanner: one pass over the line, nested objects by a stack of its own.

use std::sync::Arc;

use types::{Limits, Value, ensure};

use super::{JsonError, Members};
use crate::Projection;
use crate::json::members::{Member, Span, SpecialKey, Token};

/// Longest path of a field in bytes. A member whose path is longer goes into the rest: otherwise many small
/// members in an object of a huge name would cost its length each.
const NAME_BYTES_MAX: usize = 512;

/// Longest of the [special keys](SpecialKey).
const CANDIDATE_BYTES_MAX: usize = 20;

/// The key whose text may be written as a list of bytes.
const BYTES_KEY: &str = "MESSAGE";

/// Reads one line into [`Members`].
pub(super) struct Scanner<'s> {
    pub(super) line: &'s str,
    pub(super) bytes: &'s [u8],
    pub(super) at: usize,
    pub(super) limits: &'s Limits,
    wanted: Option<&'s Projection>,
    pub(super) out: &'s mut Members,
}

/// What a member turned out to be.
enum Step {
    /// An object whose members follow.
    Opened,
    /// A value that is done.
    Done,
}

impl<'s> Scanner<'s> {
    pub(super) fn new(line: &'s str, limits: &'s Limits, wanted: Option<&'s Projection>, out: &'s mut Members) -> Self {
        Self { line, bytes: line.as_bytes(), at: 0, limits, wanted, out }
    }

    /// Reads the object that the line is.
    pub(super) fn record(mut self) -> Result<(), JsonError> {
        self.whole_object()?;
        self.skip_space();
        if self.at < self.bytes.len() { Err(self.error("expected the end of the line")) } else { Ok(()) }
    }

    /// Reads the object that the line begins with; returns where it ends.
    pub(super) fn first(mut self) -> Result<usize, JsonError> {
        self.whole_object()?;
        Ok(self.at)
    }

    fn whole_object(&mut self) -> Result<(), JsonError> {
        ensure!(self.bytes.len() < u32::MAX as usize, JsonError { problem: "a record of 4 GiB or more", column: 1 });
        self.skip_space();
        self.expect(b'{', "expected a JSON object")?;
        self.skip_space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        self.members()
    }

    fn members(&mut self) -> Result<(), JsonError> {
        loop {
            match self.member()? {
                Step::Opened => {}
                Step::Done => {
                    if !self.has_next_member()? {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Goes past a comma, or past the ends of objects; `false` when the record itself has ended.
    fn has_next_member(&mut self) -> Result<bool, JsonError> {
        loop {
            self.skip_space();
            match self.peek() {
                Some(b',') => {
                    self.at += 1;
                    self.skip_space();
                    return Ok(true);
                }
                Some(b'}') => {
                    self.at += 1;
                    match self.out.frames.pop() {
                        Some(length) => self.out.path.truncate(length),
                        None => return Ok(false),
                    }
                }
                _ => return Err(self.error("expected \",\" or \"}\"")),
            }
        }
    }

    fn member(&mut self) -> Result<Step, JsonError> {
        let start = self.at;
        let is_full = self.out.members.len() + self.out.n_passed >= self.limits.fields_max;
        let is_top = self.out.frames.is_empty();
        if is_full && !is_top {
            self.drop_members_left()?;
            return Ok(Step::Done);
        }
        let key = self.key()?;
        if is_top && self.is_candidate(key)? {
            return Ok(Step::Done);
        }
        let key_length = (key.end - key.start) as usize;
        if is_full || self.out.path.len() + key_length > NAME_BYTES_MAX {
            return self.drop_value(key).map(|()| Step::Done);
        }
        let value_start = self.at;
        match self.peek() {
            Some(b'{') => self.object(key),
            Some(b'[') => self.list_member(key).map(|()| Step::Done),
            _ => {
                let Some(token) = self.scalar()? else { return Ok(Step::Done) };
                if matches!(token, Token::Text(text) | Token::Digits(text) if text.n_bytes() > self.limits.field_bytes_max)
                {
                    self.at = value_start;
                    return self.drop_value(key).map(|()| Step::Done);
                }
                debug_assert!(start < value_start, "a value comes after its key");
                if is_top && self.wanted.is_some_and(|wanted| !self.is_wanted(wanted, key)) {
                    self.out.n_passed += 1;
                } else {
                    self.push(key, value_start, token);
                }
                Ok(Step::Done)
            }
        }
    }

    /// Whether the value of the record's own key is asked for, or says the time where no common key has said it so far.
    fn is_wanted(&self, wanted: &Projection, key: Span) -> bool {
        let name = self.out.get(key, self.line);
        wanted.has_key(name) || (self.out.times.iter().all(Option::is_none) && super::is_needed(name))
    }

    /// Opens an object; one that is empty or too deep is a value.
    fn object(&mut self, key: Span) -> Result<Step, JsonError> {
        let start = self.at;
        self.at += 1;
        self.skip_space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            self.push(key, start, Token::Value(Value::Object(Arc::default())));
            return Ok(Step::Done);
        }
        if self.out.frames.len() + 1 >= self.limits.nesting_max {
            self.at = start;
            return self.drop_value(key).map(|()| Step::Done);
        }
        self.out.frames.push(self.out.path.len());
        if key.is_scratch {
            self.out.path.push_str(&self.out.scratch[key.start as usize..key.end as usize]);
        } else {
            self.out.path.push_str(&self.line[key.start as usize..key.end as usize]);
        }
        self.out.path.push('.');
        Ok(Step::Opened)
    }

    fn list_member(&mut self, key: Span) -> Result<(), JsonError> {
        let start = self.at;
        let scratch_length = self.out.scratch.len();
        match self.list(self.out.frames.len() + 2, start + self.limits.field_bytes_max) {
            Ok(list) => {
                // Texts of the list are in its value: what was unescaped for them is not needed any more.
                self.out.scratch.truncate(scratch_length);
                self.push(key, start, Token::Value(list));
                Ok(())
            }
            Err(Stop::Excess) => {
                self.at = start;
                self.drop_value(key)
            }
            Err(Stop::Error(error)) => Err(error),
        }
    }

    /// Sets a key aside that may give the text or the time, whatever the limits say.
    fn is_candidate(&mut self, key: Span) -> Result<bool, JsonError> {
        let first = if key.is_scratch { self.out.scratch.as_bytes() } else { self.bytes }.get(key.start as usize);
        if !matches!(first, Some(b'@' | b'm' | b't' | b'M' | b'_')) || key.n_bytes() > CANDIDATE_BYTES_MAX {
            return Ok(false);
        }
        let name = self.out.get(key, self.line);
        let Some(special) = SpecialKey::of(name) else { return Ok(false) };
        let (is_nested, is_message, may_be_bytes) =
            (matches!(self.peek(), Some(b'{' | b'[')), name == "@message", name == BYTES_KEY);
        if self.out.special(special).is_some() {
            self.out.set_repeated(special);
            return Ok(false);
        }
        let start = self.at;
        let token = if is_nested && may_be_bytes {
            let Some(text) = self.bytes_as_text() else { return Ok(false) };
            Some(Token::Text(text))
        } else if is_nested && is_message {
            self.skip_value()?;
            Some(Token::Text(self.span(start)))
        } else if is_nested {
            self.out.set_repeated(special);
            return Ok(false);
        } else {
            self.scalar()?
        };
        if let Some(token) = token {
            *self.out.special(special) = Some(Member { name: key, raw: self.span(start), token });
        }
        Ok(true)
    }

    /// A text that is written as the list of its bytes, as the journal does with one that is no text of printable
    /// characters; the scanner stays where it is at any other list.
    fn bytes_as_text(&mut self) -> Option<Span> {
        let rest = self.bytes.get(self.at..)?;
        let end = memchr::memchr(b']', rest)?;
        let numbers = self.line.get(self.at + 1..self.at + end)?;
        let bytes: Vec<u8> = numbers.split(',').map(|number| number.trim().parse().ok()).collect::<Option<_>>()?;
        let text = String::from_utf8_lossy(&bytes);
        self.out.is_lossy |= matches!(text, std::borrow::Cow::Owned(_));
        let start = self.out.scratch.len();
        self.out.scratch.push_str(&text);
        self.at += end + 1;
        Some(Span { start: start as u32, end: self.out.scratch.len() as u32, is_scratch: true })
    }

    fn push(&mut self, key: Span, value_start: usize, token: Token) {
        let name = self.full_name(key);
        let raw = self.span(value_start);
        self.out.members.push(Member { name, raw, token });
    }

    /// The path of a key in the object at hand.
    fn full_name(&mut self, key: Span) -> Span {
        if self.out.path.is_empty() {
            return key;
        }
        let Members { scratch, path, .. } = &mut *self.out;
        let start = scratch.len();
        scratch.push_str(path);
        if key.is_scratch {
            scratch.extend_from_within(key.start as usize..key.end as usize);
        } else {
            scratch.push_str(&self.line[key.start as usize..key.end as usize]);
        }
        Span { start: start as u32, end: scratch.len() as u32, is_scratch: true }
    }

    /// Reads over a value and keeps it as it stands in the rest.
    fn drop_value(&mut self, key: Span) -> Result<(), JsonError> {
        let start = self.at;
        self.skip_value()?;
        let name = format!("{}{}", self.out.path, self.out.get(key, self.line));
        let raw = &self.line[start..self.at];
        self.out.drop_into_rest(&name, raw);
        Ok(())
    }

    /// Reads over what is left of the object at hand and keeps it in one piece, so that its path is written
    /// once however many members there are.
    fn drop_members_left(&mut self) -> Result<(), JsonError> {
        let start = self.at;
        loop {
            self.skip_key()?;
            self.skip_value()?;
            self.out.n_dropped += 1;
            self.skip_space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                _ => return Err(self.error("expected \",\" or \"}\"")),
            }
            self.skip_space();
        }
        let raw = format!("{{{}}}", self.line[start..self.at].trim_end());
        let name = self.out.path.strip_suffix('.').unwrap_or(&self.out.path).to_string();
        self.out.add_to_rest(&name, &raw);
        Ok(())
    }

    /// Reads a text, number, `true`, `false`, or `null`, which is `None`.
    pub(super) fn scalar(&mut self) -> Result<Option<Token>, JsonError> {
        match self.peek() {
            Some(b'"') => Ok(Some(Token::Text(self.string()?))),
            Some(b'-' | b'0'..=b'9') => self.number().map(Some),
            Some(b't') => self.word("true").map(|()| Some(Token::Boolean(true))),
            Some(b'f') => self.word("false").map(|()| Some(Token::Boolean(false))),
            Some(b'n') => self.word("null").map(|()| None),
            _ => Err(self.error("expected a value")),
        }
    }

    fn word(&mut self, word: &str) -> Result<(), JsonError> {
        ensure!(self.bytes[self.at..].starts_with(word.as_bytes()), self.error("expected a value"));
        self.at += word.len();
        Ok(())
    }

    /// Reads over a value of any depth, checking its form.
    fn skip_value(&mut self) -> Result<(), JsonError> {
        let scratch_length = self.out.scratch.len();
        // The closing brackets still to come; one byte for each that the line holds.
        let mut closers: Vec<u8> = Vec::new();
        'value: loop {
            self.skip_space();
            let closer = match self.peek() {
                Some(b'{') => Some(b'}'),
                Some(b'[') => Some(b']'),
                _ => None,
            };
            if let Some(closer) = closer {
                self.at += 1;
                self.skip_space();
                if self.peek() == Some(closer) {
                    self.at += 1;
                } else {
                    closers.push(closer);
                    if closer == b'}' {
                        self.skip_key()?;
                    }
                    continue 'value;
                }
            } else {
                self.scalar()?;
                self.out.scratch.truncate(scratch_length);
            }
            loop {
                let Some(closer) = closers.last().copied() else { return Ok(()) };
                self.skip_space();
                match self.peek() {
                    Some(b',') => {
                        self.at += 1;
                        if closer == b'}' {
                            self.skip_space();
                            self.skip_key()?;
                        }
                        continue 'value;
                    }
                    Some(byte) if byte == closer => self.at += 1,
                    _ => return Err(self.error("expected \",\" or the end of a list or object")),
                }
                closers.pop();
            }
        }
    }

    fn skip_key(&mut self) -> Result<(), JsonError> {
        let scratch_length = self.out.scratch.len();
        self.key()?;
        self.out.scratch.truncate(scratch_length);
        Ok(())
    }

    /// Reads a key, its colon, and the white space before the value.
    pub(super) fn key(&mut self) -> Result<Span, JsonError> {
        ensure!(self.peek() == Some(b'"'), self.error("expected a key in quotes"));
        let key = self.string()?;
        self.skip_space();
        self.expect(b':', "expected \":\"")?;
        self.skip_space();
        Ok(key)
    }

    fn expect(&mut self, byte: u8, problem: &'static str) -> Result<(), JsonError> {
        ensure!(self.peek() == Some(byte), self.error(problem));
        self.at += 1;
        Ok(())
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    pub(super) fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    /// From `start` to where the scanner stands.
    pub(super) fn span(&self, start: usize) -> Span {
        Span { start: start as u32, end: self.at as u32, is_scratch: false }
    }

    pub(super) fn error(&self, problem: &'static str) -> JsonError {
        JsonError::at(self.bytes, self.at, problem)
    }
}

impl Members {
    /// Reads one object, which must be all of `line`; values of its own keys that nobody wants are left out.
    pub(crate) fn scan(&mut self, line: &str, limits: &Limits, wanted: Option<&Projection>) -> Result<(), JsonError> {
        self.clear();
        Scanner::new(line, limits, wanted, self).record()
    }
}

/// Why the elements of a list were not all read.
pub(crate) enum Stop {
    /// It is over a limit.
    Excess,
    Error(JsonError),
}

impl From<JsonError> for Stop {
    fn from(error: JsonError) -> Self {
        Self::Error(error)
    }
}
