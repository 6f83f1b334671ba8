//! The store: takes deliveries, hands out snapshots, and keeps both promises across any end of the process.
//!
//! ```text
//! append ─ sort, encode (caller) ─ queue ─ writer thread: WAL write + sync ─ hot events ─ feed ─ answer
//!                                                         │ flush (flusher thread, or whoever asks)
//!                                                         └ segments ─ catalog ─ WAL files removed
//! ```
//!
//! * A receipt means: durable, and in every snapshot taken afterwards.
//! * A snapshot is one instant: an event is in it once or not at all, whatever flush is going on.
//! * Everything here blocks; callers that must not block call it from threads of their own. Only for a sync nobody has to
//!   wait with a thread: hundreds of senders share one ([`Store::append_then`]).

mod accept;
mod open;
mod queue;
mod writer;

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use types::{GroupName, GroupPattern, GroupScope, ScanError, TimeRange, Timestamp};

use self::queue::{Answer, Queue, RETRY_AFTER_S, Request};
use crate::batch_ids::Age;
use crate::care::Care;
use crate::catalog::Catalog;
use crate::catalog::claim::Claim;
use crate::compact::Compaction;
use crate::control::ControlStore;
use crate::erase::Receipts;
use crate::feed::{Feed, Subscription};
use crate::flush::{Bell, Flusher};
use crate::lock::Lock;
use crate::retention::disk_margin;
use crate::scrub::Scrub;
use crate::segment_files::SegmentFiles;
use crate::state::State;
use crate::status::Counters;
use crate::{
    AppendError, Buffers, Databases, DeletionOrder, DeletionReceipt, Delivery, Forecast, GroupRetention, GroupStatus,
    OpenError, Options, Receipt, Recovery, RetentionChange, Sequences, ShippedFile, Snapshot, SourcePosition, Status,
    StoreError,
};

pub use self::open::{repair, unlock};
pub(crate) use self::queue::{Closed, Rotated, Work};

/// How long a sender waits for a flush to make room. Less than what senders wait for an answer.
const WAIT_FOR_FLUSH: Duration = Duration::from_secs(10);

/// Hot events that are worth a flush while the disk is nearly full.
const SHORT_FLUSH_BYTES: u64 = 4 << 20;

/// How long a sender waits before it looks again.
const WAIT_STEP: Duration = Duration::from_millis(20);

/// A store of events in a data directory.
///
/// Dropping it without [`close`](Self::close) leaves hot events to the WAL, as a crash would.
pub struct Store {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// What the threads of a store share.
pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) store: [u8; 16],
    pub(crate) queue: Queue,
    /// For what senders' threads make of a delivery on its way to the queue.
    pub(crate) buffers: Buffers,
    pub(crate) feed: Feed,
    pub(crate) bell: Bell,
    pub(crate) counters: Counters,
    age: Age,
    state: RwLock<State>,
    catalog: Mutex<Box<dyn Catalog>>,
    control: Mutex<Box<dyn ControlStore>>,
    /// Why the store takes and gives no events, where its control store is lost.
    pub(crate) locked: Option<String>,
    pub(crate) claim: Claim,
    pub(crate) files: SegmentFiles,
    /// Wakes the thread that waits for the object store.
    pub(crate) objects_bell: Bell,
    pub(crate) retention_bell: Bell,
    pub(crate) flusher: Mutex<Flusher>,
    pub(crate) compaction: Compaction,
    pub(crate) care: Care,
    receipts: Mutex<Receipts>,
    pub(crate) scrub: Scrub,
    /// Held by who takes segments out of the list.
    pub(crate) upkeep: Mutex<()>,
    /// Damage found at the start in files other than segments.
    pub(crate) damaged: Vec<ScanError>,
    closing: AtomicBool,
    /// Told when a flush has ended, well or not.
    flush_ended: (Mutex<()>, Condvar),
    /// Whether little is free on the disk, and in which second of the uptime retention was told so.
    pub(crate) is_disk_short: AtomicBool,
    disk_looked_at: AtomicU64,
    /// Bytes that must be free for what was refused last; 0 where nothing was.
    pub(crate) disk_wanted: AtomicU64,
    /// Whether the last flush failed.
    is_flush_failing: AtomicBool,
    _lock: Lock,
}

