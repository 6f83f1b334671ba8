//! What an answer promises next to its rows: order, limits, partial answers, and that no shortcut changes it.

mod addresses;
mod budget;
mod counts;
mod far_segments;
mod indexes;
mod kept_counts;
mod let_go;
mod matched_fields;
mod shared;
mod shortcuts;
pub(super) mod stored;
mod threads;
mod unknown_fields;

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::time::Instant;

use chrono_tz::Tz;
use language::{ParseOptions, parse_insights};
use plan::Plan;
use types::{
    Batch, BatchBuilder, BatchRun, Column, GroupName, Level, MinuteCounts, Narrowed, Numbers, RowSet, Run, RunInfo,
    ScanError, TextProbe, TimeRange, Timestamp, Value,
};

use super::*;

/// What a run of a test that differs from its field `run` in other things says as that one does.
macro_rules! said_by_its_run {
    () => {
        fn n_blocks(&self) -> usize {
            self.run.n_blocks()
        }

        fn block_rows(&self, block: usize) -> usize {
            self.run.block_rows(block)
        }

        fn block_times(&self, block: usize) -> (types::Timestamp, types::Timestamp) {
            self.run.block_times(block)
        }

        fn fields(&self) -> Result<Vec<types::FieldSummary>, types::ScanError> {
            self.run.fields()
        }
    };
}

pub(super) use said_by_its_run;

const SECOND: i64 = Timestamp::SECOND;

pub(super) fn plan(text: &str) -> Plan {
    parse_insights(text, &ParseOptions { now: Timestamp(0), time_zone: Tz::UTC }).expect("a valid query")
}

/// Events one second apart from `start` on; `n` counts them from `start` too.
fn batch(start: i64, n_events: i64) -> Batch {
    let mut builder = BatchBuilder::new();
    for n in start..start + n_events {
        builder.set_timestamp(Timestamp(n * SECOND));
        builder.set_message(&format!("message {n} of worker-{}", n % 7));
        builder.set_level(Level::of_code((n % 8) as u8));
        builder.field_integer("n", n);
        builder.field_text("host", &format!("h{}", n % 5));
        builder.commit();
    }
    let mut batch = builder.finish();
    batch.sequences = (start as u64..(start + n_events) as u64).collect();
    batch
}

fn run(start: i64, n_events: i64) -> BatchRun {
    BatchRun::new(GroupName::new("g").expect("a valid name"), 1, Arc::new(batch(start, n_events)))
}

fn hot(start: i64, n_events: i64) -> Arc<dyn Run> {
    Arc::new(run(start, n_events))
}

pub(super) struct Asked {
    range: TimeRange,
    limit: Option<usize>,
    memory_bytes_max: usize,
    deadline: Option<Instant>,
    cancelled: bool,
}

impl Default for Asked {
    fn default() -> Self {
        Self { range: TimeRange::ALL, limit: None, memory_bytes_max: 1 << 26, deadline: None, cancelled: false }
    }
}

