//! Labels that look like ids.

use super::*;

#[test]
fn labels_of_numbers_and_uuids_alone_are_ids() {
    let check = |values: &[&str], expected: bool| {
        assert_eq!(are_ids(&values.iter().copied().collect()), expected, "{values:?}");
    };
    check(&["1", "22", "3.5"], true);
    check(&["0190a6d0-7b1c-7d3e-8f00-aabbccddeeff"], true);
    check(&["0", "1"], false);
    check(&["7"], true);
    check(&["1", "2", "x"], false);
}
