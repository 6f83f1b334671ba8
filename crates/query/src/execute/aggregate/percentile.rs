//! Percentiles: all numbers while they are few, a sketch with one percent relative error beyond.
//!
//! The sketch counts numbers in buckets whose borders grow by a constant factor: Masson, Rim, Lee, "DDSketch: A Fast
//! and Fully-Mergeable Quantile Sketch with Relative-Error Guarantees", VLDB 2019. What it holds depends only on
//! the numbers seen, not on their order, so merging in any order gives the same answer.

use std::collections::HashMap;

use super::super::cell::Cell;

/// Counts by bucket.
type Buckets = HashMap<i32, u64, foldhash::fast::RandomState>;

/// Numbers kept exactly.
const EXACT_MAX: usize = 4_096;

/// One percent relative error: (1 + 0.01) / (1 − 0.01).
const GROWTH: f64 = 1.01 / 0.99;

/// The distribution of the numbers seen.
#[derive(Clone, Debug)]
pub(crate) enum Percentile {
    /// The numbers.
    Exact(Vec<f64>),
    /// Counts by bucket; at most some 70,000 of each sign, whatever comes.
    Sketch { negative: Buckets, n_zeros: u64, positive: Buckets },
}

impl Default for Percentile {
    fn default() -> Self {
        Self::Exact(Vec::new())
    }
}

fn bucket(magnitude: f64) -> i32 {
    (magnitude.ln() / GROWTH.ln()).ceil() as i32
}

fn middle(bucket: i32) -> f64 {
    (f64::from(bucket) * GROWTH.ln()).exp() * 2.0 / (GROWTH + 1.0)
}

impl Percentile {
    /// Adds a number; what is none is passed over. Answers how many bytes more are held.
    pub(crate) fn add(&mut self, cell: Cell<'_>) -> usize {
        let Some(number) = cell.number() else { return 0 };
        self.add_many(number.as_float(), 1);
        match self {
            Self::Exact(_) => 8,
            Self::Sketch { .. } => 0,
        }
    }

    fn add_many(&mut self, number: f64, count: u64) {
        match self {
            Self::Exact(numbers) => {
                numbers.push(number);
                if numbers.len() > EXACT_MAX {
                    self.become_sketch();
                }
            }
            Self::Sketch { negative, n_zeros, positive } => match number {
                _ if number > 0.0 => *positive.entry(bucket(number)).or_insert(0) += count,
                _ if number < 0.0 => *negative.entry(bucket(-number)).or_insert(0) += count,
                _ => *n_zeros += count,
            },
        }
    }

    fn become_sketch(&mut self) {
        let empty = Self::Sketch { negative: Buckets::default(), n_zeros: 0, positive: Buckets::default() };
        if let Self::Exact(numbers) = std::mem::replace(self, empty) {
            numbers.into_iter().for_each(|number| self.add_many(number, 1));
        }
    }

    /// Adds the numbers of others.
    pub(crate) fn merge(&mut self, other: Self) {
        match other {
            Self::Exact(numbers) => numbers.into_iter().for_each(|number| self.add_many(number, 1)),
            Self::Sketch { negative: more_negative, n_zeros: more_zeros, positive: more_positive } => {
                if let Self::Exact(_) = self {
                    self.become_sketch();
                }
                if let Self::Sketch { negative, n_zeros, positive } = self {
                    for (buckets, more) in [(negative, more_negative), (positive, more_positive)] {
                        more.into_iter().for_each(|(bucket, count)| *buckets.entry(bucket).or_insert(0) += count);
                    }
                    *n_zeros += more_zeros;
                }
            }
        }
    }

    /// Tells whether percentiles are estimates.
    pub(crate) fn is_approximate(&self) -> bool {
        matches!(self, Self::Sketch { .. })
    }

    /// The percentile `percent` (0 to 100), between the closest ranks; missing over nothing.
    pub(crate) fn at(self, percent: f64) -> Option<f64> {
        let share = percent.clamp(0.0, 100.0) / 100.0;
        match self {
            Self::Exact(mut numbers) => {
                numbers.sort_unstable_by(f64::total_cmp);
                let position = share * (numbers.len().checked_sub(1)? as f64);
                let (low, high) = (numbers[position.floor() as usize], numbers[position.ceil() as usize]);
                Some(low + (high - low) * position.fract())
            }
            Self::Sketch { negative, n_zeros, positive } => {
                let sorted = |buckets: &Buckets| {
                    let mut sorted: Vec<(i32, u64)> = buckets.iter().map(|(bucket, count)| (*bucket, *count)).collect();
                    sorted.sort_unstable();
                    sorted
                };
                let below = sorted(&negative).into_iter().rev().map(|(bucket, count)| (-middle(bucket), count));
                let above = sorted(&positive).into_iter().map(|(bucket, count)| (middle(bucket), count));
                let in_order = below.chain([(0.0, n_zeros)]).chain(above);
                let total: u64 = n_zeros + negative.values().sum::<u64>() + positive.values().sum::<u64>();
                let rank = (share * (total.checked_sub(1)? as f64)).round() as u64;
                let mut before = 0;
                for (value, count) in in_order {
                    before += count;
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
mod tests {
    use super::*;

    #[test]
    fn a_sketch_stays_within_one_percent() {
        let mut percentile = Percentile::default();
        for number in 1..=100_000i64 {
            percentile.add(Cell::Integer(number - 20_000));
        }
        assert!(percentile.is_approximate());
        for (percent, exact) in [(10.0, -10_000.0), (50.0, 30_000.0), (99.0, 79_000.0), (100.0, 80_000.0)] {
            let found = percentile.clone().at(percent).expect("there are numbers");
            assert!((found / exact - 1.0f64).abs() < 0.0101, "{percent}: {found}");
        }
    }

    #[test]
    fn few_numbers_are_interpolated_between_ranks() {
        let mut percentile = Percentile::default();
        for number in [1, 2, 3, 10] {
            percentile.add(Cell::Integer(number));
        }
        assert_eq!(percentile.clone().at(50.0), Some(2.5));
        assert_eq!(percentile.clone().at(90.0), Some(7.900000000000001));
        assert_eq!(percentile.at(100.0), Some(10.0));
        assert_eq!(Percentile::default().at(50.0), None);
    }
}
