//! Text: lines as a program prints them.

use parse::Extras;

use crate::{Collector, IngestAnswer, IngestError};

/// Adds the events of `body` to the group at `place`.
pub(crate) fn read(
    body: &[u8],
    place: usize,
    event_bytes_max: usize,
    collector: &mut Collector<'_>,
    answer: &mut IngestAnswer,
) -> Result<(), IngestError> {
    let (mut line_number, mut counted) = (1, 0);
    for range in parse::events(body, event_bytes_max) {
        line_number += memchr::memchr_iter(b'\n', &body[counted..range.start]).count();
        counted = range.start;
        if let Err(refused) = collector.text(place, &body[range], &Extras::default())? {
            answer.reject(line_number, &refused);
        }
    }
    Ok(())
}
