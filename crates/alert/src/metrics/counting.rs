//! Counting: one thread follows the feed of accepted batches for all meters, and keeps what they have counted.
//!
//! Sequences are given in the order of acceptance and never twice, the feed has batches in that order, and a snapshot that
//! shows one shows all before it. So the sequence up to which a meter has looked is all that has to be kept with its
//! numbers, and a restart repeats and loses nothing: what came after is read from the store, and so is what the thread
//! could not keep up with. In a fleet the node with the lease `alerts` counts, and its counts are saved in the control
//! store; the others only show what was saved, and another one continues from there. Counts are in memory; reading them
//! reads no event, however many came since.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use storage::{AcceptedBatch, Clock, FeedItem, Store, Subscription};
use types::{BatchRun, Hold, Run, TimeRange};
use xxhash_rust::xxh3::xxh3_64;

use super::meter::{Meter, Tally};
use crate::state_file::StateError;
use crate::state_store::{StateKind, StateStore};

/// Batches that wait in the store; what is more is read again from there.
const BATCHES_WAITING_MAX: usize = 64;

/// How often the thread looks whether it is to end.
const LOOK: Duration = Duration::from_millis(50);

/// How often numbers are saved: after a crash, what came since then is read again from the store.
const KEEP_EVERY: Duration = Duration::from_secs(15);

/// Positions are saved where so much went by that did not match.
const UNKEPT_MAX: u64 = 100_000;

/// Series of all meters. What comes beyond is one series for each.
const SERIES_MAX: usize = 10_000;

/// What the file of numbers calls itself.
pub(crate) const FILE: (&str, &str) = ("metrics.state", "catat-metrics");

/// The form in which meters are saved: a record for each.
const STATE: StateKind = StateKind { file: FILE, shared: "metrics", depth: |_| 1 };

