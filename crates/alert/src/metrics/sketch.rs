//! Quantiles of a stream of numbers: how many there were by their size, each size within one in a hundred of the next.
//!
//! Source: DDSketch (Masson, Rim, Lee, VLDB 2019), with bounded sizes instead of collapsing buckets.

use std::collections::{BTreeMap, VecDeque};

/// Sizes follow each other by this factor, so that the middle of one is at most one percent from all that it holds.
const FACTOR: f64 = 1.02;

/// Sizes on both sides of one: from 10⁻¹³ to 10¹³. What lies beyond counts as these.
const SIZES: i32 = 1_512;

/// Parts of a window; a quantile forgets in steps of one.
const PARTS: i64 = 5;

/// How many numbers there were of each size. Negative ones mirror the positive ones, and 0 is zero.
#[derive(Clone, Debug, Default, PartialEq)]
struct Sketch(BTreeMap<i32, u64>);

fn size_of(value: f64) -> i32 {
    if value == 0.0 {
        return 0;
    }
    let size = (value.abs().ln() / FACTOR.ln()).ceil().clamp(f64::from(-SIZES), f64::from(SIZES)) as i32;
    let size = size + SIZES + 1;
    if value < 0.0 { -size } else { size }
}

fn middle_of(size: i32) -> f64 {
    if size == 0 {
        return 0.0;
    }
    let end = FACTOR.powi(size.abs() - SIZES - 1);
    let middle = 2.0 * end / (FACTOR + 1.0);
    if size < 0 { -middle } else { middle }
}

/// Numbers of a window that moves on, in a few parts.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Window {
    parts: VecDeque<(i64, Sketch)>,
}

impl Window {
    /// Adds a number that came at an instant, given in nanoseconds.
    pub(super) fn add(&mut self, value: f64, now_ns: i64, window_ns: i64) {
        let part = part_of(now_ns, window_ns);
        self.forget(part);
        // A clock that was set back adds to the newest.
        if self.parts.back().is_none_or(|(newest, _)| *newest < part) {
            self.parts.push_back((part, Sketch::default()));
        }
        if let Some((_, sketch)) = self.parts.back_mut() {
            *sketch.0.entry(size_of(value)).or_default() += 1;
        }
    }

    fn forget(&mut self, part: i64) {
        while self.parts.front().is_some_and(|(oldest, _)| *oldest <= part - PARTS) {
            self.parts.pop_front();
        }
    }

    /// Quantiles of what came within the window; not a number where nothing did.
    pub(super) fn quantiles(&self, wanted: &[f64], now_ns: i64, window_ns: i64) -> Vec<f64> {
        let oldest = part_of(now_ns, window_ns) - PARTS;
        let mut all: BTreeMap<i32, u64> = BTreeMap::new();
        for (_, sketch) in self.parts.iter().filter(|(part, _)| *part > oldest) {
            sketch.0.iter().for_each(|(size, n)| *all.entry(*size).or_default() += n);
        }
        let n_all: u64 = all.values().sum();
        let quantile = |quantile: &f64| {
            let rank = (quantile * n_all as f64).ceil().max(1.0) as u64;
            let mut n_before = 0;
            let found = all.iter().find(|(_, n)| {
                n_before += **n;
                n_before >= rank
            });
            found.map_or(f64::NAN, |(size, _)| middle_of(*size))
        };
        wanted.iter().map(quantile).collect()
    }
}

fn part_of(now_ns: i64, window_ns: i64) -> i64 {
    now_ns.div_euclid((window_ns / PARTS).max(1))
}

#[cfg(test)]
mod tests;
