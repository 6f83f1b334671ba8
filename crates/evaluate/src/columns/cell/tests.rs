//! Tests of `cell`.

use super::*;

fn check(a: Cell<'_>, b: Cell<'_>, expected: Option<Ordering>) {
    assert_eq!(compare(a, b).order, expected, "{a:?} {b:?}");
    assert_eq!(compare(b, a).order, expected.map(Ordering::reverse), "{b:?} {a:?}");
}

#[test]
fn text_that_reads_as_a_number_compares_as_one() {
    check(Cell::Text("503"), Cell::Integer(500), Some(Ordering::Greater));
    check(Cell::Text("007"), Cell::Text("7"), Some(Ordering::Equal));
    check(Cell::Text("abc"), Cell::Integer(5), Some(Ordering::Greater));
    check(Cell::Boolean(true), Cell::Text("true"), Some(Ordering::Equal));
    check(Cell::Missing, Cell::Text(""), None);
}

#[test]
fn times_compare_with_numbers_and_iso_text() {
    let eight = Cell::Time(1_793_520_000_000_000_000);
    check(eight, Cell::Integer(1_793_520_000), Some(Ordering::Equal));
    check(eight, Cell::Integer(1_793_520_000_000), Some(Ordering::Equal));
    check(Cell::Time(1_793_520_000_000_000_001), Cell::Integer(1_793_520_000_000), Some(Ordering::Greater));
    check(eight, Cell::Text("2026-11-01T08:00:00Z"), Some(Ordering::Equal));
    check(eight, Cell::Text("2026-11-01T08:00:00"), Some(Ordering::Equal));
    check(eight, Cell::Text("2026-11-01"), Some(Ordering::Greater));
    assert!(compare(eight, Cell::Integer(99_999_999_999)).took_seconds);
    assert!(!compare(eight, Cell::Integer(100_000_000_000)).took_seconds);
}

#[test]
fn sorting_puts_text_before_numbers_and_missing_last() {
    let mut cells = [Cell::Missing, Cell::Float(-1.5), Cell::Integer(9), Cell::Text("ten"), Cell::Text("10")];
    cells.sort_by(|a, b| sort_order(*a, *b));
    let texts: Vec<_> = cells.iter().map(|cell| cell.text()).collect();
    assert_eq!(texts.iter().flatten().collect::<Vec<_>>(), ["ten", "-1.5", "9", "10"]);
    assert!(texts[4].is_none());
}
