//! An answer that went through the disk is the one that memory gives, and nothing stays on the disk.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex};

use chrono_tz::Tz;
use language::{ParseOptions, parse_insights};
use proptest::prelude::*;
use spill::SpillSpace;
use tempfile::TempDir;
use types::{BatchBuilder, BatchRun, GroupName, Level, Run, TimeRange, Timestamp, Value};

use super::*;
use crate::answers::run::execute;
use crate::request::parameters::Support;
use crate::scan::simplify::simplify_over;

/// Memory with which nothing of some hundred events is spilled, and with which nearly everything is.
const MUCH: usize = 1 << 28;
const LITTLE: usize = 2 << 20;

struct Disk {
    _dir: TempDir,
    space: Arc<SpillSpace>,
}

impl Disk {
    fn new(bytes_max: u64, bytes_reserved: u64) -> Self {
        let dir = tempfile::tempdir().expect("scratch");
        let space = SpillSpace::open(dir.path(), bytes_max, bytes_reserved).expect("a space");
        Self { _dir: dir, space }
    }
}

fn plan(text: &str) -> Plan {
    parse_insights(text, &ParseOptions { now: Timestamp(0), time_zone: Tz::UTC }).expect("a valid query")
}

fn with_request<T>(memory_bytes_max: usize, support: Support<'_>, ask: impl FnOnce(&Request<'_>) -> T) -> T {
    let cancelled = AtomicBool::new(false);
    ask(&Request {
        range: TimeRange::ALL,
        limit: None,
        time_zone: Tz::UTC,
        now: Timestamp(0),
        memory_bytes_max,
        deadline: None,
        cancelled: &cancelled,
        n_threads: 2,
        progress: None,
        support,
    })
}

/// Runs of `n_runs` times `n_events` events whose fields have values of all kinds, drawn from `seed`.
fn runs(n_runs: u64, n_events: u64, seed: u64) -> Vec<Arc<dyn Run>> {
    let mut state = seed | 1;
    let mut draw = move |n: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % n
    };
    let run = |part: u64| {
        let mut builder = BatchBuilder::new();
        for n in 0..n_events {
            builder.set_timestamp(Timestamp(((part * n_events + n) / 3) as i64 * Timestamp::SECOND));
            builder.set_message(&format!("message {n} of worker-{}", draw(7)));
            builder.set_level(Level::of_code(draw(8) as u8));
            match draw(6) {
                0 => {}
                1 => builder.field_integer("user", draw(2_000) as i64 - 1_000),
                2 => builder.field_float("user", (draw(2_000) as f64 - 1_000.0) / 4.0),
                3 => builder.field_text("user", &draw(1_500).to_string()),
                _ => builder.field_text("user", &format!("u{:x}", draw(40_000))),
            }
            match draw(5) {
                0 => builder.field_text("ms", "slow"),
                1 => builder.field_float("ms", draw(1_000_000) as f64 * 0.1),
                2 => {}
                _ => builder.field_integer("ms", draw(500) as i64),
            }
            builder.field_text("address", &format!("10.{}.{}.9", draw(200), draw(200)));
            builder.commit();
        }
        let mut batch = builder.finish();
        batch.sequences = (part * n_events..(part + 1) * n_events).collect();
        Arc::new(BatchRun::new(GroupName::new("g").expect("a valid name"), 1, Arc::new(batch))) as Arc<dyn Run>
    };
    (0..n_runs).map(run).collect()
}

/// Answers with the disk alone; rows leave as they come, so that their memory does not count.
fn spilled(text: &str, runs: &[Arc<dyn Run>], memory_bytes_max: usize, disk: &Disk) -> Result<Answer, ExecuteError> {
    let plan = plan(text);
    let operators = simplify_over(plan.operators(), runs);
    assert!(can_run(&operators), "{text}");
    let taken = Mutex::new(Vec::new());
    let take = |rows: Vec<Vec<Option<Value>>>| {
        taken.lock().expect("no panic").extend(rows);
        true
    };
    let support = Support { spill: Some(&disk.space), take_rows: Some(&take), ..Support::default() };
    let mut answer =
        with_request(memory_bytes_max, support, |request| execute_spilled(&plan, &operators, runs, request))?;
    let mut rows = taken.into_inner().expect("no panic");
    rows.append(&mut answer.rows);
    Ok(Answer { rows, ..answer })
}

