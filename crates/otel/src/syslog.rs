//! Events from syslog frames, into which `parse` splits connections.
//!
//! The text of an event is its frame, byte for byte. `parse` reads the header and the text after it. The group is
//! `syslog/PROGRAM`, or `syslog` without a program's name; the stream is the host, else the address of the sender. `cutBytes`
//! counts bytes beyond the limit of a frame; `continued` is set where lines continue an event that may not become longer.

use ingest::{EventMetadata, IngestError, RawEvent};
use parse::{SyslogHeader, text_of};

use crate::sockets::sink::{Chunk, EventSink, write_cut};

/// The group of messages without a program's name, below which those of programs are.
const GROUP: &str = "syslog";

/// Adds a message.
pub(crate) fn add(frame: &[u8], n_cut: u64, chunk: &Chunk, sink: &mut EventSink<'_>) -> Result<(), IngestError> {
    let text = text_of(frame);
    let header = SyslogHeader::of_frame(&text);
    let place = sink.place(GROUP, header.program())?;
    sink.collector.set_stream(place, if header.hostname.is_empty() { &chunk.from } else { header.hostname });
    // A message without a time has the time of its arrival.
    sink.collector.forget_line_context();
    let write = write_cut(n_cut);
    let metadata =
        EventMetadata { fields: write.fields(), is_continued: chunk.is_continued, ..EventMetadata::default() };
    sink.add(place, RawEvent::Syslog(frame, &header), &metadata)
}

#[cfg(test)]
mod tests;
