//! Text: lines as a program prints them.

use crate::{Collector, EventMetadata, IngestAnswer, RawEvent, Result};

/// Adds the events of `body` to the group at `place`, with what came beside all of them.
pub(crate) fn read(
    body: &[u8],
    place: usize,
    event_bytes_max: usize,
    metadata: &EventMetadata<'_>,
    collector: &mut Collector<'_>,
    answer: &mut IngestAnswer,
) -> Result<()> {
    let (mut line_number, mut counted) = (1, 0);
    let mut overflow = parse::Overflow::new(event_bytes_max);
    for range in parse::events(body, event_bytes_max) {
        line_number += memchr::memchr_iter(b'\n', &body[counted..range.start]).count();
        counted = range.start;
        let metadata = EventMetadata { is_continued: overflow.continues(&body[range.clone()]), ..*metadata };
        for text in parse::texts(&body[range]) {
            if let Err(refused) = collector.add(place, RawEvent::Text(&text), &metadata)? {
                answer.reject(line_number, &refused);
            }
        }
    }
    Ok(())
}
