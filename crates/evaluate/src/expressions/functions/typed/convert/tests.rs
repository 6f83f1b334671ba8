//! Tests of `convert`.

use super::*;

#[test]
fn halves_are_rounded_up() {
    assert_eq!([rounded(2.5), rounded(-2.5), rounded(1e19)], [Some(3), Some(-2), None]);
}
