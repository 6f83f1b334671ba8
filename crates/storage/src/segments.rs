//! The segments of a store and what is known of them: the only owner of the state that snapshots see, of the catalog,
//! and of the files. Upkeep's jobs and the writer change events through it.
//!
//! One lock guards the state ([`Segments::state`]), and what must be seen together is put in place together. Who takes
//! segments out of the list holds [`Segments::replacement`] from the look at the list to the change of it. Locks are
//! taken in this order: the flusher's, `replacement`, the receipts, then the state or the catalog for a moment.

mod clock;
mod deletions;
pub(crate) mod files;
mod publication;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use types::{GroupName, Hold, ScanError, Timestamp};

use self::files::SegmentFiles;
use crate::batch_ids::Age;
use crate::catalog::Catalog;
use crate::catalog::claim::Claim;
use crate::control::ControlStore;
use crate::counters::Counters;
use crate::deletion::Receipts;
use crate::fleet::Follow;
use crate::fleet::followed::Followed;
use crate::maintenance::Maintenance;
use crate::retention::disk_margin;
use crate::signal::Signal;
use crate::state::State;
use crate::{Options, StoreError, tombstone};

/// Hot events that are worth a flush while the disk is nearly full.
const SHORT_FLUSH_BYTES: u64 = 4 << 20;

/// Bytes that each event counts as, at least, when a flush is due. Only samples are smaller, at 12 to 20 bytes. With fewer in a flush,
/// questions take longer, since there are more segments; with more, they take longer since more samples are in no segment yet.
const FLUSH_EVENT_BYTES: u64 = 45;

/// Segments, catalog and files of one store.
pub(crate) struct Segments {
    pub(crate) options: Options,
    pub(crate) store: [u8; 16],
    pub(crate) counters: Counters,
    pub(crate) signals: Signals,
    pub(crate) files: SegmentFiles,
    pub(crate) claim: Claim,
    pub(crate) maintenance: Maintenance,
    pub(crate) disk: DiskSpace,
    /// Held while segments are taken out of the list.
    replacement: Mutex<()>,
    age: Age,
    state: RwLock<State>,
    catalog: Mutex<Box<dyn Catalog>>,
    control: Mutex<Box<dyn ControlStore>>,
    receipts: Mutex<Receipts>,
    /// How far it has come, where it follows others.
    pub(crate) followed: Followed,
    /// Keeps it as new as what others write; none where no one else does.
    follower: OnceLock<Arc<dyn Follow>>,
}

/// What a store is opened with.
pub(crate) struct SegmentsParts {
    pub(crate) options: Options,
    pub(crate) store: [u8; 16],
    pub(crate) files: SegmentFiles,
    pub(crate) maintenance: Maintenance,
    pub(crate) age: Age,
    pub(crate) state: State,
    pub(crate) catalog: Box<dyn Catalog>,
    pub(crate) control: Box<dyn ControlStore>,
    pub(crate) receipts: Receipts,
}

/// Wakes the threads of upkeep.
#[derive(Debug, Default)]
pub(crate) struct Signals {
    pub(crate) flush: Signal,
    pub(crate) compaction: Signal,
    /// Wakes the thread that waits for the object store.
    pub(crate) objects: Signal,
    pub(crate) retention: Signal,
    pub(crate) scrub: Signal,
}

impl Signals {
    /// Ends all threads of upkeep.
    pub(crate) fn stop(&self) {
        let Self { flush, compaction, objects, retention, scrub } = self;
        [flush, compaction, retention, scrub, objects].into_iter().for_each(Signal::stop);
    }
}

/// How much is free on the disk, as far as batches and limits need it.
#[derive(Debug, Default)]
pub(crate) struct DiskSpace {
    /// Whether little is free, and in which second of the uptime retention was notified of it.
    is_short: AtomicBool,
    looked_at: AtomicU64,
    /// Bytes that must be free for what was refused last; 0 where nothing was.
    pub(crate) wanted: AtomicU64,
}

impl Segments {
    pub(crate) fn new(parts: SegmentsParts) -> Self {
        let SegmentsParts { options, store, files, maintenance, age, state, catalog, control, receipts } = parts;
        Self {
            options,
            store,
            counters: Counters::default(),
            signals: Signals::default(),
            files,
            claim: Claim::default(),
            maintenance,
            disk: DiskSpace::default(),
            replacement: Mutex::default(),
            age,
            state: RwLock::new(state),
            catalog: Mutex::new(catalog),
            control: Mutex::new(control),
            receipts: Mutex::new(receipts),
            followed: Followed::default(),
            follower: OnceLock::new(),
        }
    }

