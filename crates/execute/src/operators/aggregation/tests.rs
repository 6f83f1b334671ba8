//! What is kept changes what an answer costs, never the answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize};

use chrono_tz::Tz;
use language::{ParseOptions, parse_insights};
use plan::Plan;
use proptest::prelude::*;
use types::{
    BatchRun, Column, MinuteCounts, Narrowed, RowSet, Run, RunInfo, RunKey, ScanError, TextProbe, TimeRange, Timestamp,
};

use super::*;
use crate::answers::run::execute;
use crate::request::parameters::{Request, Support};
use crate::tests::said_by_its_run;
use crate::tests::stored::{Asking, Stored, ask, events, house, plan, range, stored};
use evaluate::Budget;

#[test]
fn all_that_a_partial_depends_on_makes_another_key_and_nothing_else_does() {
    let print = |text: &str, time_zone: Tz| {
        let plan = plan(text);
        let at = plan.operators().iter().position(|operator| matches!(operator, Operator::Aggregate { .. }));
        let (before, rest) = plan.operators().split_at(at.expect("an aggregation"));
        let Operator::Aggregate { by, aggregates } = &rest[0] else { panic!("an aggregation") };
        Fingerprint::of_aggregation([before, &[]], by, aggregates, time_zone).expect("a fingerprint")
    };
    let run = |segment, run, version| {
        let events = events(0, 100);
        let info = RunInfo { key: Some(RunKey { segment, run, version }), ..events.info().clone() };
        Stored { run: events, info, n_reads: AtomicUsize::new(0), is_damaged: AtomicBool::new(false) }
    };
    let (plain, text) = (run(1, 1, 1), "filter n > 5 | stats sum(n) as a by host");
    let base = print(text, Tz::UTC);
    let key = |print: Fingerprint, run: &Stored, range| print.key(run, range).expect("a key");
    let mut keys = std::collections::BTreeSet::from([key(base, &plain, TimeRange::ALL)]);
    for other in [run(2, 1, 1), run(1, 2, 1), run(1, 1, 2)] {
        assert!(keys.insert(key(base, &other, TimeRange::ALL)), "segment, run, deletions");
    }
    for range in [range(1, 1_000), range(0, 99), range(1, 99), range(2, 99)] {
        assert!(keys.insert(key(base, &plain, range)), "{range:?}");
    }
    for other in [
        "filter n > 6 | stats sum(n) as a by host",
        "filter n > 5 | stats sum(n) as a by id",
        "filter n > 5 | stats avg(n) as a by host",
        "filter n > 5 | stats sum(ms) as a by host",
        "filter n > 5 | stats sum(n) as a",
        "filter id like /a/ | stats sum(n) as a by host",
        "filter id like /a/i | stats sum(n) as a by host",
    ] {
        assert!(keys.insert(key(print(other, Tz::UTC), &plain, TimeRange::ALL)), "{other}");
    }
    assert!(keys.insert(key(print(text, Tz::Europe__Berlin), &plain, TimeRange::ALL)), "the zone");
    // Ends beyond the run's own, and names.
    let beyond = TimeRange { from: Timestamp(0), to: Timestamp(99 * Timestamp::SECOND + 1) };
    assert!(!keys.insert(key(base, &plain, beyond)));
    let renamed = print("filter n > 5 | stats sum(n) as b by host", Tz::UTC);
    assert!(!keys.insert(key(renamed, &plain, TimeRange::ALL)));
}

