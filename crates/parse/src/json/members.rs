//! The members of one JSON record: a flat list of spans into the line.

use types::Value;

use crate::time::TimeMemo;

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
    pub(crate) fn at(text: &[u8], at: usize, problem: &'static str) -> Self {
        let before = &text[..at.min(text.len())];
        let n_characters = before.iter().filter(|byte| **byte & 0xc0 != 0x80).count();
        Self { problem, column: n_characters + 1 }
    }
}

/// Keys that give the text, best first. The last is the journal's.
pub const TEXT_KEYS: [&str; 4] = ["@message", "message", "msg", "MESSAGE"];

/// Keys that give the time, best first. The last is the journal's, in microseconds since the epoch.
pub(crate) const TIME_KEYS: [&str; 5] = ["@timestamp", "timestamp", "time", "ts", "__REALTIME_TIMESTAMP"];

/// A place in [`TEXT_KEYS`] or [`TIME_KEYS`].
#[derive(Clone, Copy, Debug)]
pub(crate) enum SpecialKey {
    Text(usize),
    Time(usize),
}

impl SpecialKey {
    pub(crate) fn of(name: &str) -> Option<Self> {
        let text = TEXT_KEYS.iter().position(|known| *known == name).map(Self::Text);
        text.or_else(|| TIME_KEYS.iter().position(|known| *known == name).map(Self::Time))
    }

    fn bit(self) -> u16 {
        match self {
            Self::Text(rank) => 1 << rank,
            Self::Time(rank) => 1 << (TEXT_KEYS.len() + rank),
        }
    }
}

/// A piece of the line, or of the texts that had to be unescaped or put together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
    pub(crate) is_scratch: bool,
}

impl Span {
    pub(crate) fn n_bytes(self) -> usize {
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
    pub(crate) name: Span,
    /// The value as it stands in the line.
    pub(crate) raw: Span,
    pub(crate) token: Token,
}

impl Member {
    /// The length of its value: of a text without quotes and escapes, of anything else as written.
    pub(crate) fn text_bytes(&self) -> usize {
        if let Token::Text(text) = &self.token { text.n_bytes() } else { self.raw.n_bytes() }
    }
}

/// The members of one record. Kept from record to record for its buffers.
#[derive(Debug, Default)]
pub(crate) struct Members {
    pub(crate) members: Vec<Member>,
    /// What keys of [`TEXT_KEYS`] hold; they are in none of the other lists.
    pub(crate) texts: [Option<Member>; TEXT_KEYS.len()],
    /// What keys of [`TIME_KEYS`] hold.
    pub(crate) times: [Option<Member>; TIME_KEYS.len()],
    /// The time that was read last, for its zone.
    pub(crate) read_time: TimeMemo,
    /// Keys of these that also have values among the members, one bit each: of texts from the lowest on, then of times.
    repeated: u16,
    pub(crate) scratch: String,
    /// Names of the objects that are open, each followed by a dot.
    pub(crate) path: String,
    /// Length of `path` before each of them.
    pub(crate) frames: Vec<usize>,
    /// Members over a limit: what stands between the braces of `@rest`.
    pub(crate) rest: String,
    pub(crate) n_dropped: i64,
    /// Members that nobody wants.
    pub(crate) n_passed: usize,
    /// Whether an escape stood for no character and became U+FFFD.
    pub(crate) is_lossy: bool,
}

/// Bytes of scratch space kept for the next record; one huge record must not hold its memory for ever.
const SCRATCH_BYTES_KEPT: usize = 1 << 20;

impl Members {
    pub(crate) fn clear(&mut self) {
        self.members.clear();
        self.texts = Default::default();
        self.times = Default::default();
        self.read_time = TimeMemo::default();
        self.repeated = 0;
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

    /// Says that a key of the texts or times has a value among the members.
    pub(crate) fn set_repeated(&mut self, key: SpecialKey) {
        self.repeated |= key.bit();
    }

    /// Whether a key of the texts or times has a value among the members too.
    pub(crate) fn is_repeated(&self, key: SpecialKey) -> bool {
        self.repeated & key.bit() != 0
    }

    /// What a key of the texts or times holds.
    pub(crate) fn special(&mut self, key: SpecialKey) -> &mut Option<Member> {
        match key {
            SpecialKey::Text(rank) => &mut self.texts[rank],
            SpecialKey::Time(rank) => &mut self.times[rank],
        }
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

    pub(crate) fn get<'t>(&'t self, span: Span, line: &'t str) -> &'t str {
        let text = if span.is_scratch { &self.scratch } else { line };
        &text[span.start as usize..span.end as usize]
    }

    /// Puts a member that is over a limit into the rest.
    pub(crate) fn drop_into_rest(&mut self, name: &str, raw: &str) {
        self.n_dropped += 1;
        self.add_to_rest(name, raw);
    }

    pub(crate) fn add_to_rest(&mut self, name: &str, raw: &str) {
        if !self.rest.is_empty() {
            self.rest.push(',');
        }
        Value::text(name).write_json(&mut self.rest);
        self.rest.push(':');
        self.rest.push_str(raw);
    }
}
