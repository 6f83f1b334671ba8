//! Text: lines as a program prints them.

use parse::Extras;

use crate::{Collector, IngestError};

/// Adds the events of `body` to the group at `place`.
pub(crate) fn read(
    body: &[u8],
    place: usize,
    event_bytes_max: usize,
    collector: &mut Collector<'_>,
) -> Result<(), IngestError> {
    for range in parse::events(body, event_bytes_max) {
        collector.text(place, &body[range], &Extras::default())?;
    }
    Ok(())
}
