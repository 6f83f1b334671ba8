//! Budgets: what is taken is given back, sorting is sorting, and whoever works for a query that is over is stopped.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use chrono_tz::Tz;
use language::{ParseOptions, parse_insights};
use plan::{Expr, Name, Operator, Other, Rows};
use proptest::prelude::*;
use types::{Column, TimeRange, Timestamp, Value};

use crate::operators::table::Table;
use crate::request::parameters::{Request, Support};
use crate::scan::scanner::Scan;
use evaluate::{Budget, MemoryLimit, MemoryPool, Stop};

fn request<'a>(cancelled: &'a AtomicBool, pool: Option<&'a Arc<MemoryPool>>) -> Request<'a> {
    Request {
        range: TimeRange { from: Timestamp(0), to: Timestamp(1_000_000 * Timestamp::SECOND) },
        limit: None,
        time_zone: Tz::UTC,
        now: Timestamp(0),
        memory_bytes_max: 1 << 30,
        deadline: None,
        cancelled,
        n_threads: 1,
        progress: None,
        support: Support { pool, ..Support::default() },
    }
}

#[test]
fn memory_of_all_queries_is_one_pool_that_gets_everything_back() {
    let (cancelled, pool) = (AtomicBool::new(false), MemoryPool::new(1_000));
    let request = request(&cancelled, Some(&pool));
    let (one, other) = (request.budget(), request.budget());
    assert!(one.hold(475).is_ok() && other.hold(400).is_ok());
    assert!(other.hold(1).is_err());
    assert!(matches!(other.limit_reached(), MemoryLimit::OfAll { bytes_max: 1_000 }));
    assert_eq!((pool.held_bytes(), other.held()), (875, 400));
    one.release(475);
    // No one else holds anything: it may have all of it.
    assert!(other.hold(600).is_ok() && other.hold(1).is_err());
    // Rows that are still to be written keep their memory, and no more of it.
    let rows = other.keep(300);
    drop((one, other));
    assert_eq!(pool.held_bytes(), 300);
    drop(rows);
    assert_eq!(pool.held_bytes(), 0);
}

#[test]
fn large_queries_leave_memory_to_small_ones() {
    let (cancelled, pool) = (AtomicBool::new(false), MemoryPool::new(1_000));
    let request = request(&cancelled, Some(&pool));
    let [large, other, small] = [(); 3].map(|()| request.budget());
    assert!(large.hold(500).is_ok() && other.hold(375).is_ok() && other.hold(100).is_err() && large.hold(1).is_err());
    assert!(small.hold(15).is_ok());
    assert!(small.hold(1).is_err(), "a small one has a sixty-fourth of it at most");
}

#[test]
fn the_limit_of_one_query_is_named_where_it_is_the_one_that_was_reached() {
    let (cancelled, pool) = (AtomicBool::new(false), MemoryPool::new(1_000));
    let budget = Request { memory_bytes_max: 500, ..request(&cancelled, Some(&pool)) }.budget();
    assert!(budget.hold(501).is_err());
    assert!(matches!(budget.limit_reached(), MemoryLimit::OfQuery { bytes_max: 500, .. }));
    drop(budget);
    assert_eq!(pool.held_bytes(), 0);
}

#[test]
fn a_query_that_needs_more_than_all_queries_may_hold_is_too_large() {
    let (cancelled, pool) = (AtomicBool::new(false), MemoryPool::new(1_000));
    let request = request(&cancelled, Some(&pool));
    let (one, other) = (request.budget(), request.budget());
    assert!(one.hold(900).is_ok() && one.hold(200).is_err());
    assert!(matches!(one.limit_reached(), MemoryLimit::OfQuery { bytes_max: 1_000, setting: "query.memory_total" }));
    assert!(other.hold(200).is_err());
    assert!(matches!(other.limit_reached(), MemoryLimit::OfAll { bytes_max: 1_000 }));
    // What was refused was not taken.
    assert_eq!((pool.held_bytes(), one.held(), other.held()), (900, 900, 0));
}

#[test]
fn a_lease_gives_its_memory_back() {
    let (cancelled, pool) = (AtomicBool::new(false), MemoryPool::new(1_000));
    let budget = request(&cancelled, Some(&pool)).budget();
    let mut lease = budget.lease(100).expect("there is room");
    assert!(budget.resize(&mut lease, 400).is_ok() && budget.resize(&mut lease, 2_000).is_err());
    assert_eq!((lease.n_bytes(), budget.held()), (400, 400));
    assert!(budget.resize(&mut lease, 300).is_ok());
    assert_eq!(pool.held_bytes(), 300);
    drop(lease);
    assert_eq!((pool.held_bytes(), budget.held()), (0, 0));
}

