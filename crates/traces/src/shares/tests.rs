//! How a limit is shared among traces.

use super::*;

#[test]
fn small_traces_are_whole_and_large_ones_have_equal_shares_of_the_rest() {
    for (counts, expected) in [
        (vec![], SPANS_MAX),
        (vec![5, 7], SPANS_MAX),
        (vec![1_000_000, 5], SPANS_MAX - 5),
        (vec![1_000_000, 4_000, 30_000], 8_000),
        (vec![SPANS_MAX, 0], SPANS_MAX),
        (vec![2; 30_000], 1),
    ] {
        assert_eq!(share(&counts), expected, "{:?}", &counts[..counts.len().min(3)]);
    }
}
