//! The messages of remote write, read in place. Layout (field numbers):
//!
//! ```text
//! 1.0  request     series = 1*   metadata = 3*
//!      series      labels = 1*   samples = 2*   exemplars = 3*   histograms = 4*
//!      label       name = 1   value = 2
//!      metadata    type = 1   metric = 2   help = 4   unit = 5
//! 2.0  request     symbols = 4*   series = 5*
//!      series      label references = 1* (name, value, name, …)   samples = 2*   histograms = 3*   exemplars = 4*
//!                  metadata = 5
//!      metadata    type = 1   help reference = 3   unit reference = 4
//! both sample      value = 1 (double)   time = 2 (ms)
//! ```

use std::borrow::Cow;
use std::sync::Arc;

use ingest::IngestError;
use ingest::protobuf::{Content, Message};
use ingest::sample::{METRIC_NAME, SeriesLabels};

use super::series::SeriesReader;
use crate::metadata::{Metadata, MetricsState, kind_of_number};

/// What the body should be, for errors.
const WHAT: &str = "remote write request";

/// Labels of one series in a message, more than any series may have.
const REFERENCES_MAX: usize = 100_000;

type Pair<'b> = (Cow<'b, str>, Cow<'b, str>);

/// What a series of either version has besides labels.
#[derive(Default)]
struct Parts<'b> {
    samples: Vec<&'b [u8]>,
    n_exemplars: u64,
    n_histograms: u64,
}

/// Reads a message of version 1.0.
pub(super) fn read_one(
    body: &[u8],
    series: &mut SeriesReader<'_, '_>,
    state: &MetricsState,
) -> Result<(), IngestError> {
    for field in Message::new(body, WHAT) {
        match field? {
            (1, Content::Bytes(message)) => series_one(message, series, state)?,
            (3, Content::Bytes(message)) => note(message, state)?,
            _ => {}
        }
    }
    Ok(())
}

/// Reads a series of version 1.0.
fn series_one(message: &[u8], series: &mut SeriesReader<'_, '_>, state: &MetricsState) -> Result<(), IngestError> {
    let (mut labels, mut parts, mut n_label_bytes) = (Vec::new(), Parts::default(), 0);
    let mut fields = Message::new(message, WHAT);
    while let Some(field) = fields.next() {
        match field? {
            (1, Content::Bytes(label)) => {
                labels.push(label);
                n_label_bytes = message.len() - fields.rest().len();
            }
            (2, Content::Bytes(sample)) => parts.samples.push(sample),
            (3, _) => parts.n_exemplars += 1,
            (4, _) => parts.n_histograms += 1,
            _ => {}
        }
    }
    // Labels come first; the same bytes mean the same labels, whatever else is among them.
    let key = &message[..n_label_bytes];
    if let Some(known) = state.series(key) {
        return write(series, Ok(known), &parts);
    }
    let pairs = labels.into_iter().map(pair).collect::<Result<Vec<_>, _>>()?;
    let labels = series.labels(pairs.into_iter());
    if let Ok(labels) = &labels {
        state.note_series(key, labels);
    }
    write(series, labels, &parts)
}

/// Reads a message of version 2.0.
pub(super) fn read_two(
    body: &[u8],
    series: &mut SeriesReader<'_, '_>,
    state: &MetricsState,
) -> Result<(), IngestError> {
    let mut symbols: Vec<&[u8]> = Vec::new();
    for field in Message::new(body, WHAT) {
        if let (4, Content::Bytes(symbol)) = field? {
            symbols.push(symbol);
        }
    }
    if symbols.first().is_some_and(|first| !first.is_empty()) {
        return Err(broken("the first symbol is not the empty text".to_owned()));
    }
    for field in Message::new(body, WHAT) {
        let (5, Content::Bytes(message)) = field? else { continue };
        let (mut references, mut parts, mut metadata) = (Vec::new(), Parts::default(), None);
        for field in Message::new(message, WHAT) {
            match field? {
                (1, Content::Number(reference)) => references.push(reference),
                (1, Content::Bytes(packed)) => varints(packed, &mut references)?,
                (2, Content::Bytes(sample)) => parts.samples.push(sample),
                (3, _) => parts.n_histograms += 1,
                (4, _) => parts.n_exemplars += 1,
                (5, Content::Bytes(message)) => metadata = Some(message),
                _ => {}
            }
            if references.len() > REFERENCES_MAX {
                return Err(broken(format!("a series has more than {REFERENCES_MAX} references to labels")));
            }
        }
        let pairs = labels_of(&references, &symbols)?;
        if let (Some(message), Some((_, name))) = (metadata, pairs.iter().find(|(name, _)| name == "__name__")) {
            note_two(message, name, &symbols, state)?;
        }
        write(series, known(pairs, series, state), &parts)?;
    }
    Ok(())
}

/// Returns the labels of a series of version 2.0, whose references mean something in one message only.
fn known(
    pairs: Vec<Pair<'_>>,
    series: &SeriesReader<'_, '_>,
    state: &MetricsState,
) -> Result<Arc<SeriesLabels>, String> {
    // No field of a message of version 1.0 begins with a 0.
    let mut key = vec![0];
    for text in pairs.iter().flat_map(|(name, value)| [name, value]) {
        key.extend_from_slice(&(text.len() as u32).to_le_bytes());
        key.extend_from_slice(text.as_bytes());
    }
    if let Some(known) = state.series(&key) {
        return Ok(known);
    }
    let labels = series.labels(pairs.into_iter())?;
    state.note_series(&key, &labels);
    Ok(labels)
}

