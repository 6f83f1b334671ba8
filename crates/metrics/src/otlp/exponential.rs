//! Points of exponential histograms as native histograms. Layout (field numbers):
//!
//! ```text
//! point      attribute = 1*   time = 3 (fixed, ns)   count = 4 (fixed)   sum = 5 (double)   scale = 6 (zigzag)
//!            zero count = 7 (fixed)   positive = 8   negative = 9   flags = 10   exemplar = 11*   zero threshold = 14 (double)
//! side       offset = 1 (zigzag)   count = 2*
//! ```
//!
//! Bucket `i` of OTLP is bucket `i + 1` of Prometheus. Scales beyond 8 are lowered to it.

use ingest::Result;
use ingest::protobuf::Content;
use ingest::sample::STALE_BITS;
use promql::Histogram;

use super::body::{bad, message, packed};
use crate::native_histogram::{check_total, unzigzag};

/// The width of a zero bucket that a point does not give, as in Prometheus.
const ZERO_THRESHOLD: f64 = 1e-128;

/// Most buckets of one side.
const BUCKETS_MAX: usize = 10_000;

/// What a point has besides what all kinds of points have.
#[derive(Default)]
pub(super) struct Exponential {
    count: u64,
    sum: f64,
    scale: i32,
    zero_count: u64,
    zero_threshold: f64,
    positive: Side,
    negative: Side,
}

#[derive(Default)]
struct Side {
    offset: i32,
    counts: Vec<u64>,
}

impl Exponential {
    /// Reads a field of a point; other fields are ignored.
    pub(super) fn add(&mut self, field: (u64, Content<'_>)) -> Result<()> {
        match field {
            (4, Content::Fixed64(count)) => self.count = count,
            (5, Content::Fixed64(bits)) => self.sum = f64::from_bits(bits),
            (6, Content::Number(scale)) => self.scale = unzigzag(scale) as i32,
            (7, Content::Fixed64(count)) => self.zero_count = count,
            (8, Content::Bytes(bytes)) => self.positive = side(bytes)?,
            (9, Content::Bytes(bytes)) => self.negative = side(bytes)?,
            (14, Content::Fixed64(bits)) => self.zero_threshold = f64::from_bits(bits),
            _ => {}
        }
        Ok(())
    }

    /// Returns the native histogram, or the mark that its series ends.
    ///
    /// # Errors
    /// What is wrong with the point.
    pub(super) fn histogram(&self, is_stale: bool) -> Result<Histogram, String> {
        if is_stale {
            return Ok(Histogram { sum: f64::from_bits(STALE_BITS), ..Histogram::default() });
        }
        let (positive, n_positive) = self.positive.buckets()?;
        let (negative, n_negative) = self.negative.buckets()?;
        check_total(n_positive + n_negative + u128::from(self.zero_count), self.count, self.sum)?;
        let histogram = Histogram {
            schema: self.scale,
            zero_threshold: if self.zero_threshold > 0.0 { self.zero_threshold } else { ZERO_THRESHOLD },
            zero_count: self.zero_count as f64,
            count: self.count as f64,
            sum: self.sum,
            positive,
            negative,
            ..Histogram::default()
        };
        histogram.checked()
    }
}

impl Side {
    /// Returns the buckets with observations, and the number of these.
    fn buckets(&self) -> Result<(Vec<(i32, f64)>, u128), String> {
        types::ensure!(self.counts.len() <= BUCKETS_MAX, format!("more than {BUCKETS_MAX} buckets on one side"));
        let (mut buckets, mut sum) = (Vec::new(), 0);
        for (number, count) in (1..).zip(&self.counts).filter(|(_, count)| **count > 0) {
            let index = self.offset.checked_add(number);
            buckets.push((
                index.ok_or_else(|| format!("offset {} reaches beyond all indexes", self.offset))?,
                *count as f64,
            ));
            sum += u128::from(*count);
        }
        Ok((buckets, sum))
    }
}

fn side(bytes: &[u8]) -> Result<Side> {
    let mut side = Side::default();
    for field in message(bytes) {
        match field? {
            (1, Content::Number(offset)) => side.offset = unzigzag(offset) as i32,
            (2, Content::Number(count)) => side.counts.push(count),
            (2, Content::Bytes(counts)) => {
                let left = (BUCKETS_MAX + 1).saturating_sub(side.counts.len());
                for count in packed(counts).take(left) {
                    side.counts.push(count?);
                }
            }
            _ => {}
        }
        if side.counts.len() > BUCKETS_MAX {
            return Err(bad(format!("a point has more than {BUCKETS_MAX} buckets on one side")));
        }
    }
    Ok(side)
}

#[cfg(test)]
mod tests;
