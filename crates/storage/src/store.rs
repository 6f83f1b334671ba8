//! The store: takes deliveries, hands out snapshots, and keeps both promises across any end of the process.
//!
//! ```text
//! append ─ sort, encode (caller) ─ queue ─ writer thread: WAL write + sync ─ hot events ─ feed ─ answer
//!                                                         │ flush (flusher thread, or whoever asks)
//!                                                         └ segments ─ catalog ─ WAL files removed
//! ```
//!
//! * A receipt means: durable, and in every snapshot taken afterwards.
//! * A snapshot is one instant: an event is in it once or not at all, whatever flush is continuing.
//! * Everything here blocks; callers that must not block call it from threads of their own. Only for a sync no one has to
//!   wait with a thread: hundreds of senders share one ([`Store::append_then`]).

mod open;
mod report;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use types::{GroupName, GroupPattern, GroupScope, Hold, ScanError, TimeRange, Timestamp};

use self::open::OpenedStore;
use crate::feed::{GroupChoice, Subscription};
use crate::leased_state::LeasedState;
use crate::lock::Lock;
use crate::segments::Segments;
use crate::upkeep::{Upkeep, compaction, flush, mover, retention, scrub};
use crate::writer::Writer;
use crate::writer::queue::{CloseReason, WriterCommand};
use crate::{
    Acceptance, AppendError, DeletionOrder, DeletionReceipt, Delivery, FleetLoad, FleetStatus, Forecast,
    GroupRetention, GroupStatus, NodeStatus, OpenError, Options, Receipt, Recovery, RetentionChange, Sequences,
    Settings, ShippedFile, Snapshot, SourcePosition, Status, StoreError, copy_mark,
};
use database::Result;

pub use self::open::{repair, unlock};

/// What senders are asked to wait who came to a node that is drained: by then they are sent to another one.
const DRAINING_RETRY_S: u64 = 5;

/// A store of events in a data directory.
///
/// Dropping it without [`close`](Self::close) leaves hot events to the WAL, as a crash would.
pub struct Store {
    segments: Arc<Segments>,
    writer: Arc<Writer>,
    upkeep: Upkeep,
    /// Why the store takes and gives no events, where its control store is lost.
    locked: Option<String>,
    /// Damage found at the start in files other than segments.
    damaged: Vec<ScanError>,
    closing: AtomicBool,
    _lock: Lock,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// A delivery that is on its way to a store.
#[must_use = "it is expected until this is dropped"]
pub struct ArrivalGuard(Arc<Writer>);

impl Drop for ArrivalGuard {
    fn drop(&mut self) {
        self.0.queue.note_coming(false);
    }
}

impl Store {
    /// Opens the store in `options.dir`, making it if there is none, and brings back what the WAL holds.
    pub fn open(options: Options) -> Result<(Arc<Self>, Recovery), OpenError> {
        let OpenedStore { segments, writer, threads, batch_files, recovery, lock } = open::open(options)?;
        let dir = segments.options.dir.clone();
        let upkeep = Upkeep::new(&segments, &writer, batch_files);
        let store = Arc::new(Self {
            segments,
            writer,
            upkeep,
            locked: recovery.locked.clone(),
            damaged: recovery.damaged.clone(),
            closing: AtomicBool::new(false),
            _lock: lock,
            threads: Mutex::default(),
        });
        let started = threads.into_iter().try_for_each(|(name, work)| store.start(name, work));
        let started = started.and_then(|()| store.start_upkeep());
        // Where a thread cannot be made, dropping the store ends the others.
        started.map_err(OpenError::io(&dir))?;
        Ok((store, recovery))
    }

    fn start_upkeep(&self) -> std::io::Result<()> {
        let Upkeep { flusher, compactor, mover, retention, scrubber, .. } = self.upkeep.clone();
        self.start("flusher", move || flush::run(&flusher))?;
        self.start("compactor", move || compaction::run(&compactor))?;
        self.start("object-store", move || mover::run(&mover))?;
        // How long groups keep their events is not known where the control store is lost.
        if self.locked.is_none() {
            self.start("retention", move || retention::run(&retention))?;
        }
        self.start("scrub", move || scrub::run(&scrubber))?;
        Ok(())
    }

    fn start(&self, name: &str, work: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
        let thread = std::thread::Builder::new().name(name.into()).spawn(work)?;
        self.threads.hold().push(thread);
        Ok(())
    }

