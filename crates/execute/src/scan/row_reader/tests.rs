//! Rows that are kept are those that would be found, whatever came or went next to them.

use std::sync::atomic::Ordering::Relaxed;

use types::{Run, RunKey, TimeRange};

use super::*;
use crate::request::answer::Answer;
use crate::tests::stored::{Asking, Stored, ask, events, house, range, stored};

const QUERIES: [&str; 9] = [
    "fields @timestamp, n | sort @timestamp desc | limit 7",
    "filter @message like \"message 1000\" | fields n, host",
    "filter @message like \"nowhere\"",
    "filter host = \"h3\" | sort @timestamp asc | limit 5",
    "filter n % 7 = 0 | sort host desc, n | limit 9 | fields n, host, ms * 2 as twice",
    "parse @message \"message * of *\" as number, worker | filter worker = \"worker-4\" | sort number | limit 4",
    "filter @level = \"error\" | limit 20 | stats count(*) by host",
    "filter n > 1000 | dedup host",
    "filter @timestamp > 5000 | fields n | sort @timestamp desc | limit 3",
];

fn is_same(answer: &Answer, plain: &Answer, what: &str) {
    assert_eq!((&answer.columns, &answer.rows, &answer.ids), (&plain.columns, &plain.rows, &plain.ids), "{what}");
    assert_eq!((answer.more, &answer.warnings), (plain.more, &plain.warnings), "{what}");
    assert!(answer.partial_reasons.is_empty(), "{what}");
}

/// Asks with and without a cache.
fn compare(runs: &[Arc<dyn Run>], cache: &PartialCache, range: TimeRange, what: &str) {
    for query in QUERIES {
        for limit in [None, Some(50)] {
            let plain = Asking { limit, ..Asking::of(runs, None, range) }.ask(query);
            for time in 0..2 {
                let kept = Asking { limit, ..Asking::of(runs, Some(cache), range) }.ask(query);
                is_same(&kept, &plain, &format!("{query}, limit {limit:?}, {what}, time {time}"));
            }
        }
    }
}

fn small() -> (Vec<Arc<Stored>>, Vec<Arc<dyn Run>>) {
    let stored: Vec<Arc<Stored>> = (0..3).map(|i| stored(i as u128, i * 4_000, 4_000)).collect();
    let runs = stored.iter().map(|run| run.clone() as Arc<dyn Run>).collect();
    (stored, runs)
}

#[test]
fn answers_are_the_same_with_and_without_kept_rows_whatever_comes_and_goes_beside_them() {
    let (_, runs) = small();
    let cache = PartialCache::new(64 << 20);
    for range in [TimeRange::ALL, range(3_001, 9_000)] {
        // Hot events that lie before, between, after and beside; none; many, which push all others out; few again.
        for (start, n_events) in [(12_000, 3), (0, 0), (12_000, 400), (5_990, 30), (12_000, 2), (3_500, 1), (0, 0)] {
            let mut runs = runs.clone();
            if n_events > 0 {
                runs.push(Arc::new(events(start, n_events)));
            }
            compare(&runs, &cache, range, &format!("{n_events} hot events from {start}"));
        }
        let fewer = [runs[0].clone(), runs[2].clone()];
        compare(&fewer, &cache, range, "a run gone");
    }
}

#[test]
fn asked_again_nothing_is_read_of_runs_that_never_change() {
    let (stored, runs) = house();
    let cache = PartialCache::new(64 << 20);
    for query in [QUERIES[1], QUERIES[2], QUERIES[3], QUERIES[4], QUERIES[5], QUERIES[6]] {
        let first = ask(query, &runs, Some(&cache), TimeRange::ALL);
        stored.iter().for_each(|run| run.n_reads.store(0, Relaxed));
        let again = ask(query, &runs, Some(&cache), TimeRange::ALL);
        assert!(stored.iter().all(|run| run.n_reads.load(Relaxed) == 0), "{query}");
        assert_eq!(
            (again.stats.segments_opened, again.stats.events_matched),
            (0, first.stats.events_matched),
            "{query}"
        );
        // Hot events take their places among them.
        let mut more = runs.clone();
        more.push(Arc::new(events(80_500, 900)));
        is_same(&ask(query, &more, Some(&cache), TimeRange::ALL), &ask(query, &more, None, TimeRange::ALL), query);
    }
}

#[test]
fn a_deletion_makes_kept_rows_useless() {
    let cache = PartialCache::new(64 << 20);
    let rows = |run: Arc<Stored>| {
        ask("filter host = \"h4\" | sort n desc | limit 3", &[run], Some(&cache), TimeRange::ALL).rows
    };
    let before = rows(stored(1, 0, 100));
    let mut after = stored(1, 0, 50);
    Arc::get_mut(&mut after).expect("nobody else has it").info.key = Some(RunKey { segment: 1, run: 0, version: 1 });
    let after = rows(after);
    assert_ne!(after, before);
    assert_eq!(after.len(), 3);
}

#[test]
fn rows_that_are_not_all_there_are_not_kept() {
    let (stored, runs) = house();
    let cache = PartialCache::new(64 << 20);
    let query = "filter n % 1000 = 0 | fields n, host";
    let plain = ask(query, &runs, None, TimeRange::ALL);
    stored[1].is_damaged.store(true, Relaxed);
    assert_eq!(ask(query, &runs, Some(&cache), TimeRange::ALL).partial_reasons[0].code, "damaged");
    stored[1].is_damaged.store(false, Relaxed);
    is_same(&ask(query, &runs, Some(&cache), TimeRange::ALL), &plain, query);
    let asking = Asking { is_cancelled: true, ..Asking::of(&runs, Some(&cache), TimeRange::ALL) };
    let other = "filter n % 1000 = 1 | fields n, host";
    assert_eq!(asking.ask(other).partial_reasons[0].code, "cancelled");
    is_same(&ask(other, &runs, Some(&cache), TimeRange::ALL), &ask(other, &runs, None, TimeRange::ALL), other);
}

#[test]
fn rows_that_take_too_many_bytes_are_not_kept() {
    let (_, runs) = small();
    let cache = PartialCache::new(256 << 10);
    let query = "fields @message, n | sort n";
    let plain = ask(query, &runs, None, TimeRange::ALL);
    for _ in 0..2 {
        is_same(&ask(query, &runs, Some(&cache), TimeRange::ALL), &plain, query);
    }
    assert!(cache.counts().n_bytes <= 256 << 10, "{:?}", cache.counts());
}
