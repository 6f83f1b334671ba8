//! Follows the feed of accepted batches: one thread counts errors, saves the counts, and then lets channels be notified.
//!
//! Sequences are given in the order of acceptance, and the feed has batches in that order. So the sequence up to which
//! errors were counted is saved with the counts, and a restart repeats and loses nothing: what came since is read from
//! the store, and so is what the thread could not keep up with. A store that has no counts yet is read for the last days,
//! so that old errors are not new ones. In a fleet the node with the lease `alerts` counts; the others show what it saved.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use alert::{Alerts, StateStore};
use execute::Tail;
use storage::{AcceptedBatch, Clock, FeedItem, Store, Subscription};
use types::{BatchRun, GroupPattern, Hold, Run, TimeRange, Timestamp};

use super::announce::announcement;
use super::columns::errors_of;
use super::decision::{Decision, Decisions, IssueState, count_of};
use super::grouping::Grouping;
use super::record::{Back, IssueCounts, IssueRecord, Notice, OpenNotice};
use crate::incidents::follow_alerts;

/// The kind of documents with decisions.
pub(super) const KIND: &str = "issue";

/// Batches that wait in the store; what is more is read again from there.
const BATCHES_WAITING_MAX: usize = 64;

/// How long the thread waits for a batch before it looks whether it is to end.
const LOOK: Duration = Duration::from_millis(50);

/// How often counts are saved, documents of other nodes are read, and old issues are forgotten.
const SAVE_EVERY: Duration = Duration::from_secs(5);
const READ_EVERY: Duration = Duration::from_secs(1);
const PRUNE_EVERY: Duration = Duration::from_secs(60);

/// How often ends of alerts are noted in incidents: their times are exact to that.
const ALERTS_EVERY: Duration = Duration::from_secs(2);

/// The position alone is saved after this number of events.
const UNSAVED_MAX: u64 = 100_000;

/// How far back a store without counts is read.
const HISTORY_NS: i64 = 7 * Timestamp::DAY;

/// Issues without events for this long, and without a decision, are forgotten.
const FORGOTTEN_AFTER_NS: i64 = 90 * Timestamp::DAY;

/// Notifications that are queued at once.
const NOTICES_MAX: usize = 100;

/// Groups whose events are no errors of a program: those of catat itself, and spans, which repeat what lines say.
const LEFT_OUT: [&str; 3] = ["catat/*", "traces/*", "metrics/*"];

fn left_out() -> Vec<GroupPattern> {
    LEFT_OUT.map(GroupPattern::new).to_vec()
}

pub(super) struct Inner {
    pub(super) grouping: Grouping,
    pub(super) decisions: Decisions,
    /// Whether this process counts: always on a machine of its own, in a fleet on one node.
    is_leading: bool,
    /// Whether the store has something that was not looked at, and that the feed will not bring.
    is_behind: bool,
    saved_sequence: u64,
    /// How many readers asked for everything accepted to be counted, and how many of them were served.
    n_wanted: u64,
    n_settled: u64,
    /// Why nothing is counted, where a defect ended it.
    pub(super) problem: Option<String>,
}

pub(super) struct Follower {
    pub(super) store: Arc<Store>,
    pub(super) clock: Clock,
    alerts: Arc<Alerts>,
    states: StateStore,
    tail: Tail,
    inner: Mutex<Inner>,
    changed: Condvar,
    pub(super) is_stopping: AtomicBool,
}

/// When something was done last.
struct Times {
    saved: Instant,
    read: Instant,
    pruned: Instant,
    alerts: Instant,
}

impl Follower {
    pub(super) fn new(
        store: Arc<Store>,
        clock: Clock,
        alerts: Arc<Alerts>,
        (states, counted): (StateStore, IssueCounts),
    ) -> Self {
        let is_leading = !states.is_shared();
        let saved_sequence = counted.position.sequence;
        let inner = Inner {
            grouping: Grouping::new(counted),
            decisions: Decisions::default(),
            is_leading,
            is_behind: true,
            saved_sequence,
            n_wanted: 0,
            n_settled: 0,
            problem: None,
        };
        let (changed, is_stopping) = (Condvar::new(), AtomicBool::new(false));
        let tail = super::columns::tail();
        Self { store, clock, alerts, states, tail, inner: Mutex::new(inner), changed, is_stopping }
    }