impl Shared {
    pub(crate) fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn state_mut(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn catalog(&self) -> MutexGuard<'_, Box<dyn Catalog>> {
        self.catalog.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn control(&self) -> MutexGuard<'_, Box<dyn ControlStore>> {
        self.control.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn receipts(&self) -> MutexGuard<'_, Receipts> {
        self.receipts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time that the ages of batch ids are measured with.
    pub(crate) fn steady_now(&self) -> Timestamp {
        self.age.now(&self.options.clock)
    }

    pub(crate) fn wal_dir(&self) -> PathBuf {
        self.options.dir.join("wal")
    }

    /// Takes note of how much is free on the disk and how much a batch needs. Where that is little, events in the WAL are
    /// written into segments, which are smaller and can be retired, and the limits are enforced at once.
    pub(crate) fn note_room(&self, free_bytes: u64, needed_bytes: u64) {
        let reserve = self.options.disk_reserve_bytes;
        let is_refused = free_bytes < needed_bytes;
        let is_short = is_refused || free_bytes < reserve.saturating_add(2 * disk_margin(reserve));
        if is_short && !self.is_disk_short.swap(is_short, Ordering::Relaxed) {
            tracing::warn!(free_bytes, reserve, "disk is nearly full; the oldest events go, or new ones are refused");
        }
        self.is_disk_short.store(is_short, Ordering::Relaxed);
        let wanted = if is_refused { needed_bytes } else { 0 };
        if self.disk_wanted.swap(wanted, Ordering::Relaxed) == 0 && is_refused {
            tracing::warn!(free_bytes, reserve, "disk is full; events are refused until there is room");
        }
        if is_short {
            self.bell.ring();
            let now = self.options.clock.uptime().as_secs();
            // Once a second will do, however many batches come.
            if self.disk_looked_at.swap(now, Ordering::Relaxed) != now {
                self.retention_bell.ring();
            }
        }
    }

    /// Tells whether hot events are many or old enough for a flush.
    pub(crate) fn is_flush_due(&self, now: Timestamp) -> bool {
        let state = self.state();
        let age_ns = state.active.since.map_or(0, |since| now.0.saturating_sub(since.0));
        let is_old = !state.active.is_empty() && age_ns >= self.options.flush_age_ns;
        let is_short = self.is_disk_short.load(Ordering::Relaxed) && state.active.memory_bytes >= SHORT_FLUSH_BYTES;
        state.active.memory_bytes >= self.options.flush_bytes_effective() || is_old || is_short
    }

    fn is_overloaded(&self) -> bool {
        self.state().hot_bytes() >= self.options.hot_bytes_max()
    }

    /// Waits while hot events are too many; `false` where they stay so, or where flushes fail.
    fn wait_for_flush(&self) -> bool {
        let until = Instant::now() + WAIT_FOR_FLUSH;
        while self.is_overloaded() {
            self.bell.ring();
            let left = until.saturating_duration_since(Instant::now());
            let is_hopeless = self.is_flush_failing.load(Ordering::Relaxed) || self.queue.closed().is_some();
            if left.is_zero() || is_hopeless {
                return false;
            }
            // A wake-up that comes between the question and the wait costs one step.
            let guard = self.flush_ended.0.lock().unwrap_or_else(PoisonError::into_inner);
            drop(self.flush_ended.1.wait_timeout(guard, left.min(WAIT_STEP)));
        }
        true
    }

    /// Tells those who wait for a flush how it ended.
    pub(crate) fn flush_has_ended(&self, is_failure: bool) {
        self.is_flush_failing.store(is_failure, Ordering::Relaxed);
        self.flush_ended.1.notify_all();
    }

    /// Asks the writer thread to begin a flush.
    pub(crate) fn rotate(&self) -> Result<Option<Rotated>, StoreError> {
        let (answer, answered) = sync_channel(1);
        self.queue.push_command(Work::Rotate(answer))?;
        answered.recv().unwrap_or_else(|_| Err(self.why_closed().into()))
    }

    pub(crate) fn why_closed(&self) -> Closed {
        self.queue.closed().unwrap_or(Closed::ShuttingDown)
    }

    /// Makes the deletion of a group durable: first where it outlives the catalog, then in the catalog.
    pub(crate) fn record_deletion(&self, id: u32, name: &GroupName) -> Result<(), StoreError> {
        let dir = self.options.dir.join("tombstones");
        crate::tombstone::write(&dir, id, name).map_err(StoreError::io(&dir))?;
        Ok(self.catalog().delete_group(id, name)?)
    }
}

/// A delivery that is on its way to a store.
#[must_use = "it is expected until this is dropped"]
pub struct Expected(Arc<Shared>);

impl Drop for Expected {
    fn drop(&mut self) {
        self.0.queue.note_coming(false);
    }
}

impl Store {
    /// Opens the store in `options.dir`, making it where there is none, and brings back what the WAL holds.
    pub fn open(options: Options) -> Result<(Arc<Self>, Recovery), OpenError> {
        let opened = open::open(options)?;
        let dir = opened.shared.options.dir.clone();
        let (shared, committer) = (opened.shared, opened.committer);
        let store = Arc::new(Self { shared: shared.clone(), threads: Mutex::default() });
        let (flushing, compacting, moving) = (shared.clone(), shared.clone(), shared.clone());
        let (retiring, scrubbing, claiming) = (shared.clone(), shared.clone(), shared);
        let started = store
            .start("wal-writer", move || committer.run())
            .and_then(|()| store.start("flusher", move || crate::flush::run(&flushing)))
            .and_then(|()| store.start("compactor", move || crate::compact::run(&compacting)))
            .and_then(|()| store.start("object-store", move || crate::offload::run(&moving)))
            .and_then(|()| store.start("retention", move || crate::retention::run(&retiring)))
            .and_then(|()| store.start("scrub", move || crate::scrub::run(&scrubbing)))
            .and_then(|()| match &store.shared.options.databases {
                Databases { catalog: None, control: None } => Ok(()),
                _ => store.start("catalog", move || crate::catalog::claim::run(&claiming)),
            });
        // Where a thread cannot be made, dropping the store ends the others.
        started.map_err(OpenError::io(&dir))?;
        Ok((store, opened.recovery))
    }

