//! Rows that leave early are those of the whole answer, in its order.

use std::sync::Mutex;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicUsize};

use chrono_tz::Tz;
use language::{ParseOptions, parse_insights};
use types::{BatchBuilder, BatchRun, GroupName, Run, TimeRange, Timestamp, Value};

use super::*;
use crate::answers::run::execute;
use crate::request::parameters::{Request, Support};

/// Returns events of one group from `start` on, every `step`th second; three of them at each instant.
fn run(group_id: u32, start: i64, step: i64, n_events: i64) -> Arc<dyn Run> {
    let mut builder = BatchBuilder::new();
    for n in 0..n_events {
        builder.set_timestamp(Timestamp((start + n / 3 * step) * Timestamp::SECOND));
        builder.set_message(&format!("message {n} of {group_id}"));
        builder.field_integer("n", n);
        builder.commit();
    }
    let mut batch = builder.finish();
    batch.sequences = (0..n_events as u64).map(|n| n * 10 + u64::from(group_id)).collect();
    Arc::new(BatchRun::new(GroupName::new(&format!("g{group_id}")).expect("a valid name"), group_id, Arc::new(batch)))
}

fn runs() -> Vec<Arc<dyn Run>> {
    vec![run(1, 0, 1, 20_000), run(2, 2_000, 2, 3_000), run(3, 100_000, 1, 300), run(4, 0, 50, 900)]
}

/// Returns what was asked, with rows as they leave; `wanted` is how many are taken.
fn ask(text: &str, limit: Option<usize>, wanted: Option<usize>, memory_bytes_max: usize) -> (Answer, Vec<usize>) {
    let plan = parse_insights(text, &ParseOptions { now: Timestamp(0), time_zone: Tz::UTC }).expect("a valid query");
    let (rows, pieces) = (Mutex::new(Vec::<Vec<Option<Value>>>::new()), Mutex::new(Vec::<usize>::new()));
    let n_taken = AtomicUsize::new(0);
    let take = |more: Vec<Vec<Option<Value>>>| {
        pieces.lock().expect("nobody panicked").push(more.len());
        let n_taken = n_taken.fetch_add(more.len(), Relaxed) + more.len();
        rows.lock().expect("nobody panicked").extend(more);
        wanted.is_some_and(|wanted| n_taken < wanted)
    };
    let cancelled = AtomicBool::new(false);
    let request = Request {
        range: TimeRange::ALL,
        limit,
        time_zone: Tz::UTC,
        now: Timestamp(0),
        memory_bytes_max,
        deadline: None,
        cancelled: &cancelled,
        n_threads: 2,
        progress: None,
        support: Support { take_rows: wanted.is_some().then_some(&take as &TakeRows<'_>), ..Support::default() },
    };
    let mut answer = execute(&plan, &runs(), &request).expect("an answer");
    let mut all = rows.into_inner().expect("nobody panicked");
    all.append(&mut answer.rows);
    answer.rows = all;
    (answer, pieces.into_inner().expect("nobody panicked"))
}

#[test]
fn rows_leave_in_order_and_none_is_missing() {
    for (query, limit, leaves) in [
        ("fields @timestamp, @id, n", None, true),
        ("fields @timestamp, @id | sort @timestamp asc", None, true),
        ("filter n % 1000 = 7 | fields @message, n * 2 as twice | filter twice > 100", None, true),
        ("fields @id", Some(21_000), true),
        ("fields @id", Some(0), true),
        ("fields @id | limit 20000 | filter n > 5", None, true),
        ("fields @id, n | sort n desc | limit 50", None, false),
        ("filter n < 0 | fields n, @timestamp", None, true),
        ("stats count(*)", None, false),
        ("fields @id | tail 7", None, false),
    ] {
        let (whole, _) = ask(query, limit, None, 1 << 30);
        let (given, pieces) = ask(query, limit, Some(usize::MAX), 1 << 30);
        assert_eq!(given.rows.len(), whole.rows.len(), "{query}");
        assert!(given.rows == whole.rows, "{query}: the order differs");
        assert_eq!((given.more, &given.columns), (whole.more, &whole.columns), "{query}");
        let n_pieces = if leaves { whole.rows.len().div_ceil(ROWS_AT_ONCE) } else { 0 };
        assert!(pieces.len() >= n_pieces && (leaves || pieces.is_empty()), "{query}: {pieces:?}");
    }
}

#[test]
fn memory_is_that_of_rows_on_their_way() {
    // All rows at once would take some 7 MB.
    let (given, _) = ask("fields @timestamp, @message, n", None, Some(usize::MAX), 4 << 20);
    assert_eq!(given.rows.len(), 24_200);
}

#[test]
fn nobody_who_takes_rows_ends_the_query() {
    let (given, pieces) = ask("fields @id", None, Some(10), 1 << 30);
    assert_eq!(pieces.len(), 1);
    assert_eq!(given.partial_reasons.first().map(|reason| reason.code), Some("cancelled"));
    assert!(given.stats.events_scanned < 24_200, "{:?}", given.stats);
}
