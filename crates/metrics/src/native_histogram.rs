//! Native histograms as remote write, of either version, and remote read have them. Layout (field numbers):
//!
//! ```text
//! histogram  count = 1 (integer) or 2 (double)   sum = 3   schema = 4 (zigzag)   zero threshold = 5
//!            zero count = 6 (integer) or 7 (double)
//!            negative: spans = 8*   differences of counts = 9* (zigzag) or counts = 10* (double)
//!            positive: spans = 11*   differences of counts = 12* (zigzag) or counts = 13* (double)
//!            reset hint = 14   time = 15 (ms)   bounds = 16* (double)
//! span       distance from the end of the one before = 1 (zigzag)   length = 2
//! ```
//!
//! A histogram with a count of type double has counts of its buckets, any other one differences between neighbours.

use ingest::Result;
use ingest::protobuf::{Content, Message, put_bytes, put_fixed64, put_varint};
use ingest::sample::STALE_BITS;
use promql::{Histogram, ResetHint, buckets_of_spans};

/// Most numbers of one kind that are read of a histogram; one that has more is refused.
const NUMBERS_MAX: usize = 1 << 14;

/// What the protocol calls hints, by their number.
const HINTS: [ResetHint; 4] = [ResetHint::Unknown, ResetHint::Reset, ResetHint::NotReset, ResetHint::Gauge];

/// A histogram as sent.
#[derive(Default)]
struct Sent {
    count: u64,
    /// Set in histograms whose counts are decimals.
    count_float: Option<f64>,
    sum: f64,
    schema: i32,
    zero_threshold: f64,
    zero_count: u64,
    zero_count_float: f64,
    negative: SentSide,
    positive: SentSide,
    hint: ResetHint,
    time: i64,
    bounds: Vec<f64>,
}

/// The buckets of one side.
#[derive(Default)]
struct SentSide {
    spans: Vec<(i32, u32)>,
    differences: Vec<i64>,
    counts: Vec<f64>,
}

/// Reads a histogram, a part of `what`: its time in ms, and the histogram or what is wrong with it.
pub(crate) fn read(message: &[u8], what: &'static str) -> Result<(i64, Result<Histogram, String>)> {
    let mut sent = Sent::default();
    for field in Message::new(message, what) {
        match field? {
            (1, Content::Number(count)) => sent.count = count,
            (2, Content::Fixed64(bits)) => sent.count_float = Some(f64::from_bits(bits)),
            (3, Content::Fixed64(bits)) => sent.sum = f64::from_bits(bits),
            (4, Content::Number(schema)) => sent.schema = unzigzag(schema) as i32,
            (5, Content::Fixed64(bits)) => sent.zero_threshold = f64::from_bits(bits),
            (6, Content::Number(count)) => sent.zero_count = count,
            (7, Content::Fixed64(bits)) => sent.zero_count_float = f64::from_bits(bits),
            (number @ (8..=10), content) => sent.negative.add(number - 8, content, what)?,
            (number @ (11..=13), content) => sent.positive.add(number - 11, content, what)?,
            (14, Content::Number(hint)) => {
                sent.hint = HINTS.get(hint as usize).copied().unwrap_or_default();
            }
            (15, Content::Number(time)) => sent.time = time.cast_signed(),
            (16, content) => doubles(content, &mut sent.bounds),
            _ => {}
        }
    }
    Ok((sent.time, sent.histogram()))
}

impl SentSide {
    /// Adds a field: 0 is a span, 1 are differences, 2 are counts.
    fn add(&mut self, field: u64, content: Content<'_>, what: &'static str) -> Result<()> {
        match (field, content) {
            (0, Content::Bytes(message)) if self.spans.len() <= NUMBERS_MAX => self.spans.push(span(message, what)?),
            (1, Content::Number(number)) if self.differences.len() <= NUMBERS_MAX => {
                self.differences.push(unzigzag(number));
            }
            (1, Content::Bytes(packed)) => {
                let left = (NUMBERS_MAX + 1).saturating_sub(self.differences.len());
                for number in Message::new(packed, what).varints().take(left) {
                    self.differences.push(unzigzag(number?));
                }
            }
            (2, content) => doubles(content, &mut self.counts),
            _ => {}
        }
        Ok(())
    }

    /// Returns the buckets, and the number of observations in them.
    fn buckets(&self, is_float: bool) -> Result<(Vec<(i32, f64)>, u128), String> {
        types::ensure!(self.spans.len() <= NUMBERS_MAX, format!("more than {NUMBERS_MAX} spans"));
        if is_float {
            return Ok((buckets_of_spans(&self.spans, &self.counts)?, 0));
        }
        let (mut counts, mut last, mut sum) = (Vec::with_capacity(self.differences.len()), 0i64, 0u128);
        for (number, difference) in self.differences.iter().enumerate() {
            last = last.checked_add(*difference).filter(|count| *count >= 0).ok_or_else(|| {
                let count = i128::from(last) + i128::from(*difference);
                format!("bucket number {} has an observation count of {count}", number + 1)
            })?;
            sum += u128::from(last.unsigned_abs());
            counts.push(last as f64);
        }
        Ok((buckets_of_spans(&self.spans, &counts)?, sum))
    }
}

