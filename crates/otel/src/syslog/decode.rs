//! Events from syslog frames, into which `parse` splits connections.
//!
//! The text of an event is its frame, byte for byte. `parse` reads the header and the text after it. The group is
//! `syslog/PROGRAM`, or `syslog` without a program's name; the stream is the host, else the address of the sender. `cutBytes`
//! counts bytes beyond the limit of a frame; `continued` is set where lines continue an event that may not become longer.

use std::collections::HashMap;

use parse::{FieldWriter, SyslogHeader, text_of};
use types::{GroupScope, Timestamp};

use ingest::{Collector, EventFields, EventMetadata, IngestAnswer, IngestError, Intake, RawEvent, Sender};
pub use parse::{SyslogFramer, SyslogFrames};

/// The group of messages without a program's name, below which those of programs are.
const GROUP: &str = "syslog";

/// Limit on the groups below [`GROUP`] before a new program's messages go to it. Machines of one kind run dozens of
/// programs, so that more come from names with a number or an id in them.
const GROUPS_MAX: usize = 256;

/// Frames from one sender.
#[derive(Clone, Debug)]
pub struct SyslogChunk {
    /// The sender's address, which is the stream of frames without a host.
    pub from: std::sync::Arc<str>,
    /// The frames in order.
    pub frames: SyslogFrames,
    /// Whether its messages continue one that may not become longer.
    pub is_continued: bool,
    /// How many messages were joined to others of it.
    pub n_joined: u64,
}

impl SyslogChunk {
    /// Returns frames as they came.
    pub fn new(from: std::sync::Arc<str>, frames: SyslogFrames) -> Self {
        Self { from, frames, is_continued: false, n_joined: 0 }
    }

    /// Returns the number of messages.
    pub fn n_messages(&self) -> u64 {
        self.frames.len() as u64 + self.n_joined
    }
}

/// Stores the messages of several senders as one delivery, and returns when they are durable. Blocks.
pub fn ingest_syslog(intake: &Intake, chunks: &[SyslogChunk], now: Timestamp) -> Result<IngestAnswer, IngestError> {
    let sender = Sender { name: "syslog", within: &GroupScope::All, batch_id: None, now, groups: None };
    let mut messages = Messages { collector: intake.collect(&sender), places: HashMap::new() };
    for chunk in chunks {
        for (frame, n_cut) in chunk.frames.iter() {
            messages.add(frame, n_cut, chunk)?;
        }
    }
    let n_bytes = chunks.iter().map(|chunk| chunk.frames.n_bytes() as u64).sum();
    intake.deliver(messages.collector, None, n_bytes, IngestAnswer::default())
}

/// Passes messages to the collector.
struct Messages<'s> {
    collector: Collector<'s>,
    /// Places of groups by program.
    places: HashMap<String, usize>,
}

impl Messages<'_> {
    fn add(&mut self, frame: &[u8], n_cut: u64, chunk: &SyslogChunk) -> Result<(), IngestError> {
        let text = text_of(frame);
        let header = SyslogHeader::of_frame(&text);
        let place = self.place(header.program())?;
        self.collector.set_stream(place, if header.hostname.is_empty() { &chunk.from } else { header.hostname });
        // A message without a time has the time of its arrival.
        self.collector.forget_line_context();
        let write = |fields: &mut FieldWriter<'_>| {
            if n_cut > 0 {
                fields.integer("cutBytes", i64::try_from(n_cut).unwrap_or(i64::MAX));
            }
        };
        let fields = EventFields::Writer { n_max: 1, write: &write };
        let metadata = EventMetadata { fields, is_continued: chunk.is_continued, ..EventMetadata::default() };
        // A message that is too old is left out: the protocol cannot report it.
        self.collector.add(place, RawEvent::Syslog(frame, &header), &metadata).map(|_| ())
    }

    /// Returns the place of a program's group.
    fn place(&mut self, program: &str) -> Result<usize, IngestError> {
        if let Some(place) = self.places.get(program) {
            return Ok(*place);
        }
        let place = self.collector.group_below(GROUP, program, GROUPS_MAX)?;
        self.places.insert(program.to_owned(), place);
        Ok(place)
    }
}

#[cfg(test)]
mod tests;