    /// Accepts a delivery. Returns once it is durable and visible, or with why it is not.
    pub fn append(&self, delivery: Delivery) -> Result<Receipt, AppendError> {
        let (answer, answered) = sync_channel(1);
        // The channel has room for the one answer: sending it never blocks.
        self.append_then(delivery, move |result| drop(answer.send(result)))?;
        answered.recv().unwrap_or_else(|_| Err(self.writer.why_closed().into()))
    }

    /// Appends without waiting: `done` is called once the delivery is durable and visible, or with why it is
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
        let refusal = match &self.locked {
            _ if self.closing.load(Ordering::Relaxed) => Some(AppendError::ShuttingDown),
            Some(reason) => Some(AppendError::Locked(reason.clone())),
            None if self.segments.follower().is_some_and(|follower| follower.refuses_events()) => {
                Some(AppendError::Draining { retry_after_s: DRAINING_RETRY_S })
            }
            None => None,
        };
        let queued = refusal.map_or_else(|| self.writer.append_then(delivery, done), Err);
        queued.inspect_err(|_| self.segments.counters.batches_refused.add(1))
    }

    /// Announces a delivery that is about to be appended, so that it may share a sync with others: to be dropped once it is
    /// appended, or will not be.
    pub fn expect(&self) -> ArrivalGuard {
        self.writer.queue.note_coming(true);
        ArrivalGuard(self.writer.clone())
    }

    /// Returns the bytes of a position that were not accepted yet.
    pub fn missing(&self, position: &SourcePosition) -> Vec<Range<u64>> {
        self.follow();
        self.segments.state().positions.missing(position)
    }

    /// Sources of shipped files, sorted.
    pub fn shipped_sources(&self) -> Vec<String> {
        self.follow();
        self.segments.state().positions.sources()
    }

    /// Returns which bytes of the files of a source were accepted, sorted by file and generation.
    pub fn shipped_files(&self, source: &str) -> Vec<ShippedFile> {
        self.follow();
        self.segments.state().positions.files_of(source)
    }

    /// Reports whether there is this group.
    pub fn has_group(&self, group: &GroupName) -> bool {
        self.group_id(group).is_some()
    }

    /// Returns the number of a group in the ids of its events.
    pub fn group_id(&self, group: &GroupName) -> Option<u32> {
        self.segments.state().groups.id_of(group)
    }

    /// Reports whether events of this group may come: it exists, or there is room for another group.
    pub fn admits_group(&self, group: &GroupName) -> bool {
        self.segments.state().groups.admits(group, self.segments.options.groups_max)
    }

    /// Returns how many groups have a name that begins with `prefix`.
    pub fn n_groups_below(&self, prefix: &str) -> usize {
        self.segments.state().groups.n_below(prefix)
    }

    /// Returns everything of these groups (no pattern: of all) in this range, at this instant.
    pub fn snapshot(&self, groups: &[GroupPattern], range: TimeRange) -> Snapshot {
        self.snapshot_within(groups, &GroupScope::All, range)
    }

    /// Takes a snapshot that contains only the groups of a scope.
    pub fn snapshot_within(&self, groups: &[GroupPattern], within: &GroupScope, range: TimeRange) -> Snapshot {
        let behind = self.segments.catch_up().err();
        let selection = self.segments.state().select(groups, within, range);
        let mut snapshot = selection.into_snapshot();
        snapshot.damaged.extend(behind);
        snapshot
    }

    /// Takes the same of those events that were accepted at about one time.
    pub fn snapshot_near(
        &self,
        groups: &[GroupPattern],
        within: &GroupScope,
        range: TimeRange,
        accepted: &Acceptance,
    ) -> Snapshot {
        let behind = self.segments.catch_up().err();
        let mut selection = self.segments.state().select(groups, within, range);
        selection.retain_nearest(accepted);
        let mut snapshot = selection.into_snapshot();
        snapshot.damaged.extend(behind);
        snapshot
    }

    /// Takes a snapshot of what this process knows, without asking what others have accepted or deleted since.
    pub fn known_snapshot(&self, groups: &[GroupPattern], range: TimeRange) -> Snapshot {
        self.segments.state().select(groups, &GroupScope::All, range).into_snapshot()
    }