impl Asked {
    pub(super) fn with<T>(&self, ask: impl FnOnce(&Request<'_>) -> T) -> T {
        let cancelled = AtomicBool::new(self.cancelled);
        ask(&Request {
            range: self.range,
            limit: self.limit,
            time_zone: Tz::UTC,
            now: Timestamp(0),
            memory_bytes_max: self.memory_bytes_max,
            deadline: self.deadline,
            cancelled: &cancelled,
            n_threads: 2,
            progress: None,
            support: Support::default(),
        })
    }

    pub(super) fn answer(&self, text: &str, runs: &[Arc<dyn Run>]) -> Result<Answer, ExecuteError> {
        self.with(|request| execute(&plan(text), runs, request))
    }
}

pub(super) fn shown(answer: &Answer) -> Vec<String> {
    let cell = |value: &Option<Value>| value.as_ref().map_or("-".into(), ToString::to_string);
    answer.rows.iter().map(|row| row.iter().map(cell).collect::<Vec<_>>().join(" ")).collect()
}

fn check(text: &str, runs: &[Arc<dyn Run>], expected: &[&str]) {
    assert_eq!(shown(&Asked::default().answer(text, runs).expect("an answer")), expected, "{text}");
}

/// What a wrapped run does differently.
#[derive(Clone, Copy, PartialEq)]
enum Quirk {
    /// Its first block cannot be read.
    Damaged,
    /// Reading it is a defect.
    Panics,
    /// It keeps no counts by minute.
    NoMinutes,
    /// Its index knows exactly which rows hold a text.
    Indexed,
}

struct Wrapped {
    run: BatchRun,
    quirk: Quirk,
    n_probes: AtomicUsize,
}

impl Wrapped {
    fn new(run: BatchRun, quirk: Quirk) -> Arc<Self> {
        Arc::new(Self { run, quirk, n_probes: AtomicUsize::new(0) })
    }
}

impl Run for Wrapped {
    fn info(&self) -> &RunInfo {
        self.run.info()
    }

    said_by_its_run!();

    fn minutes(&self) -> Result<Option<Vec<MinuteCounts>>, ScanError> {
        if self.quirk == Quirk::NoMinutes { Ok(None) } else { self.run.minutes() }
    }

    fn narrow(&self, block: usize, probe: &TextProbe<'_>) -> Result<Narrowed, ScanError> {
        self.n_probes.fetch_add(1, Relaxed);
        if self.quirk != Quirk::Indexed {
            return self.run.narrow(block, probe);
        }
        let name = match probe.field {
            types::ProbeField::Named(name) => name,
            _ => "@message",
        };
        let column = self.run.read(block, &[name], &RowSet::all(self.block_rows(block)))?.remove(0);
        let holds = |row| match column.value(row) {
            Some(Value::String(text)) if probe.ignores_case => text.to_lowercase().contains(probe.literal),
            Some(value) => value.to_string().contains(probe.literal),
            None => false,
        };
        Ok(Narrowed { rows: RowSet::of(self.block_rows(block), holds), exact: true })
    }

