//! Bytes that are split into parts, and their entropy.

use super::*;

fn random(n: usize) -> Vec<u8> {
    let mut state = 1u64;
    let mut byte = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..n).map(|_| byte()).collect()
}

#[test]
fn bytes_that_hardly_vary_are_parted_from_random_ones() {
    let few: Vec<u8> = random(16 * STEP).iter().map(|byte| byte % 5).collect();
    let both = [random(16 * STEP), few, random(7 * STEP + 3)].concat();
    assert_eq!(Parts::of(&both).ends, [16 * STEP, 32 * STEP, 39 * STEP + 3]);
}

#[test]
fn bytes_that_are_alike_are_one_part() {
    assert!(Parts::of(&[]).ends.is_empty());
    assert_eq!(Parts::of(&[7]).ends, [1]);
    assert_eq!(Parts::of(&random(9 * STEP + 1)).ends, [9 * STEP + 1]);
}

#[test]
fn the_bytes_of_an_ideal_code_are_those_of_the_entropy() {
    assert_eq!(Parts::of(&[7; 5000]).n_bytes, 0.0);
    let halves = [[0u8; 3 * STEP], [1; 3 * STEP]].concat();
    assert_eq!(Parts::of(&halves).n_bytes, 6.0 * STEP as f64 / 8.0);
    let n_bytes = Parts::of(&random(64 * STEP)).n_bytes;
    assert!((0.99 * 64.0 * STEP as f64..64.0 * STEP as f64).contains(&n_bytes), "{n_bytes}");
}
