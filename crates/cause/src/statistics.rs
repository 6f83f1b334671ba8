//! Tests of significance and sizes of effects, as textbooks have them.

use std::f64::consts::{LN_2, PI};

/// Expected counts below this make the G-test unreliable (Cochran's rule); Fisher's exact test is used instead.
const EXPECTED_MIN: f64 = 5.0;

/// Returns the probability that two samples from the same population differ in a share at least as much as `a` of `n_a` and
/// `b` of `n_b` do.
///
/// Source: log-likelihood ratio test (G-test) with one degree of freedom; Fisher's exact test for small counts, the
/// smaller tail doubled.
pub(crate) fn p_of_shares((a, n_a): (u64, u64), (b, n_b): (u64, u64)) -> f64 {
    let (n, k) = ((n_a + n_b) as f64, (a + b) as f64);
    if n_a == 0 || n_b == 0 || k == 0.0 || k == n {
        return 1.0;
    }
    let cells = [
        (a as f64, n_a as f64 * k / n),
        (b as f64, n_b as f64 * k / n),
        ((n_a - a) as f64, n_a as f64 * (n - k) / n),
        ((n_b - b) as f64, n_b as f64 * (n - k) / n),
    ];
    if cells.iter().any(|(_, expected)| *expected < EXPECTED_MIN) {
        return p_exact((a, n_a), (b, n_b));
    }
    let g: f64 = cells.iter().map(|(seen, expected)| 2.0 * times_ln(*seen, seen / expected)).sum();
    erfc((g.max(0.0) / 2.0).sqrt())
}

/// Returns `x · ln y`, 0 where `x` is 0.
fn times_ln(x: f64, y: f64) -> f64 {
    if x == 0.0 { 0.0 } else { x * y.ln() }
}

/// Fisher's exact test: the tail of the hypergeometric distribution from `a` on, away from what is expected, doubled.
fn p_exact((a, n_a): (u64, u64), (b, n_b): (u64, u64)) -> f64 {
    let k = a + b;
    let ln_p = |x: u64| ln_choose(n_a, x) + ln_choose(n_b, k - x) - ln_choose(n_a + n_b, k);
    let is_above = a as f64 * (n_a + n_b) as f64 >= n_a as f64 * k as f64;
    let (least, most) = (k.saturating_sub(n_b), k.min(n_a));
    let (mut tail, mut x) = (0.0, a);
    loop {
        let p = ln_p(x).exp();
        tail += p;
        // Terms shrink from here on.
        if p <= tail * 1e-9 || (is_above && x == most) || (!is_above && x == least) {
            break;
        }
        x = if is_above { x + 1 } else { x - 1 };
    }
    (2.0 * tail).min(1.0)
}

fn ln_choose(n: u64, k: u64) -> f64 {
    ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k)
}

/// Returns `ln n!`, from Stirling's series with its first correction terms where `n` is not small.
fn ln_factorial(n: u64) -> f64 {
    if n < 16 {
        return (2..=n).map(|factor| (factor as f64).ln()).sum();
    }
    let x = n as f64;
    x * x.ln() - x + (2.0 * PI * x).ln() / 2.0 + 1.0 / (12.0 * x) - 1.0 / (360.0 * x.powi(3))
}

/// Returns the complementary error function, to within 1.2e-7 of its value.
///
/// Source: W. H. Press et al., Numerical Recipes, 2nd edition, section 6.2 (Chebyshev fitting).
fn erfc(x: f64) -> f64 {
    const TERMS: [f64; 10] = [
        -1.265_512_23, 1.000_023_68, 0.374_091_96, 0.096_784_18, -0.186_288_06, 0.278_868_07, -1.135_203_98,
        1.488_515_87, -0.822_152_23, 0.170_872_77,
    ];
    let t = 1.0 / (1.0 + x.abs() / 2.0);
    let series = TERMS.iter().rev().fold(0.0, |sum, term| sum * t + term);
    let value = t * (-x * x + series).exp();
    if x >= 0.0 { value } else { 2.0 - value }
}

/// Returns Cohen's `h`, how far apart two shares are: 0.2 is small, 0.5 medium, 0.8 large.
pub(crate) fn effect(p: f64, q: f64) -> f64 {
    let angle = |share: f64| 2.0 * share.clamp(0.0, 1.0).sqrt().asin();
    angle(p) - angle(q)
}

/// Returns the Jensen-Shannon divergence of two distributions in bits, 0 to 1: how much a value tells of the side that an
/// event is on. What the shares of a side lack to 1 is one more value.
pub(crate) fn divergence(shares: &[(f64, f64)]) -> f64 {
    let rest = shares.iter().fold((1.0, 1.0), |(p, q), (a, b)| (p - a, q - b));
    let all = shares.iter().copied().chain([(rest.0.max(0.0), rest.1.max(0.0))]);
    all.map(contribution).sum::<f64>().clamp(0.0, 1.0)
}

/// Returns the part of one value in the divergence.
pub(crate) fn contribution((p, q): (f64, f64)) -> f64 {
    let middle = f64::midpoint(p, q);
    if middle == 0.0 { 0.0 } else { (times_ln(p, p / middle) + times_ln(q, q / middle)) / (2.0 * LN_2) }
}

/// Returns the probability that two samples of `n_a` and `n_b` numbers from the same population have distribution functions
/// that are `distance` apart (Kolmogorov and Smirnov, asymptotic).
pub(crate) fn p_of_distance(distance: f64, n_a: u64, n_b: u64) -> f64 {
    let (n_a, n_b) = (n_a as f64, n_b as f64);
    if n_a == 0.0 || n_b == 0.0 {
        return 1.0;
    }
    (2.0 * (-2.0 * distance * distance * n_a * n_b / (n_a + n_b)).exp()).min(1.0)
}

/// Finds the number at which the distribution functions of two sides are furthest apart: the number, how many of either
/// side are above it, and the distance. Each side has its numbers in rising order with how often each came.
pub(crate) fn split(ordered: [&[(f64, u64)]; 2]) -> Option<(f64, [u64; 2], f64)> {
    let n = [0, 1].map(|side| ordered[side].iter().map(|(_, count)| count).sum::<u64>());
    let mut numbers: Vec<f64> = ordered.into_iter().flatten().map(|(number, _)| *number).collect();
    numbers.sort_by(f64::total_cmp);
    numbers.dedup();
    let (mut at, mut below, mut best) = ([0; 2], [0_u64; 2], None);
    for number in numbers {
        for side in 0..2 {
            while let Some((_, count)) = ordered[side].get(at[side]).filter(|(known, _)| *known <= number) {
                below[side] += count;
                at[side] += 1;
            }
        }
        let share = |side: usize| below[side] as f64 / n[side].max(1) as f64;
        let distance = (share(0) - share(1)).abs();
        if best.is_none_or(|(_, _, known)| distance > known) {
            best = Some((number, [n[0] - below[0], n[1] - below[1]], distance));
        }
    }
    best
}

#[cfg(test)]
mod tests;
