//! Items that are shared between threads.

use super::*;

/// Tells after which item help comes, if each took so many microseconds.
fn helped_after(items: &[u64]) -> Option<usize> {
    let (mut pace, mut spent) = (Pace::new(items.len()), 0);
    assert!(!pace.needs_help_after(Duration::ZERO, 0));
    (1..items.len()).find(|n_done| {
        spent += items[n_done - 1];
        pace.needs_help_after(Duration::from_micros(spent), *n_done)
    })
}

#[test]
fn many_items_are_shared_and_few_are_not() {
    assert_eq!(helped_after(&[5; 28]), None);
    assert_eq!(helped_after(&[5; 10_000]), Some(60), "after the time that is always spent alone");
    assert_eq!(helped_after(&[200; 10]), Some(2));
    assert_eq!(helped_after(&[200; 4]), None, "two are left, which take less than a thread does");
    assert_eq!(helped_after(&[20_000; 3]), Some(1));
}

#[test]
fn a_first_item_that_reads_what_all_need_calls_nobody() {
    let mut items = [5; 28];
    items[0] = 900;
    assert_eq!(helped_after(&items), None);
    assert_eq!(helped_after(&[900; 28]), Some(2));
}