#[test]
fn a_whole_answer_is_kept_for_the_same_question_about_the_same_events() {
    let cache = PartialCache::new(1 << 24);
    let runs: [Arc<dyn Run>; 2] = [stored(1, 0, 40_000), stored(2, 40_000, 20_000)];
    let top = "stats count(*) as c by id | sort c desc, id | limit 3";
    let again = |text: &str, runs: &[Arc<dyn Run>], range: TimeRange| {
        let n_hits = cache.counts().n_hits;
        let answer = ask(text, runs, Some(&cache), range);
        let plain = ask(text, runs, None, range);
        assert_eq!((&answer.rows, &answer.columns, answer.more), (&plain.rows, &plain.columns, plain.more), "{text}");
        assert_eq!(answer.stats.events_scanned, plain.stats.events_scanned, "{text}");
        (answer.stats.segments_opened == 0, cache.counts().n_hits - n_hits)
    };
    assert!(!again(top, &runs, TimeRange::ALL).0);
    assert_eq!(again(top, &runs, TimeRange::ALL), (true, 1));
    // Another order, another number of rows, another range, other runs, events that still come.
    for text in
        [top.replace("desc", "asc"), top.replace("limit 3", "limit 4"), top.replace(" as c", " as d, max(n) as c")]
    {
        again(&text, &runs, TimeRange::ALL);
        again(&text, &runs, TimeRange::ALL);
    }
    again(top, &runs, range(5, 50_000));
    again(top, &runs[..1], TimeRange::ALL);
    let with_hot: [Arc<dyn Run>; 3] = [runs[0].clone(), runs[1].clone(), Arc::new(events(60_000, 10))];
    again(top, &with_hot, TimeRange::ALL);
    again(top, &with_hot, TimeRange::ALL);
}

const QUERIES: [&str; 12] = [
    "stats count(*) by @level",
    "stats count(*), count(n), sum(n), avg(ms), sum(ms), min(ms), max(id) by host",
    "stats stddev(ms), variance(n), pct(ms, 90), median(ms)",
    "stats count_distinct(id), count_distinct(host) by bin(1h)",
    "stats first(id), last(id), earliest(n), latest(n), values(host), mode(host) by @level",
    "filter @message like \"worker-3\" | stats count(*) by bin(5m), host",
    "filter @message like /WORKER-[12]$/i | stats count(*)",
    "stats values(id, 3), list(n) by n % 20000",
    "fields split(@message, \" \") as words | unnest words into word | stats count(*) as c by word | sort c desc | limit 5",
    "stats count(*) as c by host | stats max(c)",
    "filter n > 1000000 | stats count(*), sum(ms)",
    "filter @timestamp > 5000 | stats count(*)",
];

#[test]
fn answers_are_the_same_with_and_without_what_is_kept() {
    let mut runs: Vec<Arc<dyn Run>> = (0..4).map(|i| stored(i as u128, i * 4_000, 4_000) as Arc<dyn Run>).collect();
    runs.push(Arc::new(events(16_000, 500)));
    let cache = PartialCache::new(256 << 20);
    for range in [TimeRange::ALL, range(3_001, 13_000), range(3_001, 16_400)] {
        for query in QUERIES {
            let plain = ask(query, &runs, None, range);
            for _ in 0..2 {
                let kept = ask(query, &runs, Some(&cache), range);
                assert_eq!((&kept.columns, &kept.rows), (&plain.columns, &plain.rows), "{query}");
                assert_eq!(kept.warnings, plain.warnings, "{query}");
                assert_eq!(kept.stats.events_matched, plain.stats.events_matched, "{query}");
                assert_eq!(kept.stats.events_scanned, plain.stats.events_scanned, "{query}");
            }
        }
    }
    assert!(cache.counts().n_hits > 50, "{:?}", cache.counts());
}

#[test]
fn asked_again_only_what_is_new_is_read() {
    let (stored, runs) = house();
    let cache = PartialCache::new(64 << 20);
    let n_reads = || stored.iter().map(|run| run.n_reads.swap(0, Relaxed)).collect::<Vec<_>>();
    let query = "filter @message like \"worker\" | stats count(*), pct(ms, 50) by host";
    ask(query, &runs, Some(&cache), range(10_000, 70_000));
    assert!(n_reads().iter().all(|n| *n > 0));
    let again = ask(query, &runs, Some(&cache), range(10_000, 70_000));
    assert_eq!(n_reads(), [0, 0, 0, 0]);
    assert_eq!((again.stats.segments_opened, again.stats.events_cached), (0, 60_000));
    // The range moves on: the segments inside of it stay as they are, only the edges are read.
    ask(query, &runs, Some(&cache), range(10_060, 70_060));
    assert_eq!(n_reads().iter().map(|n| *n > 0).collect::<Vec<_>>(), [true, false, false, true]);
    // The name of a column and what is done with groups do not matter.
    let named =
        "filter @message like \"worker\" | stats count(*) as n, pct(ms, 50) as p by host as h | sort n | limit 2";
    ask(named, &runs, Some(&cache), range(10_060, 70_060));
    assert_eq!(n_reads(), [0, 0, 0, 0]);
    ask("filter @message like \"Worker\" | stats count(*), pct(ms, 50) by host", &runs, Some(&cache), TimeRange::ALL);
    assert!(n_reads().iter().all(|n| *n > 0));
}

