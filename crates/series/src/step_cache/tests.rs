//! What is kept is found again, and only where the samples are the same.

use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use chrono_tz::Tz;
use execute::{BlockVisitor, ExecuteError, PartialCache, Request, Support, visit_blocks};
use plan::Plan;
use types::{BatchRun, GroupName, GroupPattern, Run, SampleBuilder, Series, TimeRange, Timestamp};

use super::*;

const MINUTE: i64 = 60_000;

/// Runs in memory that remember what was asked for.
struct Blocks {
    runs: Mutex<Vec<Arc<dyn Run>>>,
    /// What a query reads, since it has begun.
    held: Mutex<Option<Vec<Arc<dyn Run>>>>,
    cache: PartialCache,
    asked: Mutex<Vec<TimeRange>>,
    reasons: Vec<String>,
    /// A run that comes when something is read.
    late: Mutex<Option<Arc<dyn Run>>>,
}

impl ReadBlocks for &Blocks {
    type Error = ExecuteError;

    fn read(
        &self,
        plan: &Plan,
        _: &[GroupPattern],
        range: TimeRange,
        visitor: &dyn BlockVisitor,
    ) -> Result<Vec<String>, ExecuteError> {
        self.asked.lock().expect("no panic").push(range);
        self.change(|runs| runs.extend(self.late.lock().expect("no panic").take()));
        let request = Request {
            range,
            limit: None,
            time_zone: Tz::UTC,
            now: Timestamp(0),
            memory_bytes_max: 1 << 30,
            deadline: None,
            cancelled: &AtomicBool::new(false),
            n_threads: 1,
            progress: None,
            support: Support::default(),
        };
        let now = || self.runs.lock().expect("no panic").clone();
        let runs = self.held.lock().expect("no panic").clone().unwrap_or_else(now);
        visit_blocks(plan, &runs, &request, visitor)?;
        Ok(self.reasons.clone())
    }

    fn hold(&self, _: &[GroupPattern], _: TimeRange) -> Option<(&PartialCache, Vec<Arc<dyn Run>>)> {
        let runs = self.runs.lock().expect("no panic").clone();
        *self.held.lock().expect("no panic") = Some(runs.clone());
        Some((&self.cache, runs))
    }
}

/// A run of samples of the series `a_total` with a label `i`: label, minute, value.
fn run(samples: &[(u32, i64, f64)]) -> Arc<dyn Run> {
    let mut builder = SampleBuilder::default();
    for (label, minute, value) in samples {
        let text = format!(r#"{{"__name__":"a_total","i":"{label}"}}"#);
        let series = Arc::new(Series::of_labels(&text).expect("labels"));
        builder.push(&series, Timestamp(minute * MINUTE * Timestamp::MILLISECOND), *value);
    }
    let mut batch = builder.finish();
    batch.sequences = (0..batch.len() as u64).collect();
    Arc::new(BatchRun::new(GroupName::new("metrics/test").expect("a valid name"), 1, Arc::new(batch)))
}

/// Returns the run of a minute: samples of two counters, the second from minute 41 on.
fn usual(minute: i64) -> Arc<dyn Run> {
    let mut samples = vec![(0, minute, minute as f64 * 3.0)];
    if minute > 40 {
        samples.push((1, minute, minute as f64 * 7.0));
    }
    run(&samples)
}

fn blocks() -> Blocks {
    let runs = (0..=100).map(usual).collect();
    let (held, asked, reasons, late) = Default::default();
    Blocks { runs: Mutex::new(runs), held, cache: PartialCache::new(1 << 24), asked, reasons, late }
}

impl Blocks {
    /// Asks for a range in minutes; returns the answer and how many minutes were read for it.
    fn ask(&self, text: &str, (start, end): (i64, i64)) -> (Answer, i64) {
        self.asked.lock().expect("no panic").clear();
        let query = promql::parse(text).expect("a query");
        let source = SampleSource::new(self, 1_000_000);
        let options = Options::default();
        let answer = source.range(&query, (start * MINUTE, end * MINUTE), MINUTE, &options).expect("an answer");
        self.let_go();
        let asked: i64 = self.asked.lock().expect("no panic").iter().map(|range| range.to.0 - range.from.0).sum();
        let whole = promql::range(&query, (start * MINUTE, end * MINUTE), MINUTE, &source, &options);
        assert_eq!(answer, whole.expect("an answer"), "{text} from {start} to {end}");
        (answer, asked / Timestamp::MILLISECOND / MINUTE)
    }

    /// Ends a query.
    fn let_go(&self) {
        self.held.lock().expect("no panic").take();
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Arc<dyn Run>>)) {
        change(&mut self.runs.lock().expect("no panic"));
    }
}

