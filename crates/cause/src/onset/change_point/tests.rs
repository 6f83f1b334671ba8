//! Steps are found where they are, and noise has none.

use super::*;
use crate::lab::{Random, check_mostly, expect};

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

fn rates(counts: &[f64]) -> Series {
    Series { law: Law::Rate, counts: counts.to_vec(), expected: vec![1.0; counts.len()] }
}

/// Returns shares of `n` events a bucket that are counted with the given probabilities, from a seed.
fn shares(seed: u64, n: usize, probabilities: &[f64]) -> Series {
    let mut random = Random::new(seed + 77);
    let mut count = |share: &f64| (0..n).filter(|_| random.share() < *share).count() as f64;
    let counts = probabilities.iter().map(&mut count).collect();
    Series { law: Law::Share, counts, expected: vec![n as f64; probabilities.len()] }
}

#[test]
fn a_step_is_found_where_it_is() {
    check_mostly(200, |seed, random| {
        let (begin, length) = (20 + random.below(80), 10 + random.below(50));
        let mean = |at| if (begin..begin + length).contains(&at) { 12.0 } else { 3.0 };
        let found = episode(&rates(&drawn(seed, &(0..200).map(mean).collect::<Vec<f64>>())), 1);
        let is_near = |found: &Episode| found.begin.abs_diff(begin) <= 3 && found.end.abs_diff(begin + length) <= 3;
        expect(found.is_some_and(|found| found.is_rise && is_near(&found)), &(begin, length, found))
    });
}

#[test]
fn a_fall_is_found() {
    check_mostly(200, |seed, random| {
        let begin = 20 + random.below(130);
        let mean = |at| if at < begin { 8.0 } else { 0.5 };
        let found = episode(&rates(&drawn(seed, &(0..200).map(mean).collect::<Vec<f64>>())), 1);
        let is_near = |found: &Episode| found.end == 200 && found.begin.abs_diff(begin) <= 2;
        expect(found.is_some_and(|found| !found.is_rise && is_near(&found)), &(begin, found))
    });
}

#[test]
fn noise_has_no_change() {
    // Of a thousand series hardly any has one: the threshold allows one in a hundred.
    let n_wrong =
        |mean: f64| (0..1_000).filter(|seed| episode(&rates(&drawn(*seed, &[mean; 120])), 1).is_some()).count();
    assert!(n_wrong(0.2) <= 10, "{}", n_wrong(0.2));
    assert!(n_wrong(5.0) <= 10, "{}", n_wrong(5.0));
}

#[test]
fn clumps_and_a_daily_rhythm_are_no_change() {
    let clumps: Vec<f64> = drawn(7, &[0.3; 200]).iter().map(|n| n * 8.0).collect();
    assert_eq!(episode(&rates(&clumps), 1), None);
    let rhythm: Vec<f64> = (0..200).map(|at| 6.0 + 5.0 * (f64::from(at) / 32.0).sin()).collect();
    assert!(episode(&rates(&drawn(3, &rhythm)), 1).is_some());
    assert_eq!(episode(&Series { expected: rhythm.clone(), ..rates(&drawn(3, &rhythm)) }, 1), None);
    assert_eq!(episode(&rates(&[]), 1), None);
    assert_eq!(episode(&rates(&[0.0; 50]), 1), None);
}

#[test]
fn the_interval_of_a_change_holds_the_change() {
    let n_held = (0..200).filter(|seed| {
        let means: Vec<f64> = (0..100).map(|at| if at < 60 { 2.0 } else { 6.0 }).collect();
        let found = change_point(&rates(&drawn(*seed, &means)), true, 1.0).expect("a change");
        (found.earliest..=found.latest).contains(&60)
    });
    let n_held = n_held.count();
    assert!(n_held >= 180, "{n_held} of 200");
    assert_eq!(change_point(&rates(&[1.0; 10]), true, 1.0), None);
}

#[test]
fn a_step_of_a_share_is_found_whichever_side_is_rare() {
    for (before, inside) in [(0.02, 0.2), (0.98, 0.8), (0.3, 0.6), (0.2, 0.01)] {
        check_mostly(40, |seed, random| {
            let (begin, length) = (20 + random.below(40), 20 + random.below(30));
            let share = |at| if (begin..begin + length).contains(&at) { inside } else { before };
            let found = episode(&shares(seed, 30, &(0..120).map(share).collect::<Vec<f64>>()), 1);
            let is_near = |found: &Episode| found.begin.abs_diff(begin) <= 3 && found.end.abs_diff(begin + length) <= 3;
            let is_rise = inside > before;
            expect(found.is_some_and(|found| found.is_rise == is_rise && is_near(&found)), &(begin, length, found))
        });
    }
}

#[test]
fn a_share_of_noise_has_no_change_and_neither_has_one_that_hardly_moves() {
    for (n, share) in [(2, 0.05), (20, 0.01), (20, 0.5), (50, 0.99)] {
        let is_wrong = |seed: &u64| episode(&shares(*seed, n, &[share; 100]), 1).is_some();
        let n_wrong = (0..300).filter(is_wrong).count();
        assert!(n_wrong <= 3, "{n_wrong} of 300 for {share} of {n}");
    }
    let small: Vec<f64> = (0..100).map(|at| if at < 50 { 0.5 } else { 0.6 }).collect();
    assert_eq!(episode(&shares(1, 400, &small), 1), None);
    for constant in [0.0, 1.0] {
        assert_eq!(episode(&shares(1, 10, &[constant; 80]), 1), None);
    }
    let nothing = Series { law: Law::Share, counts: vec![0.0; 80], expected: vec![0.0; 80] };
    assert_eq!(episode(&nothing, 1), None);
}

#[test]
fn of_many_series_each_needs_more_evidence() {
    let counts: Vec<f64> = (0..120).map(|at| if at < 100 { 0.3 } else { 1.4 }).collect();
    let n_found = |n_tried| (0..100).filter(|seed| episode(&rates(&drawn(*seed, &counts)), n_tried).is_some()).count();
    assert!(n_found(1) > n_found(1_000), "{} {}", n_found(1), n_found(1_000));
}
