//! One event: from its bytes to a row of a [`BatchBuilder`].

mod envelope;
mod line;

use std::borrow::Cow;
use std::cell::Cell;

use types::{BatchBuilder, Level, Timestamp, Value};

use crate::arrival::{ArrivalContext, Extras};
use crate::commit::commit_in_parts;
use crate::format::{FormatId, Formats, Heads};
use crate::json::{JsonError, Members};
use crate::shape::{LineColumns, Parts, Shape, SyslogHeader};
use crate::time::{ASSUMED_ZONE, ResolvedTime, TimeMemo, assumed_zone, bounded};
use crate::{Projection, Zone, exception, json, message, runtime};
pub use line::OwnTime;
use line::finer;

/// Parses event after event, keeping its buffers.
#[derive(Debug)]
pub struct EventParser<'a> {
    /// What is known of the bytes.
    pub received: ArrivalContext<'a>,
    pub(crate) members: Members,
    /// Members of an object that stands around a line, or behind it.
    outer: Members,
    /// What the line says by its shape.
    parts: Parts,
    /// What the last header line of columns named.
    columns: Option<LineColumns>,
    /// The time of the last text that had one, for texts that have none.
    pub(crate) previous: Option<Timestamp>,
    /// What the last text said of its time by itself.
    pub own_time: OwnTime,
    /// What is read of texts; `None` where it is everything.
    pub(crate) wanted: Option<&'a Projection>,
    formats: &'a Formats,
    /// What was found for the heads of the lines before.
    heads: Heads,
    /// Whether the line before said its level.
    said_level: Cell<bool>,
    /// The format that the source's lines have, where somebody said so.
    format: Option<FormatId>,
}

impl<'a> EventParser<'a> {
    /// A parser for bytes of one source.
    pub fn new(received: ArrivalContext<'a>) -> Self {
        Self {
            received,
            members: Members::default(),
            outer: Members::default(),
            parts: Parts::default(),
            columns: None,
            previous: None,
            own_time: OwnTime::None,
            wanted: None,
            formats: Formats::current(),
            heads: Heads::default(),
            said_level: Cell::new(false),
            format: None,
        }
    }

    /// Returns this parser with `programs` in place of the formats loaded for the process.
    pub fn with_formats(self, formats: &'a Formats) -> Self {
        Self { formats, heads: Heads::default(), ..self }
    }

    /// Reads lines as those of one format only, or as those of any again.
    pub fn set_format(&mut self, format: Option<FormatId>) {
        self.format = format;
    }

    /// The same parser, which reads of texts only what is wanted.
    pub fn with_wanted(self, wanted: &'a Projection) -> Self {
        Self { wanted: Some(wanted), ..self }
    }

    /// Reads times without a zone in this one from now on.
    pub fn set_zone(&mut self, zone: Zone) {
        self.received.zone = zone;
    }

    /// The time of the last text that had one.
    pub fn previous(&self) -> Option<Timestamp> {
        self.previous
    }

    /// Says what time the source's last text had, in bytes parsed earlier.
    pub fn set_previous(&mut self, previous: Option<Timestamp>) {
        self.previous = previous;
    }

