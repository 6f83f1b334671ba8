//! NDJSON: one JSON record a line. A broken line is told by its number and keeps nobody else out.

use crate::{Collector, EventMetadata, IngestAnswer, RawEvent, Result};

/// Some programs begin every text with this mark; it is no part of the first record.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Adds the records of `body` to the group at `place`, with what came beside all of them. Empty lines are skipped, but counted.
pub(crate) fn read(
    body: &[u8],
    place: usize,
    metadata: &EventMetadata<'_>,
    collector: &mut Collector<'_>,
    answer: &mut IngestAnswer,
) -> Result<()> {
    let body = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
    let mut line_number = 0;
    let mut from = 0;
    while from < body.len() {
        line_number += 1;
        let end = memchr::memchr(b'\n', &body[from..]).map_or(body.len(), |length| from + length);
        let line = body[from..end].trim_ascii();
        from = end + 1;
        if line.is_empty() {
            continue;
        }
        if let Err(error) = collector.add(place, RawEvent::Record(line), metadata)? {
            answer.reject(line_number, &error);
        }
    }
    Ok(())
}
