//! What a line says, as places in it.

use std::borrow::Cow;
use std::sync::Arc;

use types::Level;

/// Parts of one line; beyond them nothing more is read. As many as an event may have fields by default.
const PARTS_MAX: usize = 1_000;

/// A piece of the line.
#[derive(Clone, Copy, Debug)]
struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Span {
    fn get(self, line: &str) -> &str {
        line.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

#[derive(Clone, Copy, Debug)]
enum Name {
    Known(&'static str),
    Written(Span),
    /// A place among the names of a set of formats.
    Listed(u16),
}

#[derive(Clone, Copy, Debug)]
enum StoredPart {
    Text(Span),
    /// A text in which a backslash stands before what would end it.
    Escaped(Span),
    /// The same, where a backslash before anything else is itself.
    Guarded(Span),
    Known(&'static str),
    Integer(i64),
    Float(f64),
    Empty,
}

#[derive(Clone, Copy, Debug)]
struct Part {
    name: Name,
    /// The name of a member of it.
    below: Option<Span>,
    value: StoredPart,
    /// Whether it stays in the text only, unless somebody asks for all that the shape says.
    is_again: bool,
}

/// The value of a part.
#[derive(Clone, Debug, PartialEq)]
pub enum PartValue<'t> {
    /// A text.
    Text(Cow<'t, str>),
    /// A whole number.
    Integer(i64),
    /// A decimal.
    Float(f64),
    /// An object without members.
    Empty,
}

/// The parts of a line, kept from line to line for the buffer.
#[derive(Debug, Default)]
pub struct Parts {
    parts: Vec<Part>,
    level: Option<Level>,
    /// Digits that count since the epoch, where they are no time that stands at the head of a line.
    epoch: Option<Span>,
    /// The time of the line, where its form says which it is.
    time: Option<Span>,
    /// Names of fields that formats give.
    names: Option<Arc<[Arc<str>]>>,
}

impl Parts {
    pub(crate) fn clear(&mut self) {
        self.parts.clear();
        self.level = None;
        self.epoch = None;
        self.time = None;
    }

    pub(crate) fn of<'t, 'p>(&'p mut self, line: &'t str) -> PartSink<'t, 'p> {
        PartSink { line, parts: self }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.parts.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// The level that the line says in its shape's own way.
    pub fn level(&self) -> Option<Level> {
        self.level
    }

    /// The line's time, in seconds since the epoch.
    pub(crate) fn epoch<'t>(&self, line: &'t str) -> Option<&'t str> {
        self.epoch.map(|span| span.get(line))
    }

    /// The line's time, where its form says which it is.
    pub(crate) fn time<'t>(&self, line: &'t str) -> Option<&'t str> {
        self.time.map(|span| span.get(line))
    }

    /// Gives `take` each part: its name, that of a member where it is one of an object, and the value. `line` is what
    /// was read.
    pub fn each<'t>(&'t self, line: &'t str, mut take: impl FnMut(&'t str, Option<&'t str>, PartValue<'t>)) {
        self.parts.iter().for_each(|part| part.give(line, self.names.as_deref(), &mut take));
    }

    /// The same without parts that are the text or the time of the line again, or are not worth a column: those that
    /// an event has as fields without being told which shape it is.
    pub fn each_own<'t>(&'t self, line: &'t str, mut take: impl FnMut(&'t str, Option<&'t str>, PartValue<'t>)) {
        let names = self.names.as_deref();
        self.parts.iter().filter(|part| !part.is_again).for_each(|part| part.give(line, names, &mut take));
    }
}

impl Part {
    fn give<'t>(
        &self,
        line: &'t str,
        names: Option<&'t [Arc<str>]>,
        take: &mut impl FnMut(&'t str, Option<&'t str>, PartValue<'t>),
    ) {
        let name = match self.name {
            Name::Known(name) => name,
            Name::Written(span) => span.get(line),
            Name::Listed(place) => names.and_then(|names| names.get(usize::from(place))).map_or("", |name| &**name),
        };
        let value = match self.value {
            StoredPart::Text(span) => PartValue::Text(Cow::Borrowed(span.get(line))),
            StoredPart::Escaped(span) => PartValue::Text(unescaped(span.get(line))),
            StoredPart::Guarded(span) => PartValue::Text(unguarded(span.get(line))),
            StoredPart::Known(text) => PartValue::Text(Cow::Borrowed(text)),
            StoredPart::Integer(number) => PartValue::Integer(number),
            StoredPart::Float(number) => PartValue::Float(number),
            StoredPart::Empty => PartValue::Empty,
        };
        take(name, self.below.map(|below| below.get(line)), value);
    }
}

/// A text whose escapes are undone: `\n`, `\t` and `\r` are what they are in C, anything else stands for itself.
fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut signs = text.chars();
    while let Some(sign) = signs.next() {
        match (sign, if sign == '\\' { signs.next() } else { None }) {
            ('\\', Some('n')) => plain.push('\n'),
            ('\\', Some('t')) => plain.push('\t'),
            ('\\', Some('r')) => plain.push('\r'),
            ('\\', Some(other)) => plain.push(other),
            (sign, _) => plain.push(sign),
        }
    }
    Cow::Owned(plain)
}

