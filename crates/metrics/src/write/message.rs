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
//!      exemplar    label references = 1*   value = 2 (double)   time = 3 (ms)
//! 1.0  exemplar    labels = 1*   value = 2 (double)   time = 3 (ms)
//! both sample      value = 1 (double)   time = 2 (ms)
//!      histogram   see `native_histogram`
//! ```
//!
//! A series, exemplar or metadata whose texts cannot be read is refused by itself. Only what is not protobuf fails the request.

mod labels;
mod metadata;

use ingest::protobuf::{Content, Message};
use ingest::sample::{Exemplar, LastSeries, METRIC_NAME, SampleSeries, SeriesCache, SharedSeries};
use ingest::{DecodeBudget, IngestError, PAIR_BYTES, Result};
use types::Timestamp;

use self::labels::{Pair, WHAT, labels_of, pair, symbol, with_metric};
use super::series::{NAMELESS, SeriesReader, UNREADABLE_EXEMPLARS};
use crate::metadata::MetricsState;
use crate::native_histogram;

/// Keys of the samples of a series, and of the value and the time of a sample: the number of the field and its wire type.
const SAMPLE_KEY: u8 = 2 << 3 | 2;
const VALUE_KEY: u8 = 1 << 3 | 1;
const TIME_KEY: u8 = 2 << 3;

/// Bytes of the new series of a message that are kept for the cache, with the bytes that spell them. A message that is small
/// when packed can spell very many.
const NEW_BYTES_MAX: usize = 256 << 20;

/// Labels of one series in a message, more than any series may have.
const REFERENCES_MAX: usize = 100_000;

/// Samples, exemplars or histograms of one series in a message. Two bytes can be one.
const PARTS_MAX: usize = 1 << 20;

/// Memory of a symbol besides its text, while their list grows.
const SYMBOL_BYTES: usize = 2 * size_of::<&[u8]>();

/// Work of a series besides its labels and samples, in bytes: it may have neither.
const SERIES_BYTES: usize = 64;

/// What a series of either version has besides labels.
struct Parts<'b> {
    samples: Vec<&'b [u8]>,
    exemplars: Vec<&'b [u8]>,
    histograms: Vec<&'b [u8]>,
    is_empty: bool,
}

impl<'b> Parts<'b> {
    fn new() -> Self {
        Self { samples: Vec::new(), exemplars: Vec::new(), histograms: Vec::new(), is_empty: true }
    }

    fn clear(&mut self) {
        self.samples.clear();
        self.exemplars.clear();
        self.histograms.clear();
        self.is_empty = true;
    }

    /// Adds a field of a series of version 1.0 that is no label.
    #[inline]
    fn add(&mut self, field: (u64, Content<'b>)) -> Result<()> {
        self.is_empty = false;
        match field {
            (2, Content::Bytes(sample)) => put(&mut self.samples, sample),
            (3, Content::Bytes(exemplar)) => put(&mut self.exemplars, exemplar),
            (4, Content::Bytes(histogram)) => put(&mut self.histograms, histogram),
            _ => Ok(()),
        }
    }

    /// Adds the fields of a series of version 1.0 that follow its labels; `false` if there are labels among them.
    fn add_all(&mut self, fields: &'b [u8]) -> Result<bool> {
        for field in Message::new(fields, WHAT) {
            match field? {
                (1, Content::Bytes(_)) => return Ok(false),
                field => self.add(field)?,
            }
        }
        Ok(true)
    }
}

/// Adds one of the parts of a series.
#[inline]
fn put<'b>(parts: &mut Vec<&'b [u8]>, part: &'b [u8]) -> Result<()> {
    if parts.len() >= PARTS_MAX {
        return Err(broken(format!(
            "a series has more than {PARTS_MAX} samples, exemplars or histograms; send it in parts"
        )));
    }
    parts.push(part);
    Ok(())
}

/// Series that senders have spelled before, and those that are new in one message.
struct KnownSeries<'s> {
    cache: &'s SeriesCache,
    last: LastSeries,
    new: Vec<(Box<[u8]>, SampleSeries)>,
    n_new_bytes: usize,
    budget: DecodeBudget,
}

