//! Sizes as texts.

use super::*;

#[test]
fn sizes_are_shown_in_the_unit_that_fits() {
    let shown: Vec<String> = [0, 1_023, 1_024, 1_536, 278_938, 1 << 20, 5 << 40].map(in_words).to_vec();
    assert_eq!(shown, ["0b", "1023b", "1kb", "1.5kb", "272.4kb", "1mb", "5tb"]);
    assert_eq!(Cell::Bytes(2_048).shown(Some("kb")), "2");
}
