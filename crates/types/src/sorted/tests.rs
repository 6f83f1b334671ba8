//! Every place of short lists.

use super::*;

#[test]
fn every_place_is_found() {
    for n_items in 0..70 {
        let items: Vec<usize> = (0..n_items).collect();
        for place in 0..=n_items {
            assert_eq!(n_before(&items, |item| *item < place), place, "of {n_items}");
        }
    }
}