fn in_memory(text: &str, runs: &[Arc<dyn Run>]) -> Answer {
    with_request(MUCH, Support::default(), |request| execute(&plan(text), runs, request)).expect("an answer")
}

fn check(text: &str, runs: &[Arc<dyn Run>], memory_bytes_max: usize) {
    let disk = Disk::new(1 << 30, 0);
    let expected = in_memory(text, runs);
    let found = spilled(text, runs, memory_bytes_max, &disk).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(found.columns, expected.columns, "{text}");
    assert_eq!(found.rows.len(), expected.rows.len(), "{text}");
    for (at, (found, expected)) in found.rows.iter().zip(&expected.rows).enumerate() {
        assert_eq!(found, expected, "row {at} of {text}");
    }
    assert_eq!(found.more, expected.more, "{text}");
    assert_eq!(disk.space.bytes_used(), 0, "{text}");
}

const QUERIES: &[&str] = &[
    "stats count(*), avg(ms), sum(ms), min(ms), max(ms), stddev(ms) by user",
    "stats count(*) as n, pct(ms, 90), count_distinct(address), median(ms) by user, address",
    "stats first(ms), last(ms), earliest(user), latest(user), values(ms), mode(ms), list(ms) by address",
    "stats count(*) as n by user | sort n desc | limit 10",
    "stats count(*) as n, max(ms) as m by @level, user | filter n > 1 | sort m, user desc",
    "stats count(*) as n by user | stats sum(n) as events, count(*) as users, first(user), last(user), list(n) by n > 1",
    "stats avg(ms) as a by user, address | fields a * 2 as b | sort b desc | limit 100",
    "stats count(*) as n by address | dedup n | fields address, n",
    "stats count(*), sum(ms)",
    "filter ms > 1000000000 | stats count(*), sum(ms) by user",
    "filter ms > 1000000000 | stats count(*), sum(ms)",
    "stats count(*) by bin(10s), user | tail 7",
    "top 5 user",
    "fields user, ms | sort ms",
    "fields user, ms, @message | sort user desc, ms | limit 1000",
    "fields @timestamp, user | sort @level, address desc",
    "fields user, ms | dedup user",
    "fields @timestamp, user, ms | sort @timestamp asc | dedup user, ms | limit 700",
    "fields user | sort ms desc | dedup user | sort user",
    "fields split(@message, \" \") as words | unnest words into word | stats count(*) as n by word, user | sort n desc",
    "sort ms | stats first(user), last(user), list(ms) by @level",
    "fields user | limit 900",
    "sort ms | tail 5",
    "fields ms + 1 as more | filter more > 5 | sort more desc, user",
];

