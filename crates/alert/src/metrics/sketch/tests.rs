//! The error of quantiles, and windows that move on.

use super::*;

const WINDOW: i64 = 1_000;

#[test]
fn quantiles_are_within_a_hundredth() {
    let mut window = Window::default();
    (1..=10_000).for_each(|n| window.add(f64::from(n) / 100.0, 5, WINDOW));
    for (wanted, expected) in [(0.5, 50.0), (0.9, 90.0), (0.99, 99.0), (1.0, 100.0)] {
        let found = window.quantiles(&[wanted], 5, WINDOW)[0];
        assert!((found - expected).abs() <= expected * 0.0101, "{wanted}: {found}");
    }
    let mut signed = Window::default();
    [-3.0, 0.0, 7.0].iter().for_each(|value| signed.add(*value, 0, WINDOW));
    let found = signed.quantiles(&[0.1, 0.5, 1.0], 0, WINDOW);
    assert!((found[0] + 3.0).abs() < 0.031 && found[1] == 0.0 && (found[2] - 7.0).abs() < 0.071, "{found:?}");
    [f64::MAX, f64::MIN_POSITIVE, -f64::MAX].iter().for_each(|value| signed.add(*value, 0, WINDOW));
    assert!(signed.quantiles(&[0.0, 1.0], 0, WINDOW).iter().all(|found| found.is_finite()));
}

#[test]
fn a_window_moves_on_and_forgets() {
    let mut window = Window::default();
    assert!(window.quantiles(&[0.5], 0, WINDOW)[0].is_nan());
    window.add(1.0, 0, WINDOW);
    window.add(100.0, 900, WINDOW);
    assert!(window.quantiles(&[0.5], 999, WINDOW)[0] < 2.0);
    assert!(window.quantiles(&[0.5], 1_000, WINDOW)[0] > 90.0);
    assert!(window.quantiles(&[0.5], 1_900, WINDOW)[0].is_nan());
    window.add(5.0, 100, WINDOW);
    assert!(window.quantiles(&[0.1], 1_000, WINDOW)[0] < 6.0);
    for at in 0..10_000 {
        window.add(1.0, at * 100, WINDOW);
    }
    assert!(window.parts.len() <= PARTS as usize);
}
