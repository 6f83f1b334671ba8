//! Sums and differences of histograms, and whether a counter was reset between two.

use std::sync::Arc;

use crate::histogram::{CUSTOM_SCHEMA, Histogram, ResetHint, bound};
use crate::sum::Sum;

/// Why two histograms have no sum: one has listed bounds and the other does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Incompatible;

/// Counts of one side, compensated.
type Side = Vec<(i32, Sum)>;

/// A sum of histograms under way.
#[derive(Clone, Debug)]
pub(crate) struct Total {
    hint: ResetHint,
    schema: i32,
    zero_threshold: f64,
    zero: Sum,
    count: Sum,
    sum: Sum,
    positive: Side,
    negative: Side,
    custom: Arc<[f64]>,
}

/// What was noticed while adding.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Noticed {
    /// One was reset and the other was not.
    pub(crate) collision: bool,
    /// Listed bounds differed, so that only the common ones are left.
    pub(crate) reconciled: bool,
}

impl Total {
    pub(crate) fn new(first: &Histogram) -> Self {
        let side = |buckets: &[(i32, f64)]| buckets.iter().map(|&(i, n)| (i, Sum::new(n))).collect();
        Self {
            hint: first.hint,
            schema: first.schema,
            zero_threshold: first.zero_threshold,
            zero: Sum::new(first.zero_count),
            count: Sum::new(first.count),
            sum: Sum::new(first.sum),
            positive: side(&first.positive),
            negative: side(&first.negative),
            custom: first.custom.clone(),
        }
    }

    /// Adds `other` times `sign`, which is 1 or -1.
    pub(crate) fn add(&mut self, other: &Histogram, sign: f64) -> Result<Noticed, Incompatible> {
        if (self.schema == CUSTOM_SCHEMA) != other.is_custom() {
            return Err(Incompatible);
        }
        let mut noticed = Noticed { collision: self.adjust_hint(other.hint), reconciled: false };
        let mut other = Self::new(other);
        if self.schema == CUSTOM_SCHEMA {
            if self.custom != other.custom {
                noticed.reconciled = true;
                let common: Arc<[f64]> = self.custom.iter().copied().filter(|b| other.custom.contains(b)).collect();
                self.keep_bounds(&common);
                other.keep_bounds(&common);
            }
        } else {
            self.reconcile_zero(&mut other);
            self.zero.add(sign * other.zero.value);
            let schema = self.schema.min(other.schema);
            self.reduce(schema);
            other.reduce(schema);
        }
        self.count.add(sign * other.count.value);
        self.sum.add(sign * other.sum.value);
        let inside =
            |&(i, _): &(i32, Sum)| self.schema != CUSTOM_SCHEMA && bound(i, self.schema) <= self.zero_threshold;
        other.positive.retain(|bucket| !inside(bucket));
        other.negative.retain(|bucket| !inside(bucket));
        merge(&mut self.positive, &other.positive, sign);
        merge(&mut self.negative, &other.negative, sign);
        Ok(noticed)
    }

    /// Multiplies what is there.
    pub(crate) fn scale(&mut self, by: impl Fn(f64) -> f64) {
        let one = |sum: &mut Sum| *sum = Sum { value: by(sum.value), lost: by(sum.lost) };
        one(&mut self.zero);
        one(&mut self.count);
        one(&mut self.sum);
        self.positive.iter_mut().chain(&mut self.negative).for_each(|(_, sum)| one(sum));
    }

    pub(crate) fn overflows(&self) -> bool {
        self.all().any(|sum| sum.value.is_infinite())
    }

    fn all(&self) -> impl Iterator<Item = &Sum> {
        [&self.zero, &self.count, &self.sum]
            .into_iter()
            .chain(self.positive.iter().chain(&self.negative).map(|(_, s)| s))
    }

    /// Returns the plain sums, or the compensated ones.
    pub(crate) fn finish(self, compensated: bool) -> Histogram {
        let one = |sum: &Sum| if compensated { sum.total() } else { sum.value };
        let side = |side: &Side| side.iter().map(|(i, sum)| (*i, one(sum))).collect();
        Histogram {
            hint: self.hint,
            schema: self.schema,
            zero_threshold: self.zero_threshold,
            zero_count: one(&self.zero),
            count: one(&self.count),
            sum: one(&self.sum),
            positive: side(&self.positive),
            negative: side(&self.negative),
            custom: self.custom,
        }
    }

    /// Joins the hints; reports whether they contradict each other.
    fn adjust_hint(&mut self, other: ResetHint) -> bool {
        let mine = self.hint;
        self.hint = match (mine, other) {
            (a, b) if a == b => a,
            (ResetHint::Gauge, _) | (_, ResetHint::Gauge) => ResetHint::Gauge,
            _ => ResetHint::Unknown,
        };
        matches!((mine, other), (ResetHint::Reset, ResetHint::NotReset) | (ResetHint::NotReset, ResetHint::Reset))
    }

    /// Moves all counts into the buckets of `bounds`, a part of the present ones.
    fn keep_bounds(&mut self, bounds: &Arc<[f64]>) {
        let mut kept: Side = Vec::new();
        for (index, sum) in std::mem::take(&mut self.positive) {
            let upper = usize::try_from(index).ok().and_then(|i| self.custom.get(i));
            let target = upper.map_or(bounds.len(), |upper| bounds.partition_point(|b| b < upper)) as i32;
            push(&mut kept, target, sum);
        }
        kept.retain(|(_, sum)| sum.value != 0.0 || sum.lost != 0.0);
        self.positive = kept;
        self.custom = bounds.clone();
    }

