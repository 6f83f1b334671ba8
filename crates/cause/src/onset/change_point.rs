//! Change points in counts: the stretch of time in which the rate differs most from that of all other time, and how well its
//! ends are known.
//!
//! Counts are compared by the likelihood ratio of two Poisson rates, one inside the stretch and one outside, against one
//! rate for all. Expected counts stand for the length of time, so that a daily rhythm is no change. The ratio is divided by
//! the dispersion of the counts outside, so that events which come in clumps need more evidence than single ones.

/// Evidence that a stretch needs beyond what the best of all stretches reaches by chance, as a logarithm: 1 in 100.
const LN_EVIDENCE_MIN: f64 = 4.6;

/// How many times larger, or smaller, a rate has to become.
const FACTOR_MIN: f64 = 2.0;

/// Events that a stretch has at least, or lacks at least where the rate falls.
const EVENTS_MIN: f64 = 5.0;

/// Drop of the log-likelihood at the ends of a 95 % interval: half the quantile of χ² with one degree of freedom.
const LN_INTERVAL: f64 = 1.92;

/// Share of the buckets outside that may be other episodes; they do not count for the dispersion.
const TRIMMED_SHARE: f64 = 0.05;

/// A stretch of buckets with a rate of its own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Episode {
    /// The first bucket.
    pub(super) begin: usize,
    /// The bucket after the last one; the number of buckets where it has not ended.
    pub(super) end: usize,
    /// Whether the rate is higher than before.
    pub(super) is_rise: bool,
    /// The variance of the counts outside divided by their mean, at least 1.
    pub(super) dispersion: f64,
}

/// Sums of counts and of expected counts up to each bucket.
struct Sums {
    counts: Vec<f64>,
    expected: Vec<f64>,
}

impl Sums {
    fn new(counts: &[f64], expected: &[f64]) -> Self {
        let sums = |values: &[f64]| {
            let mut sum = 0.0;
            let next = |value: &f64| {
                sum += value;
                sum
            };
            std::iter::once(0.0).chain(values.iter().map(next)).collect()
        };
        Self { counts: sums(counts), expected: sums(expected) }
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

/// Returns `n ln(n/t)`, the log-likelihood of `n` events in `t` at their own rate, without what all models share.
fn ln_likelihood((n, t): (f64, f64)) -> f64 {
    if n <= 0.0 || t <= 0.0 { 0.0 } else { n * (n / t).ln() }
}

fn rate((n, t): (f64, f64)) -> f64 {
    if t > 0.0 { n / t } else { 0.0 }
}

/// Finds the stretch that differs most, where it differs enough. It begins after the first bucket: what was there from the
/// beginning did not begin.
pub(super) fn episode(counts: &[f64], expected: &[f64]) -> Option<Episode> {
    let sums = Sums::new(counts, expected);
    let n = sums.n() as f64;
    let threshold = LN_EVIDENCE_MIN + (n * n / 2.0).max(1.0).ln();
    let of_direction = |is_rise| {
        let (begin, end, ratio) = best_stretch(&sums, is_rise)?;
        let dispersion = dispersion(counts, expected, (begin, end), &sums);
        let end = if has_ended(&sums, begin, end) { end } else { sums.n() };
        Some((ratio / dispersion, Episode { begin, end, is_rise, dispersion }))
    };
    let found = [true, false].into_iter().filter_map(of_direction).filter(|(evidence, _)| *evidence >= threshold);
    found.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, episode)| episode)
}

fn outside(sums: &Sums, begin: usize, end: usize) -> (f64, f64) {
    let ((n, t), (n_in, t_in)) = (sums.all(), sums.inside(begin, end));
    (n - n_in, t - t_in)
}

/// Returns the stretch with the largest likelihood ratio among those that are large enough.
fn best_stretch(sums: &Sums, is_rise: bool) -> Option<(usize, usize, f64)> {
    let base = ln_likelihood(sums.all());
    let mut best: Option<(usize, usize, f64)> = None;
    for begin in 1..sums.n() {
        for end in begin + 1..=sums.n() {
            let (inside, outside) = (sums.inside(begin, end), outside(sums, begin, end));
            let (rate_in, rate_out) = (rate(inside), rate(outside));
            let is_enough = if is_rise {
                inside.0 >= EVENTS_MIN && rate_in >= FACTOR_MIN * rate_out
            } else {
                rate_out * inside.1 - inside.0 >= EVENTS_MIN && rate_in * FACTOR_MIN <= rate_out
            };
            if !is_enough || !is_change(sums, begin, inside, is_rise) {
                continue;
            }
            let ratio = ln_likelihood(inside) + ln_likelihood(outside) - base;
            if best.is_none_or(|(_, _, known)| ratio > known) {
                best = Some((begin, end, ratio));
            }
        }
    }
    best
}

/// Reports whether what comes after a stretch has evidently another rate: a few quiet buckets at the end are no end.
fn has_ended(sums: &Sums, begin: usize, end: usize) -> bool {
    let (inside, after) = (sums.inside(begin, end), sums.inside(end, sums.n()));
    let both = sums.inside(begin, sums.n());
    let ratio = ln_likelihood(inside) + ln_likelihood(after) - ln_likelihood(both);
    // The end is the best of all ends.
    ratio >= LN_EVIDENCE_MIN + (sums.n() as f64).ln()
}