impl KnownSeries<'_> {
    /// Keeps a new series for the cache. Beyond a limit the next message brings it.
    fn keep(&mut self, key: &[u8], series: &SampleSeries) {
        if self.n_new_bytes < NEW_BYTES_MAX {
            self.n_new_bytes += key.len() + series.memory_bytes;
            self.new.push((key.into(), series.clone()));
        }
    }
}

/// Reads a message of version 1.0.
pub(super) fn read_one(
    body: &[u8],
    series: &mut SeriesReader<'_, '_>,
    shared: &SharedSeries,
    state: &MetricsState,
) -> Result<()> {
    with_known_series(shared, series.now, body.len(), |known| {
        let mut parts = Parts::new();
        for field in Message::new(body, WHAT) {
            match field? {
                (1, Content::Bytes(message)) => series_one(message, series, known, &mut parts)?,
                (3, Content::Bytes(message)) => metadata::note(message, series, state)?,
                _ => {}
            }
        }
        Ok(())
    })
}

/// Reads a message with the series that are known; notes the new ones, also those before an error.
fn with_known_series(
    shared: &SharedSeries,
    now: Timestamp,
    n_bytes: usize,
    read: impl FnOnce(&mut KnownSeries<'_>) -> Result<()>,
) -> Result<()> {
    let cache = shared.read();
    let (last, budget) = (LastSeries::none(now), DecodeBudget::of_body(n_bytes));
    let mut known = KnownSeries { cache: &cache, last, new: Vec::new(), n_new_bytes: 0, budget };
    let done = read(&mut known);
    let new = known.new;
    drop(cache);
    shared.note(new.iter().map(|(spelled, series)| (&**spelled, series.clone())), now);
    done
}

/// Reads a series of version 1.0.
fn series_one<'b>(
    message: &'b [u8],
    series: &mut SeriesReader<'_, '_>,
    known: &mut KnownSeries<'_>,
    parts: &mut Parts<'b>,
) -> Result<()> {
    // Labels come first; the same bytes mean the same labels, unless more of them follow.
    if let Some((expected, rest)) = known.cache.next(&mut known.last, message) {
        if let Some(sample) = only_sample(rest) {
            return series.series(Ok(expected), std::iter::once(Ok(sample)));
        }
        parts.clear();
        if parts.add_all(rest)? {
            return write(series, Ok(expected), parts, None, &mut known.budget);
        }
    }
    parts.clear();
    let (mut labels, mut n_label_bytes, mut is_in_front) = (Vec::new(), 0, true);
    let mut fields = Message::new(message, WHAT);
    while let Some(field) = fields.next() {
        match field? {
            (1, Content::Bytes(label)) => {
                is_in_front &= parts.is_empty;
                if labels.len() >= REFERENCES_MAX {
                    return Err(broken(format!("a series has more than {REFERENCES_MAX} labels")));
                }
                labels.push(label);
                n_label_bytes = message.len() - fields.rest().len();
            }
            field => parts.add(field)?,
        }
    }
    let key = &message[..n_label_bytes];
    if let Some(found) = is_in_front.then(|| known.cache.get(&mut known.last, key)).flatten() {
        return write(series, Ok(found), parts, None, &mut known.budget);
    }
    known.budget.spend(n_label_bytes + labels.len() * PAIR_BYTES + SERIES_BYTES)?;
    let pairs = labels.iter().copied().map(pair).collect::<Result<Result<Vec<_>, String>>>()?;
    let readable = labels.iter().copied().filter_map(|label| pair(label).ok()?.ok());
    let pairs = pairs.map_err(|problem| with_metric(problem, readable));
    let made = pairs.and_then(|pairs| series.labels(pairs.into_iter()));
    if let (true, Ok(made)) = (is_in_front, &made) {
        known.keep(key, made);
    }
    write(series, made.as_ref().map_err(Clone::clone), parts, None, &mut known.budget)
}

