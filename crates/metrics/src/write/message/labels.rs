//! Labels of either version. Ones that cannot be read are no error of the message: their series or exemplar is refused.

use std::borrow::Cow;

use ingest::Result;
use ingest::protobuf::{Content, Message};
use ingest::sample::METRIC_NAME;

/// What the body should be, for errors.
pub(super) const WHAT: &str = "remote write request";

/// Bytes of a text that errors show.
const SHOWN_BYTES_MAX: usize = 100;

/// Name and value of a label.
pub(super) type Pair<'b> = (Cow<'b, str>, Cow<'b, str>);

/// Reads a label of version 1.0; the inner error says which of its texts cannot be read.
pub(super) fn pair(message: &[u8]) -> Result<Result<Pair<'_>, String>> {
    let (mut name, mut value): (&[u8], &[u8]) = Default::default();
    for field in Message::new(message, WHAT) {
        match field? {
            (1, Content::Bytes(bytes)) => name = bytes,
            (2, Content::Bytes(bytes)) => value = bytes,
            _ => {}
        }
    }
    Ok(label(name, value))
}

/// Returns a label, or which of its texts is not UTF-8.
fn label<'b>(name: &'b [u8], value: &'b [u8]) -> Result<Pair<'b>, String> {
    let Ok(name) = std::str::from_utf8(name) else {
        return Err(format!("the label name {:?} is not UTF-8", shown(name)));
    };
    match std::str::from_utf8(value) {
        Ok(value) => Ok((Cow::Borrowed(name), Cow::Borrowed(value))),
        Err(_) => Err(format!("the value {:?} of label {:?} is not UTF-8", shown(value), shown(name.as_bytes()))),
    }
}

/// Returns the labels that references stand for, or which reference is wrong.
pub(super) fn labels_of<'b>(references: &[u64], symbols: &[&'b [u8]]) -> Result<Vec<Pair<'b>>, String> {
    let (pairs, rest) = references.as_chunks::<2>();
    let labels: Result<Vec<_>, String> = if rest.is_empty() {
        pairs.iter().map(|references| label_of(references, symbols)).collect()
    } else {
        Err(format!("there are {} references to labels, an odd number", references.len()))
    };
    let readable = pairs.iter().filter_map(|references| label_of(references, symbols).ok());
    labels.map_err(|problem| with_metric(problem, readable))
}

/// Returns the label that two references stand for.
fn label_of<'b>([name, value]: &[u64; 2], symbols: &[&'b [u8]]) -> Result<Pair<'b>, String> {
    label(symbol(*name, symbols)?, symbol(*value, symbols)?)
}

pub(super) fn symbol<'b>(reference: u64, symbols: &[&'b [u8]]) -> Result<&'b [u8], String> {
    let found = usize::try_from(reference).ok().and_then(|reference| symbols.get(reference));
    found.copied().ok_or_else(|| format!("there is no symbol {reference}; the message has {}", symbols.len()))
}

/// Adds the metric, if it is among the labels that can be read, to what is wrong with a series.
#[cold]
pub(super) fn with_metric<'b>(problem: String, mut readable: impl Iterator<Item = Pair<'b>>) -> String {
    match readable.find(|(name, _)| name == METRIC_NAME) {
        Some((_, metric)) => of_metric(&metric, &problem),
        None => problem,
    }
}

pub(super) fn of_metric(metric: &str, problem: &str) -> String {
    format!("metric {:?}: {problem}", shown(metric.as_bytes()))
}

/// Returns the start of a text, for errors.
pub(super) fn shown(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(&bytes[..bytes.len().min(SHOWN_BYTES_MAX)])
}

#[cfg(test)]
mod tests;
