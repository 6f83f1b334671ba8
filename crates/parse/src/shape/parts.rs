//! What a line says, as places in it.

mod escapes;

use std::borrow::Cow;
use std::sync::Arc;

use types::Level;

use crate::time::TimeMemo;
use escapes::{from_hexadecimal, undoubled, unescaped, unguarded, unquoted};

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
    /// A column that a header line has named, or a field of a format.
    Column(u16),
}

#[derive(Clone, Copy, Debug)]
enum StoredPart {
    Text(Span),
    /// A text in which a backslash stands before what would end it.
    Escaped(Span),
    /// The same, where a backslash before anything else is itself.
    Guarded(Span),
    /// The same with CEF's signs.
    Barred(Span),
    /// A text in quotes of an access log: `\"`, `\\` and `\x22`.
    Quoted(Span),
    /// A text of a column in quotes, in which two quotes stand for one.
    Doubled(Span),
    /// A text as hexadecimal digits, in which zeros part words.
    Hexadecimal(Span),
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
    /// Names of columns.
    names: Arc<[Box<str>]>,
    level: Option<Level>,
    time: Option<WrittenTime>,
    /// What a header around the line says, and where the line itself begins.
    header: Option<(Option<Level>, u32)>,
    /// How many parts are of the header: the last ones.
    n_of_header: usize,
}

/// Which parts of a line: those of a header win over those of the text after it that have the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PartLayer {
    Text,
    Header,
}

/// Where a line's time stands.
#[derive(Clone, Debug)]
enum WrittenTime {
    Span(Span),
    /// Put together from several places.
    Text(String),
}

impl Parts {
    pub(crate) fn clear(&mut self) {
        self.parts.clear();
        (self.level, self.time, self.header, self.n_of_header) = (None, None, None, 0);
    }

    pub(crate) fn of<'t, 'p>(
        &'p mut self,
        line: &'t str,
        times: &'p TimeMemo,
        programs: &'p dyn Programs,
    ) -> PartSink<'t, 'p> {
        PartSink { line, parts: self, times, programs }
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
        self.level.or(self.level_of_header())
    }

    /// The same without what a syslog header says; the text behind it knows better.
    pub(crate) fn own_level(&self) -> Option<Level> {
        self.level
    }

    /// The line's time as it is written, where that is known.
    pub(crate) fn time<'t>(&'t self, line: &'t str) -> Option<&'t str> {
        match self.time.as_ref()? {
            WrittenTime::Span(span) => Some(span.get(line)),
            WrittenTime::Text(text) => Some(text),
        }
    }

    /// What stands behind a syslog header.
    pub(crate) fn behind_header<'t>(&self, line: &'t str) -> Option<&'t str> {
        self.header.and_then(|(_, start)| line.get(start as usize..))
    }

    /// The level that a syslog header says.
    pub(crate) fn level_of_header(&self) -> Option<Level> {
        self.header.and_then(|(level, _)| level)
    }

    /// Gives `take` each part: its name, that of a member where it is one of an object, and the value. `line` is what
    /// was read.
    pub fn each<'t>(&'t self, line: &'t str, mut take: impl FnMut(&'t str, Option<&'t str>, PartValue<'t>)) {
        self.parts.iter().for_each(|part| part.give(line, &self.names, &mut take));
    }

    /// The same of one layer, without parts that are the text or the time of the line again, or are not worth a column: those
    /// that an event has as fields without being told which shape it is.
    pub(crate) fn each_own<'t>(
        &'t self,
        layer: PartLayer,
        line: &'t str,
        mut take: impl FnMut(&'t str, Option<&'t str>, PartValue<'t>),
    ) {
        let (text, header) = self.parts.split_at(self.parts.len().saturating_sub(self.n_of_header));
        let parts = if layer == PartLayer::Text { text } else { header };
        parts.iter().filter(|part| !part.is_again).for_each(|part| part.give(line, &self.names, &mut take));
    }

    /// Whether the line says a name that is no member's more than once.
    pub(crate) fn is_repeated(&self, name: &str, line: &str) -> bool {
        let is_alike = |part: &&Part| part.below.is_none() && part.name(line, &self.names) == name;
        self.parts.iter().filter(is_alike).nth(1).is_some()
    }
}