    pub(super) fn inner(&self) -> MutexGuard<'_, Inner> {
        // What a panic leaves are counts all the same; nothing is counted after it.
        self.inner.hold()
    }

    fn is_over(&self) -> bool {
        self.is_stopping.load(Ordering::Relaxed)
    }

    pub(super) fn stop(&self) {
        self.is_stopping.store(true, Ordering::Relaxed);
        self.changed.notify_all();
    }

    /// Wakes the thread, since a decision changed.
    pub(super) fn wake(&self) {
        self.changed.notify_all();
    }

    /// Waits until what was accepted so far is counted, at most so long.
    pub(super) fn settle(&self, longest: Duration) {
        let mut inner = self.inner();
        if !inner.is_leading || inner.problem.is_some() || self.is_over() {
            return;
        }
        inner.n_wanted += 1;
        let wanted = inner.n_wanted;
        drop(self.changed.wait_timeout_while(inner, longest, |inner| inner.n_settled < wanted));
    }

    /// Counts until the end.
    pub(super) fn run(&self) {
        let now = Instant::now();
        let mut times = Times { saved: now, read: now, pruned: now, alerts: now };
        self.read_decisions();
        let mut feed = None;
        while !self.is_over() {
            let step = catch_unwind(AssertUnwindSafe(|| self.step(&mut feed, &mut times)));
            match step {
                Ok(true) => {}
                Ok(false) => break,
                Err(_) => {
                    tracing::error!("counting of issues panicked; errors are counted no more until a restart");
                    self.inner().problem = Some("a defect in catat ended it; its log says where".into());
                    break;
                }
            }
        }
        self.settled(u64::MAX);
        self.save();
    }

    /// Looks at what comes next; `false` at the end.
    fn step(&self, feed: &mut Option<Subscription>, times: &mut Times) -> bool {
        if self.states.is_shared() && times.read.elapsed() >= READ_EVERY {
            times.read = Instant::now();
            self.read_decisions();
            self.lead_or_follow();
        }
        if !self.inner().is_leading {
            *feed = None;
            let inner = self.inner();
            drop(self.changed.wait_timeout(inner, LOOK));
            return true;
        }
        // It is there before the store is read, so that nothing falls in between.
        let feed = feed.get_or_insert_with(|| self.store.subscribe_besides(left_out(), BATCHES_WAITING_MAX));
        if self.inner().is_behind {
            self.catch_up();
            return true;
        }
        let wish = {
            let inner = self.inner();
            Some(inner.n_wanted).filter(|wanted| *wanted > inner.n_settled)
        };
        match feed.receive(if wish.is_some() { Duration::ZERO } else { LOOK }) {
            FeedItem::Batch(batch) => self.count_batch(&batch),
            FeedItem::Lagged(_) => self.inner().is_behind = true,
            FeedItem::Idle => {
                wish.into_iter().for_each(|wish| self.settled(wish));
                self.announce();
            }
            FeedItem::Closed => return false,
        }
        self.keep(times);
        true
    }

    fn settled(&self, wish: u64) {
        let mut inner = self.inner();
        inner.n_settled = inner.n_settled.max(wish);
        self.changed.notify_all();
    }

    fn keep(&self, times: &mut Times) {
        if times.alerts.elapsed() >= ALERTS_EVERY {
            times.alerts = Instant::now();
            if let Err(error) = follow_alerts(self.store.settings(), &self.alerts, self.clock.now()) {
                tracing::debug!(%error, "ends of alerts not noted in incidents");
            }
        }
        if times.pruned.elapsed() >= PRUNE_EVERY {
            times.pruned = Instant::now();
            self.prune();
        }
        if times.saved.elapsed() >= SAVE_EVERY {
            times.saved = Instant::now();
            let inner = self.inner();
            let n_unsaved = inner.grouping.counted.position.sequence.saturating_sub(inner.saved_sequence);
            let is_due = inner.grouping.is_dirty || n_unsaved >= UNSAVED_MAX;
            drop(inner);
            if is_due {
                self.save();
            }
        }
    }

    /// In a fleet: counts from now on if this node has the lease, continuing from what was saved; else shows that.
    fn lead_or_follow(&self) {
        let is_held = self.states.is_held();
        if self.inner().is_leading {
            if !is_held {
                self.step_down();
            }
            return;
        }
        match self.states.news::<IssueCounts>() {
            Ok(news) => {
                let mut inner = self.inner();
                if let Some(saved) = news {
                    inner.saved_sequence = saved.position.sequence;
                    inner.grouping = Grouping::new(saved);
                }
                if is_held {
                    tracing::info!("this node counts issues from now on");
                    (inner.is_leading, inner.is_behind) = (true, true);
                }
            }
            Err(error) => tracing::debug!(%error, "issues of the fleet are not known"),
        }
    }

    fn step_down(&self) {
        tracing::info!("this node no longer counts issues");
        self.inner().is_leading = false;
        self.states.forget();
        self.settled(u64::MAX - 1);
    }

    /// Reads what people have decided on any node.
    fn read_decisions(&self) {
        match self.store.settings().all(KIND) {
            Ok(documents) => {
                let read = |(id, json): (String, String)| match serde_json::from_str::<Decision>(&json) {
                    Ok(decision) => Some((id, decision)),
                    Err(error) => {
                        tracing::debug!(issue = id, %error, "a decision cannot be read from the control store");
                        None
                    }
                };
                let by_id: BTreeMap<String, Decision> = documents.into_iter().filter_map(read).collect();
                self.inner().decisions = Decisions::new(by_id);
            }
            Err(error) => tracing::debug!(%error, "decisions about issues are not known"),
        }
    }

    /// Counts what the store has after the position.
    fn catch_up(&self) {
        let (counted, decisions) = {
            let inner = self.inner();
            (inner.grouping.counted.clone(), inner.decisions.clone())
        };
        let (after, is_begun) = (counted.position.sequence, counted.position.is_begun);
        let now = self.clock.now();
        let range = if is_begun {
            TimeRange::ALL
        } else {
            TimeRange { from: Timestamp(now.0.saturating_sub(HISTORY_NS)), to: TimeRange::ALL.to }
        };
        let mut grouping = Grouping::new(counted);
        let runs = self.store.snapshot(&[], range).runs;
        let last = runs.iter().map(|run| run.last_sequence()).max().unwrap_or(0);
        let mut touched = BTreeSet::new();
        for run in runs.into_iter().filter(|run| run.last_sequence() > after) {
            if self.is_over() {
                // What was found is found again.
                return;
            }
            touched.extend(self.count_run(&mut grouping, run, after, &decisions, now));
        }
        if !is_begun {
            // What was there before is no news.
            grouping.counted.issues.values_mut().for_each(|record| record.notice = None);
        }
        grouping.counted.position.sequence = last.max(after);
        (grouping.counted.position.is_begun, grouping.is_dirty) = (true, true);
        let mut inner = self.inner();
        inner.grouping = grouping;
        inner.is_behind = false;
        inner.note_expiries(&touched, now);
    }

    fn count_batch(&self, batch: &AcceptedBatch) {
        let run = Arc::new(BatchRun::new(batch.group.clone(), batch.group_id, batch.batch.clone()));
        let (last, now) = (run.last_sequence(), self.clock.now());
        let mut guard = self.inner();
        let inner = &mut *guard;
        let after = inner.grouping.counted.position.sequence;
        if last <= after {
            return;
        }
        let touched = self.count_run(&mut inner.grouping, run, after, &inner.decisions, now);
        inner.grouping.counted.position.sequence = last;
        inner.note_expiries(&touched, now);
        let is_news =
            touched.iter().any(|id| inner.grouping.counted.issues.get(id).is_some_and(|one| one.notice.is_some()));
        drop(guard);
        if is_news {
            self.announce();
        }
    }

    fn count_run(
        &self,
        grouping: &mut Grouping,
        run: Arc<dyn Run>,
        after: u64,
        decisions: &Decisions,
        now: Timestamp,
    ) -> BTreeSet<String> {
        let group = run.info().group.as_str().to_owned();
        let mut touched = BTreeSet::new();
        if left_out().iter().any(|pattern| pattern.matches(&group)) {
            return touched;
        }
        // The store itself reports damage; the rest counts.
        let _ = self.tail.rows_by_block(run, now, &mut |found| {
            touched.extend(grouping.count(&group, &errors_of(&found, after), decisions, now));
        });
        touched
    }

    /// Saves the counts; `false` if they are not saved.
    fn save(&self) -> bool {
        let mut inner = self.inner();
        if !inner.is_leading {
            return false;
        }
        let counted = inner.grouping.counted.clone();
        (inner.saved_sequence, inner.grouping.is_dirty) = (counted.position.sequence, false);
        drop(inner);
        let Err(error) = self.states.save(&counted) else { return true };
        if error.is_refused() {
            self.step_down();
        }
        self.inner().grouping.is_dirty = true;
        // What came since it was saved last is counted again after a restart.
        tracing::warn!(%error, "state of issues not saved");
        false
    }

    /// Lets channels be notified of what is new, and of the end of what they know. What is announced was saved before.
    fn announce(&self) {
        let now = self.clock.now();
        let (ids, announcements) = {
            let inner = self.inner();
            let pending = inner.pending(now);
            let made = |(id, end): &(String, Option<Timestamp>)| {
                let record = inner.grouping.counted.issues.get(id)?;
                Some(announcement(inner.decisions.root(id), record, *end))
            };
            let announcements: Vec<_> = pending.iter().filter_map(made).collect();
            (pending, announcements)
        };
        if ids.is_empty() || !self.save() {
            return;
        }
        if let Err(error) = self.alerts.announce(&announcements) {
            tracing::debug!(%error, "notifications of issues wait");
            return;
        }
        let mut inner = self.inner();
        for (id, end) in ids {
            let Some(record) = inner.grouping.counted.issues.get_mut(&id) else { continue };
            match end {
                Some(_) => record.open_notice = None,
                None => {
                    let (kind, since) = (record.notice_kind(), record.notice_start());
                    record.open_notice = Some(OpenNotice { kind, since });
                    (record.notice, record.n_notices) = (None, record.n_notices.saturating_add(1));
                }
            }
        }
        inner.grouping.is_dirty = true;
    }

    /// Forgets issues of groups that are deleted, and those that have not been seen for long.
    fn prune(&self) {
        let now = self.clock.now();
        let mut inner = self.inner();
        let is_gone = |id: &str, record: &IssueRecord| {
            let is_old = now.0.saturating_sub(record.last) > FORGOTTEN_AFTER_NS && !inner.decisions.is_decided(id);
            is_old || !self.has_group(&record.group)
        };
        let issues = inner.grouping.counted.issues.iter();
        let gone: Vec<String> = issues.filter(|(id, record)| is_gone(id, record)).map(|(id, _)| id.clone()).collect();
        gone.iter().for_each(|id| inner.grouping.remove(id));
    }

    pub(super) fn has_group(&self, group: &str) -> bool {
        types::GroupName::new(group).is_some_and(|group| self.store.has_group(&group))
    }
}

