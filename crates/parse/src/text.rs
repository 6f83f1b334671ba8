//! Whole texts to batches, for tests.

use types::{Batch, BatchBuilder};

use crate::piece::{CELLS_MAX, TEXT_BYTES_MAX};
use crate::{ArrivalContext, Event, EventParser, Extras, JsonError, events, texts};

/// Why a line was left out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {error}")]
pub(crate) struct LineError {
    /// The line, counted from 1.
    pub(crate) line: usize,
    /// What is wrong with it.
    pub(crate) error: JsonError,
}

/// Gives the events of a text file to `take`, in batches of bounded size, in order.
///
/// Each event is looked at by itself: JSON objects give fields, other lines their time and level, continuation
/// lines belong to the event before.
pub(crate) fn batches_of_text(text: &[u8], received: &ArrivalContext<'_>, take: &mut dyn FnMut(Batch)) {
    let mut parser = EventParser::new(*received);
    let mut builder = BatchBuilder::new();
    for range in events(text, received.limits.event_bytes_max) {
        for text in texts(&text[range]) {
            add(parser.read_text(&text), &mut builder, take);
        }
    }
    if !builder.is_empty() {
        take(builder.finish());
    }
}

/// Gives the records of a text of JSON lines to `take`, as the ingest route reads them, and says which lines
/// are none.
pub(crate) fn batches_of_records(
    text: &[u8],
    received: &ArrivalContext<'_>,
    take: &mut dyn FnMut(Batch),
) -> Vec<LineError> {
    let mut parser = EventParser::new(*received);
    let mut builder = BatchBuilder::new();
    let mut errors = Vec::new();
    for (idx, line) in text.split(|b| *b == b'\n').enumerate() {
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        match parser.read_record(line) {
            Ok(event) => add(event, &mut builder, take),
            Err(error) => errors.push(LineError { line: idx + 1, error }),
        }
    }
    if !builder.is_empty() {
        take(builder.finish());
    }
    errors
}

/// Adds the event to the batch at hand, or to a new one where that would become too large.
fn add(event: Event<'_, '_>, builder: &mut BatchBuilder, take: &mut dyn FnMut(Batch)) {
    let is_full = builder.n_cells_with(event.n_fields()) > CELLS_MAX || builder.text_bytes() >= TEXT_BYTES_MAX;
    if is_full && !builder.is_empty() {
        take(std::mem::take(builder).finish());
    }
    event.add_to(&Extras::default(), builder);
}

#[cfg(test)]
mod tests;