/// Reads a message of version 2.0.
pub(super) fn read_two(
    body: &[u8],
    series: &mut SeriesReader<'_, '_>,
    shared: &SharedSeries,
    state: &MetricsState,
) -> Result<()> {
    with_known_series(shared, series.now, body.len(), |known| read_two_within(body, series, known, state))
}

fn read_two_within(
    body: &[u8],
    series: &mut SeriesReader<'_, '_>,
    known: &mut KnownSeries<'_>,
    state: &MetricsState,
) -> Result<()> {
    let mut symbols: Vec<&[u8]> = Vec::new();
    for field in Message::new(body, WHAT) {
        if let (4, Content::Bytes(symbol)) = field? {
            known.budget.hold(SYMBOL_BYTES)?;
            symbols.push(symbol);
        }
    }
    if symbols.first().is_some_and(|first| !first.is_empty()) {
        return Err(broken("the first symbol is not the empty text".to_owned()));
    }
    let (mut parts, mut references, mut key) = (Parts::new(), Vec::new(), Vec::new());
    for field in Message::new(body, WHAT) {
        let (5, Content::Bytes(message)) = field? else { continue };
        parts.clear();
        references.clear();
        let mut metadata = None;
        for field in Message::new(message, WHAT) {
            match field? {
                (1, Content::Number(reference)) => references.push(reference),
                (1, Content::Bytes(packed)) => varints(packed, &mut references)?,
                (2, Content::Bytes(sample)) => put(&mut parts.samples, sample)?,
                (3, Content::Bytes(histogram)) => put(&mut parts.histograms, histogram)?,
                (4, Content::Bytes(exemplar)) => put(&mut parts.exemplars, exemplar)?,
                (5, Content::Bytes(message)) => metadata = Some(message),
                _ => {}
            }
            if references.len() > REFERENCES_MAX {
                return Err(broken(format!("a series has more than {REFERENCES_MAX} references to labels")));
            }
        }
        known.budget.spend(bytes_of(&references, &symbols) + SERIES_BYTES)?;
        let pairs = match labels_of(&references, &symbols) {
            Ok(pairs) => pairs,
            Err(problem) => {
                write(series, Err(problem), &parts, Some(&symbols), &mut known.budget)?;
                continue;
            }
        };
        if let (Some(message), Some((_, name))) = (metadata, pairs.iter().find(|(name, _)| name == METRIC_NAME)) {
            metadata::note_of_metric(message, (name, &symbols), series, state, &mut known.budget)?;
        }
        spell(&pairs, &mut key);
        if let Some(found) = known.cache.get(&mut known.last, &key) {
            write(series, Ok(found), &parts, Some(&symbols), &mut known.budget)?;
            continue;
        }
        let made = series.labels(pairs.into_iter());
        if let Ok(made) = &made {
            known.keep(&key, made);
        }
        write(series, made.as_ref().map_err(Clone::clone), &parts, Some(&symbols), &mut known.budget)?;
    }
    Ok(())
}

/// Returns the work that references stand for, in bytes.
fn bytes_of(references: &[u64], symbols: &[&[u8]]) -> usize {
    let n_bytes = |reference: &u64| symbol(*reference, symbols).map_or(0, <[u8]>::len);
    references.iter().map(|reference| n_bytes(reference).saturating_add(8)).fold(0, usize::saturating_add)
}

