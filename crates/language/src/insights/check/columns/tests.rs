//! Names with stars.

use super::fits;

#[test]
fn stars_stand_for_any_letters() {
    assert!(fits("cpu*", "cpu_user") && fits("*", "") && fits("a*c", "abc") && fits("a*b*", "axxb"));
    assert!(!fits("cpu*", "mem") && !fits("a*a", "a") && !fits("a*b", "abx") && !fits("a", "ab"));
}
