//! Files of the log that are missed.

use super::super::PreviousFile;
use super::*;

fn link(number: u64, previous: u64, next: u64) -> Link {
    let previous = (previous > 0).then_some(PreviousFile { number: previous, n_bytes: Some(500) });
    let header = FileHeader { version: 2, store: [1; 16], number, salt: 3, first_sequence: 1, previous };
    Link { number, header: Ok((header, Some(Mark { synced: 128, next }))) }
}

fn old(number: u64) -> Link {
    let header = FileHeader { version: 1, store: [1; 16], number, salt: 3, first_sequence: 1, previous: None };
    Link { number, header: Ok((header, Some(Mark::default()))) }
}

#[track_caller]
fn check(links: &[Link], released: u64, made: u64, expected: &[RangeInclusive<u64>]) {
    assert_eq!(missing(links, released, made), expected);
}

#[test]
fn what_was_released_or_not_yet_sealed_is_not_missed() {
    check(&[], 1, 0, &[]);
    check(&[link(1, 0, 0)], 1, 1, &[]);
    check(&[link(4, 3, 5), link(5, 4, 0)], 4, 4, &[]);
    // Made, but the crash came before the file before it was told.
    check(&[link(4, 3, 0), link(5, 4, 0)], 4, 4, &[]);
    check(&[link(4, 3, 5), link(5, 4, 6), link(6, 5, 0)], 5, 5, &[]);
    // Files of format 1 had gaps where nothing was in them.
    check(&[old(3), old(7), link(8, 7, 0)], 2, 0, &[]);
    check(&[old(3)], 2, 0, &[]);
}

#[test]
fn a_file_that_something_tells_of_is_missed() {
    check(&[], 1, 1, &[1..=1]);
    check(&[], 5, 5, &[5..=5]);
    check(&[link(5, 4, 6)], 5, 5, &[6..=6]);
    check(&[link(5, 4, 0)], 4, 4, &[4..=4]);
    check(&[link(5, 4, 0)], 3, 3, &[3..=4]);
    check(&[link(2, 1, 3), link(6, 5, 0)], 2, 2, &[3..=5]);
    check(&[link(2, 1, 3), link(6, 5, 7)], 2, 2, &[3..=5, 7..=7]);
    check(&[link(6, 5, 0)], 5, 0, &[5..=5]);
    check(&[old(7), link(9, 8, 0)], 2, 0, &[8..=8]);
}

#[test]
fn a_file_that_cannot_be_read_is_there_all_the_same() {
    let damaged = Link { number: 5, header: Err(HeaderError::Damaged) };
    check(&[link(4, 3, 5), damaged, link(6, 5, 0)], 4, 4, &[]);
    check(&[link(4, 3, 5), damaged], 4, 4, &[]);
    // With it went what it said of the next one, but the next one says it too.
    check(&[link(4, 3, 5), damaged, link(7, 6, 0)], 4, 4, &[6..=6]);
}