    /// Reads one JSON record: its text key gives the message, its time key the time, the rest are fields.
    ///
    /// # Errors
    /// Where the bytes are not one JSON object.
    pub fn read_record<'p>(&'p mut self, line: &'p [u8]) -> Result<Event<'p, 'a>, JsonError> {
        let text = text_of(without_mark(line));
        self.members.scan(trimmed(&text), self.received.limits, None)?;
        let times = TimeMemo::default();
        Ok(Event { parser: self, text, from: 0, kind: Kind::Record, around: Envelope::Nothing, times })
    }

    /// Reads one text, of a line or of several; one that is a JSON object gives its keys as fields. What a container runtime
    /// has written around a line is read, and the line by itself.
    pub fn read_text<'p>(&'p mut self, bytes: &'p [u8]) -> Event<'p, 'a> {
        let times = TimeMemo::default();
        let text = message::with_line_ends(text_of(without_mark(bytes)), &times);
        if let Some(log) = self.docker_log(&text) {
            let kind = self.kind_of(&log, &times);
            return Event { parser: self, text: Cow::Owned(log), from: 0, kind, around: Envelope::Docker(text), times };
        }
        if let Some(part) = runtime::cri(text.as_bytes())
            && let Some(inner) = text.get(part.content.start..)
        {
            let kind = self.kind_of(inner, &times);
            return Event {
                parser: self,
                text,
                from: part.content.start,
                kind,
                around: Envelope::Cri(part.stream_name()),
                times,
            };
        }
        let from = runtime::compose(&text, &times).unwrap_or(0);
        let kind = self.kind_of(&text[from..], &times);
        let around = self.object_behind(kind, &text);
        Event { parser: self, text, from, kind, around, times }
    }

    /// Reads one message that came as syslog, whatever it begins with: by its header, which was read of [`text_of`] it, and
    /// its text as [`read_text`](Self::read_text) reads it.
    pub fn read_frame<'p>(&'p mut self, bytes: &'p [u8], header: &SyslogHeader<'p>) -> Event<'p, 'a> {
        let times = TimeMemo::default();
        let text = message::with_line_ends(text_of(bytes), &times);
        let kind = Kind::Line(Some(Shape::Syslog));
        self.parts.clear();
        // Places in another text are none in this one.
        let header = if matches!(text, Cow::Borrowed(_)) { *header } else { SyslogHeader::of_frame(&text) };
        Shape::read_frame(header, &mut self.parts.of(&text, &times, self.formats));
        let around = self.object_behind(kind, &text);
        Event { parser: self, text, from: 0, kind, around, times }
    }

    /// An object behind the header of a line, whose members are in `outer`.
    fn object_behind(&mut self, kind: Kind, text: &str) -> Envelope<'static> {
        let start = match kind {
            Kind::Line(Some(Shape::Zap)) => self.read_tail(text),
            Kind::Line(Some(Shape::Syslog)) => self.read_message(text),
            Kind::Line(Some(Shape::Application)) => self.read_context(text),
            _ => None,
        };
        start.map_or(Envelope::Nothing, Envelope::Tail)
    }

    /// Where the object begins that is the message of a syslog line.
    fn read_message(&mut self, text: &str) -> Option<usize> {
        let message = self.parts.behind_header(text)?.trim();
        // Rsyslog knows such messages by a cookie.
        let message = message.strip_prefix("@cee:").map_or(message, str::trim_start);
        let is_likely = message.starts_with('{') && message.ends_with('}');
        let is_object = is_likely && self.outer.scan(message, self.received.limits, self.wanted).is_ok();
        is_object.then(|| message.as_ptr().addr() - text.as_ptr().addr())
    }

    /// What a line is by itself.
    fn kind_of(&mut self, text: &str, times: &TimeMemo) -> Kind {
        let line = trimmed(text);
        let looks_like_object = line.starts_with('{') && line.ends_with('}');
        let is_object = looks_like_object && self.members.scan(line, self.received.limits, self.wanted).is_ok();
        if is_object {
            return Kind::ObjectLine;
        }
        if self.wanted.is_some_and(|wanted| !wanted.has_shape()) {
            return Kind::Line(None);
        }
        self.parts.clear();
        let candidates = Shape::candidates(text, times);
        let found = &mut self.parts.of(text, times, self.formats);
        if self.format.is_none() {
            let of_columns = self.columns.as_ref().and_then(|columns| Shape::read_columns(columns, found));
            if let Some(shape) = of_columns.or_else(|| Shape::recognise_sure(candidates, found)) {
                return Kind::Line(Some(shape));
            }
        }
        if let Some(format) = self.formats.recognise(text, self.format, &mut self.heads, found) {
            return Kind::Program(format);
        }
        let shape = Shape::recognise_rest(candidates, found);
        // Pieces of a file are read by themselves, and only one of them would know its header.
        if shape.is_none() && self.wanted.is_none() && text.starts_with(|c: char| c.is_ascii_lowercase() || c == '#') {
            self.columns = LineColumns::after(self.columns.take(), text);
        }
        Kind::Line(shape)
    }

    /// The line of a program in one of Docker's, without its end; what else that says is in `outer`.
    fn docker_log(&mut self, text: &str) -> Option<String> {
        let line = trimmed(text);
        let is_likely =
            runtime::is_docker(line.as_bytes()) && self.outer.scan(line, self.received.limits, None).is_ok();
        if is_likely { self.outer.take_docker_log(line) } else { None }
    }

    /// Where the object begins that stands behind a line, after a tab; its members are in `outer`.
    fn read_tail(&mut self, text: &str) -> Option<usize> {
        let line = text.trim_end();
        let start = line.rfind("\t{").filter(|_| line.ends_with('}'))? + 1;
        self.outer.scan(&line[start..], self.received.limits, self.wanted).ok().map(|()| start)
    }

    /// Reads the object that Monolog writes after `[TIME] channel.LEVEL: text `, and returns its place in the text.
    /// What handlers add follows the object.
    fn read_context(&mut self, text: &str) -> Option<usize> {
        let line = text.trim_end();
        let line = line.strip_suffix(" []").unwrap_or(line);
        let (_, behind_time) = text.strip_prefix('[').filter(|_| line.ends_with('}'))?.split_once("] ")?;
        let (channel, message) = behind_time.split_once(": ")?;
        crate::level::upper_level(channel.rsplit_once('.')?.1.as_bytes())?;
        let start = message.find("{\"")? + (text.len() - message.len());
        self.outer.scan(line.get(start..)?, self.received.limits, self.wanted).ok().map(|()| start)
    }

    /// Reads one text whose header somebody has read already: only its time and level are looked for.
    pub fn read_known<'p>(&'p mut self, bytes: &'p [u8]) -> Event<'p, 'a> {
        let (text, times) = (text_of(bytes), TimeMemo::default());
        Event { parser: self, text, from: 0, kind: Kind::Line(None), around: Envelope::Nothing, times }
    }

    /// What the source's last header line of columns named.
    pub fn columns(&self) -> Option<&LineColumns> {
        self.columns.as_ref()
    }

    /// Says what the source's last header line named, in bytes parsed earlier.
    pub fn set_columns(&mut self, columns: Option<LineColumns>) {
        self.columns = columns;
    }

    /// Adds one JSON record, as [`read_record`](Self::read_record) reads it.
    ///
    /// # Errors
    /// Where the record is not one JSON object; nothing is added then.
    pub fn record(&mut self, line: &[u8], extras: &Extras<'_>, builder: &mut BatchBuilder) -> Result<(), JsonError> {
        self.read_record(line).map(|event| event.add_to(extras, builder))
    }

    /// Adds one text, as [`read_text`](Self::read_text) reads it.
    pub fn text(&mut self, bytes: &[u8], extras: &Extras<'_>, builder: &mut BatchBuilder) {
        self.read_text(bytes).add_to(extras, builder);
    }
}

