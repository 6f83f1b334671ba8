//! Metadata of either version: type, help and unit of metrics.

use ingest::protobuf::{Content, Message};
use ingest::{DecodeBudget, Result};

use super::labels::{WHAT, of_metric, shown, symbol};
use crate::metadata::{Metadata, MetricsState, kind_of_number};
use crate::write::series::SeriesReader;

/// What is refused where metadata cannot be read.
const UNREADABLE: &str = "metadata of metrics that cannot be read";

/// Notes metadata of version 1.0.
pub(super) fn note(message: &[u8], series: &mut SeriesReader<'_, '_>, state: &MetricsState) -> Result<()> {
    let mut metric: &[u8] = &[];
    let mut metadata = Metadata { kind: kind_of_number(0), ..Metadata::default() };
    for field in Message::new(message, WHAT) {
        match field? {
            (1, Content::Number(kind)) => metadata.kind = kind_of_number(kind),
            (2, Content::Bytes(bytes)) => metric = bytes,
            (4, Content::Bytes(bytes)) => metadata.help = readable(bytes),
            (5, Content::Bytes(bytes)) => metadata.unit = readable(bytes),
            _ => {}
        }
    }
    match std::str::from_utf8(metric) {
        Ok(metric) => state.note(metric, metadata),
        Err(_) => {
            let problem = || format!("the metric name {:?} is not UTF-8", shown(metric));
            series.refuse(UNREADABLE, 1, problem);
        }
    }
    Ok(())
}

/// Notes metadata of version 2.0, of the metric of a series, with the symbols of the message.
pub(super) fn note_of_metric(
    message: &[u8],
    (metric, symbols): (&str, &[&[u8]]),
    series: &mut SeriesReader<'_, '_>,
    state: &MetricsState,
    budget: &mut DecodeBudget,
) -> Result<()> {
    match read(message, symbols, budget)? {
        Ok(metadata) => state.note(metric, metadata),
        Err(problem) => series.refuse(UNREADABLE, 1, || of_metric(metric, &problem)),
    }
    Ok(())
}

/// Reads metadata of version 2.0; the inner error says which reference is wrong.
fn read(message: &[u8], symbols: &[&[u8]], budget: &mut DecodeBudget) -> Result<Result<Metadata, String>> {
    let (mut kind, mut help, mut unit) = (0, 0, 0);
    for field in Message::new(message, WHAT) {
        match field? {
            (1, Content::Number(number)) => kind = number,
            (3, Content::Number(reference)) => help = reference,
            (4, Content::Number(reference)) => unit = reference,
            _ => {}
        }
    }
    let n_bytes = |reference| symbol(reference, symbols).map_or(0, <[u8]>::len);
    budget.spend(n_bytes(help).saturating_add(n_bytes(unit)))?;
    let text = |reference| match reference {
        0 => Ok(String::new()),
        reference => symbol(reference, symbols).map(readable),
    };
    Ok(text(help).and_then(|help| Ok(Metadata { kind: kind_of_number(kind), help, unit: text(unit)? })))
}

/// Returns a text for people; what is not UTF-8 becomes U+FFFD.
fn readable(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests;
