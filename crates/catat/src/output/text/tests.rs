//! Marks at the places of errors.

use super::*;

#[test]
fn errors_point_at_their_place() {
    let shown = located_error(
        "unknown command \"filtr\"",
        Some(2),
        Some(3),
        Some("did you mean this?\nfilter x"),
        "a\n| filtr x",
    );
    assert_eq!(
        shown,
        "unknown command \"filtr\" (line 2, column 3)\n  | filtr x\n    ^\n  did you mean this?\n  filter x"
    );
}
