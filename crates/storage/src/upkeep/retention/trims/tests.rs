//! Trims that contain others, their end and their limit.

use super::*;

fn trim(before: i64, since: i64, sequences_end: u64) -> Trim {
    Trim { before, since, sequences_end }
}

#[test]
fn a_trim_that_an_older_one_contains_is_not_kept() {
    let trims = changed(vec![trim(10, LONG_AGO, 50)], Some(trim(10, 7, 50)), None);
    assert_eq!(trims, [trim(10, LONG_AGO, 50)]);
    let trims = changed(trims, Some(trim(11, 7, 60)), None);
    assert_eq!(trims, [trim(10, LONG_AGO, 50), trim(11, 7, 60)]);
}

#[test]
fn days_that_are_allowed_again_are_shown_unless_their_undo_window_is_over() {
    let trims = vec![trim(10, LONG_AGO, 50), trim(20, 7, 60), trim(30, 8, 70)];
    let shown = changed(trims, None, Some(15));
    assert_eq!(shown, [trim(10, LONG_AGO, 50), trim(15, 7, 60), trim(15, 8, 70)]);
}

#[test]
fn the_number_of_trims_is_bounded() {
    let mut trims = Vec::new();
    for day in 0..1000 {
        trims = changed(trims, Some(trim(day, day, day as u64)), None);
    }
    assert_eq!(trims.len(), TRIMS_MAX);
    assert_eq!(trims.last(), Some(&trim(999, 999, 999)));
}
