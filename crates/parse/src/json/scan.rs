//! The scanner: one pass over the line, nested objects by a stack of its own.

use std::sync::Arc;

use types::{Limits, Value};

use super::{JsonError, Member, Members, Span, TEXT_KEYS, TIME_KEYS, Token};

/// Longest path of a field in bytes. A member whose path is longer goes into the rest: otherwise many small
/// members in an object of a huge name would cost its length each.
const NAME_BYTES_MAX: usize = 512;

/// Reads one line into [`Members`].
pub(super) struct Scanner<'s> {
    line: &'s str,
    pub(super) bytes: &'s [u8],
    pub(super) at: usize,
    limits: &'s Limits,
    out: &'s mut Members,
}

/// What a member turned out to be.
enum Step {
    /// An object whose members follow.
    Opened,
    /// A value that is done.
    Done,
}

/// Why the elements of a list were not all read.
enum Stop {
    /// It is over a limit.
    Excess,
    Error(JsonError),
}

impl From<JsonError> for Stop {
    fn from(error: JsonError) -> Self {
        Self::Error(error)
    }
}

impl<'s> Scanner<'s> {
    pub(super) fn new(line: &'s str, limits: &'s Limits, out: &'s mut Members) -> Self {
        Self { line, bytes: line.as_bytes(), at: 0, limits, out }
    }

