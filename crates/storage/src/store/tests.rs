//! What the store promises: durable, once, consistent, and what it does with damage.

mod chain;
mod compacting;
mod control;
mod crash;
mod damage;
mod erasing;
mod fleet;
mod fleet_compacting;
mod fleet_copies;
mod fleet_draining;
mod fleet_erasing;
mod flushing;
mod group_commit;
mod machine;
mod newer;
mod offloading;
mod once;
mod remote;
mod repair;
mod retiring;
mod samples;
mod scrubbing;
mod tiering;
mod trimming;

use std::path::Path;
use std::sync::Arc;

use types::{BatchBuilder, GroupName, RowSet, TimeRange, Timestamp, Value};

use crate::{BatchKey, Clock, Delivery, Options, Part, Recovery, Snapshot, SourcePosition, Store, StoreError};

/// 2026-11-20T12:00:00Z.
const NOW: i64 = 1_795_176_000 * Timestamp::SECOND;

fn options(dir: &Path) -> Options {
    Options { clock: Clock::new(|| Timestamp(NOW)), disk_reserve_bytes: 0, ..Options::new(dir) }
}

fn open(dir: &Path) -> (Arc<Store>, Recovery) {
    Store::open(options(dir)).expect("a store that can be opened")
}

fn group(name: &str) -> GroupName {
    GroupName::new(name).expect("a valid name")
}

/// Returns a delivery of events `from..from + n`: event `i` happened `i` seconds before now and says so.
fn delivery(name: &str, from: u64, n: u64) -> Delivery {
    let mut builder = BatchBuilder::new();
    builder.set_stream("host:file");
    for i in from..from + n {
        builder.set_timestamp(Timestamp(NOW - i as i64 * Timestamp::SECOND));
        builder.set_message(&format!("event {i}"));
        builder.field_integer("n", i as i64);
        builder.commit();
    }
    let part = Part { group: group(name), batch: builder.finish() };
    Delivery { key: None, position: None, raw_bytes: n * 10, parts: vec![part] }
}

fn keyed(name: &str, from: u64, n: u64, id: u8, digest: u8) -> Delivery {
    Delivery { key: Some(BatchKey { id: [id; 16], digest: [digest; 16] }), ..delivery(name, from, n) }
}

fn position(start: u64, end: u64) -> SourcePosition {
    SourcePosition { source: "s".into(), file: "f".into(), generation: 1, range: start..end }
}

/// Values of `n` of all events that a snapshot holds, sorted.
fn events(store: &Store) -> Vec<i64> {
    events_of(&store.snapshot(&[], TimeRange::ALL))
}

fn events_of(snapshot: &Snapshot) -> Vec<i64> {
    let mut found = Vec::new();
    for run in &snapshot.runs {
        for block in 0..run.n_blocks() {
            let rows = RowSet::all(run.block_rows(block));
            let columns = run.read(block, &["n", "@message"], &rows).expect("an intact run");
            for row in 0..rows.n_rows() {
                let Some(Value::Integer(n)) = columns[0].value(row) else { panic!("n is a number") };
                assert_eq!(columns[1].value(row), Some(Value::text(format!("event {n}"))));
                found.push(n);
            }
        }
    }
    found.sort_unstable();
    found
}

fn assert_events(store: &Store, n: i64) {
    assert_eq!(events(store), (0..n).collect::<Vec<_>>());
}

/// Returns the sequences of all events, sorted.
fn sequences(store: &Store) -> Vec<u64> {
    let snapshot = store.snapshot(&[], TimeRange::ALL);
    let mut found = Vec::new();
    for run in &snapshot.runs {
        for block in 0..run.n_blocks() {
            let ids = run.read(block, &["@id"], &RowSet::all(run.block_rows(block))).expect("an intact run");
            for row in 0..ids[0].n_rows() {
                let Some(Value::String(id)) = ids[0].value(row) else { panic!("an id is a text") };
                found.push(types::EventId::decode(&id).expect("an id").sequence);
            }
        }
    }
    found.sort_unstable();
    found
}

/// Returns the only WAL file of a store.
fn wal_file(dir: &Path) -> std::path::PathBuf {
    let wal = dir.join("wal");
    let numbers = crate::wal::list(&wal).expect("a readable directory");
    crate::wal::path_of(&wal, *numbers.last().expect("a wal file"))
}

/// Waits until the background thread has done something.
fn until(what: &str, is_so: impl Fn() -> bool) {
    let until = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while !is_so() {
        assert!(std::time::Instant::now() < until, "{what}");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

/// Reports whether nothing that was deleted is in any file.
fn are_settled(store: &Store) -> bool {
    store.deletions().iter().all(|receipt| receipt.reclaimed.is_some())
}

impl Store {
    /// Reads and checks every byte of every segment; returns how many bytes were checked and what is damaged.
    fn verify(&self) -> (u64, Vec<types::ScanError>) {
        let state = self.segments.state();
        let mut damaged: Vec<types::ScanError> = state.damaged.iter().map(|damaged| damaged.error.clone()).collect();
        let mut n_bytes = 0u64;
        for stored in &state.segments {
            match stored.segment.verify() {
                Ok(checked) => n_bytes += checked,
                Err(error) => damaged.push(error),
            }
        }
        (n_bytes, damaged)
    }
}