fn write(
    series: &mut SeriesReader<'_, '_>,
    labels: Result<Arc<SeriesLabels>, String>,
    parts: &Parts<'_>,
) -> Result<(), IngestError> {
    let example = || {
        let name = labels.as_ref().map_or("", |labels| labels.get(METRIC_NAME));
        format!("the first of {:?}", &name[..name.floor_char_boundary(200)])
    };
    series.refuse("native histograms, which are not supported yet", parts.n_histograms, example);
    series.refuse("exemplars, which are not supported yet", parts.n_exemplars, example);
    series.series(labels, parts.samples.iter().map(|message| sample(message)))
}

/// Reads a sample: its time and value. What is not there is 0, as protobuf specifies.
fn sample(message: &[u8]) -> Result<(i64, f64), IngestError> {
    let (mut time, mut value) = (0, 0.0);
    for field in Message::new(message, WHAT) {
        match field? {
            (1, Content::Fixed64(bits)) => value = f64::from_bits(bits),
            (2, Content::Number(number)) => time = number.cast_signed(),
            _ => {}
        }
    }
    Ok((time, value))
}

/// Reads a label of version 1.0.
fn pair(message: &[u8]) -> Result<Pair<'_>, IngestError> {
    let (mut name, mut value): Pair<'_> = Default::default();
    for field in Message::new(message, WHAT) {
        match field? {
            (1, Content::Bytes(bytes)) => name = text(bytes)?,
            (2, Content::Bytes(bytes)) => value = text(bytes)?,
            _ => {}
        }
    }
    Ok((name, value))
}

/// Returns the labels that references stand for.
fn labels_of<'b>(references: &[u64], symbols: &[&'b [u8]]) -> Result<Vec<Pair<'b>>, IngestError> {
    let (pairs, []) = references.as_chunks::<2>() else {
        return Err(broken(format!("a series has {} references to labels, an odd number", references.len())));
    };
    pairs.iter().map(|[name, value]| Ok((symbol(*name, symbols)?, symbol(*value, symbols)?))).collect()
}

fn symbol<'b>(reference: u64, symbols: &[&'b [u8]]) -> Result<Cow<'b, str>, IngestError> {
    let found = usize::try_from(reference).ok().and_then(|reference| symbols.get(reference));
    let missing = || broken(format!("there is no symbol {reference}; the message has {}", symbols.len()));
    found.ok_or_else(missing).and_then(|bytes| text(bytes))
}

/// Reads packed numbers.
fn varints(mut packed: &[u8], numbers: &mut Vec<u64>) -> Result<(), IngestError> {
    while !packed.is_empty() {
        let mut number = 0;
        for shift in (0..=63).step_by(7) {
            let Some((byte, rest)) = packed.split_first() else {
                return Err(broken("a reference to a label is cut off".to_owned()));
            };
            packed = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        numbers.push(number);
        if numbers.len() > REFERENCES_MAX {
            break;
        }
    }
    Ok(())
}

/// Notes metadata of version 1.0.
fn note(message: &[u8], state: &MetricsState) -> Result<(), IngestError> {
    let (mut metric, mut metadata) = (Cow::Borrowed(""), Metadata { kind: kind_of_number(0), ..Metadata::default() });
    for field in Message::new(message, WHAT) {
        match field? {
            (1, Content::Number(kind)) => metadata.kind = kind_of_number(kind),
            (2, Content::Bytes(bytes)) => metric = text(bytes)?,
            (4, Content::Bytes(bytes)) => metadata.help = text(bytes)?.into_owned(),
            (5, Content::Bytes(bytes)) => metadata.unit = text(bytes)?.into_owned(),
            _ => {}
        }
    }
    state.note(&metric, metadata);
    Ok(())
}

/// Notes metadata of version 2.0.
fn note_two(message: &[u8], metric: &str, symbols: &[&[u8]], state: &MetricsState) -> Result<(), IngestError> {
    let mut metadata = Metadata { kind: kind_of_number(0), ..Metadata::default() };
    for field in Message::new(message, WHAT) {
        match field? {
            (1, Content::Number(kind)) => metadata.kind = kind_of_number(kind),
            (3, Content::Number(help)) => metadata.help = symbol(help, symbols)?.into_owned(),
            (4, Content::Number(unit)) => metadata.unit = symbol(unit, symbols)?.into_owned(),
            _ => {}
        }
    }
    state.note(metric, metadata);
    Ok(())
}

fn text(bytes: &[u8]) -> Result<Cow<'_, str>, IngestError> {
    let shown = || String::from_utf8_lossy(&bytes[..bytes.len().min(100)]).into_owned();
    let text = std::str::from_utf8(bytes).map_err(|_| broken(format!("the text {:?} is not UTF-8", shown())))?;
    Ok(Cow::Borrowed(text))
}

fn broken(problem: String) -> IngestError {
    IngestError::BadBody { what: WHAT, problem }
}