impl Part {
    fn name<'t>(&self, line: &'t str, names: &'t [Box<str>]) -> &'t str {
        match self.name {
            Name::Known(name) => name,
            Name::Written(span) => span.get(line),
            Name::Column(column) => names.get(usize::from(column)).map_or("", |name| name),
        }
    }

    fn give<'t>(
        &self,
        line: &'t str,
        names: &'t [Box<str>],
        take: &mut impl FnMut(&'t str, Option<&'t str>, PartValue<'t>),
    ) {
        let value = match self.value {
            StoredPart::Text(span) => PartValue::Text(Cow::Borrowed(span.get(line))),
            StoredPart::Escaped(span) => PartValue::Text(unescaped(span.get(line))),
            StoredPart::Guarded(span) => PartValue::Text(unguarded(span.get(line), &['"', ']', '\\'])),
            StoredPart::Barred(span) => PartValue::Text(unguarded(span.get(line), &['|', '=', '\\'])),
            StoredPart::Quoted(span) => PartValue::Text(unquoted(span.get(line))),
            StoredPart::Doubled(span) => PartValue::Text(undoubled(span.get(line))),
            StoredPart::Hexadecimal(span) => PartValue::Text(from_hexadecimal(span.get(line))),
            StoredPart::Known(text) => PartValue::Text(Cow::Borrowed(text)),
            StoredPart::Integer(number) => PartValue::Integer(number),
            StoredPart::Float(number) => PartValue::Float(number),
            StoredPart::Empty => PartValue::Empty,
        };
        take(self.name(line, names), self.below.map(|below| below.get(line)), value);
    }
}

/// Programs whose messages are known by the names of the programs.
pub(crate) trait Programs {
    /// Reads the message of a program behind a syslog header that names it; returns whether it is known.
    fn read_message<'t>(&self, program: &str, message: &'t str, found: &mut PartSink<'t, '_>) -> bool;
}

/// None.
pub(super) struct NoPrograms;

impl Programs for NoPrograms {
    fn read_message<'t>(&self, _: &str, _: &'t str, _: &mut PartSink<'t, '_>) -> bool {
        false
    }
}

/// Receives the parts of a line from its reader.
pub(crate) struct PartSink<'t, 'p> {
    pub(super) line: &'t str,
    parts: &'p mut Parts,
    /// The time that was read last in the line.
    pub(crate) times: &'p TimeMemo,
    /// Programs whose messages behind a syslog header are known.
    pub(super) programs: &'p dyn Programs,
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

    /// A text under one of the names that were given; none where it is empty or `-`.
    pub(crate) fn named_text(&mut self, name: u16, text: &'t str) {
        if !text.is_empty() && text != "-" {
            self.push(Name::Column(name), StoredPart::Text(self.span(text)), false);
        }
    }

    /// The same of a number.
    pub(crate) fn named_number(&mut self, name: u16, text: &'t str) {
        let value = match (text.parse(), text.parse::<f64>()) {
            (Ok(number), _) => StoredPart::Integer(number),
            (_, Ok(number)) if number.is_finite() => StoredPart::Float(number),
            _ => StoredPart::Text(self.span(text)),
        };
        self.push(Name::Column(name), value, false);
    }

    /// A text in quotes in which `\"` and `\x22` stand for a quote.
    pub(super) fn quoted(&mut self, name: &'static str, text: &'t str) {
        if !text.is_empty() && text != "-" {
            self.push(Name::Known(name), StoredPart::Quoted(self.span(text)), false);
        }
    }

    /// A text in which two quotes stand for one.
    pub(super) fn doubled(&mut self, name: &'static str, text: &'t str) {
        if !text.is_empty() {
            self.push(Name::Known(name), StoredPart::Doubled(self.span(text)), false);
        }
    }

    /// A text in which a backslash stands before bars and signs of equality.
    pub(super) fn barred(&mut self, name: &'static str, text: &'t str) {
        if !text.is_empty() {
            self.push(Name::Known(name), StoredPart::Barred(self.span(text)), false);
        }
    }

