//! Events before they are parsed: their bytes, and what their protocol states outside the bytes.

use std::sync::Arc;

use parse::{Event, EventParser, Extras, FieldWriter, JsonError, SyslogHeader};
use types::{BatchBuilder, Level, Limits, Timestamp, Value};

/// The bytes of an event.
#[derive(Clone, Copy, Debug)]
pub enum RawEvent<'r> {
    /// A text, of one line or of several.
    Text(&'r [u8]),
    /// A text whose header the protocol has read already.
    Body(&'r [u8]),
    /// A message that came as syslog, and its header.
    Syslog(&'r [u8], &'r SyslogHeader<'r>),
    /// A JSON record.
    Record(&'r [u8]),
}

impl<'r> RawEvent<'r> {
    pub(crate) fn parse<'p, 'a>(self, parser: &'p mut EventParser<'a>) -> Result<Event<'p, 'a>, JsonError>
    where
        'r: 'p,
    {
        match self {
            Self::Text(text) => Ok(parser.read_text(text)),
            Self::Body(text) => Ok(parser.read_known(text)),
            Self::Syslog(frame, header) => Ok(parser.read_frame(frame, header)),
            Self::Record(record) => parser.read_record(record),
        }
    }
}

/// What a protocol states about an event outside its bytes.
#[derive(Clone, Copy, Default)]
pub struct EventMetadata<'a> {
    /// The time of the event.
    pub time: Option<Timestamp>,
    /// The level of the event; without it a level among the fields counts.
    pub level: Option<Level>,
    /// Further fields. The event's own fields of the same name win.
    pub fields: EventFields<'a>,
    /// The offset of the first byte in the file.
    pub offset: Option<u64>,
    /// Whether it continues an event that may not become longer; it has the field `continued` then.
    pub is_continued: bool,
}

impl<'a> EventMetadata<'a> {
    /// Returns it in the form of the parser; `level` is that of the fields.
    pub(crate) fn extras(&self, level: Option<Level>) -> Extras<'a> {
        let Self { time, fields, offset, .. } = *self;
        Extras { fields: fields.values(), offset, time, level: self.level.or(level) }
    }

    /// Returns the most fields that it adds.
    pub(crate) fn n_fields_max(&self) -> usize {
        self.fields.n_max() + usize::from(self.is_continued)
    }

    /// Writes the fields that are no values; returns the level among them.
    pub(crate) fn write(&self, limits: &Limits, builder: &mut BatchBuilder) -> Option<Level> {
        if self.is_continued {
            FieldWriter::new(builder, limits).boolean("continued", true);
        }
        self.fields.write(limits, builder)
    }
}

/// Fields outside the bytes of an event.
#[derive(Clone, Copy, Default)]
pub enum EventFields<'a> {
    /// None.
    #[default]
    None,
    /// Fields that a function writes, `n_max` at most.
    Writer {
        /// The most fields that `write` writes.
        n_max: usize,
        /// Writes the fields.
        write: &'a dyn Fn(&mut FieldWriter<'_>),
    },
    /// Names and values.
    Values(&'a [(Arc<str>, Value)]),
}

impl<'a> EventFields<'a> {
    /// Returns the most fields that these can become.
    fn n_max(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Writer { n_max, .. } => *n_max,
            Self::Values(values) => values.len(),
        }
    }

    /// Writes the fields that a function writes; returns the level among them.
    fn write(&self, limits: &Limits, builder: &mut BatchBuilder) -> Option<Level> {
        let Self::Writer { write, .. } = self else { return None };
        let mut fields = FieldWriter::new(builder, limits);
        write(&mut fields);
        fields.finish()
    }

    /// Returns the fields that are values.
    pub(crate) fn values(&self) -> &'a [(Arc<str>, Value)] {
        if let Self::Values(values) = self { values } else { &[] }
    }
}