impl Sent {
    fn histogram(self) -> Result<Histogram, String> {
        let of_side = |side: &SentSide, name: &str| {
            side.buckets(self.count_float.is_some()).map_err(|problem| format!("{name} side: {problem}"))
        };
        let (positive, n_positive) = of_side(&self.positive, "positive")?;
        let (negative, n_negative) = of_side(&self.negative, "negative")?;
        let (count, zero_count) = match self.count_float {
            Some(count) => (count, self.zero_count_float),
            None => {
                check_total(n_positive + n_negative + u128::from(self.zero_count), self.count, self.sum)?;
                (self.count as f64, self.zero_count as f64)
            }
        };
        let histogram = Histogram {
            // That there was no reset was true of what the sender saw; here samples may be missing in between.
            hint: if self.hint == ResetHint::NotReset { ResetHint::Unknown } else { self.hint },
            schema: self.schema,
            zero_threshold: self.zero_threshold,
            zero_count,
            count,
            sum: self.sum,
            positive,
            negative,
            custom: self.bounds.into(),
        };
        histogram.checked()
    }
}

/// Checks the number of observations in all buckets of a histogram whose counts are integers. Observations that are no number are in no
/// bucket.
///
/// # Errors
/// Both numbers.
pub(crate) fn check_total(in_buckets: u128, count: u64, sum: f64) -> Result<(), String> {
    let count = u128::from(count);
    let fits = in_buckets == count || (sum.is_nan() && in_buckets < count);
    match fits || sum.to_bits() == STALE_BITS {
        true => Ok(()),
        false => Err(format!("{in_buckets} observations found in buckets, but the count is {count}")),
    }
}

fn span(message: &[u8], what: &'static str) -> Result<(i32, u32)> {
    let mut span = (0, 0);
    for field in Message::new(message, what) {
        match field? {
            (1, Content::Number(offset)) => span.0 = unzigzag(offset) as i32,
            (2, Content::Number(length)) => span.1 = u32::try_from(length).unwrap_or(u32::MAX),
            _ => {}
        }
    }
    Ok(span)
}

/// Adds numbers of eight bytes, one or many in one field, up to one more than is possible.
fn doubles(content: Content<'_>, numbers: &mut Vec<f64>) {
    let left = (NUMBERS_MAX + 1).saturating_sub(numbers.len());
    match content {
        Content::Fixed64(bits) if left > 0 => numbers.push(f64::from_bits(bits)),
        Content::Bytes(packed) => {
            numbers.extend(packed.as_chunks::<8>().0.iter().take(left).map(|bytes| f64::from_le_bytes(*bytes)));
        }
        _ => {}
    }
}

/// Returns the signed number that a varint stands for.
pub(crate) fn unzigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

/// Writes a histogram, with counts as decimals.
pub(crate) fn write(time: i64, histogram: &Histogram) -> Vec<u8> {
    let mut out = Vec::with_capacity(64 + (histogram.positive.len() + histogram.negative.len()) * 10);
    put_fixed64(2, histogram.count.to_bits(), &mut out);
    put_fixed64(3, histogram.sum.to_bits(), &mut out);
    put_number(4, zigzag(histogram.schema), &mut out);
    put_fixed64(5, histogram.zero_threshold.to_bits(), &mut out);
    put_fixed64(7, histogram.zero_count.to_bits(), &mut out);
    for (field, side) in [(8, &histogram.negative), (11, &histogram.positive)] {
        put_side(field, side, &mut out);
    }
    let hint = HINTS.iter().position(|hint| *hint == histogram.hint).unwrap_or_default();
    put_number(14, hint as u64, &mut out);
    put_number(15, time.cast_unsigned(), &mut out);
    put_doubles(16, histogram.custom.iter().copied(), &mut out);
    out
}

fn put_side(field: u64, side: &[(i32, f64)], out: &mut Vec<u8>) {
    let mut end = 0;
    for span in side.chunk_by(|a, b| a.0 + 1 == b.0) {
        let [(first, _), ..] = span else { continue };
        let mut message = Vec::new();
        put_number(1, zigzag(first - end), &mut message);
        put_number(2, span.len() as u64, &mut message);
        put_bytes(field, &message, out);
        end = first + span.len() as i32;
    }
    put_doubles(field + 2, side.iter().map(|(_, count)| *count), out);
}

fn zigzag(number: i32) -> u64 {
    u64::from((number << 1 ^ number >> 31).cast_unsigned())
}

fn put_number(field: u64, number: u64, out: &mut Vec<u8>) {
    put_varint(field << 3, out);
    put_varint(number, out);
}

fn put_doubles(field: u64, numbers: impl ExactSizeIterator<Item = f64>, out: &mut Vec<u8>) {
    if numbers.len() > 0 {
        put_varint(field << 3 | 2, out);
        put_varint(numbers.len() as u64 * 8, out);
        numbers.for_each(|number| out.extend(number.to_le_bytes()));
    }
}

#[cfg(test)]
mod tests;
