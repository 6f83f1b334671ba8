//! JSON records, read straight from bytes into fields: no tree is built.
//!
//! A record is first scanned as a whole into a flat list of members ([`Members`]), spans into the line
//! wherever possible; only then does the event get its fields. A broken record thus leaves nothing behind,
//! and which key gives the text and the time is known before the first field is written.
//!
//! What is over a limit is kept as JSON text in `@rest`. Nesting costs no stack.
//!
//! Looser than RFC 8259 in one point: control characters may stand unescaped in texts.

mod cursor;
mod emit;
mod lists;
mod number;
mod scan;
mod strings;

pub use cursor::JsonCursor;
pub(crate) use emit::{emit_around, emit_line_fields, emit_record, exact_rfc3339};

use types::{Limits, Value};

use crate::{FieldWriter, Wanted};

/// Why a line is no JSON record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem} at column {column}")]
pub struct JsonError {
    /// What was expected or found.
    pub problem: &'static str,
    /// Where, counted in characters from 1.
    pub column: usize,
}

impl JsonError {
    /// A problem with the byte at `at` of a text.
    #[cold]
    fn at(text: &[u8], at: usize, problem: &'static str) -> Self {
        let before = &text[..at.min(text.len())];
        let n_characters = before.iter().filter(|byte| **byte & 0xc0 != 0x80).count();
        Self { problem, column: n_characters + 1 }
    }
}

/// Keys that give the text, best first. The last is the journal's.
pub(crate) const TEXT_KEYS: [&str; 4] = ["@message", "message", "msg", "MESSAGE"];

/// Keys that give the time, best first. The last is the journal's, in microseconds since the epoch.
pub(crate) const TIME_KEYS: [&str; 5] = ["@timestamp", "timestamp", "time", "ts", "__REALTIME_TIMESTAMP"];

/// A piece of the line, or of the texts that had to be unescaped or put together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    start: u32,
    end: u32,
    is_scratch: bool,
}

impl Span {
    fn n_bytes(self) -> usize {
        (self.end - self.start) as usize
    }
}

/// A value as scanned.
#[derive(Clone, Debug)]
pub(crate) enum Token {
    Text(Span),
    /// A number that no type holds exactly, as its digits.
    Digits(Span),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    /// A list, or an empty object.
    Value(Value),
}

/// One value and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    /// Its path, dots between the parts.
    name: Span,
    /// The value as it stands in the line.
    raw: Span,
    token: Token,
}

impl Member {
    /// The length of its value: of a text without quotes and escapes, of anything else as written.
    fn text_bytes(&self) -> usize {
        if let Token::Text(text) = &self.token { text.n_bytes() } else { self.raw.n_bytes() }
    }
}

/// The members of one record. Kept from record to record for its buffers.
#[derive(Debug, Default)]
pub(crate) struct Members {
    members: Vec<Member>,
    /// What keys of [`TEXT_KEYS`] hold; they are in none of the other lists.
    texts: [Option<Member>; TEXT_KEYS.len()],
    /// What keys of [`TIME_KEYS`] hold.
    times: [Option<Member>; TIME_KEYS.len()],
    scratch: String,
    /// Names of the objects that are open, each followed by a dot.
    path: String,
    /// Length of `path` before each of them.
    frames: Vec<usize>,
    /// Members over a limit: what stands between the braces of `@rest`.
    rest: String,
    n_dropped: i64,
    /// Members that nobody wants.
    n_passed: usize,
    /// Whether an escape stood for no character and became U+FFFD.
    is_lossy: bool,
}

/// Bytes of scratch space kept for the next record; one huge record must not hold its memory for ever.
const SCRATCH_BYTES_KEPT: usize = 1 << 20;

impl Members {
    /// Reads one object, which must be all of `line`; values of its own keys that nobody wants are left out.
    pub(crate) fn scan(&mut self, line: &str, limits: &Limits, wanted: Option<&Wanted>) -> Result<(), JsonError> {
        self.clear();
        scan::Scanner::new(line, limits, wanted, self).record()
    }

    fn clear(&mut self) {
        self.members.clear();
        self.texts = Default::default();
        self.times = Default::default();
        self.path.clear();
        self.frames.clear();
        self.n_dropped = 0;
        self.n_passed = 0;
        self.is_lossy = false;
        for buffer in [&mut self.scratch, &mut self.rest] {
            buffer.clear();
            buffer.shrink_to(SCRATCH_BYTES_KEPT);
        }
    }

