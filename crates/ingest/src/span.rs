//! Spans as events: what the trace protocols have in common.
//!
//! A span is an event of the group `traces/SERVICE` with `@type = "span"`, at the time of its start. Its ids, name, kind,
//! status, duration, events and links are fields, and its attributes are fields under their own names; an attribute with the
//! name of one of those fields is stored as `attributes.NAME`. Problems that do not
//! prevent storing a span are described in its field `span_problem`.

mod attributes;
mod durations;
mod lists;
mod repeated;

use std::borrow::Cow;
use std::fmt::{Display, Write};

use data_encoding::HEXLOWER;
use parse::{ArrivalContext, FieldWriter};
use types::{GroupName, Level, Timestamp, group_name_of_outside};

pub use self::attributes::{STATUS_CODES, SpanAttributes, attribute_name, json_value, n_json_fields};
use self::durations::{duration, write_duration};
use self::lists::ELEMENTS_MAX;
pub use self::lists::{Members, SpanList, link, span_event};
pub(crate) use self::repeated::has_spans;
pub use self::repeated::repeated_spans;
use crate::{Collector, EventFields, EventMetadata, RawEvent, RecordRefusal, Result};

/// The groups that contain spans, as patterns: their own, and the one for groups beyond the limit.
pub const SPAN_GROUPS: [&str; 2] = ["traces/*", "overflow"];

/// The service of spans that name none.
pub const UNKNOWN_SERVICE: &str = "unknown_service";

/// Duration from which a span's times are suspect: a year.
const DURATION_NS_SUSPECT: u64 = 365 * 24 * Timestamp::HOUR as u64;

/// Part of the problem of each span that has the time of its arrival instead of its own.
const AT_ARRIVAL: &str = "kept at its arrival";

/// Bytes of a message after the name: a status code and a duration.
const MESSAGE_BYTES: usize = 24;

/// Most fields of a span in addition to its attributes.
pub const SPAN_FIELDS_MAX: usize = 24;

types::named! {
    /// The role of a span in a call.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum SpanKind {
        /// Work within a service.
        #[default]
        Internal = "internal",
        /// Handling of a request.
        Server = "server",
        /// A request to another service.
        Client = "client",
        /// Sending of a message.
        Producer = "producer",
        /// Receipt of a message.
        Consumer = "consumer",
    }
}

impl SpanKind {
    /// Returns the kind of a name, in any case.
    pub fn of(name: &str) -> Self {
        let kinds = [Self::Server, Self::Client, Self::Producer, Self::Consumer];
        kinds.into_iter().find(|kind| kind.name().eq_ignore_ascii_case(name)).unwrap_or_default()
    }
}

types::named! {
    /// How a span ended.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub enum SpanStatus {
        /// Not set by the sender.
        #[default]
        Unset = "unset",
        /// Marked as successful by the sender.
        Ok = "ok",
        /// Failed.
        Error = "error",
    }
}

impl SpanStatus {}

/// A span without its attributes.
#[derive(Debug, Default)]
pub struct Span<'a> {
    /// The id of the trace.
    pub trace_id: [u8; 16],
    /// The id of the span.
    pub span_id: [u8; 8],
    /// The id of the span that caused this one; `None` for a root.
    pub parent_span_id: Option<[u8; 8]>,
    /// The name of the operation.
    pub name: Cow<'a, str>,
    /// Its role in a call.
    pub kind: SpanKind,
    /// How it ended.
    pub status: SpanStatus,
    /// Why it failed.
    pub status_message: Cow<'a, str>,
    /// The service; empty for [`UNKNOWN_SERVICE`].
    pub service: Cow<'a, str>,
    /// Start in nanoseconds since the epoch; 0 if unknown.
    pub start: u64,
    /// End in nanoseconds since the epoch; 0 if unknown.
    pub end: u64,
    /// The state of the trace, as W3C's `tracestate` has it.
    pub trace_state: Cow<'a, str>,
    /// Flags as OTLP has them: W3C's trace flags in the lowest eight bits.
    pub flags: u32,
    /// What happened during the span: values of [`span_event`].
    pub events: SpanList,
    /// Spans of other traces: values of [`link`].
    pub links: SpanList,
    /// Attributes that its sender left out.
    pub n_dropped_attributes: u64,
    /// Its problems; empty if there are none.
    pub problem: String,
}

/// Returns the group of a service's spans.
pub fn span_group(service: &str) -> GroupName {
    let group = group_name_of_outside(&format!("traces/{service}"));
    if group.as_str().contains('/') { group } else { group_name_of_outside(&format!("traces/{UNKNOWN_SERVICE}")) }
}

/// Parses an id of `N` bytes from hexadecimal digits; a shorter one is padded with zeros on the left.
pub fn id_of_hex<const N: usize>(digits: &str) -> Option<[u8; N]> {
    if digits.is_empty() || digits.len() > 2 * N || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let mut id = [0; N];
    for (place, digit) in digits.chars().rev().enumerate() {
        let nibble = digit.to_digit(16)? as u8;
        id[N - 1 - place / 2] |= nibble << (4 * (place % 2));
    }
    Some(id)
}