/// An event that was read and is not in a batch yet, so that the batch can be chosen by what the event needs.
#[derive(Debug)]
pub struct Event<'p, 'a> {
    parser: &'p mut EventParser<'a>,
    text: Cow<'p, str>,
    /// Where in it the line begins that `kind` is of.
    from: usize,
    kind: Kind,
    around: Envelope<'p>,
    /// The time that was read last in it.
    times: TimeMemo,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A record that its sender made.
    Record,
    /// A text that is a JSON object.
    ObjectLine,
    /// A line of a program whose format is known.
    Program(Option<FormatId>),
    /// Any other text, and its shape.
    Line(Option<Shape>),
}

impl Event<'_, '_> {
    /// At most how many fields the event has, those that came beside it not counted.
    pub fn n_fields(&self) -> usize {
        let n_around = match self.around {
            Envelope::Nothing => 0,
            Envelope::Cri(_) => 1,
            Envelope::Docker(_) | Envelope::Tail(_) => self.parser.outer.n_fields(),
        };
        let n_of_trace = if self.has_lines() { exception::FIELDS.len() } else { 0 };
        n_around
            + n_of_trace
            + match self.kind {
                Kind::Line(None) => 0,
                Kind::Line(Some(_)) | Kind::Program(_) => self.parser.parts.len() + 1,
                Kind::Record | Kind::ObjectLine => self.parser.members.n_fields(),
            }
    }

