//! Counts of parts of runs that are kept are those of the events, and are read no more.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use chrono_tz::Tz;
use plan::{Comparison, Expr};
use types::{Run, RunInfo, RunKey, TimeRange, Timestamp, Value};

use super::stored::{Stored, events, house, plan, range, stored};
use crate::request::cache::PartialCache;
use crate::request::parameters::{Request, Support};
use crate::{
    ConditionCounts, EventSet, ExecuteError, Keeper, PartialReason, Reach, ValueCounts, condition_counts,
    condition_totals, pattern_counts, value_counts,
};

/// How questions about the values of events are asked.
#[derive(Clone, Copy)]
struct Asking<'a> {
    query: &'a str,
    range: TimeRange,
    cache: Option<&'a PartialCache>,
    n_threads: usize,
    memory_bytes_max: usize,
    is_cancelled: bool,
}

impl<'a> Asking<'a> {
    fn of(query: &'a str, range: TimeRange, cache: Option<&'a PartialCache>) -> Self {
        Self { query, range, cache, n_threads: 2, memory_bytes_max: 1 << 28, is_cancelled: false }
    }

    fn with<T>(self, ask: impl FnOnce(EventSet<'_>) -> T) -> T {
        let (plan, cancelled) = (plan(self.query), AtomicBool::new(self.is_cancelled));
        let request = Request {
            range: self.range,
            limit: None,
            time_zone: Tz::UTC,
            now: Timestamp(0),
            memory_bytes_max: self.memory_bytes_max,
            deadline: None,
            cancelled: &cancelled,
            n_threads: self.n_threads,
            progress: None,
            support: Support { cache: self.cache, ..Support::default() },
        };
        ask(EventSet { plan: &plan, request: &request })
    }

    fn values(self, runs: &[Arc<dyn Run>]) -> ValueCounts {
        self.with(|set| value_counts(set.plan, runs, set.request)).expect("counts")
    }
}

fn conditions() -> Vec<Expr> {
    let equal = |name: &str, value: Value| {
        let (field, value) = (Expr::Field(name.into()), Expr::Literal(Some(value)));
        Expr::Compare(Comparison::Equal, Box::new(field), Box::new(value))
    };
    vec![
        equal("host", Value::text("h3")),
        equal("n", Value::Integer(50_001)),
        equal("@level", Value::text("error")),
        equal("host", Value::text("h4")),
        equal("id", Value::text(format!("{:x}", 100 * 7919))),
    ]
}

/// Everything that is known of the values of some events, in one order.
fn shown(counts: &ValueCounts) -> String {
    let field = |(name, field): (&Arc<str>, &crate::FieldCounts)| {
        let values: BTreeMap<_, _> = field.values_from(1).collect();
        format!("{name} {} {} {values:?} {:?}", field.n_events, field.is_cut, field.numbers.ordered())
    };
    let fields: Vec<String> = counts.fields.iter().map(field).collect();
    format!("{} {:?}\n{}", counts.n_events, counts.partial_reasons, fields.join("\n"))
}

/// Returns what is known of the values, conditions and patterns of some events.
fn everything(asking: Asking<'_>, runs: &[Arc<dyn Run>]) -> [String; 4] {
    let totals = asking.with(|set| condition_totals(set.plan, runs, set.request, &conditions()).expect("totals"));
    let ConditionCounts { n_events, sets, events, partial_reasons } =
        asking.with(|set| condition_counts(set.plan, runs, set.request, &conditions(), Reach::All).expect("counts"));
    let sets: BTreeMap<u64, u64> = sets.into_iter().collect();
    let events: Vec<Option<String>> = events.into_iter().map(|event| event.map(|event| event.id.to_string())).collect();
    let mut counted = String::new();
    let patterns = asking.with(|set| {
        let whole = plan("fields @message");
        let all = EventSet { plan: &whole, request: set.request };
        let mut choose = |totals: &[crate::PatternTotals<'_>]| {
            counted = format!("{totals:?}");
            (0..totals.len()).collect::<Vec<usize>>()
        };
        pattern_counts([set, all], runs, &mut choose).expect("patterns")
    });
    [
        shown(&asking.values(runs)),
        format!("{totals:?}"),
        format!("{n_events} {sets:?} {events:?} {partial_reasons:?}"),
        format!("{:?} {counted} {:?}", patterns.n_events, patterns.patterns),
    ]
}

#[test]
fn counts_are_the_same_with_and_without_a_cache_and_on_any_number_of_threads() {
    let (_, runs) = house();
    let cache = PartialCache::new(64 << 20);
    let ranges = [TimeRange::ALL, range(0, 40_000), range(5_000, 71_000), range(70_000, 80_400), range(9, 9)];
    for query in ["fields @message", "filter @level = 'error'", "filter n % 3 = 1 and host != 'h2'"] {
        for range in ranges {
            let plain = everything(Asking::of(query, range, None), &runs);
            for n_threads in [1, 3] {
                let asking = Asking { n_threads, ..Asking::of(query, range, Some(&cache)) };
                assert_eq!(everything(asking, &runs), plain, "{query} {range:?}");
            }
        }
    }
    assert!(cache.counts().n_hits > 0);
}

#[test]
fn what_is_kept_is_not_read_again_and_a_range_that_moves_reads_its_ends() {
    let run = stored(7, 0, 150_000);
    let runs: [Arc<dyn Run>; 1] = [run.clone()];
    let cache = PartialCache::new(64 << 20);
    let asking = |range| Asking::of("fields @message", range, Some(&cache));
    let whole = asking(TimeRange::ALL).values(&runs);
    let n_reads = run.n_reads.load(Relaxed);
    let again = asking(TimeRange::ALL).values(&runs);
    assert_eq!(run.n_reads.load(Relaxed), n_reads);
    assert_eq!(shown(&again), shown(&whole));
    assert_eq!((again.stats.events_cached, again.stats.events_matched), (150_000, 150_000));
    // The first eight blocks of ten are a part, which the range holds whole.
    let moved = asking(range(0, 140_000)).values(&runs);
    assert_eq!((moved.n_events, moved.stats.events_cached), (140_000, 8 * 16_384));
    assert_eq!(shown(&moved), shown(&Asking::of("fields @message", range(0, 140_000), None).values(&runs)));
}

#[test]
fn the_whole_is_found_counted_where_the_counts_of_its_parts_are_gone() {
    let stored_runs = [stored(7, 0, 150_000), stored(8, 150_000, 40_000)];
    let hot: Arc<dyn Run> = Arc::new(events(190_000, 300));
    let runs: Vec<Arc<dyn Run>> = stored_runs.iter().map(|run| run.clone() as Arc<dyn Run>).chain([hot]).collect();
    let n_reads = || stored_runs.iter().map(|run| run.n_reads.load(Relaxed)).sum::<usize>();
    // The counts of a part are too large for it, those of a field are not.
    let cache = PartialCache::new(640 << 10);
    for query in ["fields @message", "filter n % 3 = 1"] {
        let asking = |cache| Asking::of(query, TimeRange::ALL, cache);
        let whole = shown(&asking(None).values(&runs));
        assert_eq!(shown(&asking(Some(&cache)).values(&runs)), whole);
        let before = n_reads();
        assert_eq!(shown(&asking(Some(&cache)).values(&runs)), whole, "{query}");
        assert_eq!(n_reads(), before, "{query}: what never changes is not read again");
    }
}

#[test]
fn another_selection_reads_only_values_that_are_not_known() {
    let run = stored(7, 0, 20_000);
    let runs: [Arc<dyn Run>; 1] = [run.clone()];
    let cache = PartialCache::new(64 << 20);
    let asking = Asking::of("fields @message", TimeRange::ALL, Some(&cache));
    let totals = |conditions: &[Expr]| {
        let found = asking.with(|set| condition_totals(set.plan, &runs, set.request, conditions));
        found.expect("totals").totals
    };
    let all = conditions();
    let expected = [4_000, 0, totals(&all[2..3])[0], 4_000, 1];
    assert_eq!(totals(&all), expected);
    let n_reads = run.n_reads.load(Relaxed);
    assert_eq!(totals(&all[1..4]), expected[1..4]);
    assert_eq!(totals(&[]), [0; 0]);
    assert_eq!(run.n_reads.load(Relaxed), n_reads);
}

#[test]
fn events_that_were_deleted_are_not_counted_any_more() {
    let cache = PartialCache::new(64 << 20);
    let of_version = |version, n_events| -> [Arc<dyn Run>; 1] {
        let run = events(0, n_events);
        let info = RunInfo { key: Some(RunKey { segment: 1, run: 0, version }), ..run.info().clone() };
        [Arc::new(Stored { run, info, n_reads: Default::default(), is_damaged: AtomicBool::new(false) })]
    };
    let asking = Asking::of("filter host = 'h1'", TimeRange::ALL, Some(&cache));
    assert_eq!(asking.values(&of_version(0, 1_000)).n_events, 200);
    assert_eq!(asking.values(&of_version(1, 500)).n_events, 100);
}

#[test]
fn what_is_made_of_sets_is_found_by_the_same_sets_of_the_same_events_alone() {
    let cache = PartialCache::new(64 << 20);
    let of_version = |version| -> Arc<dyn Run> {
        let run = events(0, 1_000);
        let info = RunInfo { key: Some(RunKey { segment: 1, run: 0, version }), ..run.info().clone() };
        Arc::new(Stored { run, info, n_reads: Default::default(), is_damaged: AtomicBool::new(false) })
    };
    let (stored, hot): (Arc<dyn Run>, Arc<dyn Run>) = (of_version(0), Arc::new(events(0, 10)));
    let of = |kind: &str, query: &str, range: TimeRange, runs: &[Arc<dyn Run>], made: Option<u32>| {
        let asking = Asking::of(query, range, Some(&cache));
        let all = plan("fields @message");
        asking.with(|set| {
            let keeper = Keeper::of(kind, &[set, EventSet { plan: &all, ..set }], runs)?;
            made.into_iter().for_each(|made| keeper.keep(Arc::new(made), 4));
            keeper.find::<u32>().map(|made| *made)
        })
    };
    let (query, runs) = ("filter host = 'h1'", [stored.clone()]);
    assert_eq!(of("a", query, TimeRange::ALL, &runs, Some(7)), Some(7));
    // A range that has all events is the same, wherever it ends.
    assert_eq!(of("a", query, range(0, 5_000), &runs, None), Some(7));
    assert_eq!(of("b", query, TimeRange::ALL, &runs, None), None);
    assert_eq!(of("a", "filter host = 'h2'", TimeRange::ALL, &runs, None), None);
    assert_eq!(of("a", "fields @message", TimeRange::ALL, &runs, None), None);
    assert_eq!(of("a", query, range(0, 500), &runs, None), None);
    assert_eq!(of("a", query, TimeRange::ALL, &[of_version(1)], None), None);
    // What may still change is not kept.
    assert_eq!(of("a", query, TimeRange::ALL, &[stored, hot], Some(8)), None);
    assert_eq!(of("a", "filter @timestamp > now() - 5", TimeRange::ALL, &runs, Some(8)), None);
    assert_eq!(of("a", query, TimeRange::ALL, &[], Some(8)), None);
}

#[test]
fn damage_is_reported_and_not_kept() {
    let (stored, runs) = house();
    let cache = PartialCache::new(64 << 20);
    let asking = Asking::of("fields @message", TimeRange::ALL, Some(&cache));
    stored[1].is_damaged.store(true, Relaxed);
    let found = asking.values(&runs);
    assert_eq!((found.n_events, &found.partial_reasons[0].code), (80_500, &"damaged"));
    stored[1].is_damaged.store(false, Relaxed);
    assert_eq!(everything(asking, &runs), everything(Asking { cache: None, ..asking }, &runs));
}

#[test]
fn a_cancelled_question_keeps_nothing_and_says_that_it_is_partial() {
    let (_, runs) = house();
    let cache = PartialCache::new(64 << 20);
    let asking = Asking::of("fields @message", TimeRange::ALL, Some(&cache));
    let cancelled = Asking { is_cancelled: true, ..asking };
    let codes = |reasons: &[PartialReason]| reasons.iter().map(|reason| reason.code).collect::<Vec<_>>();
    assert_eq!(codes(&cancelled.values(&runs).partial_reasons), ["cancelled"]);
    let totals = cancelled.with(|set| condition_totals(set.plan, &runs, set.request, &conditions()).expect("totals"));
    assert_eq!(codes(&totals.partial_reasons), ["cancelled"]);
    assert_eq!(cache.counts().n_entries, 0);
    assert_eq!(asking.values(&runs).n_events, 80_500);
}

#[test]
fn counts_that_need_too_much_memory_are_refused() {
    let (_, runs) = house();
    let asking = Asking { memory_bytes_max: 50_000, ..Asking::of("fields @message", TimeRange::ALL, None) };
    let refused = asking.with(|set| value_counts(set.plan, &runs, set.request));
    assert!(matches!(refused, Err(ExecuteError::Memory { .. })), "{refused:?}");
}
