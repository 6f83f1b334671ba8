//! The feed of accepted batches: the one source for tail, immediate rules and derived metrics.
//!
//! Each subscription has a bounded queue. A reader that does not keep up loses the oldest batches and learns how
//! many events they had before it gets what came after: a slow reader never holds up a sender.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use types::{Batch, GroupName, GroupPattern, GroupScope, Hold};

use crate::deletion::{self, Sequences};

/// A durable batch of one group, its rows in order of time.
#[derive(Clone, Debug)]
pub struct AcceptedBatch {
    /// The group.
    pub group: GroupName,
    /// The group's number in this store.
    pub group_id: u32,
    /// The events, with their sequences and times of ingestion.
    pub batch: Arc<Batch>,
}

/// What a subscription yields.
#[derive(Clone, Debug)]
pub enum FeedItem {
    /// The next batch.
    Batch(Arc<AcceptedBatch>),
    /// So many events were lost before what comes next.
    Lagged(u64),
    /// Nothing came in time.
    Idle,
    /// The store was closed and everything before it was received.
    Closed,
}

/// One reader of the feed. Dropping it ends it.
#[derive(Debug)]
pub struct Subscription {
    queue: Arc<Queue>,
}

/// The groups of a subscription.
#[derive(Debug)]
pub(crate) enum GroupChoice {
    /// Those that match a pattern (no pattern: all) and are in a scope.
    Of(Vec<GroupPattern>, GroupScope),
    /// All but those that match a pattern.
    Besides(Vec<GroupPattern>),
}

impl GroupChoice {
    fn has(&self, group: &str) -> bool {
        match self {
            Self::Of(groups, within) => within.admits(group) && GroupPattern::any_names(groups, group),
            Self::Besides(left_out) => !left_out.iter().any(|pattern| pattern.matches(group)),
        }
    }
}

#[derive(Debug)]
struct Queue {
    wanted: GroupChoice,
    capacity_batches: usize,
    waiting: Mutex<FeedState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct FeedState {
    batches: VecDeque<Arc<AcceptedBatch>>,
    n_lost: u64,
    closed: bool,
}

impl Queue {}

impl Subscription {
    /// Waits for the next batch, at most `timeout`.
    pub fn receive(&self, timeout: Duration) -> FeedItem {
        let idle = |waiting: &mut FeedState| waiting.batches.is_empty() && waiting.n_lost == 0 && !waiting.closed;
        let waited = self.queue.changed.wait_timeout_while(self.queue.waiting.hold(), timeout, idle);
        let (mut waiting, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if waiting.n_lost > 0 {
            return FeedItem::Lagged(std::mem::take(&mut waiting.n_lost));
        }
        match waiting.batches.pop_front() {
            Some(batch) => FeedItem::Batch(batch),
            None if waiting.closed => FeedItem::Closed,
            None => FeedItem::Idle,
        }
    }
}

/// All subscriptions of a store.
#[derive(Debug, Default)]
pub(crate) struct Feed {
    queues: Mutex<Vec<Weak<Queue>>>,
}

impl Feed {
    pub(crate) fn subscribe(&self, wanted: GroupChoice, capacity_batches: usize) -> Subscription {
        let capacity_batches = capacity_batches.max(1);
        let queue = Queue { wanted, capacity_batches, waiting: Mutex::default(), changed: Condvar::new() };
        let queue = Arc::new(queue);
        self.live().push(Arc::downgrade(&queue));
        Subscription { queue }
    }

    fn live(&self) -> MutexGuard<'_, Vec<Weak<Queue>>> {
        let mut queues = self.queues.hold();
        queues.retain(|queue| queue.strong_count() > 0);
        queues
    }

    pub(crate) fn n_subscriptions(&self) -> usize {
        self.live().len()
    }

    /// Hands a batch to every subscription that wants its group.
    pub(crate) fn publish(&self, batch: &Arc<AcceptedBatch>) {
        for queue in self.live().iter().filter_map(Weak::upgrade) {
            if !queue.wanted.has(batch.group.as_str()) {
                continue;
            }
            let mut waiting = queue.waiting.hold();
            if waiting.batches.len() >= queue.capacity_batches
                && let Some(lost) = waiting.batches.pop_front()
            {
                waiting.n_lost = waiting.n_lost.saturating_add(lost.batch.len() as u64);
            }
            waiting.batches.push_back(batch.clone());
            drop(waiting);
            queue.changed.notify_all();
        }
    }

    /// Takes deleted events out of what is waiting.
    pub(crate) fn erase(&self, group_id: u32, gone: &Sequences) {
        for queue in self.live().iter().filter_map(Weak::upgrade) {
            let mut waiting = queue.waiting.hold();
            for waits in waiting.batches.iter_mut().filter(|batch| batch.group_id == group_id) {
                if let Some(left) = deletion::without(&waits.batch, gone) {
                    *waits = Arc::new(AcceptedBatch { batch: Arc::new(left), ..AcceptedBatch::clone(waits) });
                }
            }
            waiting.batches.retain(|batch| !batch.batch.is_empty());
        }
    }

    /// Lets every subscription end once it has read what is waiting.
    pub(crate) fn close(&self) {
        for queue in self.live().iter().filter_map(Weak::upgrade) {
            queue.waiting.hold().closed = true;
            queue.changed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests;
