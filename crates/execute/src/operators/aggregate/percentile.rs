//! Percentiles: all numbers while they are few, a sketch with one percent relative error beyond.
//!
//! The sketch counts numbers in buckets: 64 of equal width between a power of two and the next, as in Gil Tene's
//! HdrHistogram. The bucket of a number is the first bits of its representation, so finding it costs nothing, and the
//! middle of a bucket is within 1/128 of every number in it. What the sketch holds depends only on the numbers seen,
//! not on their order, so merging in any order gives the same answer.

use evaluate::Cell;
use types::codec::{Cursor, Decoded, put_count, put_decimal};

/// Numbers kept exactly.
const EXACT_MAX: usize = 4_096;

/// Bits of a number's representation that its bucket leaves out: all of the fraction but six.
const BITS_LEFT_OUT: u32 = f64::MANTISSA_DIGITS - 1 - 6;

/// One more than the highest bucket of a finite number.
const BUCKETS_MAX: usize = (f64::INFINITY.to_bits() >> BITS_LEFT_OUT) as usize;

/// Counts of numbers by bucket, from the lowest bucket seen to the highest.
#[derive(Clone, Debug, Default)]
pub(crate) struct Buckets {
    first: usize,
    counts: Vec<u64>,
}

impl Buckets {
    fn add(&mut self, bucket: usize, count: u64) {
        if self.counts.is_empty() {
            self.first = bucket;
        }
        if bucket < self.first {
            // At least doubled, so that numbers that come ever smaller do not move all counts each time.
            let n_more = (self.first - bucket).max(self.counts.len()).min(self.first);
            self.counts.splice(0..0, std::iter::repeat_n(0, n_more));
            self.first -= n_more;
        }
        let place = bucket - self.first;
        if place >= self.counts.len() {
            self.counts.resize((place + 1).max(self.counts.len() * 2).min(BUCKETS_MAX - self.first).max(place + 1), 0);
        }
        self.counts[place] = self.counts[place].saturating_add(count);
    }

    /// Numbers with these counts, as `encode` wrote them.
    fn decode(reader: &mut Cursor<'_>) -> Decoded<Self> {
        let mut buckets = Self::default();
        let mut last = 0;
        for _ in 0..reader.count(1)? {
            last += reader.below(BUCKETS_MAX - last)?;
            let count = reader.varint()?;
            buckets.add(last, count);
        }
        Ok(buckets)
    }

    fn encode(&self, out: &mut Vec<u8>) {
        put_count(self.iter().count() as u64, out);
        let mut last = 0;
        for (bucket, count) in self.iter() {
            put_count((bucket - last) as u64, out);
            put_count(count, out);
            last = bucket;
        }
    }

    fn n_bytes(&self) -> usize {
        self.counts.len() * 8
    }

    fn merge(&mut self, other: &Self) {
        other.iter().for_each(|(bucket, count)| self.add(bucket, count));
    }

    /// Buckets that have numbers, ascending, with their counts.
    fn iter(&self) -> impl DoubleEndedIterator<Item = (usize, u64)> + '_ {
        let counted = self.counts.iter().enumerate().filter(|(_, count)| **count > 0);
        counted.map(|(place, count)| (self.first + place, *count))
    }
}

/// The distribution of the numbers seen.
#[derive(Clone, Debug)]
pub(crate) enum Percentile {
    /// The numbers.
    Exact(Vec<f64>),
    /// Counts by bucket; at most 131,008 of each sign, whatever comes.
    Sketch { negative: Buckets, n_zeros: u64, positive: Buckets },
}

impl Default for Percentile {
    fn default() -> Self {
        Self::Exact(Vec::new())
    }
}

fn bucket(magnitude: f64) -> usize {
    (magnitude.to_bits() >> BITS_LEFT_OUT) as usize
}

fn middle(bucket: usize) -> f64 {
    f64::from_bits((bucket as u64) << BITS_LEFT_OUT | 1 << (BITS_LEFT_OUT - 1))
}

impl Percentile {
    /// Adds the number that a value is or reads as; others are passed over. Answers how many bytes more are held.
    pub(crate) fn add(&mut self, cell: Cell<'_>) -> usize {
        cell.number().map_or(0, |number| self.add_number(number.as_float()))
    }

    /// Adds a number. Answers how many bytes more are held.
    #[inline]
    pub(crate) fn add_number(&mut self, number: f64) -> usize {
        // Nearly every number of many falls into a bucket that there is.
        if let Self::Sketch { positive, .. } = self
            && number > 0.0
            && let Some(count) = positive.counts.get_mut(bucket(number).wrapping_sub(positive.first))
        {
            *count += 1;
            return 0;
        }
        self.add_elsewhere(number)
    }

    fn add_elsewhere(&mut self, number: f64) -> usize {
        match self {
            Self::Exact(numbers) => {
                numbers.push(number);
                if numbers.len() > EXACT_MAX {
                    self.become_sketch();
                }
                8
            }
            Self::Sketch { negative, n_zeros, positive } => {
                let (buckets, magnitude) = if number < 0.0 { (negative, -number) } else { (positive, number) };
                if magnitude > 0.0 {
                    let before = buckets.n_bytes();
                    buckets.add(bucket(magnitude), 1);
                    return buckets.n_bytes() - before;
                }
                *n_zeros += 1;
                0
            }
        }
    }

