//! Overflow of hyperbolic functions as in Go.

use super::find;

#[test]
fn hyperbolic_functions_overflow_where_those_of_go_do() {
    let check = |name: &str, value: f64, expected: f64| {
        assert_eq!(find(name).map(|function| function(value)), Some(expected), "{name}({value})");
    };
    check("sinh", 710.0, f64::INFINITY);
    check("sinh", -710.0, f64::NEG_INFINITY);
    check("cosh", -710.0, f64::INFINITY);
    check("sinh", 709.0, 709.0f64.exp() * 0.5);
    check("sinh", -0.0, -0.0);
    check("cosh", 0.0, 1.0);
    assert!(find("sinh").is_some_and(|function| function(f64::NAN).is_nan()));
}