#[test]
fn partials_of_runs_that_the_range_holds_are_kept_together() {
    let (stored, runs) = house();
    let cache = PartialCache::new(64 << 20);
    let n_found = || {
        let before = cache.counts();
        let rows = ask("stats sum(n), count(*) by host", &runs, Some(&cache), range(10_000, 200_000)).rows;
        (cache.counts().n_hits - before.n_hits, cache.counts().n_misses - before.n_misses, rows)
    };
    let plain = ask("stats sum(n), count(*) by host", &runs, None, range(10_000, 200_000)).rows;
    // The four runs and three of them together; then these three, and the one at the edge by itself.
    assert_eq!(n_found(), (0, 5, plain.clone()));
    assert_eq!(n_found(), (2, 0, plain));
    // Another range holds the same three, and cuts the first one elsewhere; yet another holds all four.
    stored.iter().for_each(|run| run.n_reads.store(0, Relaxed));
    ask("stats sum(n), count(*) by host", &runs, Some(&cache), range(15_000, 200_000));
    ask("stats sum(n), count(*) by host", &runs, Some(&cache), TimeRange::ALL);
    assert_eq!(stored.iter().map(|run| run.n_reads.load(Relaxed) > 0).collect::<Vec<_>>(), [true, false, false, false]);
    // Without one of them the others have theirs.
    let fewer = [runs[1].clone(), runs[3].clone(), runs[4].clone()];
    let rows = ask("stats sum(n), count(*) by host", &fewer, Some(&cache), TimeRange::ALL).rows;
    assert_eq!(rows, ask("stats sum(n), count(*) by host", &fewer, None, TimeRange::ALL).rows);
}

#[test]
fn a_deletion_makes_what_was_kept_useless() {
    let cache = PartialCache::new(64 << 20);
    let before = stored(1, 0, 100);
    let count = |run: Arc<Stored>| ask("stats sum(n) by host", &[run], Some(&cache), TimeRange::ALL).rows;
    let rows = count(before);
    let mut after = stored(1, 0, 50);
    Arc::get_mut(&mut after).expect("nobody else has it").info.key = Some(RunKey { segment: 1, run: 0, version: 1 });
    assert_ne!(count(after), rows);
}

#[test]
fn a_deletion_makes_what_was_kept_together_useless() {
    let (mut stored, runs) = house();
    let cache = PartialCache::new(64 << 20);
    drop(runs);
    let asked = |stored: &[Arc<Stored>], cache| {
        let runs: Vec<Arc<dyn Run>> = stored.iter().map(|run| run.clone() as Arc<dyn Run>).collect();
        ask("stats sum(n), max(ms) by host", &runs, cache, TimeRange::ALL).rows
    };
    let before = asked(&stored, Some(&cache));
    assert_eq!(asked(&stored, Some(&cache)), before);
    let mut less = crate::tests::stored::stored(2, 40_000, 10_000);
    Arc::get_mut(&mut less).expect("nobody else has it").info.key = Some(RunKey { segment: 2, run: 0, version: 1 });
    stored[2] = less;
    let after = asked(&stored, Some(&cache));
    assert_ne!(after, before);
    assert_eq!(after, asked(&stored, None));
}

