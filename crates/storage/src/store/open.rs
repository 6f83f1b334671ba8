//! Opening a store: whose directory it is, what the catalog knows, what is on disk, what the WAL holds.
//!
//! The three must agree, and where they do not, no event is dropped and none comes twice:
//!
//! * a segment that the catalog does not know is an unfinished flush where the WAL holds its events too, and
//!   is removed; where the WAL was released already, the catalog has lost its last transaction (SQLite drops
//!   damaged frames of its own WAL silently), and the segment is taken back; any other is quarantined.
//! * a segment that the catalog knows and that is missing, damaged or different is reported; queries that
//!   it concerns are partial.
//! * WAL records from `next_sequence` on are replayed; torn tails are cut off, damaged bytes quarantined.
//!
//! Damage never keeps the store from opening; what cannot be read or written at all does.

mod control;
mod databases;
mod deletions;
mod directory;
mod node;
mod objects;
mod opened;
mod opening;
mod repair;
mod replay;
mod scope;
mod segments;

use std::sync::Arc;
use std::time::Instant;

use self::directory::prepare_directory;
use self::opened::Work;
use self::opening::StoreOpening;
use self::scope::Scope;
use crate::batch_ids::Age;
use crate::maintenance::Maintenance;
use crate::segments::{Segments, SegmentsParts};
use crate::upkeep::claim;
use crate::writer::Writer;
use crate::writer::committer::Committer;
use crate::{OpenError, Options};
use files::disk;

pub(super) use self::opened::OpenedStore;
pub use control::unlock;
pub use repair::repair;

pub(super) fn open(options: Options) -> Result<OpenedStore, OpenError> {
    if let Some(node) = options.fleet.clone() {
        disk::allow_many_open_files();
        return node::open(options, node);
    }
    let began = Instant::now();
    disk::allow_many_open_files();
    let dir = options.dir.clone();
    let (store, lock, created) = prepare_directory(&dir, &options.databases)?;
    let maintenance = Maintenance::open(&dir, &store, &options.clock);
    let doubt = maintenance.clock_doubt(&options.clock);
    let now = doubt.and_then(|doubt| doubt.expected).unwrap_or_else(|| options.clock.now());
    let age = Age::new(now, &options.clock);
    let (mut opening, contents) = StoreOpening::begin(&options, store, now, Scope::Start)?;
    opening.recovery.created = created;
    let url = options.databases.control.as_ref();
    let (mut control, locked) = control::open(&dir, store, opening.is_new()?, url)?;
    opening.state.retentions = crate::control::retentions(&mut *control)?;
    opening.state.trims = crate::control::trims(&mut *control)?;
    opening.recovery.locked = locked.clone();
    opening.finish_deletions()?;
    opening.load_deletions(contents.deletions)?;
    opening.remove_doomed(&contents.doomed);
    let chain = opening.read_chain()?;
    opening.open_segments(contents.segments, &contents.doomed, &chain)?;
    opening.hide_deleted();
    let last = opening.replay(&chain)?;
    opening.pass_deleted_sequences(u64::MAX);
    let wal = opening.begin_wal(&chain, last, options.faults.clone())?;
    let next_sequence = opening.marks.next_sequence;
    opening.recovery.elapsed = began.elapsed();
    let StoreOpening { files, catalog, state, marks, batch_files, recovery, receipts, .. } = opening;
    let parts = SegmentsParts { options, store, files, maintenance, age, state, catalog, control, receipts };
    let segments = Arc::new(Segments::new(parts));
    let writer = Arc::new(Writer::new(segments.clone()));
    let committer = Committer {
        segments: segments.clone(),
        writer: writer.clone(),
        wal,
        next_sequence,
        next_group: marks.next_group,
        buffer: Vec::new(),
    };
    let mut threads: Vec<(&'static str, Work)> = vec![("wal-writer", Box::new(move || committer.run()))];
    if segments.options.databases.is_remote() {
        let (segments, writer) = (segments.clone(), writer.clone());
        threads.push(("catalog", Box::new(move || claim::run(&segments, &writer))));
    }
    Ok(OpenedStore { segments, writer, threads, batch_files, recovery, lock })
}
