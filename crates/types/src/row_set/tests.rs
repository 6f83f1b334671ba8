//! Sets of rows against a plain model.

use super::*;

#[test]
fn sets_count_iterate_and_combine() {
    let mut even = RowSet::of(130, |row| row % 2 == 0);
    assert_eq!(even.count(), 65);
    let third = RowSet::of(130, |row| row % 3 == 0);
    even.and(&third);
    assert!(even.iter().eq((0..130).step_by(6)));
    even.invert();
    assert_eq!(even.count(), 130 - 22);
    assert!(RowSet::all(130).is_all());
    assert!(RowSet::none(0).is_all() && RowSet::none(0).is_empty());
}

#[test]
fn selecting_within_a_set_gives_rows_of_the_block() {
    let odd = RowSet::of(10, |row| row % 2 == 1);
    let chosen = RowSet::of(5, |place| place >= 3);
    assert_eq!(odd.select(&chosen).iter().collect::<Vec<_>>(), [7, 9]);
    let (set, chosen) = (RowSet::of(300, |row| row % 7 < 5), RowSet::of(215, |place| place % 3 == 1));
    let expected: Vec<usize> = set.iter().skip(1).step_by(3).collect();
    assert_eq!(set.select(&chosen).iter().collect::<Vec<_>>(), expected);
    assert_eq!(set.places_of(&set.select(&chosen)), chosen);
}

#[test]
fn sets_are_what_was_chosen_row_by_row() {
    for n_rows in [0usize, 1, 63, 64, 65, 200, 1000] {
        for step in [1, 2, 3, 64, 100] {
            let values: Vec<usize> = (0..n_rows).map(|row| row.wrapping_mul(7919) % 1000).collect();
            let expected: Vec<usize> = (0..n_rows).filter(|row| values[*row].is_multiple_of(step)).collect();
            assert!(RowSet::of(n_rows, |row| values[row].is_multiple_of(step)).iter().eq(expected.iter().copied()));
            let set = RowSet::of_slice(&values, |value| value.is_multiple_of(step));
            assert!(set.iter().eq(expected.iter().copied()) && set.n_rows() == n_rows);
            let within = RowSet::of(n_rows, |row| row % 128 < 70);
            let places: Vec<usize> =
                within.iter().enumerate().filter(|(_, row)| set.contains(*row)).map(|(place, _)| place).collect();
            assert!(within.places_of(&set).iter().eq(places), "{n_rows} {step}");
        }
    }
}