    fn start(&self, name: &str, work: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
        let thread = std::thread::Builder::new().name(name.into()).spawn(work)?;
        self.threads.lock().unwrap_or_else(PoisonError::into_inner).push(thread);
        Ok(())
    }

    /// Accepts a delivery. Returns once it is durable and visible, or with why it is not.
    pub fn append(&self, delivery: Delivery) -> Result<Receipt, AppendError> {
        let (answer, answered) = sync_channel(1);
        // The channel has room for the one answer: sending it never blocks.
        self.append_then(delivery, move |result| drop(answer.send(result)))?;
        answered.recv().unwrap_or_else(|_| Err(self.shared.why_closed().into()))
    }

    /// The same for callers that do not wait: `done` is called once the delivery is durable and visible, or with why it is
    /// not, by the thread that all deliveries wait for, so that it must not block. It is dropped where that thread ends.
    ///
    /// Blocks where the store has too much to do.
    ///
    /// # Errors
    /// Where the delivery is refused at once; `done` is not called then.
    pub fn append_then(
        &self,
        delivery: Delivery,
        done: impl FnOnce(Result<Receipt, AppendError>) + Send + 'static,
    ) -> Result<(), AppendError> {
        let shared = &*self.shared;
        let refuse = |error| {
            shared.counters.batches_refused.add(1);
            Err(error)
        };
        if shared.closing.load(Ordering::Relaxed) {
            return refuse(AppendError::ShuttingDown);
        }
        if let Some(reason) = &shared.locked {
            return refuse(AppendError::Locked(reason.clone()));
        }
        if let Some(closed) = shared.queue.closed() {
            return refuse(closed.into());
        }
        if !shared.wait_for_flush() {
            return refuse(AppendError::Overloaded { retry_after_s: RETRY_AFTER_S });
        }
        match Request::prepare(delivery, &self.shared.buffers) {
            Ok(request) if request.is_empty() => {
                done(Ok(Receipt { duplicate: false, first_sequence: 0, n_events: 0, high_water: None }));
                Ok(())
            }
            Ok(request) => shared.queue.push_delivery(request, Answer::new(done)).or_else(refuse),
            Err(error) => refuse(error),
        }
    }

    /// Announces a delivery that is about to be appended, so that it may share a sync with others: to be dropped once it is
    /// appended, or will not be.
    pub fn expect(&self) -> Expected {
        self.shared.queue.note_coming(true);
        Expected(self.shared.clone())
    }

    /// Of the bytes of a position those that were not accepted yet.
    pub fn missing(&self, position: &SourcePosition) -> Vec<Range<u64>> {
        self.shared.state().positions.missing(position)
    }

    /// Sources of shipped files, sorted.
    pub fn shipped_sources(&self) -> Vec<String> {
        self.shared.state().positions.sources()
    }

    /// Which bytes of the files of a source were accepted, sorted by file and generation.
    pub fn shipped_files(&self, source: &str) -> Vec<ShippedFile> {
        self.shared.state().positions.files_of(source)
    }