/// Whose meter it is, and its name there.
pub type Key = (&'static str, String);

/// A meter, and what it has counted.
#[derive(Clone)]
pub struct MeterCount {
    /// What counts.
    pub meter: Arc<Meter>,
    /// What was counted.
    pub tally: Tally,
    /// Why it counts no more, where a defect has ended it.
    pub problem: Option<String>,
}

/// Numbers as they are saved.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
struct MeterRecord {
    /// Of the document that defines the meter: counts of another definition are dropped.
    fingerprint: u64,
    tally: Tally,
}

type MeterRecords = BTreeMap<String, MeterRecord>;

struct Entry {
    counted: MeterCount,
    /// Its counts before anything was saved.
    first: Tally,
    fingerprint: u64,
    kept_sequence: u64,
    is_dirty: bool,
    /// Whether the store has something that it has not looked at, and that the feed will not bring.
    is_behind: bool,
}

#[derive(Default)]
struct Inner {
    entries: BTreeMap<Key, Entry>,
    /// What was kept of meters that no one has brought yet.
    left: MeterRecords,
    /// Whether this process counts: always on a machine of its own, in a fleet on one node.
    is_leading: bool,
    /// How many readers asked for everything accepted to be counted, and how many of them were served.
    n_wanted: u64,
    n_settled: u64,
}

struct CounterState {
    store: Arc<Store>,
    clock: Clock,
    states: StateStore,
    // What a panic leaves are numbers all the same; the meter that it met counts no more.
    inner: Mutex<Inner>,
    changed: Condvar,
    is_stopping: AtomicBool,
}

/// Meters at work. Dropping it ends them.
pub struct MeterThread {
    shared: Arc<CounterState>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl MeterThread {
    /// Reads what was kept below `dir`, and starts the thread, which sleeps as long as there is no meter.
    pub(super) fn start(store: Arc<Store>, clock: Clock, dir: &std::path::Path) -> Result<Self, String> {
        let opened = StateStore::open::<MeterRecords>(&STATE, dir, store.leased_state(STATE.shared));
        let (states, left) = opened.map_err(|error: StateError| error.to_string())?;
        let inner = Mutex::new(Inner { left, is_leading: !states.is_shared(), ..Inner::default() });
        let (changed, is_stopping) = (Condvar::new(), AtomicBool::new(false));
        let shared = Arc::new(CounterState { store, clock, states, inner, changed, is_stopping });
        let of_thread = shared.clone();
        let thread = std::thread::Builder::new().name("metrics".into()).spawn(move || of_thread.run());
        let thread = thread.map_err(|error| error.to_string())?;
        Ok(Self { shared, thread: Mutex::new(Some(thread)) })
    }

    /// Adds a meter in place of one with its key. `document` is what it was made from: numbers that were kept of the same
    /// one continue, else those of `tally` do.
    pub fn add(&self, key: Key, document: &str, meter: Meter, tally: Tally) {
        let fingerprint = xxh3_64(document.as_bytes());
        let mut inner = self.shared.inner.hold();
        let kept = inner.left.remove(&name_of(&key)).filter(|kept| kept.fingerprint == fingerprint);
        let is_new = kept.is_none();
        let first = tally.clone();
        let tally = kept.map_or(tally, |kept| kept.tally);
        let entry = Entry {
            first,
            fingerprint,
            kept_sequence: tally.sequence,
            is_dirty: is_new,
            is_behind: true,
            counted: MeterCount { meter: Arc::new(meter), tally, problem: None },
        };
        inner.entries.insert(key, entry);
        self.shared.changed.notify_all();
    }

    /// Takes a meter away.
    pub fn remove(&self, key: &Key) {
        let mut inner = self.shared.inner.hold();
        inner.left.remove(&name_of(key));
        inner.entries.remove(key);
    }

    /// Returns all meters of an owner, by their names.
    pub fn counted(&self, whose: &'static str) -> BTreeMap<String, MeterCount> {
        let inner = self.shared.inner.hold();
        let own = inner.entries.iter().filter(|((owner, _), _)| *owner == whose);
        own.map(|((_, name), entry)| (name.clone(), entry.counted.clone())).collect()
    }

    /// Reports whether this process counts. In a fleet one node does, and only that node shows counts where they are
    /// summed over nodes.
    pub fn is_leading(&self) -> bool {
        self.shared.inner.hold().is_leading
    }

    /// Waits until what was accepted so far is counted, at most so long: where more comes than can be counted, numbers are a
    /// little behind rather than late.
    pub fn settle(&self, longest: Duration) {
        let mut inner = self.shared.inner.hold();
        if inner.entries.is_empty() {
            return;
        }
        inner.n_wanted += 1;
        let wanted = inner.n_wanted;
        self.shared.changed.notify_all();
        let waiting = self.shared.changed.wait_timeout_while(inner, longest, |inner| inner.n_settled < wanted);
        drop(waiting);
    }

    /// Returns the last event that was accepted, of whatever group.
    pub fn last_sequence(&self) -> u64 {
        let runs = self.shared.store.snapshot(&[], TimeRange::ALL).runs;
        runs.iter().map(|run| run.last_sequence()).max().unwrap_or(0)
    }

    /// Ends the thread, and saves what was counted.
    pub(super) fn stop(&self) {
        self.shared.is_stopping.store(true, Ordering::Relaxed);
        self.shared.changed.notify_all();
        let thread = self.thread.hold().take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread of metrics panicked");
        }
    }
}

impl Drop for MeterThread {
    fn drop(&mut self) {
        self.stop();
    }
}

fn name_of((whose, name): &Key) -> String {
    format!("{whose}:{name}")
}

impl CounterState {
    fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::Relaxed)
    }

    fn run(&self) {
        let (mut feed, mut kept_at) = (None, Instant::now());
        while let Some(is_asked) = self.wait_for_meters(&mut feed) {
            // It is there before the store is read, so that nothing falls in between.
            let feed = feed.get_or_insert_with(|| self.store.subscribe(Vec::new(), BATCHES_WAITING_MAX));
            if self.catch_up_one() {
                continue;
            }
            match feed.receive(if is_asked.is_some() { Duration::ZERO } else { LOOK }) {
                FeedItem::Batch(batch) => self.count_batch(&batch),
                FeedItem::Lagged(_) => self.fall_behind(),
                FeedItem::Idle => self.tell_settled(is_asked),
                FeedItem::Closed => break,
            }
            if kept_at.elapsed() >= KEEP_EVERY {
                self.keep();
                kept_at = Instant::now();
            }
        }
        self.tell_settled(Some(u64::MAX));
        self.keep();
    }

    /// Waits for something to count. Gives which wish is the latest that is open, or nothing at the end.
    fn wait_for_meters(&self, feed: &mut Option<Subscription>) -> Option<Option<u64>> {
        self.follow();
        let mut inner = self.inner.hold();
        while (inner.entries.is_empty() || !inner.is_leading) && !self.is_stopping() {
            *feed = None;
            let wanted = inner.n_wanted;
            if self.states.is_shared() {
                drop(inner);
                self.follow();
                inner = self.inner.hold();
            }
            inner.n_settled = inner.n_settled.max(wanted);
            self.changed.notify_all();
            if inner.is_leading && !inner.entries.is_empty() || inner.n_wanted > wanted {
                continue;
            }
            let waited = self.changed.wait_timeout(inner, Duration::from_secs(1));
            (inner, _) = waited.unwrap_or_else(PoisonError::into_inner);
        }
        let wish = Some(inner.n_wanted).filter(|wanted| *wanted > inner.n_settled);
        (!self.is_stopping()).then_some(wish)
    }

    /// In a fleet: counts from now on if this node has the lease, continuing from what was saved; else shows what was saved.
    fn follow(&self) {
        let is_held = self.states.is_held();
        let mut inner = self.inner.hold();
        if inner.is_leading {
            if !is_held {
                self.step_down(&mut inner);
            }
            return;
        }
        drop(inner);
        let news = self.states.news::<MeterRecords>();
        let mut inner = self.inner.hold();
        match news {
            Ok(news) => {
                if let Some(saved) = news {
                    inner.take_saved(saved);
                }
                if is_held {
                    tracing::info!("this node counts metrics from now on");
                    inner.is_leading = true;
                    inner.entries.values_mut().for_each(|entry| entry.is_behind = entry.counted.problem.is_none());
                }
            }
            // Nothing is counted, and the last known counts are shown.
            Err(error) => tracing::debug!(%error, "counts of the fleet are not known"),
        }
    }

    fn step_down(&self, inner: &mut Inner) {
        tracing::info!("this node no longer counts metrics");
        inner.is_leading = false;
        self.states.forget();
    }

    fn tell_settled(&self, wish: Option<u64>) {
        let Some(wish) = wish else { return };
        let mut inner = self.inner.hold();
        // A meter that was added meanwhile has not looked yet.
        if !inner.entries.values().any(|entry| entry.is_behind) || wish == u64::MAX {
            inner.n_settled = inner.n_settled.max(wish);
            self.changed.notify_all();
        }
    }

    /// Notes that the feed lost batches: every meter reads on in the store.
    fn fall_behind(&self) {
        self.inner.hold().entries.values_mut().for_each(|entry| entry.is_behind = entry.counted.problem.is_none());
    }

    /// Lets a meter that lags look at what the store has; `false` if none is.
    fn catch_up_one(&self) -> bool {
        let inner = self.inner.hold();
        let room = inner.room();
        let behind = inner.entries.iter().find(|(_, entry)| entry.is_behind);
        let Some((key, counted)) = behind.map(|(key, entry)| (key.clone(), entry.counted.clone())) else {
            return false;
        };
        drop(inner);
        let caught_up = catch_unwind(AssertUnwindSafe(|| self.catch_up(&counted, room)));
        let mut inner = self.inner.hold();
        // Another may have taken its place.
        let entry = inner.entries.get_mut(&key).filter(|entry| Arc::ptr_eq(&entry.counted.meter, &counted.meter));
        let Some(entry) = entry else { return true };
        match caught_up {
            Ok(Some(tally)) => entry.take(tally),
            // It is to end; what was found is found again.
            Ok(None) => {}
            Err(_) => entry.note_defect(&key),
        }
        entry.is_behind = false;
        true
    }

    fn catch_up(&self, counted: &MeterCount, mut room: usize) -> Option<Tally> {
        let MeterCount { meter, tally: before, .. } = counted;
        let mut tally = before.clone();
        let mut runs = self.store.snapshot_within(&meter.groups, &meter.within, TimeRange::ALL).runs;
        runs.retain(|run| run.last_sequence() > before.sequence && meter.counts(run.info().group.as_str()));
        let last = runs.iter().map(|run| run.last_sequence()).max().unwrap_or(0);
        let now = self.clock.now();
        for run in runs {
            if self.is_stopping() {
                return None;
            }
            // The store itself reports damage; the rest counts.
            let _ = meter.tail.rows_by_block(run, now, &mut |found| meter.count(&found, &mut tally, &mut room, now));
        }
        tally.sequence = last.max(before.sequence);
        Some(tally)
    }

    /// Lets every meter look at a batch, one at a time, so that a reader of metrics waits for one at most.
    fn count_batch(&self, batch: &AcceptedBatch) {
        let keys: Vec<Key> = self.inner.hold().entries.keys().cloned().collect();
        let run = Arc::new(BatchRun::new(batch.group.clone(), batch.group_id, batch.batch.clone()));
        let (last, now) = (run.last_sequence(), self.clock.now());
        for key in keys {
            let mut inner = self.inner.hold();
            let mut room = inner.room();
            let entry = inner.entries.get_mut(&key);
            let is_new = |entry: &&mut Entry| !entry.is_behind && entry.counted.tally.sequence < last;
            let Some(entry) = entry.filter(is_new) else { continue };
            if !entry.counted.meter.counts(batch.group.as_str()) || entry.counted.problem.is_some() {
                entry.counted.tally.sequence = last;
                continue;
            }
            let meter = entry.counted.meter.clone();
            let tally = &mut entry.counted.tally;
            let mut is_dirty = false;
            let count = || {
                let take = &mut |found: execute::TailRows| {
                    is_dirty |= !found.ids.is_empty();
                    meter.count(&found, tally, &mut room, now);
                };
                let _ = meter.tail.rows_by_block(run.clone(), now, take);
            };
            let done = catch_unwind(AssertUnwindSafe(count));
            entry.counted.tally.sequence = last;
            entry.is_dirty |= is_dirty;
            if done.is_err() {
                entry.note_defect(&key);
            }
        }
    }

    /// Saves what was counted, where that is worth it.
    fn keep(&self) {
        let mut inner = self.inner.hold();
        if !inner.is_leading {
            return;
        }
        let is_far = |entry: &Entry| entry.counted.tally.sequence - entry.kept_sequence >= UNKEPT_MAX;
        if !inner.entries.values().any(|entry| entry.is_dirty || is_far(entry)) {
            return;
        }
        let mut all = inner.left.clone();
        for (key, entry) in &mut inner.entries {
            let (fingerprint, tally) = (entry.fingerprint, entry.counted.tally.clone());
            all.insert(name_of(key), MeterRecord { fingerprint, tally });
            (entry.kept_sequence, entry.is_dirty) = (entry.counted.tally.sequence, false);
        }
        drop(inner);
        if let Err(error) = self.states.save(&all) {
            if error.is_refused() {
                self.step_down(&mut self.inner.hold());
            }
            // Whatever came since it was saved last is read again after a restart.
            tracing::warn!(%error, "state of metrics not saved");
        }
    }
}

impl Inner {
    /// Continues with what another node has saved.
    fn take_saved(&mut self, mut saved: MeterRecords) {
        for (key, entry) in &mut self.entries {
            let own = saved.remove(&name_of(key)).filter(|record| record.fingerprint == entry.fingerprint);
            entry.counted.tally = own.map_or_else(|| entry.first.clone(), |record| record.tally);
            (entry.kept_sequence, entry.is_dirty) = (entry.counted.tally.sequence, false);
        }
        self.left = saved;
    }

    /// Returns how many series more there may be.
    fn room(&self) -> usize {
        let n_series: usize = self.entries.values().map(|entry| entry.counted.tally.series.len()).sum();
        SERIES_MAX.saturating_sub(n_series)
    }
}

impl Entry {
    fn take(&mut self, tally: Tally) {
        self.is_dirty |= tally.series != self.counted.tally.series;
        self.counted.tally = tally;
    }

    /// Keeps the counts of a meter that panicked and records why it counts no more.
    fn note_defect(&mut self, (_, name): &Key) {
        tracing::error!(metric = name, "counting for a metric panicked; it is counted no more");
        self.counted.problem = Some("a defect in catat ended it; its log says where".into());
    }
}