    /// The same under a name that stands in the line.
    pub(super) fn barred_pair(&mut self, name: &'t str, text: &'t str) {
        self.push(Name::Written(self.span(name)), StoredPart::Barred(self.span(text)), false);
    }

    /// A text as hexadecimal digits, under a name that stands in the line.
    pub(super) fn hexadecimal(&mut self, name: &'t str, digits: &'t str) {
        self.push(Name::Written(self.span(name)), StoredPart::Hexadecimal(self.span(digits)), false);
    }

    /// A time that something took, in milliseconds, of digits with a point in seconds.
    pub(super) fn seconds(&mut self, text: &'t str) {
        let Some((whole, fraction)) = text.split_once('.') else { return };
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()) && (1..=9).contains(&text.len());
        if digits(whole) && digits(fraction) {
            let nanos = format!("{whole}{fraction:0<9}").parse::<u64>().unwrap_or_default();
            self.millis(nanos as f64 / 1e6);
        }
    }

    /// A time that something took, in milliseconds.
    pub(super) fn millis(&mut self, millis: f64) {
        self.push(Name::Known("duration_ms"), StoredPart::Float(millis), false);
    }

    /// Names what [`column`](Self::column) and [`named_text`](Self::named_text) give values of.
    pub(crate) fn columns(&mut self, names: &Arc<[Box<str>]>) {
        self.parts.names = names.clone();
    }

    /// The value of a column, as a text or a whole number.
    pub(super) fn column(&mut self, column: usize, text: &'t str, is_number: bool) {
        let Ok(column) = u16::try_from(column) else { return };
        match text.parse().ok().filter(|_| is_number) {
            Some(number) => self.push(Name::Column(column), StoredPart::Integer(number), false),
            None => self.push(Name::Column(column), StoredPart::Text(self.span(text)), false),
        }
    }

    /// The time of the line, as it is written.
    pub(crate) fn time(&mut self, written: &'t str) {
        if !written.is_empty() {
            self.parts.time = Some(WrittenTime::Span(self.span(written)));
        }
    }

    /// The time at the head of a text; behind a header it is not that of the line.
    pub(super) fn time_at_head(&mut self, written: &'t str) {
        self.again("time", written);
        if !self.has_header() {
            self.time(written);
        }
    }

    /// The time of the line, put together from several places.
    pub(crate) fn time_of(&mut self, written: String) {
        self.parts.time = Some(WrittenTime::Text(written));
    }

    /// Says that the parts so far are of a syslog header, and which level that says. They win over those of the same name
    /// that `read` finds in the message behind it.
    pub(super) fn header(&mut self, message: &'t str, level: Option<Level>, read: impl FnOnce(&'t str, &mut Self)) {
        self.parts.header = Some((level, self.span(message).start));
        let (n_parts, time) = (self.parts.parts.len(), self.parts.time.take());
        read(message, self);
        self.parts.parts.rotate_left(n_parts);
        self.parts.n_of_header = n_parts;
        self.parts.time = time.or(self.parts.time.take());
    }

    /// Whether the text stands behind a syslog header.
    pub(super) fn has_header(&self) -> bool {
        self.parts.header.is_some()
    }

    /// Whether neither the text nor a header says a level.
    pub(super) fn has_no_level(&self) -> bool {
        self.parts.level().is_none()
    }

    /// Takes back what `read` has found where it finds in the end that a text has another form.
    pub(super) fn attempt(&mut self, read: impl FnOnce(&mut Self) -> Option<()>) -> Option<()> {
        let (n_parts, level, time) = (self.parts.parts.len(), self.parts.level, self.parts.time.clone());
        let fits = read(self);
        if fits.is_none() {
            self.parts.parts.truncate(n_parts);
            (self.parts.level, self.parts.time) = (level, time);
        }
        fits
    }

    /// The level of the line.
    pub(crate) fn level(&mut self, level: Option<Level>) {
        self.parts.level = level.or(self.parts.level);
    }
}