    /// Tells whether there is this group.
    pub fn has_group(&self, group: &GroupName) -> bool {
        self.shared.state().groups.id_of(group).is_some()
    }

    /// Tells whether events of this group may come: it exists, or there is room for another group.
    pub fn admits_group(&self, group: &GroupName) -> bool {
        self.shared.state().groups.admits(group, self.shared.options.groups_max)
    }

    /// Everything of these groups (no pattern: of all) in this range, at this instant.
    pub fn snapshot(&self, groups: &[GroupPattern], range: TimeRange) -> Snapshot {
        self.snapshot_within(groups, &GroupScope::All, range)
    }

    /// The same for somebody to whom only some groups exist.
    pub fn snapshot_within(&self, groups: &[GroupPattern], within: &GroupScope, range: TimeRange) -> Snapshot {
        let selection = self.shared.state().select(groups, within, range);
        selection.into_snapshot()
    }

    /// Feeds batches of these groups (no pattern: of all) that are accepted from now on.
    pub fn subscribe(&self, groups: Vec<GroupPattern>, capacity_batches: usize) -> Subscription {
        self.subscribe_within(groups, GroupScope::All, capacity_batches)
    }

    /// The same for somebody to whom only some groups exist.
    pub fn subscribe_within(
        &self,
        groups: Vec<GroupPattern>,
        within: GroupScope,
        capacity_batches: usize,
    ) -> Subscription {
        self.shared.feed.subscribe(groups, within, capacity_batches)
    }

    pub(crate) fn dir(&self) -> &std::path::Path {
        &self.shared.options.dir
    }

    /// All groups, sorted by name.
    pub fn groups(&self) -> Vec<GroupStatus> {
        self.shared.state().group_statuses()
    }

    /// The group that ids of events with this number speak of; none where it is deleted.
    pub fn group_of(&self, id: u32) -> Option<GroupName> {
        self.shared.state().groups.name_of(id).cloned()
    }

    /// Why the store takes and gives no events, where it is so: its control store is lost, and with it who may do
    /// what. Whoever answers queries asks this first.
    pub fn locked(&self) -> Option<&str> {
        self.shared.locked.as_deref()
    }

    fn check_lock(&self) -> Result<(), StoreError> {
        self.shared.locked.clone().map_or(Ok(()), |reason| Err(StoreError::Locked(reason)))
    }

    /// Deletes a group with its events; `false` where there is none. It stays deleted.
    pub fn delete_group(&self, name: &GroupName) -> Result<bool, StoreError> {
        self.check_lock()?;
        let (answer, answered) = sync_channel(1);
        self.shared.queue.push_command(Work::Delete(name.clone(), answer))?;
        let deleted = answered.recv().unwrap_or_else(|_| Err(self.shared.why_closed().into()))?;
        self.shared.reap();
        Ok(deleted)
    }

    /// Deletes events of a group. Once it returns, they are in no snapshot any more, whatever happens; the disk is
    /// rid of them later. Sequences that the group does not have (any more) are none of the deleted.
    pub fn delete_events(
        &self,
        group: &GroupName,
        sequences: Sequences,
        order: &DeletionOrder,
    ) -> Result<DeletionReceipt, StoreError> {
        self.check_lock()?;
        self.shared.erase_events(group, sequences, order)
    }

    /// Deletions of events under way, and the newest finished ones, oldest first.
    pub fn deletions(&self) -> Vec<DeletionReceipt> {
        self.shared.receipts().values().cloned().collect()
    }

    /// How many segments still hold events of a deletion.
    pub fn deletion_segments_left(&self, id: u64) -> u64 {
        let state = self.shared.state();
        let holds = |mask: &&Arc<crate::erase::Mask>| mask.deletions.contains(&id);
        state.masks.values().filter(holds).count() as u64
    }

    /// One deletion of events.
    pub fn deletion(&self, id: u64) -> Option<DeletionReceipt> {
        self.shared.receipts().get(&id).cloned()
    }

    /// Writes all hot events into segments and returns when that is done.
    pub fn flush(&self) -> Result<(), StoreError> {
        self.shared.flush()
    }

    /// Puts small segments together, and returns when nothing is left to put together.
    pub fn compact(&self) -> Result<(), StoreError> {
        self.shared.compact_now()
    }

    /// The time before which a group's events are too old to be kept, where there is one.
    pub fn oldest_kept(&self, group: &GroupName) -> Option<Timestamp> {
        self.shared.oldest_kept(group)
    }