    /// Lowers the resolution.
    fn reduce(&mut self, schema: i32) {
        if schema < self.schema {
            let shift = (self.schema - schema) as u32;
            for side in [&mut self.positive, &mut self.negative] {
                let mut reduced = Vec::with_capacity(side.len());
                for (index, sum) in side.drain(..) {
                    push(&mut reduced, ((index - 1) >> shift) + 1, sum);
                }
                *side = reduced;
            }
            self.schema = schema;
        }
    }

    /// Widens the zero buckets of both until they are alike.
    fn reconcile_zero(&mut self, other: &mut Self) {
        while self.zero_threshold != other.zero_threshold {
            if self.zero_threshold > other.zero_threshold {
                other.widen_zero(self.zero_threshold);
            } else {
                self.widen_zero(other.zero_threshold);
            }
        }
    }

    /// Widens the zero bucket to at least `threshold`: to the end of a bucket with observations that it would cut.
    fn widen_zero(&mut self, threshold: f64) {
        let mut wide = threshold;
        loop {
            let before = wide;
            for (index, sum) in self.positive.iter().chain(&self.negative) {
                let (lower, upper) = (bound(index - 1, self.schema), bound(*index, self.schema));
                if lower < wide && upper > wide && sum.value != 0.0 {
                    wide = upper;
                }
            }
            if wide == before {
                break;
            }
        }
        let schema = self.schema;
        for side in [&mut self.positive, &mut self.negative] {
            for (_, sum) in side.iter().filter(|(index, _)| bound(index - 1, schema) < wide) {
                self.zero.add(sum.value);
                self.zero.add(sum.lost);
            }
            side.retain(|(index, sum)| bound(index - 1, schema) >= wide && sum.value != 0.0);
        }
        self.zero_threshold = wide;
    }
}

fn push(side: &mut Side, index: i32, sum: Sum) {
    match side.last_mut() {
        Some((last, total)) if *last == index => {
            total.add(sum.value);
            total.add(sum.lost);
        }
        _ => side.push((index, sum)),
    }
}

fn merge(into: &mut Side, from: &Side, sign: f64) {
    let mut at = 0;
    for &(index, sum) in from {
        at += into[at..].partition_point(|(i, _)| *i < index);
        match into.get_mut(at) {
            Some((i, total)) if *i == index => total.add(sign * sum.value),
            _ => into.insert(at, (index, Sum::new(sign * sum.value))),
        }
    }
}

impl Histogram {
    /// Returns the plain sum.
    pub(crate) fn plus(&self, other: &Self) -> Result<(Self, Noticed), Incompatible> {
        self.combined(other, 1.0)
    }

    /// Returns the plain difference.
    pub(crate) fn minus(&self, other: &Self) -> Result<(Self, Noticed), Incompatible> {
        self.combined(other, -1.0)
    }

    fn combined(&self, other: &Self, sign: f64) -> Result<(Self, Noticed), Incompatible> {
        let mut total = Total::new(self);
        let noticed = total.add(other, sign)?;
        Ok((total.finish(false), noticed))
    }

    /// Returns a copy of at most this resolution.
    pub(crate) fn reduced(&self, schema: i32) -> Self {
        if self.is_custom() || schema >= self.schema {
            return self.clone();
        }
        let mut total = Total::new(self);
        total.reduce(schema);
        // The hint was about the histogram as it was.
        total.finish(false).with_hint(ResetHint::Unknown)
    }

    /// Reports whether the counter was reset between `previous` and this.
    pub(crate) fn is_reset_after(&self, previous: &Self) -> bool {
        match self.hint {
            ResetHint::Reset => return true,
            ResetHint::NotReset => return false,
            _ if self.count < previous.count => return true,
            _ => {}
        }
        if self.is_custom() {
            return !previous.is_custom() || self.custom_fell(previous);
        }
        if previous.is_custom() || self.schema > previous.schema || self.zero_threshold < previous.zero_threshold {
            return true;
        }
        let mut before = Total::new(previous);
        if self.zero_threshold != previous.zero_threshold {
            before.widen_zero(self.zero_threshold);
        }
        if before.zero_threshold != self.zero_threshold || self.zero_count < before.zero.value {
            return true;
        }
        before.reduce(self.schema);
        fell(&self.positive, &before.positive) || fell(&self.negative, &before.negative)
    }

    /// Compares the counts between the common bounds.
    fn custom_fell(&self, previous: &Self) -> bool {
        let common: Arc<[f64]> = self.custom.iter().copied().filter(|b| previous.custom.contains(b)).collect();
        let (mut now, mut before) = (Total::new(self), Total::new(previous));
        now.keep_bounds(&common);
        before.keep_bounds(&common);
        fell(&now.finish(false).positive, &before.positive)
    }
}

/// Reports whether a bucket has fewer observations than before.
fn fell(now: &[(i32, f64)], before: &Side) -> bool {
    before.iter().any(|(index, sum)| {
        let count = now.binary_search_by_key(index, |(i, _)| *i).map_or(0.0, |at| now[at].1);
        count < sum.value
    })
}