#[test]
fn what_is_not_whole_is_not_kept() {
    let (stored, runs) = house();
    let cache = PartialCache::new(64 << 20);
    let query = "stats sum(n) by host";
    stored[1].is_damaged.store(true, Relaxed);
    let damaged = ask(query, &runs, Some(&cache), TimeRange::ALL);
    assert_eq!(damaged.partial_reasons.first().map(|reason| reason.code), Some("damaged"));
    assert_eq!(cache.counts().n_entries, 3);
    stored[1].is_damaged.store(false, Relaxed);
    let whole = ask(query, &runs, Some(&cache), TimeRange::ALL);
    assert_eq!(whole.rows, ask(query, &runs, None, TimeRange::ALL).rows);
    let asking = Asking { is_cancelled: true, ..Asking::of(&runs, Some(&cache), TimeRange::ALL) };
    assert_eq!(asking.ask("stats sum(ms)").partial_reasons.first().map(|reason| reason.code), Some("cancelled"));
    assert_eq!(ask("stats sum(ms)", &runs, Some(&cache), TimeRange::ALL).stats.events_cached, 0);
}

#[test]
fn what_is_too_large_is_remembered_as_such() {
    let runs: Vec<Arc<dyn Run>> = (0..3).map(|i| stored(i as u128, i * 1_000, 1_000) as Arc<dyn Run>).collect();
    let cache = PartialCache::new(64 << 10);
    let query = "stats count(*) by id";
    let plain = ask(query, &runs, None, TimeRange::ALL);
    for _ in 0..3 {
        assert_eq!(ask(query, &runs, Some(&cache), TimeRange::ALL).rows, plain.rows);
    }
    let counts = cache.counts();
    assert!(counts.n_entries > 0 && counts.n_bytes < 4096, "{counts:?}");
}

/// Returns the groups of some events, as an aggregation that holds states of every kind.
fn all_kinds() -> Plan {
    plan(
        "stats count(*), count_distinct(id), sum(ms), avg(n), min(id), max(ms), pct(ms, 9), stddev(ms), first(id), \
         last(n), earliest(id), latest(id), values(host), values(n, 3), list(ms), mode(host) by host, bin(1m)",
    )
}

fn groups_of(aggregate: &Operator, run: BatchRun) -> Groups<'_> {
    let Operator::Aggregate { by, aggregates } = aggregate else { panic!("an aggregation") };
    let cancelled = AtomicBool::new(false);
    let runs: [Arc<dyn Run>; 1] = [Arc::new(run)];
    let request = Request {
        range: TimeRange::ALL,
        limit: None,
        time_zone: Tz::UTC,
        now: Timestamp(0),
        memory_bytes_max: usize::MAX,
        deadline: None,
        cancelled: &cancelled,
        n_threads: 1,
        progress: None,
        support: crate::request::parameters::Support::default(),
    };
    let scan = Scan::new(&runs, &request);
    let mut groups = Groups::new(by, aggregates);
    let fields = std::collections::BTreeSet::new();
    for item in scan.items() {
        let mut frame = scan.frame(&item, &Steps::new(&[], &fields)).expect("memory cannot fail");
        groups.add(&mut frame, &scan.env, None).expect("memory cannot fail");
    }
    groups
}

fn bytes_of(groups: &Groups<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    groups.encode(&mut bytes);
    bytes
}

fn decoded<'p>(aggregate: &'p Operator, bytes: &[u8]) -> Option<Groups<'p>> {
    let Operator::Aggregate { by, aggregates } = aggregate else { panic!("an aggregation") };
    let mut reader = types::codec::Cursor::new(bytes);
    Groups::decode(by, aggregates, &mut reader).ok()
}

/// Returns rows in their order, as text: order of groups inside a state is no one's business.
fn all_the_time() -> Budget<'static> {
    Budget::of_memory(usize::MAX)
}

