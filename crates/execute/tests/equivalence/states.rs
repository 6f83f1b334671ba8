//! The same events in every state that a store goes through.

use std::path::Path;
use std::sync::Arc;

use parse::{ArrivalContext, Zone};
use storage::{Clock, Delivery, Options, Part, Store};
use types::{
    Batch, BatchRun, Column, FieldSummary, GroupName, Limits, MinuteCounts, Narrowed, RowSet, Run, RunInfo, ScanError,
    TextProbe, TimeRange, Timestamp, Value,
};

use crate::events::{Event, NOW};

/// Events in one state.
pub(crate) struct State {
    pub(crate) name: &'static str,
    pub(crate) runs: Vec<Arc<dyn Run>>,
    pub(crate) n_threads: usize,
    /// Whether it is also asked with a cache, twice.
    pub(crate) is_cached: bool,
    /// Whether it is asked with a cache and with rows taken as they are found, instead.
    pub(crate) is_streamed: bool,
    /// States with the same number hold the very same events, whose ids are therefore the same.
    pub(crate) store: usize,
}

fn group() -> GroupName {
    GroupName::new("equal/events").expect("a valid name")
}

/// The events as a sender's request makes batches of them.
fn batches(events: &[Event]) -> Vec<Batch> {
    let text: String = events.iter().flat_map(|event| [event.line.as_str(), "\n"]).collect();
    let limits = Limits::default();
    let received =
        ArrivalContext { at: Timestamp(NOW), modified: None, previous: None, zone: Zone::UTC, limits: &limits };
    crate::records::batch_of_records(&text, &received).into_iter().collect()
}

/// Runs in memory of so many events each.
fn memory(events: &[Event], n_each: usize) -> Vec<Arc<dyn Run>> {
    let mut sequence = 0;
    let mut runs: Vec<Arc<dyn Run>> = Vec::new();
    for mut batch in events.chunks(n_each).flat_map(batches) {
        let n_rows = batch.len();
        batch.sequences = (sequence..sequence + n_rows as u64).collect();
        batch.ingestion_times = vec![NOW; n_rows].into();
        batch.streams = Column::constant(Value::text("s"), n_rows);
        sequence += n_rows as u64;
        runs.push(Arc::new(BatchRun::new(group(), 1, Arc::new(batch))));
    }
    runs
}

fn open(dir: &Path) -> Arc<Store> {
    let options = Options { clock: Clock::new(|| Timestamp(NOW)), disk_reserve_bytes: 0, ..Options::new(dir) };
    Store::open(options).expect("a store that can be opened").0
}

fn append(store: &Store, events: &[Event]) {
    for batch in batches(events) {
        let part = Part { group: group(), batch };
        let delivery = Delivery { key: None, position: None, raw_bytes: 1, parts: vec![part] };
        store.append(delivery).expect("a store that takes events");
    }
}

fn runs(store: &Store) -> Vec<Arc<dyn Run>> {
    let snapshot = store.snapshot(&[], TimeRange::ALL);
    assert!(snapshot.damaged.is_empty());
    snapshot.runs
}

/// Calls `ask` with the events in each state.
pub(crate) fn each(events: &[Event], ask: &mut dyn FnMut(&State)) {
    let n_each = events.len().div_ceil(4).max(1);
    let mut state = |name, runs, n_threads, store| {
        let is_cached = matches!(name, "three segments and hot events" | "compacted" | "started again");
        let is_streamed = matches!(name, "four segments" | "one segment, two threads, no index");
        ask(&State { name, runs, n_threads, is_cached, is_streamed, store });
    };
    state("one batch", memory(events, events.len().max(1)), 1, 0);
    state("many batches", memory(events, events.len().div_ceil(15).max(1)), 2, 0);

    let scratch = tempfile::tempdir().expect("a scratch directory");
    let store = open(&scratch.path().join("many"));
    for (index, part) in events.chunks(n_each).enumerate() {
        append(&store, part);
        if index == 0 {
            state("hot, a part", runs(&store), 1, usize::MAX);
        }
        if index < 3 {
            store.flush().expect("a flush");
        }
    }
    state("three segments and hot events", runs(&store), 2, 1);
    store.flush().expect("a flush");
    state("four segments", runs(&store), 1, 1);
    state("four segments, no index", runs(&store).into_iter().map(Unindexed::of).collect(), 2, 1);
    store.compact().expect("a compaction");
    state("compacted", runs(&store), 2, 1);
    store.close().expect("a store that can be closed");
    drop(store);
    let store = open(&scratch.path().join("many"));
    state("started again", runs(&store), 1, 1);
    store.close().expect("a store that can be closed");

    let store = open(&scratch.path().join("one"));
    append(&store, events);
    state("hot", runs(&store), 2, 2);
    store.flush().expect("a flush");
    state("one segment", runs(&store), 1, 2);
    state("one segment, two threads, no index", runs(&store).into_iter().map(Unindexed::of).collect(), 2, 2);
    store.close().expect("a store that can be closed");
}

/// A run that answers no question without its values being read.
struct Unindexed(Arc<dyn Run>);

impl Unindexed {
    fn of(run: Arc<dyn Run>) -> Arc<dyn Run> {
        Arc::new(Self(run))
    }
}

impl Run for Unindexed {
    fn info(&self) -> &RunInfo {
        self.0.info()
    }

    fn n_blocks(&self) -> usize {
        self.0.n_blocks()
    }

    fn block_rows(&self, block: usize) -> usize {
        self.0.block_rows(block)
    }

    fn block_times(&self, block: usize) -> (Timestamp, Timestamp) {
        self.0.block_times(block)
    }

    fn fields(&self) -> Result<Vec<FieldSummary>, ScanError> {
        self.0.fields()
    }

    fn minutes(&self) -> Result<Option<Vec<MinuteCounts>>, ScanError> {
        Ok(None)
    }

    fn narrow(&self, block: usize, _: &TextProbe<'_>) -> Result<Narrowed, ScanError> {
        Ok(Narrowed { rows: RowSet::all(self.0.block_rows(block)), exact: false })
    }

    fn read(&self, block: usize, names: &[&str], rows: &RowSet) -> Result<Vec<Column>, ScanError> {
        self.0.read(block, names, rows)
    }
}
