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
mod objects;
mod repair;
mod replay;
mod segments;

pub use control::unlock;
pub use repair::repair;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex, RwLock};
use std::time::Instant;

use types::{ScanError, Timestamp};

use self::databases::open_catalog;
use super::Shared;
use super::queue::Queue;
use super::writer::Committer;
use crate::batch_ids::{self, Age, ValidEntries};
use crate::care::Care;
use crate::catalog::claim::Claim;
use crate::catalog::{Catalog, Contents, Doomed, Marks};
use crate::compact::Compaction;
use crate::erase::Receipts;
use crate::feed::Feed;
use crate::flush::{Bell, Flusher};
use crate::lock::{self, Lock};
use crate::scrub::Scrub;
use crate::segment_files::SegmentFiles;
use crate::state::{Place, State};
use crate::status::Counters;
use crate::{Databases, OpenError, Options, Recovery, disk, formats, tombstone};

/// Sequences have the writer's epoch in their upper 16 bits.
const EPOCH_BITS: u32 = 48;

/// What a new store begins with: epoch 1.
const FIRST_SEQUENCE: u64 = 1 << EPOCH_BITS;

/// A store that is ready but for its threads.
pub(super) struct Opened {
    pub(super) shared: Arc<Shared>,
    pub(super) committer: Committer,
    pub(super) recovery: Recovery,
}

/// What a store is opened for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// To take and give events.
    Start,
    /// To make its catalog agree with its segments. Nothing is removed.
    Repair,
}

/// A store that is being opened.
struct Opening {
    scope: Scope,
    dir: PathBuf,
    store: [u8; 16],
    files: SegmentFiles,
    now: Timestamp,
    catalog: Box<dyn Catalog>,
    state: State,
    deleted: HashSet<u32>,
    marks: Marks,
    /// How far the batch-id files are valid.
    batch_files: ValidEntries,
    recovery: Recovery,
    receipts: Receipts,
}

pub(super) fn open(options: Options) -> Result<Opened, OpenError> {
    let began = Instant::now();
    disk::allow_many_open_files();
    let dir = options.dir.clone();
    let (store, lock, created) = prepare_directory(&dir, &options.databases)?;
    let care = Care::open(&dir, &store, &options.clock);
    let doubt = care.clock_doubt(&options.clock);
    let now = doubt.and_then(|doubt| doubt.expected).unwrap_or_else(|| options.clock.now());
    let age = Age::new(now, &options.clock);
    let (mut opening, contents) = Opening::begin(&options, store, now, Scope::Start)?;
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
    let Opening { files, catalog, state, marks, batch_files, recovery, receipts, .. } = opening;
    let shared = Arc::new(Shared {
        options,
        store,
        queue: Queue::default(),
        buffers: crate::Buffers::default(),
        feed: Feed::default(),
        bell: Bell::default(),
        counters: Counters::default(),
        age,
        state: RwLock::new(state),
        catalog: Mutex::new(catalog),
        control: Mutex::new(control),
        locked,
        claim: Claim::default(),
        files,
        objects_bell: Bell::default(),
        retention_bell: Bell::default(),
        compaction: Compaction::default(),
        scrub: Scrub::new(care.scrub_note()),
        care,
        receipts: Mutex::new(receipts),
        upkeep: Mutex::default(),
        flusher: Mutex::new(Flusher::new(batch_files)),
        damaged: recovery.damaged.clone(),
        closing: AtomicBool::new(false),
        flush_ended: Default::default(),
        is_disk_short: AtomicBool::new(false),
        disk_looked_at: AtomicU64::new(0),
        disk_wanted: AtomicU64::new(0),
        is_flush_failing: AtomicBool::new(false),
        _lock: lock,
    });
    let committer =
        Committer { shared: shared.clone(), wal, next_sequence, next_group: marks.next_group, buffer: Vec::new() };
    Ok(Opened { shared, committer, recovery })
}

/// Finds out whose directory it is and takes the lock. A directory of a later version is not touched.
fn prepare_directory(dir: &Path, databases: &Databases) -> Result<([u8; 16], Lock, bool), OpenError> {
    if let Some(store) = lock::read_store(dir)? {
        formats::check(dir, &store)?;
        formats::check_databases(databases, store)?;
    }
    disk::create_directory(dir).map_err(OpenError::io(dir))?;
    let lock = Lock::take(dir)?;
    // Somebody may have made the store between the first look and the lock.
    let (store, created) = match lock::read_store(dir)? {
        Some(store) => (store, false),
        None => (lock::create_store(dir)?, true),
    };
    for name in ["wal", "segments", "tombstones", "quarantine"] {
        let path = dir.join(name);
        disk::create_directory_synced(&path).map_err(OpenError::io(&path))?;
    }
    Ok((store, lock, created))
}

