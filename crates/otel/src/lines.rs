//! Lines over TCP: each is an event, as a line of a file is, and those that are one event in a file are one here.
//!
//! The group is `lines`, the stream the address of the sender.

use ingest::{EventMetadata, IngestError, RawEvent};

use crate::sockets::sink::{Chunk, EventSink, write_cut};

const GROUP: &str = "lines";

/// Adds a line, or the lines of an event.
pub(crate) fn add(line: &[u8], n_cut: u64, chunk: &Chunk, sink: &mut EventSink<'_>) -> Result<(), IngestError> {
    let place = sink.place(GROUP, "")?;
    sink.collector.set_stream(place, &chunk.from);
    // A line without a time has the time of its arrival.
    sink.collector.forget_line_context();
    let write = write_cut(n_cut);
    let metadata =
        EventMetadata { fields: write.fields(), is_continued: chunk.is_continued, ..EventMetadata::default() };
    sink.add(place, RawEvent::Text(line), &metadata)
}