    /// Feeds batches of these groups (no pattern: of all) that are accepted from now on.
    pub fn subscribe(&self, groups: Vec<GroupPattern>, capacity_batches: usize) -> Subscription {
        self.subscribe_within(groups, GroupScope::All, capacity_batches)
    }

    /// Subscribes to the groups of a scope only.
    pub fn subscribe_within(
        &self,
        groups: Vec<GroupPattern>,
        within: GroupScope,
        capacity_batches: usize,
    ) -> Subscription {
        self.writer.feed.subscribe(GroupChoice::Of(groups, within), capacity_batches)
    }

    /// Subscribes to all groups but those that match a pattern.
    pub fn subscribe_besides(&self, left_out: Vec<GroupPattern>, capacity_batches: usize) -> Subscription {
        self.writer.feed.subscribe(GroupChoice::Besides(left_out), capacity_batches)
    }

    /// Returns the number that tells this store from others, for files that are made of its events.
    pub fn uuid(&self) -> [u8; 16] {
        self.segments.store
    }

    /// Returns when this store was copied from its original, as text; `None` if it is the original. A copy must not
    /// notify anyone.
    pub fn copy_taken(&self) -> Option<String> {
        copy_mark::copy_taken(&self.segments.options.dir)
    }

    /// Returns all groups, sorted by name.
    pub fn groups(&self) -> Vec<GroupStatus> {
        self.follow();
        self.segments.state().group_statuses()
    }

    /// Returns the group that ids of events with this number speak of; none if it is deleted.
    pub fn group_of(&self, id: u32) -> Option<GroupName> {
        self.segments.state().groups.name_of(id).cloned()
    }

    /// Returns why the store is locked, if it is: its control store is lost, and with it the knowledge who may do
    /// what. Whoever answers queries asks this first.
    pub fn locked(&self) -> Option<&str> {
        self.locked.as_deref()
    }

    /// Learns what others have accepted, as far as they can be asked.
    fn follow(&self) {
        if let Err(error) = self.segments.catch_up() {
            tracing::debug!(%error, "what others have accepted since is not known");
        }
    }

    /// Reports whether this process evaluates rules, counts metrics and delivers to subscription filters. In a fleet,
    /// only the node with the lease `alerts` does; it answers as far as it knows.
    pub fn has_alerts(&self) -> bool {
        self.segments.follower().is_none_or(|follower| follower.has_alerts())
    }

    /// Returns a state that the nodes of a fleet share; `None` without a fleet.
    pub fn leased_state(&self, name: &'static str) -> Option<LeasedState> {
        self.segments.follower().map(|follower| LeasedState::new(follower.clone(), name))
    }

    /// Returns the fleet that this is a node of; none on a machine of its own.
    pub fn fleet(&self) -> Option<Result<FleetStatus>> {
        self.segments.follower().map(|follower| follower.status())
    }

    /// Returns this node's number and the nodes of its fleet, as the last heartbeat found them; none on a machine of its
    /// own. Asks nobody.
    pub fn nodes(&self) -> Option<(u64, Arc<Vec<NodeStatus>>)> {
        self.segments.follower().map(|follower| follower.nodes())
    }

    /// Returns what waits in the fleet that this is a node of, and what this node has done; none on a machine of its own.
    /// Asks nobody.
    pub fn fleet_load(&self) -> Option<FleetLoad> {
        self.segments.follower().map(|follower| follower.load())
    }

    /// Orders that a node of the fleet takes no new work, or that it does again; `false` if no node has this name, none
    /// on a machine of its own. The node learns it within two seconds.
    pub fn drain_node(&self, node: &str, is_ordered: bool) -> Option<Result<bool>> {
        self.segments.follower().map(|follower| follower.drain(node, is_ordered))
    }

    /// Reports whether this is a node that is to take no new work.
    pub fn is_draining(&self) -> bool {
        self.segments.follower().is_some_and(|follower| follower.is_draining())
    }

    fn check_lock(&self) -> Result<(), StoreError> {
        self.locked.clone().map_or(Ok(()), |reason| Err(StoreError::Locked(reason)))
    }

    /// Deletes a group with its events; `false` if there is none. It stays deleted.
    pub fn delete_group(&self, name: &GroupName) -> Result<bool, StoreError> {
        self.check_lock()?;
        let (answer, answered) = sync_channel(1);
        self.writer.queue.push_command(WriterCommand::Delete(name.clone(), answer))?;
        let deleted = answered.recv().unwrap_or_else(|_| Err(self.writer.why_closed().into()))?;
        self.segments.reap();
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
        self.upkeep.eraser.erase_events(group, sequences, order)
    }