/// Moves a file to `quarantine/`, under a name that nothing there has. One that is not there is no error.
fn set_aside(dir: &Path, file: &str) -> Result<(), OpenError> {
    let from = dir.join(file);
    let name = file.replace('/', "-");
    let mut to = dir.join("quarantine").join(&name);
    let mut n = 1u32;
    while to.exists() {
        n = n.saturating_add(1);
        to.set_file_name(format!("{name}.{n}"));
    }
    match std::fs::rename(&from, &to) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(OpenError::Io { path: from, source: error }),
        _ => Ok(()),
    }
}

impl Opening {
    /// Opens the catalog and takes over what it says.
    fn begin(options: &Options, store: [u8; 16], now: Timestamp, scope: Scope) -> Result<(Self, Contents), OpenError> {
        let dir = &options.dir;
        let url = options.databases.catalog.as_ref();
        let (catalog, mut contents, damaged_catalog) = open_catalog(dir, store, url, scope)?;
        let (ids, damaged) = batch_ids::read(&dir.join("wal"), &store, &contents.batch_files, now);
        let state = State {
            groups: std::mem::take(&mut contents.groups),
            ids,
            positions: std::mem::take(&mut contents.positions),
            retired: std::mem::take(&mut contents.retired),
            ..State::default()
        };
        let damaged = damaged_catalog.into_iter().chain(damaged).collect();
        let opening = Self {
            scope,
            dir: dir.clone(),
            store,
            files: SegmentFiles::new(options, store).map_err(|problem| OpenError::ObjectStore { problem })?,
            now,
            catalog,
            state,
            deleted: contents.deleted.iter().copied().collect(),
            marks: contents.marks,
            batch_files: std::mem::take(&mut contents.batch_files),
            recovery: Recovery { damaged, ..Recovery::default() },
            receipts: Receipts::new(),
        };
        Ok((opening, contents))
    }

    /// Tells whether no start has come so far that it could take events: the WAL is begun last.
    fn is_new(&self) -> Result<bool, OpenError> {
        let dir = self.dir.join("wal");
        let has_wal = self.marks.wal_made > 0 || !crate::wal::list(&dir).map_err(OpenError::io(&dir))?.is_empty();
        Ok(!has_wal && self.marks.wal_released <= 1)
    }

    fn report(&mut self, file: &str, offset: u64, problem: impl Into<String>) {
        let damage = ScanError { file: file.to_owned(), offset, problem: problem.into() };
        tracing::error!(file, offset, problem = damage.problem, "file is damaged");
        self.recovery.damaged.push(damage);
    }

    /// Moves a file out of the way, keeping it.
    fn quarantine(&self, file: &str) -> Result<(), OpenError> {
        set_aside(&self.dir, file)
    }

    /// Brings deletions into the catalog that were cut off before they got there.
    fn finish_deletions(&mut self) -> Result<(), OpenError> {
        let dir = self.dir.join("tombstones");
        let (groups, damaged) = tombstone::read(&dir).map_err(OpenError::io(&dir))?;
        for file in damaged {
            self.report(&file, 0, "the checksum does not fit");
        }
        for (id, name) in groups {
            if !self.deleted.insert(id) {
                continue;
            }
            let known = self.state.groups.iter().find(|(_, group)| group.id == id).map(|(name, _)| name.clone());
            if let Some(name) = known.or(name) {
                self.catalog.delete_group(id, &name)?;
                if self.state.groups.id_of(&name) == Some(id) {
                    self.state.groups.remove(&name);
                }
            }
        }
        self.marks.next_group =
            self.deleted.iter().map(|id| id.saturating_add(1)).fold(self.marks.next_group, u32::max);
        Ok(())
    }

    /// Removes files of segments that are in no snapshot any more. The catalog forgets them afterwards, when nobody
    /// waits for it; what cannot be removed now is tried again then.
    fn remove_doomed(&mut self, doomed: &[Doomed]) {
        for doomed in doomed {
            if doomed.place == Place::Local {
                let removed = std::fs::remove_file(self.dir.join(&doomed.file));
                let failed = removed.err().filter(|error| error.kind() != std::io::ErrorKind::NotFound);
                if let Some(error) = failed {
                    tracing::warn!(file = doomed.file, %error, "file of a deleted segment cannot be removed");
                }
            }
            self.files.doom_file(doomed.clone());
        }
    }
}
