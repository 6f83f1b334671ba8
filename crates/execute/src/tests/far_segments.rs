//! Segments that are far away bring what searching takes before it is their turn.

use std::sync::{Arc, Mutex};

use types::{Column, MinuteCounts, Narrowed, RowSet, Run, RunInfo, RunKey, ScanError, TextProbe};

use super::{Asked, hot, said_by_its_run, shown};

/// How many segments are expected before they are searched.
const N_AHEAD: usize = 12;

/// What happened, in order: a segment was expected, or searched.
type Log = Arc<Mutex<Vec<(&'static str, u128)>>>;

/// The only run of a far segment.
struct Far {
    run: Arc<dyn Run>,
    info: RunInfo,
    log: Log,
}

impl Far {
    fn note(&self, what: &'static str) {
        let segment = self.info.key.map_or(0, |key| key.segment);
        self.log.lock().expect("no panic").push((what, segment));
    }
}

impl Run for Far {
    fn info(&self) -> &RunInfo {
        &self.info
    }

    said_by_its_run!();

    fn minutes(&self) -> Result<Option<Vec<MinuteCounts>>, ScanError> {
        self.run.minutes()
    }

    fn is_far(&self) -> bool {
        true
    }

    fn expect_search(&self, blocks: &[usize]) {
        assert_eq!(blocks, [0]);
        self.note("expected");
    }

    fn narrow(&self, block: usize, probe: &TextProbe<'_>) -> Result<Narrowed, ScanError> {
        self.note("searched");
        self.run.narrow(block, probe)
    }

    fn read(&self, block: usize, names: &[&str], rows: &RowSet) -> Result<Vec<Column>, ScanError> {
        self.run.read(block, names, rows)
    }
}

/// Thirty segments of ten events each.
fn far_runs(log: &Log) -> Vec<Arc<dyn Run>> {
    let far = |number: i64| -> Arc<dyn Run> {
        let run = hot(number * 10, 10);
        let key = Some(RunKey { segment: number as u128, run: 0, version: 0 });
        let info = RunInfo { key, ..run.info().clone() };
        Arc::new(Far { run, info, log: log.clone() })
    };
    (0..30).map(far).collect()
}

#[test]
fn a_search_expects_some_segments_before_the_one_that_it_begins() {
    let log = Log::default();
    let answer = Asked::default().answer("fields n | filter @message like \"message 57 \"", &far_runs(&log));
    assert_eq!(shown(&answer.expect("an answer")), ["57"]);
    let log = log.lock().expect("no panic");
    let n_before = log.iter().take_while(|(what, _)| *what == "expected").count();
    assert!(n_before > N_AHEAD, "{n_before} segments were expected when the first was searched");
    let expected: Vec<u128> = log.iter().filter(|(what, _)| *what == "expected").map(|(_, segment)| *segment).collect();
    assert_eq!(expected, (0..30).rev().collect::<Vec<_>>(), "each once, newest first");
    for (place, (what, segment)) in log.iter().enumerate() {
        assert!(*what != "searched" || log[..place].contains(&("expected", *segment)), "{segment} came by surprise");
    }
}

#[test]
fn what_is_not_going_to_be_searched_is_not_expected() {
    let log = Log::default();
    let runs = far_runs(&log);
    Asked::default().answer("stats count(*) by host", &runs).expect("an answer");
    assert!(log.lock().expect("no panic").is_empty());
    Asked::default().answer("fields n | filter @message like \"message\" | limit 1", &runs).expect("an answer");
    let n_expected = log.lock().expect("no panic").iter().filter(|(what, _)| *what == "expected").count();
    assert!(n_expected < 20, "{n_expected} segments were expected for one row");
}
