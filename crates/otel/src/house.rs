//! An intake with a store of its own, for tests of decoders.

use std::sync::Arc;

use ingest::{Intake, Sender};
use storage::{Options, Store};
use tempfile::TempDir;
use types::{GroupPattern, GroupScope, Limits, RowSet, TimeRange, Timestamp};

pub(crate) struct House {
    pub(crate) intake: Intake,
    pub(crate) store: Arc<Store>,
    _dir: TempDir,
}

/// Returns noon.
pub(crate) fn now() -> Timestamp {
    Timestamp::parse_rfc3339("2026-11-20T12:00:00Z").unwrap()
}

/// Returns a sender at noon.
pub(crate) fn sender(within: &GroupScope) -> Sender<'_> {
    Sender { name: "", within, batch_id: None, now: now(), groups: None }
}

impl House {
    pub(crate) fn new() -> Self {
        Self::with(Limits::default())
    }

    pub(crate) fn with(limits: Limits) -> Self {
        let dir = TempDir::new().unwrap();
        let (store, _) = Store::open(Options::new(dir.path().join("data"))).unwrap();
        Self { intake: Intake::new(store.clone(), limits, 0), store, _dir: dir }
    }

    /// Returns these fields of all events, in their order as texts.
    pub(crate) fn events(&self, names: &[&str]) -> Vec<String> {
        let mut events = Vec::new();
        for run in self.store.snapshot(&[GroupPattern::new("*")], TimeRange::ALL).runs {
            for block in 0..run.n_blocks() {
                let n_rows = run.block_rows(block);
                let columns = run.read(block, names, &RowSet::all(n_rows)).unwrap();
                let shown =
                    |row| columns.iter().map(move |c| c.value(row).map_or("-".into(), |value| value.to_string()));
                events.extend((0..n_rows).map(|row| shown(row).collect::<Vec<_>>().join(" | ")));
            }
        }
        events.sort();
        events
    }
}
