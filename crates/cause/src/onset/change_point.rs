//! Change points in counts and shares: the stretch of time in which the rate differs most from that of all other time, and how
//! well its ends are known.
//!
//! Counts are compared by the likelihood ratio of two Poisson rates, one inside the stretch and one outside, against one
//! rate for all. Expected counts stand for the length of time, so that a daily rhythm is no change. Shares are compared in
//! the same way by binomial likelihoods, the events of which they are shares in place of what is expected. The ratio is
//! divided by the dispersion outside, so that events which come in clumps need more evidence than single ones.

/// Evidence that a stretch needs beyond what the best of all stretches reaches by chance, as a logarithm: 1 in 100.
const LN_EVIDENCE_MIN: f64 = 4.6;

/// How many times larger, or smaller, a rate or the odds of a share have to become.
pub(super) const FACTOR_MIN: f64 = 2.0;

/// Events that a stretch has at least, or lacks at least where the rate falls.
pub(super) const EVENTS_MIN: f64 = 5.0;

/// Drop of the log-likelihood at the ends of a 95 % interval: half the quantile of χ² with one degree of freedom.
const LN_INTERVAL: f64 = 1.92;

/// Share of the buckets outside that may be other episodes; they do not count for the dispersion.
const TRIMMED_SHARE: f64 = 0.05;

/// How counts come about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Law {
    /// Events come at a rate; any number of them may come where one is expected.
    Rate,
    /// Each of the events that there are is one that is counted, or not.
    Share,
}

/// Counts by bucket, with what is expected of each: its length, in time or in usual events; or the events of which the counts
/// are shares.
#[derive(Clone, Debug)]
pub(super) struct Series {
    pub(super) law: Law,
    pub(super) counts: Vec<f64>,
    pub(super) expected: Vec<f64>,
}

/// A stretch of buckets with a rate of its own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Episode {
    /// The first bucket.
    pub(super) begin: usize,
    /// The bucket after the last one; the number of buckets where it has not ended.
    pub(super) end: usize,
    /// Whether the rate is higher than before.
    pub(super) is_rise: bool,
    /// How much more the counts outside vary than those of single events, at least 1.
    pub(super) dispersion: f64,
    /// The logarithm of the evidence beyond what is needed.
    pub(super) evidence: f64,
}

/// Sums of counts and of expected counts up to each bucket.
struct Sums {
    law: Law,
    counts: Vec<f64>,
    expected: Vec<f64>,
}

impl Sums {
    fn new(series: &Series) -> Self {
        let sums = |values: &[f64]| {
            let mut sum = 0.0;
            let next = |value: &f64| {
                sum += value;
                sum
            };
            std::iter::once(0.0).chain(values.iter().map(next)).collect()
        };
        Self { law: series.law, counts: sums(&series.counts), expected: sums(&series.expected) }
    }

    fn n(&self) -> usize {
        self.counts.len() - 1
    }

    fn inside(&self, begin: usize, end: usize) -> (f64, f64) {
        (self.counts[end] - self.counts[begin], self.expected[end] - self.expected[begin])
    }

    fn all(&self) -> (f64, f64) {
        self.inside(0, self.n())
    }
}

impl Law {
    /// Returns the log-likelihood of `n` events where `t` are expected, at their own rate, without what all models share.
    fn ln_likelihood(self, (n, t): (f64, f64)) -> f64 {
        let of = |n: f64| if n <= 0.0 || t <= 0.0 { 0.0 } else { n * (n / t).ln() };
        match self {
            Self::Rate => of(n),
            Self::Share => of(n) + of(t - n),
        }
    }

    /// Reports whether `high` is enough larger than `low` to matter.
    fn is_larger(self, high: (f64, f64), low: (f64, f64)) -> bool {
        let (high, low) = (rate(high), rate(low));
        match self {
            Self::Rate => high >= FACTOR_MIN * low,
            // The odds, without a division.
            Self::Share => high > low && high * (1.0 - low) >= FACTOR_MIN * low * (1.0 - high),
        }
    }

    /// Returns the variance of a count of which `expected` is the mean, `t` events being there.
    fn variance(self, expected: f64, t: f64) -> f64 {
        match self {
            Self::Rate => expected,
            Self::Share => expected * (1.0 - expected / t.max(f64::MIN_POSITIVE)),
        }
    }
}

fn rate((n, t): (f64, f64)) -> f64 {
    if t > 0.0 { n / t } else { 0.0 }
}

/// Finds the stretch that differs most, where it differs enough; `n_tried` series are searched for one. It begins after the
/// first bucket: what was there from the beginning did not begin.
pub(super) fn episode(series: &Series, n_tried: usize) -> Option<Episode> {
    let sums = Sums::new(series);
    let n = sums.n() as f64;
    let threshold = LN_EVIDENCE_MIN + (n * n / 2.0).max(1.0).ln() + (n_tried.max(1) as f64).ln();
    let of_direction = |is_rise| {
        let (begin, end, ratio) = best_stretch(&sums, is_rise)?;
        let dispersion = dispersion(series, (begin, end), &sums);
        let end = if has_ended(&sums, begin, end) { end } else { sums.n() };
        Some(Episode { begin, end, is_rise, dispersion, evidence: ratio / dispersion - threshold })
    };
    let found = [true, false].into_iter().filter_map(of_direction).filter(|found| found.evidence >= 0.0);
    found.max_by(|a, b| a.evidence.total_cmp(&b.evidence))
}