fn shown(groups: Groups<'_>) -> String {
    format!("{:?}", groups.finish(None, &all_the_time()).expect("all the time").columns)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn partials_merge_in_any_order_and_come_back_from_bytes(cuts in prop::collection::vec(0i64..9_000, 2)) {
        let plan = all_kinds();
        let mut cuts = cuts;
        cuts.extend([0, 9_000]);
        cuts.sort_unstable();
        let part = |i: usize| {
            let groups = groups_of(&plan.operators()[0], events(cuts[i], (cuts[i + 1] - cuts[i]).max(1)));
            decoded(&plan.operators()[0], &bytes_of(&groups)).expect("what was written")
        };
        let mut left = part(0);
        left.merge(part(1), &all_the_time()).expect("all the time");
        left.merge(part(2), &all_the_time()).expect("all the time");
        let mut right = part(2);
        let mut inner = part(1);
        inner.merge(part(0), &all_the_time()).expect("all the time");
        inner.merge(inner.fresh(), &all_the_time()).expect("all the time");
        right.merge(inner, &all_the_time()).expect("all the time");
        let mut identity = right.fresh();
        identity.merge(decoded(&plan.operators()[0], &bytes_of(&right)).expect("what was written"), &all_the_time()).expect("all the time");
        let left = shown(left);
        prop_assert_eq!(&left, &shown(identity));
        prop_assert_eq!(&left, &shown(right));
    }

    #[test]
    fn hostile_bytes_are_refused_or_taken_but_never_a_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
        end in any::<prop::sample::Index>(),
    ) {
        let plan = all_kinds();
        let mut bytes = bytes_of(&groups_of(&plan.operators()[0], events(0, 300)));
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(groups) = decoded(&plan.operators()[0], &bytes) {
            let mut twice = groups.fresh();
            twice.merge(groups, &all_the_time()).expect("all the time");
            twice.merge(decoded(&plan.operators()[0], &bytes).expect("as before"), &all_the_time()).expect("all the time");
            shown(twice);
        }
        bytes.truncate(end.index(bytes.len()));
        prop_assert!(decoded(&plan.operators()[0], &bytes).is_none());
    }
}

#[test]
fn rows_of_an_aggregation_under_way_are_those_of_whole_blocks() {
    let slow: Vec<Arc<dyn Run>> =
        (0..6).map(|n| Arc::new(Slow { run: events(n * 1_000, 1_000) }) as Arc<dyn Run>).collect();
    let shown = Mutex::new(Vec::new());
    let take = |rows| shown.hold().push(rows);
    let cancelled = AtomicBool::new(false);
    let request = Request {
        range: TimeRange::ALL,
        limit: None,
        time_zone: Tz::UTC,
        now: Timestamp(0),
        memory_bytes_max: usize::MAX,
        deadline: None,
        cancelled: &cancelled,
        n_threads: 2,
        progress: None,
        support: Support { take_partial_rows: Some(&take), ..Support::default() },
    };
    let options = ParseOptions { now: Timestamp(0), time_zone: Tz::UTC };
    let text = "stats count(*) as c by host | sort host desc | limit 3 | fields concat(host, \"!\") as h, c";
    let plan = parse_insights(text, &options).expect("a valid query");
    let answer = execute(&plan, &slow, &request).expect("an answer");
    assert_eq!(answer.rows.len(), 3);
    let shown = shown.into_held();
    assert!(!shown.is_empty(), "somebody waited for them");
    for rows in shown {
        let count = |row: &Vec<Option<types::Value>>| row[1].clone();
        assert_eq!(rows.len(), 3, "{rows:?}");
        for (row, whole) in rows.iter().zip(&answer.rows) {
            assert_eq!(row[0], whole[0]);
            // Each block has 200 of each host: all of it or nothing.
            assert!(matches!(count(row), Some(types::Value::Integer(c)) if c % 200 == 0 && c <= 1_200), "{rows:?}");
        }
    }
}

/// A run whose reads take their time.
struct Slow {
    run: BatchRun,
}

impl Run for Slow {
    fn info(&self) -> &RunInfo {
        self.run.info()
    }

    said_by_its_run!();

    fn minutes(&self) -> Result<Option<Vec<MinuteCounts>>, ScanError> {
        Ok(None)
    }

    fn narrow(&self, block: usize, probe: &TextProbe<'_>) -> Result<Narrowed, ScanError> {
        self.run.narrow(block, probe)
    }

    fn read(&self, block: usize, names: &[&str], rows: &RowSet) -> Result<Vec<Column>, ScanError> {
        let begun = std::time::Instant::now();
        while begun.elapsed().as_millis() < 20 {
            std::thread::yield_now();
        }
        self.run.read(block, names, rows)
    }
}