impl Span<'_> {
    /// Adds a problem of the span.
    pub fn note(&mut self, problem: impl Display) {
        let separator = if self.problem.is_empty() { "" } else { "; " };
        // Writing to a text succeeds.
        let _ = write!(self.problem, "{separator}{problem}");
    }

    /// Adds the span to the group at `place`.
    ///
    /// `attributes` writes at most `n_attributes` fields. `status_code` is the value of one of [`STATUS_CODES`], if any.
    ///
    /// # Errors
    /// If the events collected need more memory than a request may hold.
    pub fn add_to(
        &mut self,
        collector: &mut Collector<'_>,
        place: usize,
        (n_attributes, attributes): (usize, &dyn Fn(&mut SpanAttributes<'_, '_>)),
        status_code: Option<&str>,
    ) -> Result<Result<(), RecordRefusal>> {
        self.check_times(collector.received());
        let field_bytes_max = collector.received().limits.field_bytes_max;
        for (what, n_dropped) in [("event", self.events.n_excess), ("link", self.links.n_excess)] {
            if n_dropped > 0 {
                let plural = if n_dropped == 1 { " is" } else { "s are" };
                self.note(format_args!(
                    "{n_dropped} {what}{plural} left out: a span has at most {ELEMENTS_MAX} in {field_bytes_max} bytes"
                ));
            }
        }
        let duration_ns = self.end - self.start;
        let message = self.message(duration_ns, status_code);
        let write = |fields: &mut FieldWriter<'_>| {
            self.write_fields(duration_ns, fields);
            attributes(&mut SpanAttributes::new(fields, field_bytes_max));
        };
        let fields = EventFields::Writer { n_max: n_attributes + SPAN_FIELDS_MAX, write: &write };
        let level = if self.status == SpanStatus::Error { Level::Error } else { Level::Info };
        let time = match self.start {
            0 => collector.received().at,
            start => Timestamp(i64::try_from(start).unwrap_or(i64::MAX)),
        };
        let metadata = EventMetadata { time: Some(time), level: Some(level), fields, ..EventMetadata::default() };
        collector.add(place, RawEvent::Body(message.as_bytes()), &metadata)
    }

    /// Adds the problems of start and end, and makes the end follow the start.
    fn check_times(&mut self, received: &ArrivalContext<'_>) {
        match (self.start, self.end) {
            (0, 0) => self.note(format_args!("start and end are unknown; {AT_ARRIVAL} with a duration of 0")),
            (0, end) => {
                self.start = end;
                self.note("start is unknown; kept at its end with a duration of 0");
            }
            (start, 0) => {
                self.end = start;
                self.note("end is unknown; kept with a duration of 0");
            }
            (start, end) if end < start => {
                self.end = start;
                let by = duration(start - end);
                self.note(format_args!("ended {by} before it began; kept with a duration of 0"));
            }
            (start, end) if end - start > DURATION_NS_SUSPECT => {
                let n_days = (end - start) / (24 * Timestamp::HOUR as u64);
                self.note(format_args!("lasted {n_days} days; kept as sent"));
            }
            _ => {}
        }
        let latest = received.at.0.saturating_add(received.limits.future_ns_max);
        let start = i64::try_from(self.start).unwrap_or(i64::MAX);
        if start > latest {
            self.note(format_args!("began at {}, after its arrival; {AT_ARRIVAL}", Timestamp(start)));
        }
    }

    fn message(&self, duration_ns: u64, status_code: Option<&str>) -> String {
        let mut message = String::with_capacity(self.name.len() + MESSAGE_BYTES);
        message.push_str(if self.name.is_empty() { "span" } else { &self.name });
        if let Some(code) = status_code {
            message.extend([" ", code]);
        }
        message.push(' ');
        write_duration(duration_ns, &mut message);
        message
    }

    fn write_fields(&self, duration_ns: u64, fields: &mut FieldWriter<'_>) {
        let mut hex = [0; 32];
        fields.system("@type", "span");
        fields.id("trace_id", HEXLOWER.encode_mut_str(&self.trace_id, &mut hex));
        fields.id("span_id", HEXLOWER.encode_mut_str(&self.span_id, &mut hex[..16]));
        if let Some(parent) = &self.parent_span_id {
            fields.id("parent_span_id", HEXLOWER.encode_mut_str(parent, &mut hex[..16]));
        }
        fields.text("name", &self.name);
        fields.text("kind", self.kind.name());
        fields.text("status", self.status.name());
        fields.text("service", if self.service.is_empty() { UNKNOWN_SERVICE } else { &self.service });
        fields.float("duration_ms", duration_ns as f64 / 1e6);
        let texts = [
            ("status_message", &*self.status_message),
            ("trace_state", &*self.trace_state),
            ("span_problem", &*self.problem),
        ];
        for (name, text) in texts {
            if !text.is_empty() {
                fields.text(name, text);
            }
        }
        self.events.write("events", fields);
        self.links.write("links", fields);
        let numbers = [
            ("flags", self.flags.into()),
            ("dropped_attributes_count", self.n_dropped_attributes),
            ("dropped_events_count", self.events.n_dropped()),
            ("dropped_links_count", self.links.n_dropped()),
        ];
        for (name, number) in numbers {
            if number > 0 {
                fields.integer(name, i64::try_from(number).unwrap_or(i64::MAX));
            }
        }
    }
}

#[cfg(test)]
mod tests;