    fn read(&self, block: usize, names: &[&str], rows: &RowSet) -> Result<Vec<Column>, ScanError> {
        match self.quirk {
            Quirk::Damaged if block == 0 => {
                Err(ScanError { file: "segments/x.seg".into(), offset: 7, problem: "checksum mismatch".into() })
            }
            Quirk::Panics => panic!("a defect"),
            _ => self.run.read(block, names, rows),
        }
    }
}

#[test]
fn newest_rows_come_first_and_older_blocks_stay_unread() {
    let runs = [hot(0, 50_000), hot(50_000, 50_000)];
    let answer = Asked::default().answer("fields n | limit 3", &runs).expect("an answer");
    assert_eq!(shown(&answer), ["99999", "99998", "99997"]);
    assert!(answer.stats.events_scanned < 20_000, "{:?}", answer.stats);
    assert_eq!(answer.ids.map(|ids| ids.len()), Some(3));
}

#[test]
fn equal_times_are_ordered_by_acceptance_whatever_the_run() {
    let mut later = batch(0, 3);
    later.sequences = vec![10, 11, 12].into();
    later.timestamps = Numbers::same(0, 3);
    let mut earlier = batch(5, 3);
    earlier.sequences = vec![1, 2, 3].into();
    earlier.timestamps = Numbers::same(0, 3);
    let name = GroupName::new("g").expect("a valid name");
    let run = |batch| -> Arc<dyn Run> { Arc::new(BatchRun::new(name.clone(), 1, Arc::new(batch))) };
    let runs = [run(earlier), run(later)];
    check("fields n", &runs, &["2", "1", "0", "7", "6", "5"]);
    check("fields n | limit 2", &runs, &["2", "1"]);
    check("fields n | sort @timestamp asc | limit 4", &runs, &["2", "1", "0", "7"]);
    check("stats first(n) as f, last(n) as l, list(n) as all", &runs, &["2 5 [2,1,0,7,6,5]"]);
}

#[test]
fn a_default_limit_cuts_events_and_says_so_but_never_groups() {
    let runs = [hot(0, 100)];
    let asked = Asked { limit: Some(10), ..Asked::default() };
    let cut = |text| asked.answer(text, &runs).map(|answer| (answer.rows.len(), answer.more)).expect("an answer");
    assert_eq!(cut("fields n"), (10, true));
    assert_eq!(cut("fields n | sort host"), (10, true));
    assert_eq!(cut("filter n < 10"), (10, false));
    assert_eq!(cut("limit 20"), (20, false));
    assert_eq!(cut("dedup n"), (10, true));
    assert_eq!(cut("dedup host"), (5, false));
    assert_eq!(cut("stats count(*) by n"), (100, false));
}

#[test]
fn a_cancelled_or_late_query_answers_in_part_and_says_why() {
    let runs = [hot(0, 100)];
    let cancelled = Asked { cancelled: true, ..Asked::default() };
    let late = Asked { deadline: Some(Instant::now()), ..Asked::default() };
    for (asked, code) in [(cancelled, "cancelled"), (late, "timeout")] {
        for text in ["fields n", "stats count(n) as c", "sort host"] {
            let answer = asked.answer(text, &runs).expect("an answer");
            assert_eq!(answer.partial_reasons.first().map(|reason| reason.code), Some(code), "{text}");
        }
    }
}

#[test]
fn a_damaged_block_is_named_and_the_rest_is_answered() {
    let damaged: Arc<dyn Run> = Wrapped::new(run(0, 20_000), Quirk::Damaged);
    let runs = [damaged, hot(20_000, 10)];
    let answer = Asked::default().answer("stats count(n) as c", &runs).expect("an answer");
    assert_eq!(shown(&answer), [(20_000 - 16_384 + 10).to_string()]);
    let reason = answer.partial_reasons.first().expect("a reason");
    assert_eq!(reason.code, "damaged");
    assert!(reason.message.contains("segments/x.seg"), "{}", reason.message);
    assert_eq!(answer.partial_reasons.len(), 1);
}

#[test]
fn a_query_that_needs_too_much_memory_is_an_error() {
    let runs = [hot(0, 50_000)];
    let asked = Asked { memory_bytes_max: 1 << 20, ..Asked::default() };
    for text in ["stats count(*) by n", "stats list(@message)", "fields @message", "sort @message", "stats values(n)"] {
        let answer = asked.answer(text, &runs);
        assert!(matches!(answer, Err(ExecuteError::Memory { .. })), "{text}: {answer:?}");
    }
    assert!(asked.answer("stats count(*) by host", &runs).is_ok());
    assert!(asked.answer("sort @message | limit 10", &runs).is_ok());
}

#[test]
fn texts_that_a_query_makes_are_its_memory_while_they_are_there() {
    let runs = [hot(0, 50_000)];
    let asked = Asked { memory_bytes_max: 16 << 20, ..Asked::default() };
    let doubled = |n_times: usize| {
        let steps = (0..n_times).map(|n| format!("fields concat(m{n}, m{n}) as m{}", n + 1));
        let steps: Vec<String> = steps.collect();
        format!("fields @message as m0 | {} | stats max(strlen(m{n_times}))", steps.join(" | "))
    };
    let nested = |n_times: usize| {
        let text = (0..n_times).fold("@message".to_owned(), |text, _| format!("concat({text}, {text})"));
        format!("stats max(strlen({text}))")
    };
    for text in [doubled(10), nested(7)] {
        let answer = asked.answer(&text, &runs);
        assert!(matches!(answer, Err(ExecuteError::Memory { .. })), "{text}: {answer:?}");
    }
    // What was made for a block, or for a part of an expression, is given back.
    let parts: Vec<String> = (0..20).map(|n| format!("strlen(upper(concat(@message, \"{n}\")))")).collect();
    assert!(asked.answer(&format!("stats max({})", parts.join(" + ")), &runs).is_ok());
    assert!(asked.answer(&doubled(2), &runs).is_ok());
}

#[test]
fn a_defect_in_one_query_is_its_error_and_nothing_else() {
    let broken: Arc<dyn Run> = Wrapped::new(run(0, 10), Quirk::Panics);
    let answer = Asked::default().answer("fields n", &[broken]);
    assert!(matches!(answer, Err(ExecuteError::Panicked)), "{answer:?}");
}

#[test]
fn counts_kept_by_minute_and_counts_of_events_agree() {
    let kept = [hot(0, 10_000)];
    let scanned: [Arc<dyn Run>; 1] = [Wrapped::new(run(0, 10_000), Quirk::NoMinutes)];
    for (from, to) in
        [(i64::MIN, i64::MAX), (90 * SECOND, 5_000 * SECOND), (61 * SECOND, 70 * SECOND), (7, 60 * SECOND)]
    {
        let asked = Asked { range: TimeRange { from: Timestamp(from), to: Timestamp(to) }, ..Asked::default() };
        for text in [
            "stats count(*) as n by @level",
            "stats count(*) as n by bin(5m), @level",
            "stats count(*) as n",
            "stats count(*) as n by bin(1h), @log",
        ] {
            let (kept, scanned) = (asked.answer(text, &kept), asked.answer(text, &scanned));
            let (kept, scanned) = (kept.expect("an answer"), scanned.expect("an answer"));
            assert_eq!(shown(&kept), shown(&scanned), "{text} {from} {to}");
            assert_eq!(kept.stats.events_matched, scanned.stats.events_matched, "{text} {from} {to}");
        }
    }
}

#[test]
fn an_index_changes_what_a_query_costs_and_not_what_it_answers() {
    let plain = [hot(0, 20_000)];
    for (text, is_asked) in [
        ("filter @message like \"message 1999\" | fields n", true),
        ("filter @message like /MESSAGE 1999/i | fields n", true),
        ("filter host = \"h3\" | stats count(*) as c", false),
        ("filter @message = \"message 77 of worker-0\" | fields n", true),
        ("filter not @message like \"worker-3\" | stats count(*) as c", false),
        ("filter @message like \"worker-3\" or n = 5 | stats count(*) as c", false),
        ("parse @message \"of *\" as host | filter host = \"worker-3\" | stats count(*) as c", false),
        ("message 1999", true),
    ] {
        let indexed = Wrapped::new(run(0, 20_000), Quirk::Indexed);
        let as_run: Arc<dyn Run> = indexed.clone();
        let with_index = Asked::default().answer(text, &[as_run]).expect("an answer");
        let without = Asked::default().answer(text, &plain).expect("an answer");
        assert_eq!(shown(&with_index), shown(&without), "{text}");
        assert_eq!(indexed.n_probes.load(Relaxed) > 0, is_asked, "{text}");
        // What is sought in every field is narrowed down field by field: no event is ruled out by that.
        assert_eq!(with_index.stats.events_skipped > 0, is_asked && text.starts_with("filter"), "{text}");
        assert_eq!(without.stats.events_skipped, 0, "{text}");
    }
}

#[test]
fn an_explanation_counts_what_all_indexes_together_leave() {
    let indexed: Arc<dyn Run> = Wrapped::new(run(0, 20_000), Quirk::Indexed);
    let plan = plan("filter @message like \"message 1000\" and @message like \"of worker-3\"");
    let found = Asked::default().with(|request| explain(&plan, &[indexed], request)).expect("an explanation");
    // Messages 1000 and 10000 to 10009, of which one is of that worker; none lies in the second block.
    assert_eq!((found.n_blocks, found.n_blocks_asked, found.n_blocks_possible), (2, 2, 1), "{found}");
    assert_eq!(found.n_events_possible, 1, "{found}");
    let mut of_index: Vec<u64> =
        found.steps.iter().filter_map(|step| step.index.as_ref()).map(|index| index.n_events).collect();
    of_index.sort_unstable();
    assert_eq!(of_index, [11, 2_857]);
}

#[test]
fn sorts_keep_the_order_of_ties_and_only_read_what_is_shown() {
    let runs = [hot(0, 10), hot(10, 10)];
    check("fields n | sort host desc, n asc | limit 3", &runs, &["4", "9", "14"]);
    check("fields n, host | sort host | limit 2", &runs, &["15 h0", "10 h0"]);
    check("sort n desc | sort host | fields n | limit 2", &runs, &["15", "10"]);
    check("limit 3 | sort n | fields n", &runs, &["17", "18", "19"]);
    check("sort n | filter n > 3 | fields n | limit 1", &runs, &["4"]);
    check("fields n | tail 2", &runs, &["1", "0"]);
    check("sort @level desc | fields n | limit 1", &runs, &["14"]);
    check("fields -n as n | sort n | limit 1", &runs, &["-19"]);
}

#[test]
fn a_histogram_covers_its_range_and_counts_each_event_once() {
    let runs = [hot(0, 600)];
    let range = TimeRange { from: Timestamp(30 * SECOND), to: Timestamp(330 * SECOND) };
    let asked = Asked { range, ..Asked::default() };
    let histogram =
        asked.with(|request| histogram(&plan("filter host = \"h0\" | limit 5"), &runs, request, 5, "@level"));
    let histogram = histogram.expect("a histogram");
    assert_eq!(histogram.interval_ns, 60 * SECOND);
    let totals: Vec<u64> = histogram.buckets.iter().map(|bucket| bucket.total).collect();
    assert_eq!(totals, [6, 12, 12, 12, 12, 6]);
    assert_eq!(histogram.buckets.first().map(|bucket| bucket.range.from), Some(range.from));
    assert_eq!(histogram.buckets.last().map(|bucket| bucket.range.to), Some(range.to));
    for bucket in &histogram.buckets {
        assert_eq!(bucket.by.values().sum::<u64>(), bucket.total);
    }
}

#[test]
fn fields_and_their_values_are_counted() {
    let runs = [hot(0, 100), hot(100, 100)];
    let summaries = field_summaries(&runs, TimeRange::ALL);
    let fields: Vec<(&str, u64, Option<u64>, bool)> =
        summaries.fields.iter().map(|f| (&*f.name, f.n_events, f.n_distinct, f.approximate)).collect();
    assert_eq!(fields, [("host", 200, Some(5), false), ("n", 200, Some(200), false)]);
    let values = Asked::default()
        .with(|request| field_values(&plan("filter n < 10"), &runs, request, "host", 2))
        .expect("an answer");
    assert_eq!((values.n_distinct, values.n_events), (5, 10));
    let first = values.values.first().expect("a value");
    assert_eq!((first.value.to_string(), first.count, first.share), ("h0".into(), 2, 0.2));
}

#[test]
fn a_live_tail_takes_row_wise_queries_only() {
    let tail = Tail::new(&plan("filter n > 7 | fields n, host"), Tz::UTC).expect("a row-wise query");
    let rows = tail.rows(hot(0, 10), Timestamp(0)).expect("memory cannot fail");
    assert_eq!(tail.columns(), ["n", "host"]);
    assert_eq!(rows.rows.len(), 2);
    assert_eq!(rows.rows[0][0], Some(Value::Integer(8)));
    assert_eq!(rows.ids.len(), 2);
    let refused = Tail::new(&plan("stats count(*)"), Tz::UTC).expect_err("needs an end");
    assert!(refused.to_string().starts_with("stats"), "{refused}");
}

#[test]
fn estimates_are_marked_wherever_they_are_shown() {
    let runs = [hot(0, 20_000)];
    let answer = Asked::default()
        .answer("stats count_distinct(n) as d, pct(n, 50) as p, max(n) as m | fields d * 2 as dd, p, m", &runs);
    let flags: Vec<bool> = answer.expect("an answer").columns.iter().map(|column| column.approximate).collect();
    assert_eq!(flags, [true, true, false]);
}

#[test]
fn events_are_selected_by_id_from_all_runs_and_no_further_than_wanted() {
    let runs = [hot(0, 20_000), hot(20_000, 10)];
    let select = |text: &str, most: usize| {
        let found = std::sync::Mutex::new(Vec::new());
        let take = |ids: &[types::EventId]| {
            let mut found = found.lock().expect("nobody panics");
            found.extend(ids.iter().map(|id| id.sequence));
            found.len() < most
        };
        let plan =
            language::parse_deletion(text, &ParseOptions { now: Timestamp(0), time_zone: Tz::UTC }).expect("valid");
        let selected = Asked::default().with(|request| select_events(&plan, &runs, request, &take)).expect("an answer");
        assert!(selected.partial_reasons.is_empty());
        let mut found = found.into_inner().expect("nobody panics");
        found.sort_unstable();
        found
    };
    let expected: Vec<u64> = (0..20_010).filter(|n| n % 5 == 3 && n % 7 == 2).collect();
    let parsed = "parse @message \"* of worker-*\" as what, worker | filter host = \"h3\" and worker = \"2\"";
    assert_eq!(select(parsed, usize::MAX), expected);
    assert_eq!(select("fields @timestamp", usize::MAX).len(), 20_010);
    assert!(select("fields @timestamp", 1).len() < 20_010);
    assert!(select("filter host = \"h9\"", usize::MAX).is_empty());
    let counts = plan("stats count(*)");
    let refused = Asked::default().with(|request| select_events(&counts, &runs, request, &|_| true));
    assert!(matches!(refused, Err(ExecuteError::NoProjection)));
}

#[test]
fn an_explanation_names_the_stages_and_what_the_index_leaves() {
    let runs = [hot(0, 40)];
    let explained =
        |text: &str| Asked::default().with(|request| explain(&plan(text), &runs, request)).expect("an explanation");
    let stages = |text: &str| -> Vec<String> {
        explained(text).steps.iter().map(|step| format!("{} {}", step.stage.name(), step.operator)).collect()
    };
    assert_eq!(
        stages(
            "eval m = n * 2 | filter @message like \"worker-3\" and n > 5 | stats sum(m) as s by n | sort s desc | limit 3"
        ),
        [
            "block filter (n > 5)",
            "block filter (@message like \"worker-3\")",
            "block extend m = (n * 2)",
            "merge aggregate s = sum(m) by n = n",
            "rows sort s desc",
            "rows limit 3",
            "rows rows n, s"
        ]
    );
    assert_eq!(
        stages("fields n, n + 1 as next | sort n | limit 3 | filter next > 2"),
        [
            "merge sort n",
            "merge limit 3",
            "rows extend next = (n + 1)",
            "rows filter (next > 2)",
            "rows events n, next"
        ]
    );
    let found = explained("filter @message like \"worker-3\"");
    let index = found.steps[0].index.as_ref().expect("the index is asked");
    assert_eq!((index.field.as_str(), index.literal.as_str(), index.is_exact), ("@message", "worker-3", true));
    assert!(found.n_events_possible >= 6 && found.n_events_possible == index.n_events, "{found}");
    assert_eq!((found.n_events, found.uses_counts), (40, false));
    assert!(explained("stats count(*) by bin(5m)").uses_counts);
    assert!(!explained("filter n > 5 | stats count(*) by bin(5m)").uses_counts);
}
