//! Histograms without the observations above or below a value: the operators `</` and `>/`.

use crate::histogram::{Bucket, Histogram};

/// Which observations stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    Below,
    Above,
}

/// Observations that stay, and the value that stands for them in the sum.
type Kept = (f64, f64);

impl Histogram {
    /// Removes the observations above or below `limit`; a bucket that is cut keeps its share by interpolation.
    ///
    /// If anything goes, the sum is estimated anew from the middles of what stays of the buckets.
    pub(crate) fn trimmed(mut self, limit: f64, keep: Keep) -> Self {
        let (mut count, mut sum, mut changed) = (0.0, 0.0, false);
        let custom = self.is_custom();
        let before = self.clone();
        let mut has = [false; 2];
        for (side, is_positive) in [(&mut self.positive, true), (&mut self.negative, false)] {
            for (index, observations) in side.iter_mut().filter(|(_, observations)| *observations != 0.0) {
                let bucket = match is_positive {
                    true => before.positive_bucket(*index, *observations),
                    false => before.negative_bucket(*index, *observations),
                };
                has[usize::from(is_positive)] = true;
                let (kept, middle) = bucket.cut(limit, keep, is_positive, custom);
                count += kept;
                sum += middle * kept;
                changed |= kept != *observations;
                *observations = kept;
            }
        }
        if self.zero_count > 0.0 {
            let mut zero = self.zero_bucket();
            let [has_negative, has_positive] = has;
            zero.upper = if has_negative && !has_positive { 0.0 } else { zero.upper };
            zero.lower = if has_positive && !has_negative { 0.0 } else { zero.lower };
            let (kept, middle) = zero.cut_evenly(limit, keep);
            count += kept;
            sum += middle * kept;
            changed |= kept != self.zero_count;
            self.zero_count = kept;
        }
        if changed {
            self.count = count;
            self.sum = sum;
            return self.compact();
        }
        self
    }
}

impl Bucket {
    fn cut(&self, limit: f64, keep: Keep, is_positive: bool, custom: bool) -> Kept {
        let (whole, part) = match keep {
            Keep::Below => (self.upper <= limit, self.lower < limit),
            Keep::Above => (self.lower >= limit, self.upper > limit),
        };
        if whole {
            return (self.count, middle(self.lower, self.upper, is_positive, custom));
        }
        if !part {
            return (0.0, 0.0);
        }
        if self.lower == f64::NEG_INFINITY || self.upper == f64::INFINITY {
            return self.cut_open(limit, keep);
        }
        let below = self.count * self.share_below(limit, custom);
        match keep {
            Keep::Below => (below, middle(self.lower, limit, is_positive, custom)),
            Keep::Above => (self.count - below, middle(limit, self.upper, is_positive, custom)),
        }
    }

    /// Cuts a bucket without an end: the lowest one begins at 0 if its bound is positive, otherwise nothing is known.
    fn cut_open(&self, limit: f64, keep: Keep) -> Kept {
        let from_zero = self.upper > 0.0 && self.upper.is_finite();
        match (keep, self.lower == f64::NEG_INFINITY) {
            (Keep::Below, true) if limit > 0.0 && from_zero => (self.count * limit / self.upper, limit / 2.0),
            (Keep::Below, true) if self.upper <= 0.0 => (self.count, limit),
            (Keep::Above, true) if limit >= 0.0 && self.upper.is_finite() => {
                (self.count * (1.0 - limit / self.upper), (limit + self.upper) / 2.0)
            }
            (Keep::Above, false) if limit >= self.lower => (self.count, limit),
            _ => (0.0, 0.0),
        }
    }

    fn cut_evenly(&self, limit: f64, keep: Keep) -> Kept {
        let (lower, upper) = match keep {
            Keep::Below => (self.lower, self.upper.min(limit)),
            Keep::Above => (self.lower.max(limit), self.upper),
        };
        if (lower, upper) == (self.lower, self.upper) && !(keep == Keep::Below && limit <= self.lower) {
            return (self.count, (lower + upper) / 2.0);
        }
        if upper <= lower {
            return (0.0, 0.0);
        }
        (self.count * ((upper - lower) / (self.upper - self.lower)), (lower + upper) / 2.0)
    }
}

/// Returns the value that stands for the observations of a range.
fn middle(lower: f64, upper: f64, is_positive: bool, linear: bool) -> f64 {
    match (lower.is_infinite(), upper.is_infinite()) {
        (true, true) => 0.0,
        (true, false) => {
            if upper > 0.0 {
                upper / 2.0
            } else {
                upper
            }
        }
        (false, true) => lower,
        _ if linear => (lower + upper) / 2.0,
        _ if is_positive => (lower * upper).abs().sqrt(),
        _ => -(lower * upper).abs().sqrt(),
    }
}
