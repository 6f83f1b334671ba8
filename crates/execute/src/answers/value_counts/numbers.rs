//! A histogram of numbers whose buckets are narrower than 1 % of what they hold.

use std::collections::HashMap;

/// Low bits of a number that its bucket leaves out: 7 bits of the mantissa remain, so that a bucket is at most 1/128 wide.
const DROPPED_BITS: u32 = 45;

const SIGN: u64 = 1 << 63;

/// Numbers counted by bucket. Histograms merge, and one of a part can be taken away from one of the whole.
#[derive(Clone, Debug, Default)]
pub struct NumberHistogram {
    buckets: HashMap<i32, u64, foldhash::fast::RandomState>,
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
        if number.is_finite() {
            *self.buckets.entry(bucket(number)).or_insert(0) += count;
            self.n_numbers += count;
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.n_numbers += other.n_numbers;
        for (bucket, count) in &other.buckets {
            *self.buckets.entry(*bucket).or_insert(0) += count;
        }
    }

    pub(super) fn subtract(&mut self, part: &Self) {
        self.n_numbers = self.n_numbers.saturating_sub(part.n_numbers);
        for (bucket, count) in &part.buckets {
            if let Some(known) = self.buckets.get_mut(bucket) {
                *known = known.saturating_sub(*count);
            }
        }
        self.buckets.retain(|_, count| *count > 0);
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
        let mut buckets: Vec<(i32, u64)> = self.buckets.iter().map(|(bucket, count)| (*bucket, *count)).collect();
        buckets.sort_unstable();
        buckets.into_iter().map(|(bucket, count)| (number_of(bucket), count)).collect()
    }

    /// Returns the number below which a share of all lies, to within 1 %.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let wanted = (share * self.n_numbers as f64).ceil().max(1.0) as u64;
        let mut n_below = 0;
        self.ordered().into_iter().find_map(|(number, count)| {
            n_below += count;
            (n_below >= wanted).then_some(number)
        })
    }
}

#[cfg(test)]
mod tests;
