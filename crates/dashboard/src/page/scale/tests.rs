//! Marks of scales.

use super::*;

#[test]
fn a_scale_has_few_round_marks_around_its_values() {
    let of = |values: &[f64], panel: &Panel| ValueScale::of(values, panel, false);
    let linear = Panel::default();
    assert_eq!(of(&[1.0, 97.0], &linear).marks, [0.0, 25.0, 50.0, 75.0, 100.0]);
    assert_eq!(of(&[], &linear).marks, [0.0, 0.25, 0.5, 0.75, 1.0]);
    assert_eq!(of(&[100.0, 102.0], &linear).place(101.0), 0.5);
    let log = Panel { scale: Scale::Log, ..Panel::default() };
    let log = of(&[0.0, 1.0, 1_000.0], &log);
    assert_eq!(log.marks, [1.0, 10.0, 100.0, 1_000.0]);
    assert!((log.place(10.0) - 1.0 / 3.0).abs() < 1e-9 && log.place(0.0) == 0.0);
}