#[test]
fn a_minute_later_only_the_last_steps_are_evaluated() {
    for text in ["a_total", "sum(rate(a_total[3m]))", "max_over_time(sum(a_total)[5m:1m] offset 2m)", "time()"] {
        let blocks = blocks();
        blocks.ask(text, (3, 95));
        assert_eq!(blocks.ask(text, (3, 95)).1, 0, "{text}");
        for later in 96..=100 {
            let (answer, read) = blocks.ask(text, (later - 92, later));
            assert!(read <= 3 + 9, "{text}: {read} minutes are read");
            assert!(matches!(answer.data, Data::Matrix(rows) if !rows.is_empty()));
        }
    }
}

#[test]
fn a_sample_that_comes_late_is_in_the_next_answer() {
    let blocks = blocks();
    let text = "sum by (i) (increase(a_total[3m]))";
    blocks.ask(text, (0, 95));
    blocks.change(|runs| runs.push(run(&[(2, 50, 1.0), (2, 51, 9.0)])));
    let (_, read) = blocks.ask(text, (0, 95));
    assert!((16..=60).contains(&read), "{read} minutes");
    // Its run is written again, together with others.
    blocks.change(|runs| {
        runs.pop();
        runs.push(run(&[(2, 50, 1.0), (2, 51, 9.0), (2, 52, 20.0)]));
    });
    blocks.ask(text, (0, 95));
}

#[test]
fn samples_that_are_gone_are_in_no_answer() {
    let blocks = blocks();
    blocks.ask("a_total", (0, 95));
    blocks.change(|runs| drop(runs.remove(30)));
    blocks.ask("a_total", (0, 95));
    blocks.change(|runs| runs.truncate(1));
    blocks.ask("a_total", (0, 95));
    blocks.change(Vec::clear);
    let (answer, _) = blocks.ask("a_total", (0, 95));
    assert_eq!(answer.data, Data::Matrix(Vec::new()));
}

#[test]
fn other_questions_have_other_answers() {
    let blocks = blocks();
    blocks.ask("a_total", (0, 95));
    blocks.ask("a_total{i=\"1\"}", (0, 95));
    // Steps at other times.
    let query = promql::parse("a_total").expect("a query");
    let source = SampleSource::new(&blocks, 1_000_000);
    for (start, step) in [(0, MINUTE), (1, MINUTE), (1, 2 * MINUTE), (0, 2 * MINUTE), (7, 30_000)] {
        for lookback in [MINUTE, 5 * MINUTE] {
            let options = Options { lookback, ..Options::default() };
            let ask = || source.range(&query, (start, start + 90 * MINUTE), step, &options).expect("an answer");
            let whole = promql::range(&query, (start, start + 90 * MINUTE), step, &source, &options);
            assert_eq!([ask(), ask()], [(); 2].map(|()| whole.clone().expect("an answer")));
        }
    }
}

#[test]
fn answers_that_may_lack_samples_or_have_remarks_are_not_kept() {
    let damaged = Blocks { reasons: vec!["a block is damaged".into()], ..blocks() };
    let (_, first) = damaged.ask("a_total", (0, 95));
    assert_eq!(damaged.ask("a_total", (0, 95)).1, first);
    // A gauge by its name.
    let remarked = blocks();
    remarked.change(|runs| runs.push(run(&[(9, 20, f64::NAN)])));
    let text = "quantile(2, a_total)";
    let (answer, first) = remarked.ask(text, (0, 95));
    assert!(!answer.annotations.warnings.is_empty());
    assert_eq!(remarked.ask(text, (0, 95)).1, first);
}