    /// Whether a text has several lines, as traces do: those of a record are in what was unescaped.
    fn has_lines(&self) -> bool {
        match self.kind {
            Kind::Record | Kind::ObjectLine => memchr::memchr(b'\n', self.parser.members.scratch.as_bytes()).is_some(),
            Kind::Line(_) | Kind::Program(_) => {
                let line = &self.text[self.from..];
                self.times.first_line(line).len() < line.len()
            }
        }
    }

    /// The shape that was recognised in a text, or in the line that a container runtime wrote something around.
    pub fn shape(&self) -> Option<Shape> {
        if let Kind::Line(shape) = self.kind { shape } else { None }
    }

    /// The format of the program whose line a text, or the line in it, surely is.
    pub fn format(&self) -> Option<&str> {
        let Kind::Program(Some(format)) = self.kind else { return None };
        self.parser.formats.get(format).map(|format| &*format.name)
    }

    /// Whether a text, or the line that a container runtime wrote something around, is a JSON object.
    pub fn is_object(&self) -> bool {
        self.kind == Kind::ObjectLine
    }

    /// The container runtime that wrote something around a line: `cri` or `docker`.
    pub fn runtime(&self) -> Option<&'static str> {
        match self.around {
            Envelope::Cri(_) => Some(Shape::Cri.name()),
            Envelope::Docker(_) => Some("docker"),
            Envelope::Nothing | Envelope::Tail(_) => None,
        }
    }

    /// The level that this shape says.
    pub fn level_of_shape(&self) -> Option<Level> {
        let has_parts = matches!(self.kind, Kind::Program(_) | Kind::Line(Some(_)));
        if has_parts { self.parser.parts.level() } else { None }
    }

    /// Adds the event to a batch.
    pub fn add_to(mut self, extras: &Extras<'_>, builder: &mut BatchBuilder) {
        push_extras(extras, builder);
        if self.is_lossy() {
            builder.field_text("@encoding", "lossy");
        }
        let (around_time, around_level) = self.add_around(extras, builder);
        builder.begin_layer();
        let is_wanted = |key: &&str| self.parser.wanted.is_none_or(|wanted| wanted.has_field(key));
        let mut text_key = self.text_key().filter(is_wanted);
        let EventParser { members, parts, received, wanted, previous, own_time, said_level, .. } = &mut *self.parser;
        let times = &self.times;
        *own_time = OwnTime::None;
        received.previous = *previous;
        let mut own_time_said = OwnTime::Full;
        let has_message = text_key.is_some() || wanted.is_none_or(Projection::has_message);
        let line = &self.text[self.from..];
        // A time that comes beside the line makes its own a mere field.
        let is_told = extras.time.is_some() || around_time.is_some();
        let is_headed = matches!(self.kind, Kind::Line(Some(_))) && parts.behind_header(line).is_some();
        let time = match self.kind {
            Kind::Record => {
                let time = json::emit_record(members, trimmed(&self.text), received, extras, builder);
                let is_old = received.modified.is_some();
                *previous = time.filter(|_| is_old).or(*previous);
                return;
            }
            Kind::ObjectLine => json::emit_line_fields(members, trimmed(line), (received, is_told), *wanted, builder),
            Kind::Line(_) | Kind::Program(_) => {
                let is_told = extras.time.is_some() || around_time.is_some() && !is_headed;
                let shape = if let Kind::Line(shape) = self.kind { shape } else { None };
                let parts = (self.kind != Kind::Line(None)).then_some(&*parts);
                let (level, wanted) = (around_level, *wanted);
                let told = line::LineContext { extras, level, is_told, received, wanted, times, said_level };
                let reading = line::add((line, parts, shape), &told, builder);
                own_time_said = reading.said;
                text_key = text_key.or(reading.text_key);
                reading.time
            }
        };
        let of_fields = || extras.fields.iter().find_map(|(name, value)| crate::level_of_field(name, value));
        if let Some(level) = extras.level.or_else(of_fields) {
            builder.set_level(Some(level));
        }
        let own_time = extras.time.map(|time| (bounded(time.0.into(), received), Cow::Owned(time.0.to_string())));
        let time = if is_headed { finer(time, around_time) } else { around_time.or(time) };
        match own_time.or(time) {
            Some((ResolvedTime::At(instant), _)) => {
                (self.parser.previous, self.parser.own_time) = (Some(instant), own_time_said);
                let is_wanted = self.parser.wanted.is_none_or(|wanted| wanted.has_field(ASSUMED_ZONE));
                let times = if self.kind == Kind::ObjectLine { &self.parser.members.read_time } else { times };
                if is_wanted && let Some(name) = assumed_zone(times, instant, &self.parser.received) {
                    builder.field_text(ASSUMED_ZONE, name.as_str());
                }
                builder.set_timestamp(instant);
            }
            Some((ResolvedTime::OutOfRange, original)) => {
                builder.field_text("@timestampRejected", &original);
                builder.set_timestamp(self.parser.received.at);
            }
            None => {
                let received = &self.parser.received;
                builder.set_timestamp(self.parser.previous.or(received.modified).unwrap_or(received.at));
            }
        }
        self.commit(text_key, has_message, builder);
    }

    /// Ends the event with its text, if it is to have one.
    fn commit(&self, text_key: Option<&'static str>, has_message: bool, builder: &mut BatchBuilder) {
        let limits = self.parser.received.limits;
        // Compose's name of a container is told nowhere else; what a runtime says is in fields.
        let has_header = matches!(self.around, Envelope::Cri(_));
        let message = if has_header { &self.text[self.from..] } else { &*self.text };
        if has_message || message.len() > limits.event_bytes_max {
            commit_in_parts(message, text_key, limits, builder);
        } else {
            builder.set_message("");
            builder.commit();
        }
    }
}

