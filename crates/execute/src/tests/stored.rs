//! Runs as segments give them, which count what is read of them, and hot events next to them.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicUsize};

use chrono_tz::Tz;
use language::{ParseOptions, parse_insights};
use plan::Plan;
use types::{
    BatchBuilder, BatchRun, Column, GroupName, Level, MinuteCounts, Narrowed, RowSet, Run, RunInfo, RunKey, ScanError,
    TextProbe, TimeRange, Timestamp,
};

use super::said_by_its_run;
use crate::answers::run::execute;
use crate::request::answer::Answer;
use crate::request::cache::PartialCache;
use crate::request::parameters::{Request, Support, TakeRows};

/// A run that never changes, as a segment holds them.
pub(crate) struct Stored {
    pub(crate) run: BatchRun,
    pub(crate) info: RunInfo,
    pub(crate) n_reads: AtomicUsize,
    pub(crate) is_damaged: AtomicBool,
}

impl Run for Stored {
    fn info(&self) -> &RunInfo {
        &self.info
    }

    said_by_its_run!();

    fn minutes(&self) -> Result<Option<Vec<MinuteCounts>>, ScanError> {
        self.run.minutes()
    }

    fn narrow(&self, block: usize, probe: &TextProbe<'_>) -> Result<Narrowed, ScanError> {
        self.run.narrow(block, probe)
    }

    fn read(&self, block: usize, names: &[&str], rows: &RowSet) -> Result<Vec<Column>, ScanError> {
        self.n_reads.fetch_add(1, Relaxed);
        if self.is_damaged.load(Relaxed) {
            return Err(ScanError { file: "a.seg".into(), offset: 7, problem: "bad checksum".into() });
        }
        self.run.read(block, names, rows)
    }
}

pub(crate) fn events(start: i64, n_events: i64) -> BatchRun {
    let mut builder = BatchBuilder::new();
    for n in start..start + n_events {
        builder.set_timestamp(Timestamp(n * Timestamp::SECOND));
        builder.set_message(&format!("message {n} of worker-{}", n % 7));
        builder.set_level(Level::of_code((n % 8) as u8));
        builder.field_integer("n", n);
        builder.field_float("ms", n as f64 / 7.0);
        builder.field_text("host", &format!("h{}", n % 5));
        builder.field_text("id", &format!("{:x}", n * 7919));
        builder.commit();
    }
    let mut batch = builder.finish();
    batch.sequences = (start as u64..(start + n_events) as u64).collect();
    BatchRun::new(GroupName::new("g").expect("a valid name"), 1, Arc::new(batch))
}

pub(crate) fn stored(segment: u128, start: i64, n_events: i64) -> Arc<Stored> {
    let run = events(start, n_events);
    let info = RunInfo { key: Some(RunKey { segment, run: 0, version: 0 }), ..run.info().clone() };
    Arc::new(Stored { run, info, n_reads: AtomicUsize::new(0), is_damaged: AtomicBool::new(false) })
}

/// Four segments and hot events, one after the other.
pub(crate) fn house() -> (Vec<Arc<Stored>>, Vec<Arc<dyn Run>>) {
    let stored: Vec<Arc<Stored>> = (0..4).map(|i| stored(i as u128, i * 20_000, 20_000)).collect();
    let mut runs: Vec<Arc<dyn Run>> = stored.iter().map(|run| run.clone() as Arc<dyn Run>).collect();
    runs.push(Arc::new(events(80_000, 500)));
    (stored, runs)
}

pub(crate) fn plan(text: &str) -> Plan {
    parse_insights(text, &ParseOptions { now: Timestamp(0), time_zone: Tz::UTC }).expect("a valid query")
}

pub(crate) fn range(from_s: i64, to_s: i64) -> TimeRange {
    TimeRange { from: Timestamp(from_s * Timestamp::SECOND), to: Timestamp(to_s * Timestamp::SECOND) }
}

pub(crate) struct Asking<'a> {
    pub(crate) runs: &'a [Arc<dyn Run>],
    pub(crate) cache: Option<&'a PartialCache>,
    pub(crate) range: TimeRange,
    pub(crate) limit: Option<usize>,
    pub(crate) is_cancelled: bool,
    pub(crate) take_rows: Option<&'a TakeRows<'a>>,
}

impl<'a> Asking<'a> {
    pub(crate) fn of(runs: &'a [Arc<dyn Run>], cache: Option<&'a PartialCache>, range: TimeRange) -> Self {
        Self { runs, cache, range, limit: None, is_cancelled: false, take_rows: None }
    }

    pub(crate) fn ask(&self, text: &str) -> Answer {
        let request = Request {
            range: self.range,
            limit: self.limit,
            time_zone: Tz::UTC,
            now: Timestamp(0),
            memory_bytes_max: 1 << 28,
            deadline: None,
            cancelled: &AtomicBool::new(self.is_cancelled),
            n_threads: 2,
            progress: None,
            support: Support { cache: self.cache, take_rows: self.take_rows, ..Support::default() },
        };
        execute(&plan(text), self.runs, &request).expect("an answer")
    }
}

pub(crate) fn ask(text: &str, runs: &[Arc<dyn Run>], cache: Option<&PartialCache>, range: TimeRange) -> Answer {
    Asking::of(runs, cache, range).ask(text)
}
