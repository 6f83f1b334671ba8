//! Events from syslog frames, into which `parse` splits connections.
//!
//! The text of an event is its frame, byte for byte. The parts of the header are fields: `hostname`, `appname`, `procid`,
//! `msgid`, `facility`, `severity` (both by name), structured data as `id.param`. The group is `syslog/APPNAME`, or `syslog`
//! without a name; the stream is the host, else the address of the sender. `cutBytes` counts bytes beyond the limit of a
//! frame.

mod header;

use std::borrow::Cow;
use std::collections::HashMap;

use parse::{FieldWriter, text_of};
use types::{GroupScope, Timestamp, group_name_of_outside};

use header::{Header, for_each_param};
use ingest::{Collector, EventFields, EventMetadata, IngestAnswer, IngestError, Intake, RawEvent, Sender};
pub use parse::{SyslogFramer, SyslogFrames};

/// Frames from one sender.
#[derive(Clone, Debug)]
pub struct SyslogChunk {
    /// The sender's address, which is the stream of frames without a host.
    pub from: std::sync::Arc<str>,
    /// The frames in order.
    pub frames: SyslogFrames,
}

/// Names of facilities and severities, as in syslog lines from files.
const FACILITIES: [&str; 24] = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp",
    "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
];
const SEVERITIES: [&str; 8] = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"];

/// Stores the messages of several senders as one delivery, and returns when they are durable. Blocks.
pub fn ingest_syslog(intake: &Intake, chunks: &[SyslogChunk], now: Timestamp) -> Result<IngestAnswer, IngestError> {
    let sender = Sender { name: "syslog", within: &GroupScope::All, batch_id: None, now };
    let mut messages = Messages { collector: intake.collect(&sender), places: HashMap::new(), name: String::new() };
    for chunk in chunks {
        for (frame, n_cut) in chunk.frames.iter() {
            messages.add(frame, n_cut, &chunk.from)?;
        }
    }
    let n_bytes = chunks.iter().map(|chunk| chunk.frames.n_bytes() as u64).sum();
    intake.deliver(messages.collector, None, n_bytes, IngestAnswer::default())
}

/// Passes messages to the collector.
struct Messages<'s> {
    collector: Collector<'s>,
    /// Places of groups by application.
    places: HashMap<String, usize>,
    /// Buffer for names.
    name: String,
}

impl Messages<'_> {
    fn add(&mut self, frame: &[u8], n_cut: u64, from: &str) -> Result<(), IngestError> {
        let text = text_of(frame);
        let mut header = header::read(&text, self.collector.received());
        let place = self.place(header.appname.unwrap_or_default())?;
        // The group, and with it the zone of its times, is known only after parsing.
        if self.collector.received().zone != self.collector.received_for(place).zone {
            header = header::read(&text, &self.collector.received_for(place));
        }
        self.collector.set_stream(place, header.hostname.unwrap_or(from));
        // A message without a time happened when it came, whatever another sender's said.
        self.collector.forget_line_context();
        let write = |fields: &mut FieldWriter<'_>| write_fields(&header, n_cut, fields);
        let n_max = 7 + header.structured_data.bytes().filter(|byte| *byte == b'=').count();
        let fields = EventFields::Writer { n_max, write: &write };
        let metadata = EventMetadata { time: header.time, fields, ..EventMetadata::default() };
        // One that is too old is left out: the protocol has no word for it.
        self.collector.add(place, RawEvent::Body(frame), &metadata).map(|_| ())
    }

    /// Returns the place of an application's group.
    fn place(&mut self, appname: &str) -> Result<usize, IngestError> {
        if let Some(place) = self.places.get(appname) {
            return Ok(*place);
        }
        self.name.clear();
        self.name.push_str("syslog/");
        self.name.push_str(appname);
        let place = self.collector.group(&group_name_of_outside(&self.name))?;
        self.places.insert(appname.to_owned(), place);
        Ok(place)
    }
}

fn write_fields(header: &Header<'_>, n_cut: u64, fields: &mut FieldWriter<'_>) {
    // At most 191, as the parser of headers has checked.
    if let Some(priority) = header.priority.filter(|priority| *priority <= 191) {
        fields.text("facility", FACILITIES[usize::from(priority >> 3)]);
        fields.text("severity", SEVERITIES[usize::from(priority & 7)]);
    }
    let parts = [
        ("hostname", header.hostname),
        ("appname", header.appname),
        ("procid", header.procid),
        ("msgid", header.msgid),
    ];
    for (name, value) in parts {
        if let Some(value) = value {
            fields.text(name, value);
        }
    }
    if !header.structured_data.is_empty() {
        let mut path = String::new();
        for_each_param(header.structured_data, |id, name, value| {
            path.clear();
            path.extend([id, ".", name]);
            fields.text(&path, &unescaped(value));
        });
    }
    if n_cut > 0 {
        fields.integer("cutBytes", i64::try_from(n_cut).unwrap_or(i64::MAX));
    }
}

/// Removes the backslashes before `"`, `\` and `]`; others belong to the value.
fn unescaped(value: &str) -> Cow<'_, str> {
    if !value.contains('\\') {
        return Cow::Borrowed(value);
    }
    let mut plain = String::with_capacity(value.len());
    let mut characters = value.chars().peekable();
    while let Some(character) = characters.next() {
        match characters.peek() {
            Some(next @ ('"' | '\\' | ']')) if character == '\\' => {
                plain.push(*next);
                characters.next();
            }
            _ => plain.push(character),
        }
    }
    Cow::Owned(plain)
}

#[cfg(test)]
mod tests;