fn outside(sums: &Sums, begin: usize, end: usize) -> (f64, f64) {
    let ((n, t), (n_in, t_in)) = (sums.all(), sums.inside(begin, end));
    (n - n_in, t - t_in)
}

/// Returns the stretch with the largest likelihood ratio among those that are large enough.
fn best_stretch(sums: &Sums, is_rise: bool) -> Option<(usize, usize, f64)> {
    let base = sums.law.ln_likelihood(sums.all());
    let mut best: Option<(usize, usize, f64)> = None;
    for begin in 1..sums.n() {
        for end in begin + 1..=sums.n() {
            let (inside, outside) = (sums.inside(begin, end), outside(sums, begin, end));
            if !is_enough(sums.law, inside, outside, is_rise) || !is_change(sums, begin, inside, is_rise) {
                continue;
            }
            let ratio = sums.law.ln_likelihood(inside) + sums.law.ln_likelihood(outside) - base;
            if best.is_none_or(|(_, _, known)| ratio > known) {
                best = Some((begin, end, ratio));
            }
        }
    }
    best
}

/// Reports whether a stretch has, or lacks, enough events.
fn is_enough(law: Law, inside: (f64, f64), outside: (f64, f64), is_rise: bool) -> bool {
    let usual = rate(outside) * inside.1;
    match (law, is_rise) {
        (Law::Rate, true) => inside.0 >= EVENTS_MIN && law.is_larger(inside, outside),
        (Law::Share, true) => inside.0 - usual >= EVENTS_MIN && law.is_larger(inside, outside),
        (_, false) => usual - inside.0 >= EVENTS_MIN && law.is_larger(outside, inside),
    }
}

/// Reports whether what comes after a stretch has evidently another rate: a few quiet buckets at the end are no end.
fn has_ended(sums: &Sums, begin: usize, end: usize) -> bool {
    let (inside, after) = (sums.inside(begin, end), sums.inside(end, sums.n()));
    let both = sums.inside(begin, sums.n());
    let ln = |counted| sums.law.ln_likelihood(counted);
    // The end is the best of all ends.
    ln(inside) + ln(after) - ln(both) >= LN_EVIDENCE_MIN + (sums.n() as f64).ln()
}

/// Reports whether the rate of a stretch is another than that before it: a stretch that only ends is no beginning.
fn is_change(sums: &Sums, begin: usize, inside: (f64, f64), is_rise: bool) -> bool {
    let before = sums.inside(0, begin);
    let (low, high) = if is_rise { (before, inside) } else { (inside, before) };
    let both = (before.0 + inside.0, before.1 + inside.1);
    let ln = |counted| sums.law.ln_likelihood(counted);
    // The beginning is the best of all beginnings.
    sums.law.is_larger(high, low) && ln(before) + ln(inside) - ln(both) >= LN_EVIDENCE_MIN + (sums.n() as f64).ln()
}

/// Returns how much more the counts outside a stretch vary than those of single events would.
fn dispersion(series: &Series, (begin, end): (usize, usize), sums: &Sums) -> f64 {
    let rate = rate(outside(sums, begin, end));
    let is_outside = |place: &usize| *place < begin || *place >= end;
    let mut residuals: Vec<f64> = (0..series.counts.len())
        .filter(is_outside)
        .map(|place| (series.counts[place], rate * series.expected[place], series.expected[place]))
        .map(|(count, expected, t)| ((count - expected).powi(2), series.law.variance(expected, t)))
        .filter(|(_, variance)| *variance > 0.0)
        .map(|(square, variance)| square / variance)
        .collect();
    residuals.sort_by(f64::total_cmp);
    let n_trimmed = (residuals.len() as f64 * TRIMMED_SHARE) as usize;
    residuals.truncate(residuals.len() - n_trimmed);
    if residuals.len() < 2 { 1.0 } else { (residuals.iter().sum::<f64>() / (residuals.len() - 1) as f64).max(1.0) }
}

/// A change of rate: the bucket with which the new rate begins, and those with which it may begin as well.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct ChangePoint {
    pub(super) at: usize,
    pub(super) earliest: usize,
    pub(super) latest: usize,
}

/// Finds the bucket between one rate and another, and the 95 % interval around it.
pub(super) fn change_point(series: &Series, is_rise: bool, dispersion: f64) -> Option<ChangePoint> {
    let sums = Sums::new(series);
    let likelihoods: Vec<Option<f64>> = (0..=sums.n())
        .map(|at| {
            let (before, after) = (sums.inside(0, at), sums.inside(at, sums.n()));
            let is_right = (rate(after) > rate(before)) == is_rise;
            let is_inside = is_right && at > 0 && at < sums.n();
            is_inside.then(|| sums.law.ln_likelihood(before) + sums.law.ln_likelihood(after))
        })
        .collect();
    let (at, best) = likelihoods.iter().enumerate().filter_map(|(at, l)| Some((at, (*l)?))).max_by(|a, b| {
        // Of equal ones the first.
        a.1.total_cmp(&b.1).then(b.0.cmp(&a.0))
    })?;
    let is_likely = |at: &usize| likelihoods[*at].is_some_and(|one| best - one <= LN_INTERVAL * dispersion);
    let earliest = (0..likelihoods.len()).find(is_likely).unwrap_or(at);
    let latest = (0..likelihoods.len()).rev().find(is_likely).unwrap_or(at);
    Some(ChangePoint { at, earliest, latest })
}

#[cfg(test)]
mod tests;