/// Reports whether the rate of a stretch is another than that before it: a stretch that only ends is no beginning.
fn is_change(sums: &Sums, begin: usize, inside: (f64, f64), is_rise: bool) -> bool {
    let before = sums.inside(0, begin);
    let (low, high) = if is_rise { (rate(before), rate(inside)) } else { (rate(inside), rate(before)) };
    let both = (before.0 + inside.0, before.1 + inside.1);
    let ratio = ln_likelihood(before) + ln_likelihood(inside) - ln_likelihood(both);
    // The beginning is the best of all beginnings.
    high >= FACTOR_MIN * low && ratio >= LN_EVIDENCE_MIN + (sums.n() as f64).ln()
}

/// Returns how much more the counts outside a stretch vary than those of single events would.
fn dispersion(counts: &[f64], expected: &[f64], (begin, end): (usize, usize), sums: &Sums) -> f64 {
    let rate = rate(outside(sums, begin, end));
    let is_outside = |place: &usize| *place < begin || *place >= end;
    let mut residuals: Vec<f64> = (0..counts.len())
        .filter(is_outside)
        .map(|place| (counts[place], rate * expected[place]))
        .filter(|(_, expected)| *expected > 0.0)
        .map(|(count, expected)| (count - expected).powi(2) / expected)
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
pub(super) fn change_point(counts: &[f64], is_rise: bool, dispersion: f64) -> Option<ChangePoint> {
    let sums = Sums::new(counts, &vec![1.0; counts.len()]);
    let likelihoods: Vec<Option<f64>> = (0..=sums.n())
        .map(|at| {
            let (before, after) = (sums.inside(0, at), sums.inside(at, sums.n()));
            let is_right = (rate(after) > rate(before)) == is_rise;
            (is_right && at > 0 && at < sums.n()).then(|| ln_likelihood(before) + ln_likelihood(after))
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
mod tests {
    use super::*;
    use crate::lab::{check_mostly, expect};

    /// Returns Poisson counts of the given means, from a seed.
    fn drawn(seed: u64, means: &[f64]) -> Vec<f64> {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut uniform = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) as f64 / (1_u64 << 53) as f64
        };
        let poisson = |mean: &f64| {
            let (limit, mut product, mut n) = ((-mean).exp(), uniform(), 0.0);
            while product > limit {
                product *= uniform();
                n += 1.0;
            }
            n
        };
        means.iter().map(poisson).collect()
    }

    #[test]
    fn a_step_is_found_where_it_is() {
        check_mostly(200, |seed, random| {
            let (begin, length) = (20 + random.below(80), 10 + random.below(50));
            let mean = |at| if (begin..begin + length).contains(&at) { 12.0 } else { 3.0 };
            let found = episode(&drawn(seed, &(0..200).map(mean).collect::<Vec<f64>>()), &[1.0; 200]);
            let is_near = |found: &Episode| found.begin.abs_diff(begin) <= 3 && found.end.abs_diff(begin + length) <= 3;
            expect(found.is_some_and(|found| found.is_rise && is_near(&found)), &(begin, length, found))
        });
    }

    #[test]
    fn a_fall_is_found() {
        check_mostly(200, |seed, random| {
            let begin = 20 + random.below(130);
            let mean = |at| if at < begin { 8.0 } else { 0.5 };
            let found = episode(&drawn(seed, &(0..200).map(mean).collect::<Vec<f64>>()), &[1.0; 200]);
            let is_near = |found: &Episode| found.end == 200 && found.begin.abs_diff(begin) <= 2;
            expect(found.is_some_and(|found| !found.is_rise && is_near(&found)), &(begin, found))
        });
    }

    #[test]
    fn noise_has_no_change() {
        // Of a thousand series hardly any has one: the threshold allows one in a hundred.
        let n_wrong =
            |mean: f64| (0..1_000).filter(|seed| episode(&drawn(*seed, &[mean; 120]), &[1.0; 120]).is_some()).count();
        assert!(n_wrong(0.2) <= 10, "{}", n_wrong(0.2));
        assert!(n_wrong(5.0) <= 10, "{}", n_wrong(5.0));
    }

    #[test]
    fn clumps_and_a_daily_rhythm_are_no_change() {
        let clumps: Vec<f64> = drawn(7, &[0.3; 200]).iter().map(|n| n * 8.0).collect();
        assert_eq!(episode(&clumps, &[1.0; 200]), None);
        let rhythm: Vec<f64> = (0..200).map(|at| 6.0 + 5.0 * (f64::from(at) / 32.0).sin()).collect();
        assert!(episode(&drawn(3, &rhythm), &[1.0; 200]).is_some());
        assert_eq!(episode(&drawn(3, &rhythm), &rhythm), None);
        assert_eq!(episode(&[], &[]), None);
        assert_eq!(episode(&[0.0; 50], &[1.0; 50]), None);
    }

    #[test]
    fn the_interval_of_a_change_holds_the_change() {
        let n_held = (0..200).filter(|seed| {
            let means: Vec<f64> = (0..100).map(|at| if at < 60 { 2.0 } else { 6.0 }).collect();
            let found = change_point(&drawn(*seed, &means), true, 1.0).expect("a change");
            (found.earliest..=found.latest).contains(&60)
        });
        let n_held = n_held.count();
        assert!(n_held >= 180, "{n_held} of 200");
        assert_eq!(change_point(&[1.0; 10], true, 1.0), None);
    }
}