fn trimmed(text: &str) -> &str {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    let bytes = text.as_bytes();
    let start = bytes.iter().position(|byte| !is_blank(byte)).unwrap_or(bytes.len());
    let end = bytes.iter().rposition(|byte| !is_blank(byte)).map_or(start, |last| last + 1);
    &text[start..end]
}

/// A line without the byte order mark that some programs begin files with. Files are joined, so it may stand before any line.
pub(crate) fn without_mark(line: &[u8]) -> &[u8] {
    line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line)
}

/// The bytes as text, each invalid sequence replaced by U+FFFD.
pub fn text_of(bytes: &[u8]) -> Cow<'_, str> {
    // Checking first is several times as fast as looking for what to replace.
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(bytes),
    }
}

fn push_extras(extras: &Extras<'_>, builder: &mut BatchBuilder) {
    for (name, value) in extras.fields {
        match value {
            Value::String(text) => builder.field_text(name, text),
            other => builder.field_value(name, other.clone()),
        }
    }
    if let Some(offset) = extras.offset {
        builder.field_integer("offset", i64::try_from(offset).unwrap_or(i64::MAX));
    }
}

/// What stands around a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Envelope<'p> {
    Nothing,
    /// The header of a container runtime, before the text; the name of the stream.
    Cri(&'static str),
    /// Docker's object, which is this, and of which the event's text is a part.
    Docker(Cow<'p, str>),
    /// An object at the end of it, which begins here.
    Tail(usize),
}
