//! Blocks that were looked at once are not looked at again, and what is known of them is right.

use std::sync::Mutex;

use proptest::prelude::*;
use types::Value;

use super::super::tests::stored::{Asking, ask, house, range};
use super::*;

proptest! {
    #[test]
    fn rows_of_a_block_come_back(n_rows in 0usize..300, every in 1usize..200, is_inverse in any::<bool>()) {
        let set = RowSet::of(n_rows, |row| (row % every == 0) != is_inverse);
        prop_assert_eq!(Rows::of(&set).of_block(n_rows), set);
    }
}

#[test]
fn a_range_that_moves_on_has_only_its_edges_read() {
    let (stored, runs) = house();
    let n_reads = || stored.iter().map(|run| run.n_reads.swap(0, Relaxed)).collect::<Vec<_>>();
    let cache = PartialCache::new(64 << 20);
    let query = "filter @message like \"nowhere\" | fields @timestamp, n";
    assert!(ask(query, &runs, Some(&cache), range(10_000, 70_000)).rows.is_empty());
    assert!(n_reads().iter().all(|n| *n > 0));
    let moved = ask(query, &runs, Some(&cache), range(10_060, 70_060));
    // The first block of the first run and the first one of the last are cut by the range, the others known.
    assert_eq!(n_reads().iter().map(|n| *n > 0).collect::<Vec<_>>(), [true, false, false, true]);
    assert!(moved.rows.is_empty() && moved.stats.events_cached >= 40_000);
    assert_eq!(moved.stats.events_scanned, 60_000);
}

#[test]
fn other_fields_and_more_rows_of_the_same_conditions_are_found_without_looking() {
    let (stored, runs) = house();
    let cache = PartialCache::new(64 << 20);
    let conditions = "filter @message like \"message 100\" and n % 3 = 0";
    let plain = ask(&format!("{conditions} | sort host, n desc | limit 30"), &runs, None, TimeRange::ALL);
    ask(&format!("{conditions} | sort n"), &runs, Some(&cache), TimeRange::ALL);
    stored.iter().for_each(|run| run.n_reads.store(0, Relaxed));
    let other = ask(&format!("{conditions} | sort host, n desc | limit 30"), &runs, Some(&cache), TimeRange::ALL);
    assert_eq!((&other.columns, &other.rows, &other.ids), (&plain.columns, &plain.rows, &plain.ids));
    assert_eq!(other.stats.events_cached, 80_000);
    assert_eq!(other.stats.events_matched, plain.stats.events_matched);
    // Runs without such a row are not read at all.
    assert_eq!(stored[1].n_reads.load(Relaxed), 0);
}

#[test]
fn rows_that_leave_early_are_the_same_and_come_from_what_is_known() {
    let (stored, runs) = house();
    let cache = PartialCache::new(64 << 20);
    let query = "filter @message like \"worker-3\" and n < 30000 | fields n, host";
    let plain = ask(query, &runs, None, TimeRange::ALL);
    for _ in 0..2 {
        stored.iter().for_each(|run| run.n_reads.store(0, Relaxed));
        let rows = Mutex::new(Vec::<Vec<Option<Value>>>::new());
        let take = |more: Vec<Vec<Option<Value>>>| {
            rows.lock().expect("nobody panicked").extend(more);
            true
        };
        let asking = Asking { take_rows: Some(&take), ..Asking::of(&runs, Some(&cache), TimeRange::ALL) };
        asking.ask(query);
        assert_eq!(rows.into_inner().expect("nobody panicked"), plain.rows);
    }
    assert_eq!([2, 3].map(|run: usize| stored[run].n_reads.load(Relaxed)), [0, 0]);
}
