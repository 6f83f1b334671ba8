//! Native histograms: counts in buckets whose bounds follow a schema, or are listed.
//!
//! Exponential schemas -4..=8: bucket `i` of the positive side covers `(b^(i-1), b^i]` with `b = 2^(2^-schema)`, that of
//! the negative side is its mirror image; a zero bucket covers `[-zero_threshold, zero_threshold]`. Schema -53 has listed
//! bounds: bucket `i` covers `(custom[i-1], custom[i]]`, the last one all above. Source: native histograms specification
//! of Prometheus.

mod arithmetic;
mod check;
mod quantile;
mod stored;
mod text;
mod trim;

pub(crate) use arithmetic::{Incompatible, Noticed, Total};
pub use check::buckets_of_spans;
pub(crate) use text::{general, plain};
pub(crate) use trim::Keep;

use std::sync::Arc;

/// The schema of histograms with listed bounds.
pub const CUSTOM_SCHEMA: i32 = -53;

/// What is known of a histogram's relation to the one before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ResetHint {
    /// Nothing: a reset shows by counts that fell.
    #[default]
    Unknown,
    /// The counter was reset.
    Reset,
    /// The counter was not reset.
    NotReset,
    /// It is no counter.
    Gauge,
}

/// A histogram with fractional counts.
///
/// Shape: each side's buckets in order of index, each index once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Histogram {
    /// Relation to the histogram before it.
    pub hint: ResetHint,
    /// Resolution: -4..=8, or [`CUSTOM_SCHEMA`].
    pub schema: i32,
    /// Half the width of the zero bucket.
    pub zero_threshold: f64,
    /// Observations in the zero bucket.
    pub zero_count: f64,
    /// All observations, NaN included.
    pub count: f64,
    /// Sum of all observations.
    pub sum: f64,
    /// Index and count of each positive bucket.
    pub positive: Vec<(i32, f64)>,
    /// Index and count of each negative bucket.
    pub negative: Vec<(i32, f64)>,
    /// Upper bounds of the buckets of [`CUSTOM_SCHEMA`], rising, without infinity.
    pub custom: Arc<[f64]>,
}

/// A bucket with its bounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// Lower bound.
    pub lower: f64,
    /// Upper bound.
    pub upper: f64,
    /// Whether the lower bound belongs to it.
    pub lower_inclusive: bool,
    /// Whether the upper bound belongs to it.
    pub upper_inclusive: bool,
    /// Observations in it.
    pub count: f64,
}

impl Histogram {
    /// Reports whether the bounds are listed.
    pub fn is_custom(&self) -> bool {
        self.schema == CUSTOM_SCHEMA
    }

    /// Returns all buckets from the lowest to the highest, the zero bucket only if it has observations.
    pub fn buckets(&self) -> Vec<Bucket> {
        let mut all: Vec<Bucket> = self.negative.iter().rev().map(|&(i, n)| self.negative_bucket(i, n)).collect();
        if self.zero_count > 0.0 {
            all.push(self.zero_bucket());
        }
        all.extend(self.positive.iter().map(|&(i, n)| self.positive_bucket(i, n)));
        let zero = self.zero_threshold;
        for bucket in &mut all {
            if bucket.upper < 0.0 && bucket.upper > -zero {
                bucket.upper = -zero;
            } else if bucket.lower > 0.0 && bucket.lower < zero {
                bucket.lower = zero;
            }
        }
        all
    }

    pub(crate) fn zero_bucket(&self) -> Bucket {
        let zero = self.zero_threshold;
        Bucket { lower: -zero, upper: zero, lower_inclusive: true, upper_inclusive: true, count: self.zero_count }
    }

    pub(crate) fn positive_bucket(&self, index: i32, count: f64) -> Bucket {
        let (lower, upper) = if self.is_custom() {
            let bound = |i: i32| usize::try_from(i).ok().and_then(|i| self.custom.get(i).copied());
            (bound(index - 1).unwrap_or(f64::NEG_INFINITY), bound(index).unwrap_or(f64::INFINITY))
        } else {
            (bound(index - 1, self.schema), bound(index, self.schema))
        };
        Bucket { lower, upper, lower_inclusive: lower == f64::NEG_INFINITY, upper_inclusive: true, count }
    }