#[test]
fn every_operator_answers_as_in_memory() {
    let runs = runs(4, 900, 7);
    for text in QUERIES {
        check(text, &runs, LITTLE);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn groups_and_rows_drawn_at_random_answer_as_in_memory(
        seed in any::<u64>(),
        n_runs in 1u64..4,
        n_events in 1u64..700,
        query in prop::sample::select(QUERIES),
        memory_bytes in (2usize << 20)..(3 << 20),
    ) {
        check(query, &runs(n_runs, n_events, seed), memory_bytes);
    }
}

#[test]
fn a_query_that_does_not_fit_its_memory_goes_on_with_the_disk_and_without_one_is_refused() {
    let runs = runs(4, 4_000, 3);
    for text in
        ["stats count(*), avg(ms) by user, address", "fields @message | sort user", "fields user | dedup user, ms"]
    {
        let ask = |support: Support<'_>| with_request(2 << 20, support, |request| execute(&plan(text), &runs, request));
        assert!(matches!(ask(Support::default()), Err(ExecuteError::Memory { .. })), "{text}");
        let disk = Disk::new(1 << 30, 0);
        let taken = Mutex::new(Vec::new());
        let take = |rows: Vec<Vec<Option<Value>>>| {
            taken.lock().expect("no panic").extend(rows);
            true
        };
        let support = Support { spill: Some(&disk.space), take_rows: Some(&take), ..Support::default() };
        let answer = ask(support).unwrap_or_else(|error| panic!("{text}: {error}"));
        let mut rows = taken.into_inner().expect("no panic");
        assert!(rows.len() > 1_000, "{text}");
        rows.extend(answer.rows);
        assert_eq!(rows, in_memory(text, &runs).rows, "{text}");
        assert!(answer.partial_reasons.is_empty());
    }
}

#[test]
fn events_keep_their_ids_and_the_limit_of_the_request_holds() {
    let (runs, disk) = (runs(4, 900, 3), Disk::new(1 << 30, 0));
    let (text, support) = ("fields user | dedup user, ms", Support { spill: Some(&disk.space), ..Support::default() });
    let plan = plan(text);
    let operators = simplify_over(plan.operators(), &runs);
    for limit in [None, Some(0), Some(300), Some(1 << 20)] {
        let expected = with_request(MUCH, Support::default(), |request| {
            execute(&plan, &runs, &Request { limit, ..*request }).expect("an answer")
        });
        let found = with_request(2 << 20, support, |request| {
            execute_spilled(&plan, &operators, &runs, &Request { limit, ..*request }).expect("an answer")
        });
        assert_eq!((found.rows, found.ids, found.more), (expected.rows, expected.ids, expected.more), "{limit:?}");
    }
}

#[test]
fn groups_beyond_what_is_shown_take_no_memory() {
    let (runs, disk) = (runs(4, 4_000, 3), Disk::new(1 << 30, 0));
    let support = Support { spill: Some(&disk.space), rows_max: Some(20), ..Support::default() };
    let text = "stats count(*), avg(ms) by user, address";
    let answer = with_request(2 << 20, support, |request| execute(&plan(text), &runs, request)).expect("an answer");
    assert_eq!(answer.rows, in_memory(text, &runs).rows[..20]);
    assert!(answer.more);
}

#[test]
fn a_full_disk_and_the_limit_are_named_with_the_way_out() {
    let runs = runs(4, 900, 7);
    for text in ["stats count(*), avg(ms) by user, address", "fields @message, address, ms | sort user"] {
        let limit = spilled(text, &runs, LITTLE, &Disk::new(10_000, 0)).expect_err("it takes more");
        assert!(limit.to_string().contains("query.spill") && limit.to_string().contains("shorter range"), "{limit}");
        let full = spilled(text, &runs, LITTLE, &Disk::new(1 << 30, u64::MAX)).expect_err("no disk has that much");
        assert!(full.to_string().contains("disk is full"), "{full}");
    }
}

#[test]
fn a_query_that_is_cancelled_or_whose_reader_goes_leaves_nothing_on_the_disk() {
    let (runs, disk) = (runs(4, 4_000, 7), Disk::new(1 << 30, 0));
    for text in ["stats count(*), avg(ms) by user, address", "fields @message | sort user"] {
        let plan = plan(text);
        let operators = simplify_over(plan.operators(), &runs);
        let used = AtomicU64::new(0);
        let cancelled = AtomicBool::new(false);
        for says_so in [true, false] {
            let take = |_: Vec<Vec<Option<Value>>>| {
                used.store(disk.space.bytes_used(), Relaxed);
                cancelled.store(says_so, Relaxed);
                says_so
            };
            let support = Support { spill: Some(&disk.space), take_rows: Some(&take), ..Support::default() };
            let answer = with_request(2 << 20, support, |request| {
                let request = Request { cancelled: &cancelled, ..*request };
                execute_spilled(&plan, &operators, &runs, &request)
            });
            assert_eq!(answer.expect("a partial answer").partial_reasons[0].code, "cancelled", "{text}");
            assert!(used.swap(0, Relaxed) > 0, "{text}");
            assert_eq!(disk.space.bytes_used(), 0, "{text}");
            cancelled.store(false, Relaxed);
        }
    }
}

#[test]
fn one_group_that_is_larger_than_all_memory_is_refused() {
    let (runs, disk) = (runs(4, 9_000, 7), Disk::new(1 << 30, 0));
    let refused = spilled("stats list(@message) by ispresent(@message)", &runs, LITTLE, &disk);
    assert!(matches!(refused, Err(ExecuteError::Memory { .. })));
    assert_eq!(disk.space.bytes_used(), 0);
}
