//! Tests of `histogram`.

use super::*;

fn check(numbers: &[(f64, u64)], n_ranges: usize, expected: &str) {
    let mut shown = String::new();
    if let Some(ranges) = ranges(numbers, n_ranges) {
        ranges.write_json(&mut shown);
    }
    assert_eq!(shown, expected);
}

#[test]
fn ranges_are_as_wide_as_each_other_and_hold_every_number() {
    check(&[(0.0, 1), (4.0, 2), (5.0, 1), (10.0, 1)], 2, r#"{"[0, 5)":3,"[5, 10]":2}"#);
    check(&[(3.0, 4)], 5, r#"{"[3, 3]":4}"#);
    check(&[], 5, "");
    let widest = ranges(&[(f64::MIN, 1), (f64::MAX, 1)], 2);
    assert!(matches!(widest, Some(Value::Object(ranges)) if ranges.len() == 2));
}