/// Spells the labels of a series of version 2.0, whose references mean something in one message only.
fn spell(pairs: &[Pair<'_>], key: &mut Vec<u8>) {
    key.clear();
    // No field of a message of version 1.0 begins with a 0.
    key.push(0);
    for text in pairs.iter().flat_map(|(name, value)| [name, value]) {
        key.extend_from_slice(&(text.len() as u32).to_le_bytes());
        key.extend_from_slice(text.as_bytes());
    }
}

/// Writes what a series has; `symbols` are those of its message, if that is of version 2.0.
fn write(
    series: &mut SeriesReader<'_, '_>,
    known: Result<&SampleSeries, String>,
    parts: &Parts<'_>,
    symbols: Option<&[&[u8]]>,
    budget: &mut DecodeBudget,
) -> Result<()> {
    match &known {
        Ok(known) => {
            for message in &parts.histograms {
                let (time, histogram) = native_histogram::read(message, WHAT)?;
                series.histogram(known, time, histogram)?;
            }
            for message in &parts.exemplars {
                match exemplar(message, symbols, budget)? {
                    Ok(exemplar) => series.exemplar(known, &exemplar)?,
                    Err(problem) => series.refuse_exemplar(UNREADABLE_EXEMPLARS, known, &problem),
                }
            }
        }
        Err(problem) => {
            let n = parts.exemplars.len() as u64;
            series.refuse("exemplars of series that have no valid labels", n, || problem.clone());
            series.refuse(NAMELESS, parts.histograms.len() as u64, || problem.clone());
            let is_bare = parts.samples.is_empty() && parts.histograms.is_empty() && n == 0;
            series.refuse("series that have no valid labels", u64::from(is_bare), || problem.clone());
        }
    }
    series.series(known, parts.samples.iter().map(|message| sample(message)))
}

/// Reads an exemplar; the inner error says which of its labels cannot be read.
fn exemplar<'b>(
    message: &'b [u8],
    symbols: Option<&[&'b [u8]]>,
    budget: &mut DecodeBudget,
) -> Result<Result<Exemplar<'b>, String>> {
    let (mut exemplar, mut references, mut labels) = (Exemplar::default(), Vec::new(), Vec::new());
    for field in Message::new(message, WHAT) {
        match (field?, symbols) {
            ((1, Content::Bytes(label)), None) => labels.push(label),
            ((1, Content::Number(reference)), Some(_)) => references.push(reference),
            ((1, Content::Bytes(packed)), Some(_)) => varints(packed, &mut references)?,
            ((2, Content::Fixed64(bits)), _) => exemplar.value = f64::from_bits(bits),
            ((3, Content::Number(time)), _) => exemplar.time = time.cast_signed(),
            _ => {}
        }
        if labels.len().max(references.len()) > REFERENCES_MAX {
            return Err(broken(format!("an exemplar has more than {REFERENCES_MAX} labels")));
        }
    }
    budget.spend(bytes_of(&references, symbols.unwrap_or_default()) + labels.len() * PAIR_BYTES)?;
    let labels = match symbols {
        Some(symbols) => labels_of(&references, symbols),
        None => labels.into_iter().map(pair).collect::<Result<Result<Vec<_>, String>>>()?,
    };
    Ok(labels.map(|labels| Exemplar { labels, ..exemplar }))
}

/// Reads the fields of a series of version 1.0 after its labels, if they are one sample, spelled in the usual way.
fn only_sample(fields: &[u8]) -> Option<(i64, f64)> {
    let [SAMPLE_KEY, length, VALUE_KEY, rest @ ..] = fields else { return None };
    let (value, rest) = rest.split_first_chunk()?;
    let [TIME_KEY, rest @ ..] = rest else { return None };
    let mut numbers = Message::new(rest, WHAT).varints();
    let time = numbers.next()?.ok()?.cast_signed();
    let is_all = usize::from(*length) == fields.len() - 2 && numbers.next().is_none();
    is_all.then(|| (time, f64::from_le_bytes(*value)))
}

/// Reads a sample: its time and value. What is not there is 0, as protobuf specifies.
fn sample(message: &[u8]) -> Result<(i64, f64)> {
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

/// Reads packed numbers, up to one more than is possible.
fn varints(packed: &[u8], numbers: &mut Vec<u64>) -> Result<()> {
    let left = (REFERENCES_MAX + 1).saturating_sub(numbers.len());
    Message::new(packed, WHAT).varints().take(left).try_for_each(|number| {
        numbers.push(number?);
        Ok(())
    })
}

fn broken(problem: String) -> IngestError {
    IngestError::BadBody { what: WHAT, problem }
}

#[cfg(test)]
mod tests;
