//! Quantiles and shares of native histograms.

use crate::histogram::{Bucket, Histogram};
use crate::sum::Sum;

/// A result, with a remark where NaN observations shape it.
pub(crate) type Remarked = (f64, Option<&'static str>);

impl Bucket {
    /// Returns the share of the bucket below `value`, which lies strictly inside its finite bounds.
    pub(crate) fn share_below(&self, value: f64, linear: bool) -> f64 {
        if linear {
            return (value - self.lower) / (self.upper - self.lower);
        }
        let (lower, upper, at) = (self.lower.abs().log2(), self.upper.abs().log2(), value.abs().log2());
        if value > 0.0 { (at - lower) / (upper - lower) } else { 1.0 - (at - upper) / (lower - upper) }
    }

    fn interpolate(&self, fraction: f64, custom: bool) -> f64 {
        if custom || (self.lower <= 0.0 && self.upper >= 0.0) {
            return self.lower + (self.upper - self.lower) * fraction;
        }
        let (lower, upper) = (self.lower.abs().log2(), self.upper.abs().log2());
        if self.lower > 0.0 {
            (lower + (upper - lower) * fraction).exp2()
        } else {
            -(upper + (lower - upper) * (1.0 - fraction)).exp2()
        }
    }
}

impl Histogram {
    /// Returns the quantile `q`, interpolated within its bucket: exponentially, or linearly in zero and custom buckets.
    pub(crate) fn quantile(&self, q: f64) -> Remarked {
        if q < 0.0 {
            return (f64::NEG_INFINITY, None);
        }
        if q > 1.0 {
            return (f64::INFINITY, None);
        }
        if self.count == 0.0 || q.is_nan() {
            return (f64::NAN, None);
        }
        let has_nan = self.sum.is_nan();
        let rising = has_nan || q < 0.5;
        let mut buckets = self.buckets();
        if !rising {
            buckets.reverse();
        }
        let mut rank = if rising { q * self.count } else { (1.0 - q) * self.count };
        let (mut count, mut found) =
            (0.0, Bucket { lower: 0.0, upper: 0.0, lower_inclusive: true, upper_inclusive: true, count: 0.0 });
        for bucket in &buckets {
            found = *bucket;
            count += bucket.count;
            if bucket.count != 0.0 && count >= rank {
                break;
            }
        }
        if !self.is_custom() && found.lower < 0.0 && found.upper > 0.0 {
            self.trim_open(&mut found);
        }
        if self.is_custom() {
            if found.lower == f64::NEG_INFINITY {
                if found.upper <= 0.0 {
                    return (found.upper, None);
                }
                found.lower = 0.0;
            } else if found.upper == f64::INFINITY {
                return (found.lower, None);
            }
        }
        count = count.min(self.count);
        if count < rank {
            let remark = "input to histogram_quantile has NaN observations, result is NaN";
            return if has_nan { (f64::NAN, Some(remark)) } else { (found.upper, None) };
        }
        rank = if rising { rank - (count - found.count) } else { count - rank };
        let all: f64 = buckets.iter().map(|bucket| bucket.count).sum();
        let remark = (has_nan && all < self.count)
            .then_some("input to histogram_quantile has NaN observations, result is skewed higher");
        (found.interpolate(rank / found.count, self.is_custom()), remark)
    }

    /// A bucket around zero reaches only to the side that has observations.
    fn trim_open(&self, bucket: &mut Bucket) {
        if self.negative.is_empty() && !self.positive.is_empty() {
            bucket.lower = 0.0;
        } else if self.positive.is_empty() && !self.negative.is_empty() {
            bucket.upper = 0.0;
        }
    }

    /// Returns the share of observations between two values.
    pub(crate) fn fraction(&self, lower: f64, upper: f64) -> Remarked {
        if self.count == 0.0 || lower.is_nan() || upper.is_nan() {
            return (f64::NAN, None);
        }
        if lower >= upper {
            return (0.0, None);
        }
        let (mut rank, mut below) = (0.0, [None, None]);
        let buckets = self.buckets();
        for bucket in &buckets {
            let mut bucket = *bucket;
            let zero = bucket.lower <= 0.0 && bucket.upper >= 0.0;
            if zero {
                self.trim_open(&mut bucket);
            }
            for (at, value) in [lower, upper].into_iter().enumerate() {
                if below[at].is_none() {
                    below[at] = self.rank_of(value, &bucket, rank, zero);
                }
            }
            if below[0].is_some() && below[1].is_some() {
                break;
            }
            rank += bucket.count;
        }
        let all: f64 = buckets.iter().map(|bucket| bucket.count).sum();
        let has_nan = self.sum.is_nan();
        let count = if has_nan { all } else { self.count };
        let remark = (has_nan && all < self.count)
            .then_some("input to histogram_fraction has NaN observations, which are excluded from all fractions");
        let limited = |rank: Option<f64>| rank.filter(|rank| *rank <= count).unwrap_or(count);
        ((limited(below[1]) - limited(below[0])) / self.count, remark)
    }

    /// Returns the number of observations below `value`, if this bucket decides it.
    fn rank_of(&self, value: f64, bucket: &Bucket, rank: f64, zero: bool) -> Option<f64> {
        if bucket.lower >= value {
            return Some(rank);
        }
        if bucket.upper <= value {
            return None;
        }
        let linear = self.is_custom() || zero;
        if linear && bucket.lower == f64::NEG_INFINITY {
            return Some(bucket.count);
        }
        Some(rank + bucket.count * bucket.share_below(value, linear))
    }

    /// Returns the variance, each bucket standing for its middle.
    pub(crate) fn variance(&self) -> f64 {
        let mean = self.sum / self.count;
        let mut total = Sum::default();
        for bucket in self.buckets().iter().filter(|bucket| bucket.count != 0.0) {
            let middle = if self.is_custom() {
                (bucket.upper + bucket.lower) / 2.0
            } else if bucket.lower <= 0.0 && bucket.upper >= 0.0 {
                0.0
            } else {
                (bucket.upper * bucket.lower).sqrt().copysign(bucket.upper)
            };
            let delta = middle - mean;
            total.add(bucket.count * delta * delta);
        }
        total.total() / self.count
    }
}
