//! Probabilities and effects from textbooks.

use super::*;

fn near(found: f64, expected: f64) {
    assert!((found - expected).abs() <= expected.abs() * 1e-3 + 1e-12, "{found}, not {expected}");
}

#[test]
fn probabilities_are_those_of_the_textbook() {
    // R: pchisq(g, 1, lower.tail = FALSE) and 2 * phyper(…).
    near(p_of_shares((30, 100), (60, 100)), 1.716_668e-5);
    near(p_of_shares((50, 100), (50, 100)), 1.0);
    near(p_exact((3, 3), (0, 3)), 0.1);
    near(p_exact((0, 3), (3, 3)), 0.1);
    near(p_of_shares((5, 5), (0, 95)), 2.0 / 75_287_520.0);
    assert_eq!(p_of_shares((0, 10), (0, 10)), 1.0);
    assert_eq!(p_of_shares((10, 10), (10, 10)), 1.0);
    assert_eq!(p_of_shares((1, 1), (0, 0)), 1.0);
    near(erfc(0.0), 1.0);
    near(erfc(1.0), 0.157_299_2);
}

#[test]
fn effects_have_known_sizes() {
    near(effect(1.0, 0.0), PI);
    near(divergence(&[(1.0, 0.0), (0.0, 1.0)]), 1.0);
    near(divergence(&[(0.5, 0.5), (0.5, 0.5)]), 0.0);
    near(divergence(&[(0.9, 0.1)]), 0.531);
    near(p_of_distance(0.2, 100, 100), 0.036_631);
}

#[test]
fn the_exact_test_and_the_approximation_agree_where_both_hold() {
    for (a, b) in [(20, 40), (12, 30), (55, 50)] {
        let (exact, found) = (p_exact((a, 200), (b, 200)), p_of_shares((a, 200), (b, 200)));
        assert!((exact.max(1e-9) / found.max(1e-9)).ln().abs() < 0.7, "{exact}, {found}");
    }
}
