//! Histograms as text.

use std::fmt;

use crate::histogram::{Bucket, Histogram};

/// Writes a number as Go's `%g` does, which is how Prometheus shows histograms.
pub(crate) fn general(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf".to_owned() } else { "-Inf".to_owned() };
    }
    let scientific = format!("{value:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        return format!("{value}");
    }
    format!("{digits}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs())
}

/// Writes a number as values of labels have it: shortest, never with an exponent.
pub(crate) fn plain(value: f64) -> String {
    if value.is_infinite() { general(value) } else { format!("{value}") }
}

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (open, close) =
            (if self.lower_inclusive { '[' } else { '(' }, if self.upper_inclusive { ']' } else { ')' });
        write!(f, "{open}{},{}{close}:{}", general(self.lower), general(self.upper), general(self.count))
    }
}

impl fmt::Display for Histogram {
    /// Writes count, sum and the buckets that have observations: `{count:3, sum:4, (1,2]:3}`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{count:{}, sum:{}", general(self.count), general(self.sum))?;
        let negative = self.negative.iter().rev().map(|&(i, n)| self.negative_bucket(i, n));
        let zero = (self.zero_count != 0.0).then(|| self.zero_bucket());
        let positive = self.positive.iter().map(|&(i, n)| self.positive_bucket(i, n));
        for bucket in negative.chain(zero).chain(positive).filter(|bucket| bucket.count != 0.0) {
            write!(f, ", {bucket}")?;
        }
        write!(f, "}}")
    }
}