    /// Lets it follow what others write.
    pub(crate) fn set_follower(&self, follower: Arc<dyn Follow>) {
        // It is set once, before anything is asked.
        let _ = self.follower.set(follower);
    }

    /// Returns what keeps it as new as what others write.
    pub(crate) fn follower(&self) -> Option<&Arc<dyn Follow>> {
        self.follower.get()
    }

    /// Reports whether upkeep is this process's business.
    pub(crate) fn is_in_charge(&self) -> bool {
        self.follower().is_none_or(|follower| follower.is_in_charge())
    }

    /// Reports whether this process may merge segments: in a fleet, any node with the role `upkeep`.
    pub(crate) fn may_compact(&self) -> bool {
        self.follower().is_none_or(|follower| follower.may_compact())
    }

    /// Learns of everything that was accepted before; the error says what may be missing.
    pub(crate) fn catch_up(&self) -> Result<(), ScanError> {
        self.follower().map_or(Ok(()), |follower| follower.catch_up())
    }

    /// Waits for the right to take segments out of the list.
    pub(crate) fn replacement(&self) -> MutexGuard<'_, ()> {
        self.replacement.hold()
    }

    pub(crate) fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn state_mut(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn catalog(&self) -> MutexGuard<'_, Box<dyn Catalog>> {
        self.catalog.hold()
    }

    pub(crate) fn control(&self) -> MutexGuard<'_, Box<dyn ControlStore>> {
        self.control.hold()
    }

    pub(crate) fn receipts(&self) -> MutexGuard<'_, Receipts> {
        self.receipts.hold()
    }

    /// Returns the time that the ages of batch ids are measured with.
    pub(crate) fn steady_now(&self) -> Timestamp {
        self.age.now(&self.options.clock)
    }

    pub(crate) fn wal_dir(&self) -> PathBuf {
        self.options.dir.join("wal")
    }

    /// Notes how much is free on the disk and how much a batch needs. Where that is little, events in the WAL are
    /// written into segments, which are smaller and can be retired, and the limits are enforced at once.
    pub(crate) fn note_room(&self, free_bytes: u64, needed_bytes: u64) {
        let reserve = self.options.disk_reserve_bytes;
        let is_refused = free_bytes < needed_bytes;
        let is_short = is_refused || free_bytes < reserve.saturating_add(2 * disk_margin(reserve));
        if is_short && !self.disk.is_short.swap(is_short, Ordering::Relaxed) {
            tracing::warn!(
                free_bytes,
                reserve,
                "disk is nearly full; the oldest events are deleted, or new ones refused"
            );
        }
        self.disk.is_short.store(is_short, Ordering::Relaxed);
        let wanted = if is_refused { needed_bytes } else { 0 };
        if self.disk.wanted.swap(wanted, Ordering::Relaxed) == 0 && is_refused {
            tracing::warn!(free_bytes, reserve, "disk is full; events are refused until there is room");
        }
        if is_short {
            self.signals.flush.ring();
            let now = self.options.clock.uptime().as_secs();
            // Once a second will do, however many batches come.
            if self.disk.looked_at.swap(now, Ordering::Relaxed) != now {
                self.signals.retention.ring();
            }
        }
    }

    /// Reports whether hot events are many or old enough for a flush.
    pub(crate) fn is_flush_due(&self, now: Timestamp) -> bool {
        let state = self.state();
        let age_ns = state.active.since.map_or(0, |since| now.0.saturating_sub(since.0));
        let has_hot = !state.active.is_empty() || !state.objects.is_empty();
        let is_old = has_hot && age_ns >= self.options.flush_age_ns;
        let is_short = self.disk.is_short.load(Ordering::Relaxed) && state.active.memory_bytes >= SHORT_FLUSH_BYTES;
        let n_bytes = state.active.memory_bytes.max(state.active.n_events.saturating_mul(FLUSH_EVENT_BYTES));
        n_bytes >= self.options.flush_bytes_effective() || is_old || is_short
    }

    pub(crate) fn check(&self, point: &'static str) -> Result<(), StoreError> {
        self.options.faults.check(point).map_err(StoreError::io(Path::new(point)))
    }

    /// Makes the deletion of a group durable: first where it outlives the catalog, then in the catalog.
    pub(crate) fn record_deletion(&self, id: u32, name: &GroupName) -> Result<(), StoreError> {
        let dir = self.options.dir.join("tombstones");
        tombstone::write(&dir, id, name).map_err(StoreError::io(&dir))?;
        Ok(self.catalog().delete_group(id, name)?)
    }
}