    /// Deletions of events under way, and the newest finished ones, oldest first.
    pub fn deletions(&self) -> Vec<DeletionReceipt> {
        self.follow();
        self.segments.receipts().values().cloned().collect()
    }

    /// Returns how many segments still hold events of a deletion.
    pub fn deletion_segments_left(&self, id: u64) -> u64 {
        let state = self.segments.state();
        let holds = |mask: &&Arc<crate::deletion::Mask>| mask.deletions.contains(&id);
        state.masks.values().filter(holds).count() as u64
    }

    /// Returns the receipt of a deletion of events.
    pub fn deletion(&self, id: u64) -> Option<DeletionReceipt> {
        self.follow();
        self.segments.receipts().get(&id).cloned()
    }

    /// Writes all hot events into segments and returns when that is done.
    pub fn flush(&self) -> Result<(), StoreError> {
        self.upkeep.flusher.flush()
    }

    /// Puts small segments together, and returns when nothing is left to put together.
    pub fn compact(&self) -> Result<(), StoreError> {
        self.upkeep.compactor.compact_now()
    }

    /// Returns the time before which a group's events are too old to be kept, if there is one.
    pub fn oldest_kept(&self, group: &GroupName) -> Option<Timestamp> {
        self.upkeep.retention.oldest_kept(group)
    }

    /// Returns what people have set.
    pub fn settings(&self) -> Settings<'_> {
        Settings::new(&self.segments, self.locked.as_deref())
    }

    /// Limits that a group has of its own.
    pub fn retention(&self, group: &GroupName) -> GroupRetention {
        self.segments.state().retentions.get(group).copied().unwrap_or_default()
    }

    /// Sets a group's own limits, whether or not it exists yet. What they no longer allow goes at once; what went
    /// within the undo window and is allowed again comes back.
    pub fn set_retention(&self, group: &GroupName, retention: GroupRetention) -> Result<RetentionChange, StoreError> {
        self.check_lock()?;
        self.upkeep.retention.set_retention(group, retention)
    }

    /// Returns what setting a group's limits would do; nothing is changed.
    pub fn preview_retention(&self, group: &GroupName, retention: GroupRetention) -> RetentionChange {
        self.upkeep.retention.preview_retention(group, retention)
    }

    /// Returns when a group's events will next go, as far as is known.
    pub fn forecast(&self, group: &GroupName) -> Forecast {
        self.upkeep.retention.forecast(group)
    }

    /// Returns the forecasts of all groups that have events in segments.
    pub fn forecasts(&self) -> BTreeMap<GroupName, Forecast> {
        self.upkeep.retention.forecasts()
    }

    /// Reports whether the clock is trusted: nothing is deleted by age otherwise.
    pub fn trusts_clock(&self) -> bool {
        self.segments.maintenance.clock_doubt(&self.segments.options.clock).is_none()
    }

    /// Takes the operator's word that the clock is right, where it is doubted.
    pub fn confirm_clock(&self) {
        self.segments.confirm_clock();
    }

    /// Enforces all limits now instead of at the next interval.
    pub fn retire(&self) -> Result<(), StoreError> {
        self.check_lock()?;
        self.upkeep.retention.retire()
    }

    /// Counters and gauges.
    pub fn status(&self) -> Status {
        self.report()
    }

    /// Finishes what was accepted, writes hot events into segments, and ends. Later deliveries are refused.
    ///
    /// Where the flush fails nothing is lost: the events are in the WAL and come back at the next start.
    pub fn close(&self) -> Result<(), StoreError> {
        self.closing.store(true, Ordering::Relaxed);
        let is_open = self.writer.queue.closed().is_none();
        let is_due = is_open && self.segments.is_in_charge();
        let flushed = if is_due { self.upkeep.flusher.flush() } else { Ok(()) };
        self.end();
        flushed
    }

    fn end(&self) {
        self.writer.queue.close(CloseReason::ShuttingDown);
        self.segments.signals.stop();
        self.segments.files.remote.iter().for_each(|remote| remote.objects.close());
        self.segments.claim.signal.stop();
        let threads = std::mem::take(&mut *self.threads.hold());
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