/// A text in which `\"`, `\]` and `\\` are undone.
fn unguarded(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut signs = text.chars().peekable();
    while let Some(sign) = signs.next() {
        let guarded = if sign == '\\' { signs.next_if(|next| matches!(next, '"' | ']' | '\\')) } else { None };
        plain.push(guarded.unwrap_or(sign));
    }
    Cow::Owned(plain)
}

/// Receives the parts of a line from its reader.
pub(crate) struct PartSink<'t, 'p> {
    line: &'t str,
    parts: &'p mut Parts,
}

impl<'t> PartSink<'t, '_> {
    fn span(&self, piece: &'t str) -> Span {
        let start = piece.as_ptr().addr().saturating_sub(self.line.as_ptr().addr());
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Span { start: place(start), end: place(start + piece.len()) }
    }

    fn push(&mut self, name: Name, value: StoredPart, is_again: bool) {
        if self.parts.parts.len() < PARTS_MAX {
            self.parts.parts.push(Part { name, below: None, value, is_again });
        }
    }

    /// A text; none where it is empty or `-`.
    pub(super) fn text(&mut self, name: &'static str, text: &'t str) {
        if !text.is_empty() && text != "-" {
            self.push(Name::Known(name), StoredPart::Text(self.span(text)), false);
        }
    }

    /// One of a few texts that the shape knows.
    pub(super) fn known(&mut self, name: &'static str, text: &'static str) {
        self.push(Name::Known(name), StoredPart::Known(text), false);
    }

    /// A text that an event need not have as a field: its text or time, or what costs as much to keep as the line
    /// itself and is seldom asked for by itself.
    pub(crate) fn again(&mut self, name: &'static str, text: &'t str) {
        if !text.is_empty() && text != "-" {
            self.push(Name::Known(name), StoredPart::Text(self.span(text)), true);
        }
    }

    /// A whole number, where the text is one.
    pub(super) fn whole(&mut self, name: &'static str, text: &'t str) -> bool {
        let Ok(number) = text.parse() else { return false };
        self.push(Name::Known(name), StoredPart::Integer(number), false);
        true
    }

    /// A number that was computed.
    pub(super) fn integer(&mut self, name: &'static str, number: i64) {
        self.push(Name::Known(name), StoredPart::Integer(number), false);
    }

    /// A whole number, or else the text.
    pub(super) fn whole_or_text(&mut self, name: &'static str, text: &'t str) {
        if !self.whole(name, text) {
            self.text(name, text);
        }
    }

    /// A number, whole or not, where the text is one.
    pub(super) fn number(&mut self, name: &'static str, text: &'t str) {
        if self.whole(name, text) {
            return;
        }
        let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'));
        if let Some(number) = text.parse().ok().filter(|number: &f64| is_plain && number.is_finite()) {
            self.push(Name::Known(name), StoredPart::Float(number), false);
        }
    }

    /// A text under a name that stands in the line.
    pub(super) fn pair(&mut self, name: &'t str, text: &'t str, is_escaped: bool) {
        let (name, text) = (Name::Written(self.span(name)), self.span(text));
        self.push(name, if is_escaped { StoredPart::Escaped(text) } else { StoredPart::Text(text) }, false);
    }

    /// A member of the object `name`; an object without members where there is none.
    pub(super) fn member(&mut self, name: &'t str, member: Option<(&'t str, &'t str)>) {
        let base = Name::Written(self.span(name));
        match member {
            Some((below, text)) => {
                let (below, text) = (self.span(below), self.span(text));
                self.push(base, StoredPart::Guarded(text), false);
                if let Some(last) = self.parts.parts.last_mut() {
                    last.below = Some(below);
                }
            }
            None => self.push(base, StoredPart::Empty, false),
        }
    }

    /// A text under a name of a set of formats; none where it is empty or `-`.
    pub(crate) fn named_text(&mut self, name: u16, text: &'t str) {
        if !text.is_empty() && text != "-" {
            self.push(Name::Listed(name), StoredPart::Text(self.span(text)), false);
        }
    }

    /// The same of a number.
    pub(crate) fn named_number(&mut self, name: u16, text: &'t str) {
        let value = match (text.parse(), text.parse::<f64>()) {
            (Ok(number), _) => StoredPart::Integer(number),
            (_, Ok(number)) if number.is_finite() => StoredPart::Float(number),
            _ => StoredPart::Text(self.span(text)),
        };
        self.push(Name::Listed(name), value, false);
    }

    /// Says which names the parts of formats have.
    pub(crate) fn set_names(&mut self, names: Arc<[Arc<str>]>) {
        self.parts.names = Some(names);
    }

    /// The time of the line, in any form.
    pub(crate) fn time(&mut self, text: &'t str) {
        self.parts.time = Some(self.span(text));
        self.again("time", text);
    }

    /// The time of the line, as digits that count since the epoch.
    pub(super) fn epoch(&mut self, digits: &'t str) {
        self.parts.epoch = Some(self.span(digits));
    }

    /// The level of the line.
    pub(crate) fn level(&mut self, level: Option<Level>) {
        self.parts.level = level.or(self.parts.level);
    }
}
