//! A histogram of numbers whose buckets are narrower than 1 % of what they hold.

use std::collections::HashMap;

/// Low bits of a number that its bucket leaves out: 7 bits of the mantissa remain, so that a bucket is at most 1/128 wide.
const DROPPED_BITS: u32 = 45;

const SIGN: u64 = 1 << 63;

/// Buckets of a power of two.
const OCTAVE: i32 = 128;

/// The first bucket and the number of those in which nearly all numbers lie: from 2^-16 to 2^48.
const USUAL_FIRST: i32 = (1023 - 16) * OCTAVE;
const USUAL_N: usize = 64 * OCTAVE as usize;

/// Numbers counted by bucket. Histograms merge, and one of a part can be taken away from one of the whole.
#[derive(Clone, Debug, Default)]
pub struct NumberHistogram {
    /// In order.
    buckets: Vec<(i32, u64)>,
    n_numbers: u64,
}

/// Returns the bucket of a number; buckets are ordered as numbers are.
fn bucket(number: f64) -> i32 {
    let bits = number.to_bits();
    let key = ((bits & !SIGN) >> DROPPED_BITS) as i32;
    if bits & SIGN == 0 { key } else { -key }
}

/// Returns the number in a bucket that is nearest to zero.
fn number_of(bucket: i32) -> f64 {
    let number = f64::from_bits(u64::from(bucket.unsigned_abs()) << DROPPED_BITS);
    if bucket < 0 { -number } else { number }
}

impl NumberHistogram {
    /// Adds `count` equal numbers; what is no number is left out.
    pub(super) fn add(&mut self, number: f64, count: u64) {
        if !number.is_finite() {
            return;
        }
        let bucket = bucket(number);
        self.n_numbers += count;
        match self.buckets.binary_search_by_key(&bucket, |(known, _)| *known) {
            Ok(place) => self.buckets[place].1 += count,
            Err(place) => self.buckets.insert(place, (bucket, count)),
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.n_numbers += other.n_numbers;
        let mine = std::mem::take(&mut self.buckets);
        self.buckets.reserve(mine.len().max(other.buckets.len()));
        let mut others = other.buckets.iter().copied().peekable();
        for (bucket, count) in mine {
            while let Some(before) = others.next_if(|(other, _)| *other < bucket) {
                self.buckets.push(before);
            }
            let more = others.next_if(|(other, _)| *other == bucket).map_or(0, |(_, count)| count);
            self.buckets.push((bucket, count + more));
        }
        self.buckets.extend(others);
    }

    pub(super) fn subtract(&mut self, part: &Self) {
        self.n_numbers = self.n_numbers.saturating_sub(part.n_numbers);
        let mut parts = part.buckets.iter().peekable();
        for (bucket, count) in &mut self.buckets {
            while parts.next_if(|(other, _)| other < bucket).is_some() {}
            let less = parts.next_if(|(other, _)| other == bucket).map_or(0, |(_, count)| *count);
            *count = count.saturating_sub(less);
        }
        self.buckets.retain(|(_, count)| *count > 0);
    }

    pub(super) fn n_bytes(&self) -> usize {
        16 * self.buckets.len()
    }

    /// Returns how many numbers there are.
    pub fn n_numbers(&self) -> u64 {
        self.n_numbers
    }

    /// Returns how many buckets hold a number.
    pub fn n_buckets(&self) -> usize {
        self.buckets.len()
    }

    /// Returns the buckets in order: the number nearest to zero of each, and how many numbers it holds.
    pub fn ordered(&self) -> Vec<(f64, u64)> {
        self.buckets.iter().map(|(bucket, count)| (number_of(*bucket), *count)).collect()
    }

    /// Returns the number below which a share of all lies, to within 1 %.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let wanted = (share * self.n_numbers as f64).ceil().max(1.0) as u64;
        let mut n_below = 0;
        self.buckets.iter().find_map(|(bucket, count)| {
            n_below += count;
            (n_below >= wanted).then(|| number_of(*bucket))
        })
    }
}

/// Numbers while they are counted one by one.
#[derive(Default)]
pub(super) struct NumberTally {
    zeros: u64,
    /// By bucket from [`USUAL_FIRST`] on; none before the first number.
    usual: Vec<u32>,
    others: HashMap<i32, u64, foldhash::fast::RandomState>,
    n_numbers: u64,
}

impl NumberTally {
    /// Returns how many numbers were counted.
    pub(super) fn n_numbers(&self) -> u64 {
        self.n_numbers
    }

    pub(super) fn n_bytes(&self) -> usize {
        4 * self.usual.len() + 16 * self.others.len()
    }

    /// Counts a number; what is no number is left out.
    #[inline]
    pub(super) fn add(&mut self, number: f64) {
        let bucket = bucket(number);
        if let Some(count) = self.usual.get_mut(bucket.wrapping_sub(USUAL_FIRST) as usize) {
            *count += 1;
            self.n_numbers += 1;
        } else if bucket == 0 {
            self.zeros += 1;
            self.n_numbers += 1;
        } else if number.is_finite() {
            self.usual.resize(USUAL_N, 0);
            match self.usual.get_mut(bucket.wrapping_sub(USUAL_FIRST) as usize) {
                Some(count) => *count += 1,
                None => *self.others.entry(bucket).or_insert(0) += 1,
            }
            self.n_numbers += 1;
        }
    }

    /// Returns the histogram of what was counted.
    pub(super) fn into_histogram(self) -> NumberHistogram {
        let usual = self.usual.iter().enumerate().filter(|(_, count)| **count > 0);
        let usual = usual.map(|(place, count)| (USUAL_FIRST + place as i32, u64::from(*count)));
        let zeros = (self.zeros > 0).then_some((0, self.zeros));
        let mut buckets: Vec<(i32, u64)> = self.others.into_iter().chain(zeros).chain(usual).collect();
        buckets.sort_unstable();
        NumberHistogram { buckets, n_numbers: self.n_numbers }
    }
}

#[cfg(test)]
mod tests;