    /// Reads the object that the line is.
    pub(super) fn record(mut self) -> Result<(), JsonError> {
        if self.bytes.len() >= u32::MAX as usize {
            return Err(JsonError { problem: "a record of 4 GiB or more", column: 1 });
        }
        self.skip_space();
        self.expect(b'{', "expected a JSON object")?;
        self.skip_space();
        if self.peek() == Some(b'}') {
            self.at += 1;
        } else {
            self.members()?;
        }
        self.skip_space();
        if self.at < self.bytes.len() { Err(self.error("expected the end of the line")) } else { Ok(()) }
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
        let is_full = self.out.members.len() >= self.limits.fields_max;
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
                if self.at - value_start > self.limits.field_bytes_max && matches!(token, Token::Text(_)) {
                    self.at = value_start;
                    return self.drop_value(key).map(|()| Step::Done);
                }
                debug_assert!(start < value_start, "a value comes after its key");
                self.push(key, value_start, token);
                Ok(Step::Done)
            }
        }
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
        let name = self.out.get(key, self.line);
        if !matches!(name.as_bytes().first(), Some(b'@' | b'm' | b't')) || name.len() > 10 {
            return Ok(false);
        }
        let text = TEXT_KEYS.iter().position(|known| *known == name);
        let time = TIME_KEYS.iter().position(|known| *known == name);
        let is_nested = matches!(self.peek(), Some(b'{' | b'['));
        if (text.is_none() && time.is_none()) || (is_nested && name != "@message") {
            return Ok(false);
        }
        let start = self.at;
        let token = if is_nested {
            self.skip_value()?;
            Some(Token::Text(self.span(start)))
        } else {
            self.scalar()?
        };
        let member = token.map(|token| Member { name: key, raw: self.span(start), token });
        if let Some(member) = member {
            if let Some(rank) = text {
                self.out.texts[rank] = Some(member);
            } else if let Some(rank) = time {
                self.out.times[rank] = Some(member);
            }
        }
        Ok(true)
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

    /// Reads a list whose elements are at nesting `depth`, unless it goes on beyond `end_max`.
    fn list(&mut self, depth: usize, end_max: usize) -> Result<Value, Stop> {
        if depth > self.limits.nesting_max {
            return Err(Stop::Excess);
        }
        self.at += 1;
        let mut items = Vec::new();
        self.skip_space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Value::List(Arc::new(items)));
        }
        loop {
            items.push(self.element(depth, end_max)?);
            self.skip_space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => break,
                _ => return Err(self.error("expected \",\" or \"]\"").into()),
            }
            self.skip_space();
        }
        self.at += 1;
        Ok(Value::List(Arc::new(items)))
    }

    fn element(&mut self, depth: usize, end_max: usize) -> Result<Option<Value>, Stop> {
        let value = match self.peek() {
            Some(b'[') => Some(self.list(depth + 1, end_max)?),
            Some(b'{') => Some(self.object_in_list(depth + 1, end_max)?),
            _ => self.scalar()?.map(|token| self.value_of(token)),
        };
        if self.at > end_max { Err(Stop::Excess) } else { Ok(value) }
    }

    fn object_in_list(&mut self, depth: usize, end_max: usize) -> Result<Value, Stop> {
        if depth > self.limits.nesting_max {
            return Err(Stop::Excess);
        }
        self.at += 1;
        let mut members: Vec<(Arc<str>, Option<Value>)> = Vec::new();
        self.skip_space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Value::Object(Arc::new(members)));
        }
        loop {
            let key = self.key()?;
            let name = self.out.get(key, self.line).into();
            members.push((name, self.element(depth, end_max)?));
            self.skip_space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                _ => return Err(self.error("expected \",\" or \"}\"").into()),
            }
            self.skip_space();
        }
        self.at += 1;
        Ok(Value::Object(Arc::new(without_repeated_names(members))))
    }

    fn value_of(&self, token: Token) -> Value {
        match token {
            Token::Text(span) | Token::Digits(span) => Value::text(self.out.get(span, self.line)),
            Token::Integer(number) => Value::Integer(number),
            Token::Float(number) => Value::Float(number),
            Token::Boolean(truth) => Value::Boolean(truth),
            Token::Value(value) => value,
        }
    }

    /// Reads a text, number, `true`, `false`, or `null`, which is `None`.
    fn scalar(&mut self) -> Result<Option<Token>, JsonError> {
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
        if !self.bytes[self.at..].starts_with(word.as_bytes()) {
            return Err(self.error("expected a value"));
        }
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
    fn key(&mut self) -> Result<Span, JsonError> {
        if self.peek() != Some(b'"') {
            return Err(self.error("expected a key in quotes"));
        }
        let key = self.string()?;
        self.skip_space();
        self.expect(b':', "expected \":\"")?;
        self.skip_space();
        Ok(key)
    }

    /// Reads a text in quotes; one without escapes stays where it is.
    fn string(&mut self) -> Result<Span, JsonError> {
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
        self.out.scratch.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
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

    fn expect(&mut self, byte: u8, problem: &'static str) -> Result<(), JsonError> {
        if self.peek() != Some(byte) {
            return Err(self.error(problem));
        }
        self.at += 1;
        Ok(())
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    /// From `start` to where the scanner stands.
    pub(super) fn span(&self, start: usize) -> Span {
        Span { start: start as u32, end: self.at as u32, is_scratch: false }
    }

    pub(super) fn error(&self, problem: &'static str) -> JsonError {
        let before = &self.bytes[..self.at.min(self.bytes.len())];
        let n_characters = before.iter().filter(|byte| **byte & 0xc0 != 0x80).count();
        JsonError { problem, column: n_characters + 1 }
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

/// Of members with equal names keeps the last.
fn without_repeated_names(members: Vec<(Arc<str>, Option<Value>)>) -> Vec<(Arc<str>, Option<Value>)> {
    let mut order: Vec<usize> = (0..members.len()).collect();
    order.sort_by(|a, b| members[*a].0.cmp(&members[*b].0).then(a.cmp(b)));
    let mut is_repeated = vec![false; members.len()];
    for pair in order.windows(2) {
        is_repeated[pair[0]] = members[pair[0]].0 == members[pair[1]].0;
    }
    let mut repeated = is_repeated.into_iter();
    let mut kept = members;
    kept.retain(|_| !repeated.next().unwrap_or(false));
    kept
}