#[test]
fn what_comes_while_a_query_runs_is_in_the_next_answer() {
    let blocks = Blocks { late: Mutex::new(Some(run(&[(5, 50, 1.0)]))), ..blocks() };
    let query = promql::parse("a_total").expect("a query");
    let source = SampleSource::new(&blocks, 1_000_000);
    let n_series = |answer: &Answer| match &answer.data {
        Data::Matrix(rows) => rows.len(),
        _ => 0,
    };
    let answer = source.range(&query, (0, 95 * MINUTE), MINUTE, &Options::default()).expect("an answer");
    assert_eq!(n_series(&answer), 2);
    blocks.let_go();
    let (answer, read) = blocks.ask("a_total", (0, 95));
    assert_eq!(n_series(&answer), 3);
    assert!(read < 60, "{read} minutes");
    // It goes again, so that the runs are those of before.
    blocks.change(|runs| drop(runs.pop()));
    blocks.ask("a_total", (0, 95));
}

#[test]
fn a_range_that_reaches_further_on_both_sides_evaluates_what_is_new() {
    let blocks = blocks();
    blocks.ask("a_total", (20, 60));
    let (_, read) = blocks.ask("a_total", (10, 70));
    assert!((20..40).contains(&read), "{read} minutes");
    assert_eq!(blocks.ask("a_total", (10, 70)).1, 0);
    assert_eq!(blocks.ask("a_total", (15, 65)).1, 0);
    assert_eq!(blocks.ask("a_total", (10, 70)).1, 0);
}

#[test]
fn ranges_of_other_lengths_do_not_replace_each_other() {
    let blocks = blocks();
    for _ in 0..2 {
        blocks.ask("a_total", (0, 95));
        blocks.ask("a_total", (70, 95));
    }
    assert_eq!(blocks.ask("a_total", (0, 95)).1, 0);
    assert_eq!(blocks.ask("a_total", (70, 95)).1, 0);
}

/// Numbers that need only be different, from a seed: Knuth's MMIX generator.
struct Draws(u64);

impl Draws {
    fn below(&mut self, bound: u64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % bound) as i64
    }
}

#[test]
fn whatever_comes_and_goes_answers_are_those_without_a_cache() {
    for seed in 0..40 {
        let (blocks, mut draws) = (blocks(), Draws(seed));
        for _ in 0..20 {
            match draws.below(4) {
                0 => blocks.change(|runs| drop(runs.remove(draws.below(runs.len() as u64) as usize))),
                1 => {
                    let (minute, value) = (draws.below(101), draws.below(1_000) as f64);
                    blocks.change(|runs| runs.push(run(&[(3, minute, value), (4, minute + draws.below(9), value)])));
                }
                _ => {}
            }
            let start = draws.below(80);
            let end = start + draws.below(60);
            for text in ["a_total", "sum(increase(a_total[4m] offset 3m))", "a_total offset -5m"] {
                // The answer is compared with one that is evaluated as a whole.
                blocks.ask(text, (start, end));
            }
        }
    }
}

#[test]
fn while_samples_arrive_out_of_order_a_subquery_sees_all_that_have_arrived() {
    let text = "max_over_time(rate(a_total[4m])[30m:1m])";
    for seed in 0..3 {
        let (blocks, mut draws) = (blocks(), Draws(seed));
        blocks.change(Vec::clear);
        let mut waiting: Vec<(u32, i64, f64)> = Vec::new();
        for now in 0..120 {
            waiting.extend((0..3).map(|label| (label, now, (now * now + draws.below(50)) as f64)));
            // Some senders are late by minutes, so that older samples come after newer ones.
            let (sent, left): (Vec<_>, Vec<_>) = waiting.drain(..).partition(|_| draws.below(3) > 0);
            waiting = left;
            if !sent.is_empty() {
                blocks.change(|runs| runs.push(run(&sent)));
            }
            if now % 20 == 19 {
                // A flush puts the samples of many runs into one.
                let (first, last) = (now - 19, now);
                let merged: Vec<_> =
                    (0..3).flat_map(|label| (first..=last).map(move |at| (label, at, at as f64))).collect();
                blocks.change(|runs| *runs = vec![run(&merged)]);
            }
            // The answer is compared with one that is evaluated as a whole.
            blocks.ask(text, ((now - 40).max(0), now.max(20)));
        }
    }
}