    fn become_sketch(&mut self) {
        let empty = Self::Sketch { negative: Buckets::default(), n_zeros: 0, positive: Buckets::default() };
        if let Self::Exact(numbers) = std::mem::replace(self, empty) {
            numbers.into_iter().for_each(|number| {
                self.add_number(number);
            });
        }
    }

    /// Adds the numbers of others.
    pub(crate) fn merge(&mut self, other: Self) {
        match other {
            Self::Exact(numbers) => numbers.into_iter().for_each(|number| {
                self.add_number(number);
            }),
            Self::Sketch { negative: more_negative, n_zeros: more_zeros, positive: more_positive } => {
                if let Self::Exact(_) = self {
                    self.become_sketch();
                }
                if let Self::Sketch { negative, n_zeros, positive } = self {
                    negative.merge(&more_negative);
                    positive.merge(&more_positive);
                    *n_zeros = n_zeros.saturating_add(more_zeros);
                }
            }
        }
    }

    /// Bytes held next to the state itself, roughly.
    pub(super) fn memory_bytes(&self) -> usize {
        match self {
            Self::Exact(numbers) => numbers.len() * 8,
            Self::Sketch { negative, positive, .. } => negative.n_bytes() + positive.n_bytes(),
        }
    }

    /// Appends the state; its tag is `tag` where it is exact, else the next.
    pub(super) fn encode(&self, tag: u8, out: &mut Vec<u8>) {
        match self {
            Self::Exact(numbers) => {
                out.push(tag);
                put_count(numbers.len() as u64, out);
                let mut numbers = numbers.clone();
                numbers.sort_unstable_by(f64::total_cmp);
                numbers.iter().for_each(|number| put_decimal(*number, out));
            }
            Self::Sketch { negative, n_zeros, positive } => {
                out.push(tag + 1);
                negative.encode(out);
                put_count(*n_zeros, out);
                positive.encode(out);
            }
        }
    }

    /// Reads a state.
    pub(super) fn decode(is_exact: bool, reader: &mut Cursor<'_>) -> Decoded<Self> {
        if is_exact {
            let n_numbers = reader.below(EXACT_MAX + 1)?;
            return Ok(Self::Exact((0..n_numbers).map(|_| reader.decimal()).collect::<Result<_, _>>()?));
        }
        Ok(Self::Sketch {
            negative: Buckets::decode(reader)?,
            n_zeros: reader.varint()?,
            positive: Buckets::decode(reader)?,
        })
    }

    /// Reports whether percentiles are estimates.
    pub(crate) fn is_approximate(&self) -> bool {
        matches!(self, Self::Sketch { .. })
    }

    /// Returns the numbers, ascending, and how often each was seen; of a sketch, the middles of its buckets.
    pub(crate) fn counts(self) -> Vec<(f64, u64)> {
        match self {
            Self::Exact(mut numbers) => {
                numbers.sort_unstable_by(f64::total_cmp);
                numbers.into_iter().map(|number| (number, 1)).collect()
            }
            Self::Sketch { negative, n_zeros, positive } => {
                let below = negative.iter().rev().map(|(bucket, count)| (-middle(bucket), count));
                let above = positive.iter().map(|(bucket, count)| (middle(bucket), count));
                below.chain([(0.0, n_zeros)].into_iter().filter(|(_, count)| *count > 0)).chain(above).collect()
            }
        }
    }

    /// Returns the percentile `percent` (0 to 100), between the closest ranks; missing over nothing.
    pub(crate) fn at(self, percent: f64) -> Option<f64> {
        let share = percent.clamp(0.0, 100.0) / 100.0;
        match self {
            Self::Exact(mut numbers) => {
                let position = share * (numbers.len().checked_sub(1)? as f64);
                let (_, low, above) = numbers.select_nth_unstable_by(position.floor() as usize, f64::total_cmp);
                let low = *low;
                let high = above.iter().copied().min_by(f64::total_cmp).filter(|_| position.fract() > 0.0);
                Some(low + (high.unwrap_or(low) - low) * position.fract())
            }
            Self::Sketch { negative, n_zeros, positive } => {
                let below = negative.iter().rev().map(|(bucket, count)| (-middle(bucket), count));
                let above = positive.iter().map(|(bucket, count)| (middle(bucket), count));
                let counts = negative.counts.iter().chain(&positive.counts);
                let total = counts.fold(n_zeros, |total, count| total.saturating_add(*count));
                let rank = (share * (total.checked_sub(1)? as f64)).round() as u64;
                let mut before = 0;
                for (value, count) in below.chain([(0.0, n_zeros)]).chain(above) {
                    before = count.saturating_add(before);
                    if before > rank {
                        return Some(value);
                    }
                }
                None
            }
        }
    }
}

#[cfg(test)]
mod tests;
