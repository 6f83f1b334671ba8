//! Shares of a whole.

use super::super::shares::share_of;

#[test]
fn shares_add_up_to_the_whole() {
    for (n_bytes, cuts) in [(2_370_789u64, [0u64, 3, 3, 9_999, 10_000]), (7, [0, 1, 2, 3, 10_000])] {
        let shares: u64 = cuts.windows(2).map(|cut| share_of(n_bytes, 10_000, cut[0]..cut[1])).sum();
        assert_eq!(shares, n_bytes);
    }
    assert_eq!(share_of(5, 0, 0..0), 0);
}
