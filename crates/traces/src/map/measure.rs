//! The number of calls, the number that failed, and a histogram of their durations whose bins grow by a constant
//! factor.
//!
//! Percentiles are exact to 2.5 %, as in Masson, Rim, Lee: DDSketch, VLDB 2019. Measures can be added and taken away.

use std::sync::LazyLock;

use crate::times::MICROSECOND;

/// The factor from one bin of durations to the next.
const GROWTH: f64 = 1.05;

/// Number of bins: the last one begins at 40 days.
const BINS: usize = 590;

static LN_GROWTH: LazyLock<f64> = LazyLock::new(|| GROWTH.ln());

/// The calls of one slice.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Measure {
    /// Calls.
    pub(crate) n: u64,
    /// Calls that failed.
    pub(crate) n_errors: u64,
    /// Bins of durations and the calls in each, in order.
    pub(crate) bins: Vec<(u16, u32)>,
}

/// One call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    /// The bin of its duration.
    bin: u16,
    /// Whether it failed.
    pub(crate) is_error: bool,
}

impl Call {
    /// Returns a call of a duration.
    pub(crate) fn of(duration_ns: i64, is_error: bool) -> Self {
        let us = duration_ns as f64 / MICROSECOND as f64;
        let bin = if us <= 1.0 { 0 } else { (us.ln() / *LN_GROWTH).ceil() as usize };
        // Below `BINS`, so it fits.
        Self { bin: bin.min(BINS - 1) as u16, is_error }
    }

    /// Returns a number from which [`of_code`](Self::of_code) makes the call again.
    pub(crate) fn code(self) -> u64 {
        u64::from(self.bin) << 1 | u64::from(self.is_error)
    }

    /// Returns the call with a code; `None` if no call has it.
    pub(crate) fn of_code(code: u64) -> Option<Self> {
        let bin = u16::try_from(code >> 1).ok().filter(|bin| usize::from(*bin) < BINS)?;
        Some(Self { bin, is_error: code & 1 == 1 })
    }
}

impl Measure {
    /// Adds a call.
    pub(crate) fn add(&mut self, call: Call) {
        self.n += 1;
        self.n_errors += u64::from(call.is_error);
        match self.bins.binary_search_by_key(&call.bin, |(bin, _)| *bin) {
            Ok(place) => self.bins[place].1 = self.bins[place].1.saturating_add(1),
            Err(place) => self.bins.insert(place, (call.bin, 1)),
        }
    }

    /// Returns the calls with durations in some bins; `None` unless bins that exist are in order.
    pub(crate) fn of_bins(bins: Vec<(u16, u32)>, n_errors: u64) -> Option<Self> {
        let n: u64 = bins.iter().map(|(_, n)| u64::from(*n)).sum();
        let exist = bins.last().is_none_or(|(bin, _)| usize::from(*bin) < BINS);
        let is_valid = exist && bins.is_sorted_by(|a, b| a.0 < b.0) && n_errors <= n;
        is_valid.then_some(Self { n, n_errors, bins })
    }

    /// Returns its size in bytes.
    pub(crate) fn n_bytes(&self) -> usize {
        size_of::<Self>() + self.bins.capacity() * size_of::<(u16, u32)>()
    }
}

/// The calls of several slices.
#[derive(Clone, Debug)]
pub(crate) struct Total {
    /// Calls.
    pub(crate) n: u64,
    /// Calls that failed.
    pub(crate) n_errors: u64,
    bins: Box<[u64]>,
}

impl Default for Total {
    fn default() -> Self {
        Self { n: 0, n_errors: 0, bins: vec![0; BINS].into() }
    }
}

impl Total {
    /// Returns a total of calls whose durations are not known.
    pub(crate) fn of_counts(n: u64, n_errors: u64) -> Self {
        Self { n, n_errors, ..Self::default() }
    }

    /// Adds the calls of a slice.
    pub(crate) fn add(&mut self, measure: &Measure) {
        self.n += measure.n;
        self.n_errors += measure.n_errors;
        for (bin, n) in &measure.bins {
            self.bins[usize::from(*bin)] += u64::from(*n);
        }
    }

    /// Adds one call.
    pub(crate) fn add_call(&mut self, call: Call) {
        self.n += 1;
        self.n_errors += u64::from(call.is_error);
        self.bins[usize::from(call.bin)] += 1;
    }

    /// Takes away a call that was added.
    pub(crate) fn take_away(&mut self, call: Call) {
        self.n = self.n.saturating_sub(1);
        self.n_errors = self.n_errors.saturating_sub(u64::from(call.is_error));
        let bin = &mut self.bins[usize::from(call.bin)];
        *bin = bin.saturating_sub(1);
    }

    /// Adds other calls.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.n += other.n;
        self.n_errors += other.n_errors;
        for (sum, n) in self.bins.iter_mut().zip(&other.bins) {
            *sum += n;
        }
    }

    /// Returns the duration in milliseconds that a share of the calls did not exceed; `None` without calls.
    pub(crate) fn percentile_ms(&self, share: f64) -> Option<f64> {
        let n: u64 = self.bins.iter().sum();
        let rank = ((n as f64 * share).ceil() as u64).max(1);
        let mut below = 0;
        let bin = self.bins.iter().position(|n| {
            below += n;
            below >= rank
        })?;
        Some((middle_us(bin) * 10.0).round() / 10_000.0)
    }

    /// Returns durations in seconds and the number of calls that took about as long, shortest first.
    pub(crate) fn histogram(&self) -> impl Iterator<Item = (f64, u64)> {
        let filled = self.bins.iter().enumerate().filter(|(_, n)| **n > 0);
        filled.map(|(bin, n)| ((middle_us(bin) * 10.0).round() / 1e7, *n))
    }
}

/// Returns the middle of a bin in microseconds, from which no duration in the bin is further away than 2.5 %.
fn middle_us(bin: usize) -> f64 {
    2.0 * GROWTH.powi(bin as i32) / (GROWTH + 1.0)
}

#[cfg(test)]
mod tests;