#[test]
fn a_query_that_has_ended_has_a_moment_for_its_answer_and_no_more() {
    let cancelled = AtomicBool::new(true);
    let budget = request(&cancelled, None).budget();
    assert!(budget.is_over());
    assert_eq!(budget.ended().map(|ended| ended.code), Some("cancelled"));
    assert!(budget.check().is_ok(), "there is a moment left");
    let late = request(&cancelled, None).budget();
    late.abort();
    assert!(late.check().is_err());
    assert_eq!(late.rows(100).count(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn sorting_in_parts_is_sorting(keys in prop::collection::vec(0u16..300, 0..30_000)) {
        let budget = Budget::of_memory(usize::MAX);
        let mut sorted: Vec<u32> = (0..keys.len() as u32).collect();
        let mut expected = sorted.clone();
        expected.sort_by_key(|at| keys[*at as usize]);
        budget.sort_by(&mut sorted, |a, b| keys[*a as usize].cmp(&keys[*b as usize])).expect("nobody stops it");
        prop_assert_eq!(sorted, expected);
    }
}

/// Returns rows with the columns that the commands below ask for.
fn table() -> Table {
    let n_rows = 5_000;
    let values =
        |value: &dyn Fn(i64) -> Value| Arc::new(Column::of_values((0..n_rows).map(|i| Some(value(i))).collect()));
    let columns = vec![
        ("n".into(), values(&|i| Value::Integer(i * 7 % 1_000))),
        ("t".into(), values(&|i| Value::text(format!("text {i}")))),
        ("bin".into(), values(&|i| Value::Timestamp(Timestamp(i * Timestamp::HOUR)))),
        ("@timestamp".into(), values(&|i| Value::Timestamp(Timestamp(i * Timestamp::SECOND)))),
        ("@message".into(), values(&|i| Value::text(format!("user {i} came")))),
    ];
    Table::of_groups(crate::operators::group::GroupRows { n_rows: n_rows as usize, columns, approximate: Vec::new() })
}

/// Returns the operators of a query, with what other queries in it would have found.
fn operators(text: &str) -> Vec<Operator> {
    let options = ParseOptions { now: Timestamp(0), time_zone: Tz::UTC };
    let plan = parse_insights(text, &options).unwrap_or_else(|errors| panic!("{text}: {errors:?}"));
    let found: Vec<Vec<Option<Value>>> =
        (0..100).map(|i| vec![Some(Value::Integer(i)), Some(Value::Integer(i))]).collect();
    let rows = Other::Rows(Arc::new(Rows { columns: vec!["n".into(), "m".into()], rows: found }));
    let mut operators = plan.operators().to_vec();
    for operator in &mut operators {
        match operator {
            Operator::Join(join) => join.other = rows.clone(),
            Operator::AppendColumns(append) => append.other = rows.clone(),
            _ => {}
        }
    }
    operators
}

#[test]
fn every_command_that_works_on_many_rows_stops_where_the_query_does() {
    let texts = [
        "stats count(*) by t | sort n",
        "stats count(*) by t | stats count(*) by n",
        "stats count(*) by t | fields replace(t, \"a\", \"b\") as x",
        "stats count(*) by t | dedup t",
        "sort n | unnest t into x",
        "top 5 t by n",
        "stats count(*) as c by bin(1m) as bin | fillmissing",
        "sort t | filldown n",
        "sort t | addtotals n, bin",
        "sort t | autoregress n p=1",
        "sort t | sessionize t maxspan 1m as s",
        "sort t | outlier n",
        "sort t | join type=left left=a right=b where a.n = b.n (source \"g\" | fields n, m)",
        "sort t | appendcols (source \"g\" | fields n, m)",
        "sort t | pattern @message",
        "timechart span=1h max(n) as n | anomaly",
    ];
    let cancelled = AtomicBool::new(false);
    let request = request(&cancelled, None);
    let mut seen = std::collections::BTreeSet::new();
    for text in texts {
        for operator in operators(text) {
            let kind = format!("{operator:?}").chars().take_while(|c| c.is_alphabetic()).collect::<String>();
            if matches!(
                operator,
                Operator::Limit(_) | Operator::Tail(_) | Operator::Filter(_) | Operator::Project { .. }
            ) {
                continue;
            }
            let scan = Scan::new(&[], &request);
            assert!(table().apply(&operator, &scan).is_ok(), "{text}: {kind} with all the time");
            let over = Scan::new(&[], &request);
            over.budget().abort();
            let stopped = table().apply(&operator, &over);
            assert!(matches!(stopped, Err(Stop::Over)), "{text}: {kind} goes on: {stopped:?}");
            seen.insert(kind);
        }
    }
    println!("{seen:?}");
    assert!(seen.len() >= 14, "{seen:?}");
}

#[test]
fn writing_the_rows_down_stops_where_the_query_does() {
    let cancelled = AtomicBool::new(false);
    let request = request(&cancelled, None);
    let columns: Vec<(Name, Expr)> = vec![("n".into(), Expr::Field("n".into()))];
    let over = Scan::new(&[], &request);
    over.budget().abort();
    assert!(matches!(table().project(&columns, false, &over), Err(Stop::Over)));
}