impl Inner {
    /// Returns what channels are to be notified of: issues that are new or back, and with a time those that ended.
    fn pending(&self, now: Timestamp) -> Vec<(String, Option<Timestamp>)> {
        let is_quiet = |id: &str| {
            let root = self.decisions.root(id);
            let state = self.decisions.get(root).map(|one| one.effective(&self.parts_of(root), now));
            matches!(state, Some(IssueState::Resolved | IssueState::Ignored))
        };
        let pending = self.grouping.counted.issues.iter().filter_map(|(id, record)| {
            if record.notice.is_some() {
                return Some((id.clone(), None));
            }
            (record.open_notice.is_some() && is_quiet(id)).then(|| (id.clone(), Some(now)))
        });
        pending.take(NOTICES_MAX).collect()
    }

    /// Returns the counts of an issue and of those that were merged into it.
    pub(super) fn parts_of(&self, root: &str) -> Vec<&IssueRecord> {
        let issues = self.grouping.counted.issues.iter();
        issues.filter(|(id, _)| self.decisions.root(id) == root).map(|(_, record)| record).collect()
    }

    /// Notes which issues reached what they were ignored until.
    fn note_expiries(&mut self, touched: &BTreeSet<String>, now: Timestamp) {
        for id in touched {
            let root = self.decisions.root(id).to_owned();
            let Some(decision) = self.decisions.get(&root).filter(|one| one.until.is_some()) else { continue };
            let parts = self.parts_of(&root);
            let is_known =
                parts.iter().any(|part| part.back.as_ref().is_some_and(|back| back.revision == decision.revision));
            if is_known || decision.state != IssueState::Ignored || !decision.has_expired(count_of(&parts), now) {
                continue;
            }
            let revision = decision.revision;
            if let Some(record) = self.grouping.counted.issues.get_mut(id) {
                record.back = Some(Back { revision, at: now.0, version: None });
                record.notice = Some(Notice::Reopened);
            }
        }
    }
}