    /// Documents of a kind that people have set: name and JSON text. Who owns a kind says what they look like.
    pub fn settings(&self, kind: &str) -> Result<Vec<(String, String)>, StoreError> {
        Ok(self.shared.control().documents(kind)?)
    }

    /// One of them.
    pub fn setting(&self, kind: &str, name: &str) -> Result<Option<String>, StoreError> {
        let documents = self.settings(kind)?;
        Ok(documents.into_iter().find_map(|(known, json)| (known == name).then_some(json)))
    }

    /// Puts a document in the place of the one with its kind and name; it is durable then.
    pub fn put_setting(&self, kind: &str, name: &str, json: &str) -> Result<(), StoreError> {
        self.check_lock()?;
        Ok(self.shared.control().put(kind, name, json)?)
    }

    /// Takes a document away; one that is not there is no error.
    pub fn remove_setting(&self, kind: &str, name: &str) -> Result<(), StoreError> {
        self.check_lock()?;
        Ok(self.shared.control().remove(kind, name)?)
    }

    /// Limits that a group has of its own.
    pub fn retention(&self, group: &GroupName) -> GroupRetention {
        self.shared.state().retentions.get(group).copied().unwrap_or_default()
    }

    /// Sets a group's own limits, whether or not it exists yet. What they no longer allow goes at once; what went
    /// within the undo window and is allowed again comes back.
    pub fn set_retention(&self, group: &GroupName, retention: GroupRetention) -> Result<RetentionChange, StoreError> {
        self.check_lock()?;
        self.shared.set_retention(group, retention)
    }

    /// What setting a group's limits would do; nothing is changed.
    pub fn preview_retention(&self, group: &GroupName, retention: GroupRetention) -> RetentionChange {
        self.shared.preview_retention(group, retention)
    }

    /// When a group's events will next go, as things stand.
    pub fn forecast(&self, group: &GroupName) -> Forecast {
        self.shared.forecast(group)
    }

    /// The forecasts of all groups that have events in segments.
    pub fn forecasts(&self) -> BTreeMap<GroupName, Forecast> {
        self.shared.forecasts()
    }

    /// Whether the clock goes as time goes: what another says of ages deletes nothing.
    pub fn trusts_clock(&self) -> bool {
        self.shared.care.clock_doubt(&self.shared.options.clock).is_none()
    }

    /// Takes the operator's word that the clock is right, where it is doubted.
    pub fn confirm_clock(&self) {
        self.shared.confirm_clock();
    }

    /// Enforces all limits now instead of at the next interval.
    pub fn retire(&self) -> Result<(), StoreError> {
        self.check_lock()?;
        self.shared.retire()
    }

    /// Counters and gauges.
    pub fn status(&self) -> Status {
        self.shared.status()
    }

    /// Reads and checks every byte of every segment; returns how many bytes were checked and what is damaged.
    pub fn verify(&self) -> (u64, Vec<ScanError>) {
        let state = self.shared.state();
        let segments: Vec<_> = state.segments.iter().map(|stored| stored.segment.clone()).collect();
        let mut damaged: Vec<ScanError> = state.damaged.iter().map(|damaged| damaged.error.clone()).collect();
        drop(state);
        let mut n_bytes = 0u64;
        for segment in segments {
            match segment.verify() {
                Ok(checked) => n_bytes = n_bytes.saturating_add(checked),
                Err(error) => damaged.push(error),
            }
        }
        (n_bytes, damaged)
    }

    /// Finishes what was accepted, writes hot events into segments, and ends. Later deliveries are refused.
    ///
    /// Where the flush fails nothing is lost: the events are in the WAL and come back at the next start.
    pub fn close(&self) -> Result<(), StoreError> {
        self.shared.closing.store(true, Ordering::Relaxed);
        let is_open = self.shared.queue.closed().is_none();
        let flushed = if is_open { self.shared.flush() } else { Ok(()) };
        self.end();
        flushed
    }

    fn end(&self) {
        self.shared.queue.close(Closed::ShuttingDown);
        self.shared.bell.stop();
        self.shared.compaction.bell.stop();
        self.shared.retention_bell.stop();
        self.shared.scrub.bell.stop();
        self.shared.objects_bell.stop();
        self.shared.files.remote.iter().for_each(|remote| remote.objects.close());
        self.shared.claim.bell.stop();
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            // A thread that panicked has closed the queue with the reason.
            let _ = thread.join();
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests;
