//! Values as Loki writes them.

use super::*;

#[test]
fn values_are_texts_at_seconds() {
    let check = |at: i64, value: f64| point_json(&Point { at: Timestamp(at), value });
    assert_eq!(check(4_000_000_000_000_000_000, 2.0), json!([4_000_000_000_i64, "2"]));
    assert_eq!(check(1_500_000_000, 0.25), json!([1.5, "0.25"]));
    assert_eq!(check(1_795_333_490_250_000_001, 1.0), json!([1_795_333_490.25, "1"]));
    assert_eq!(check(0, f64::INFINITY), json!([0, "+Inf"]));
    assert_eq!(check(0, f64::NAN), json!([0, "NaN"]));
}