    pub(crate) fn negative_bucket(&self, index: i32, count: f64) -> Bucket {
        let (upper, lower) = (-bound(index - 1, self.schema), -bound(index, self.schema));
        Bucket { lower, upper, lower_inclusive: true, upper_inclusive: false, count }
    }

    /// Multiplies all counts and the sum; a negative factor makes it a gauge.
    pub(crate) fn scaled(mut self, by: impl Fn(f64) -> f64, negative: bool) -> Self {
        self.zero_count = by(self.zero_count);
        self.count = by(self.count);
        self.sum = by(self.sum);
        for (_, count) in self.positive.iter_mut().chain(&mut self.negative) {
            *count = by(*count);
        }
        if negative {
            self.hint = ResetHint::Gauge;
        }
        self
    }

    pub(crate) fn times(self, factor: f64) -> Self {
        self.scaled(|n| n * factor, factor < 0.0)
    }

    /// Divides; a division by zero leaves no buckets, as their counts would have no meaning.
    pub(crate) fn divided(self, by: f64) -> Self {
        let mut out = self.scaled(|n| n / by, by < 0.0);
        if by == 0.0 {
            out.positive.clear();
            out.negative.clear();
        }
        out
    }

    /// Removes empty buckets.
    pub(crate) fn compact(mut self) -> Self {
        self.positive.retain(|&(_, count)| count != 0.0);
        self.negative.retain(|&(_, count)| count != 0.0);
        self
    }

    pub(crate) fn with_hint(mut self, hint: ResetHint) -> Self {
        self.hint = hint;
        self
    }

    /// Compares bit for bit, whatever the hints say.
    pub(crate) fn same(&self, other: &Self) -> bool {
        let bits = |side: &[(i32, f64)]| side.iter().map(|&(i, n)| (i, n.to_bits())).collect::<Vec<_>>();
        self.schema == other.schema
            && self.count.to_bits() == other.count.to_bits()
            && self.sum.to_bits() == other.sum.to_bits()
            && self.zero_threshold == other.zero_threshold
            && self.zero_count.to_bits() == other.zero_count.to_bits()
            && (!self.is_custom() || self.custom == other.custom)
            && bits(&self.positive) == bits(&other.positive)
            && bits(&self.negative) == bits(&other.negative)
    }
}

/// Bits of 2 to the power of 1/2, 1/4, …, 1/256. Prometheus' tables of bounds are products of these numbers; the last digit of
/// such a product is not always the nearest one, but what is shown and interpolated shall be the same here.
const ROOTS: [u64; 8] = [
    0x3FF6_A09E_667F_3BCC, 0x3FF3_06FE_0A31_B715, 0x3FF1_72B8_3C7D_517B, 0x3FF0_B558_6CF9_890F, 0x3FF0_59B0_D315_8574,
    0x3FF0_2C9A_3E77_8061, 0x3FF0_163D_A9FB_3335, 0x3FF0_0B1A_FA5A_BCBF,
];

/// Returns the upper bound of a positive bucket of an exponential schema.
///
/// The last bucket of finite numbers ends at the largest of them, so that the one above holds infinity alone.
pub(crate) fn bound(index: i32, schema: i32) -> f64 {
    let (fraction, exponent) = if schema < 0 {
        (1.0, i64::from(index) << -schema)
    } else {
        let bits = (0..schema).rev().map(|bit| index >> bit & 1 == 1);
        let factors = ROOTS.iter().zip(bits).filter(|(_, is_set)| *is_set);
        let fraction = factors.fold(1.0, |fraction, (root, _)| fraction * f64::from_bits(*root));
        (fraction, i64::from(index >> schema))
    };
    if fraction == 1.0 && exponent == 1024 {
        return f64::MAX;
    }
    let exponent = exponent.clamp(-1100, 1100) as i32;
    // In two steps, as a power of two below the normal numbers would be rounded twice.
    if exponent < -1000 {
        fraction * 2f64.powi(exponent + 200) * 2f64.powi(-200)
    } else {
        fraction * 2f64.powi(exponent)
    }
}

#[cfg(test)]
mod tests;