    /// Whether some text of the record is not what was sent, because that was no text.
    pub(crate) fn is_lossy(&self) -> bool {
        self.is_lossy
    }

    /// At most how many fields the record has; those that the system may add are counted.
    pub(crate) fn n_fields(&self) -> usize {
        self.members.len() + TEXT_KEYS.len() + TIME_KEYS.len() + 4
    }

    /// Whether the record has a key of this name.
    pub(crate) fn has(&self, line: &str, name: &str) -> bool {
        let line = line.trim_matches([' ', '\t', '\r', '\n']);
        let is_named = |member: &Member| self.get(member.name, line) == name;
        self.members.iter().any(is_named) || self.texts.iter().chain(&self.times).flatten().any(is_named)
    }

    /// Takes `log` out of an object that is one of Docker's: with `stream`, `time`, and nothing else but `attrs`.
    pub(crate) fn take_docker_log(&mut self, line: &str) -> Option<String> {
        let has_time = self.times.iter().flatten().count() == 1 && self.times[2].is_some();
        let has_text = self.texts.iter().any(Option::is_some);
        let mut log = None;
        for (place, member) in self.members.iter().enumerate() {
            match (self.get(member.name, line), &member.token) {
                ("log", Token::Text(text)) => log = Some((place, self.get(*text, line))),
                ("stream", Token::Text(_)) => {}
                (name, _) if name.starts_with("attrs.") => {}
                _ => return None,
            }
        }
        let (place, text) = log.filter(|_| has_time && !has_text)?;
        let text = text.strip_suffix('\n').map_or(text, |text| text.strip_suffix('\r').unwrap_or(text)).to_owned();
        self.members.remove(place);
        Some(text)
    }

    fn get<'t>(&'t self, span: Span, line: &'t str) -> &'t str {
        let text = if span.is_scratch { &self.scratch } else { line };
        &text[span.start as usize..span.end as usize]
    }

    /// Puts a member that is over a limit into the rest.
    fn drop_into_rest(&mut self, name: &str, raw: &str) {
        self.n_dropped += 1;
        self.add_to_rest(name, raw);
    }

    fn add_to_rest(&mut self, name: &str, raw: &str) {
        if !self.rest.is_empty() {
            self.rest.push(',');
        }
        Value::text(name).write_json(&mut self.rest);
        self.rest.push(':');
        self.rest.push_str(raw);
    }
}

/// Reads JSON objects that stand beside events, and writes their members as fields: nested ones under dotted paths.
#[derive(Debug, Default)]
pub struct ObjectReader(Members);

impl ObjectReader {
    /// Reads one object, which must be all of `text`.
    ///
    /// # Errors
    /// Where it is none.
    pub fn read(&mut self, text: &str, limits: &Limits) -> Result<(), JsonError> {
        self.0.scan(text, limits, None)
    }

    /// Reads the object that `text` begins with; returns how many bytes it has.
    ///
    /// # Errors
    /// Where it begins with none.
    pub fn read_first(&mut self, text: &str, limits: &Limits) -> Result<usize, JsonError> {
        self.0.clear();
        scan::Scanner::new(text, limits, None, &mut self.0).first()
    }

    /// At most how many fields the object has that was read last.
    pub fn n_fields(&self) -> usize {
        self.0.n_fields()
    }

    /// Writes what was read of `text`.
    pub fn write(&self, text: &str, fields: &mut FieldWriter<'_>) {
        let set_aside = self.0.texts.iter().chain(&self.0.times).flatten();
        for member in self.0.members.iter().chain(set_aside) {
            let name = self.0.get(member.name, text);
            match &member.token {
                Token::Text(span) | Token::Digits(span) => fields.text(name, self.0.get(*span, text)),
                Token::Integer(number) => fields.integer(name, *number),
                Token::Float(number) => fields.float(name, *number),
                Token::Boolean(truth) => fields.boolean(name, *truth),
                Token::Value(value) => fields.value(name, value),
            }
        }
        fields.add_rest(&self.0.rest, self.0.n_dropped);
    }
}

#[cfg(test)]
mod tests;
