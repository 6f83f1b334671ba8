//! A store for tests of doors.

use std::sync::Arc;

use ingest::Intake;
use parse::{Frames, Zone};
use storage::{Options, Store};
use tempfile::TempDir;
use types::{GroupPattern, Limits, RowSet, TimeRange, Timestamp};

use super::delivery::ingest_chunks;
use super::door::Door;
use super::sink::{Chunk, Stored};

pub(crate) struct House {
    door: Door,
    pub(crate) intake: Intake,
    pub(crate) store: Arc<Store>,
    _dir: TempDir,
}

pub(crate) fn now() -> Timestamp {
    Timestamp::parse_rfc3339("2026-11-20T12:00:00Z").expect("a valid time")
}

impl House {
    pub(crate) fn new(door: Door, event_bytes_max: usize) -> Self {
        let dir = TempDir::new().expect("a scratch directory");
        let (store, _) = Store::open(Options::new(dir.path().join("data"))).expect("a new store opens");
        let limits = Limits { event_bytes_max, ..Limits::default() };
        Self { door, intake: Intake::new(store.clone(), limits, Zone::UTC), store, _dir: dir }
    }

    pub(crate) fn take(&self, frames: &[(&[u8], u64)]) -> Stored {
        let mut chunk = Chunk::new("10.0.0.9".into(), Frames::default());
        for (frame, n_cut) in frames {
            match self.door {
                Door::Syslog | Door::Lines => chunk.frames.push(frame, *n_cut),
                _ => chunk.frames.push_whole(frame),
            }
        }
        ingest_chunks(&self.intake, self.door, &[chunk], None, now()).expect("they are taken")
    }

    /// Returns the values of `names` of all events, sorted.
    pub(crate) fn events(&self, names: &[&str]) -> Vec<String> {
        let mut events = Vec::new();
        for run in self.store.snapshot(&[GroupPattern::new("*")], TimeRange::ALL).runs {
            for block in 0..run.n_blocks() {
                let n_rows = run.block_rows(block);
                let columns = run.read(block, names, &RowSet::all(n_rows)).expect("a block that is whole");
                for row in 0..n_rows {
                    let shown = |value: Option<types::Value>| value.map_or("-".into(), |value| value.to_string());
                    events.push(columns.iter().map(|c| shown(c.value(row))).collect::<Vec<_>>().join(" | "));
                }
            }
        }
        events.sort();
        events
    }
}
