//! The thread that reads the feed of accepted batches and schedules the rules that they concern.
//!
//! It takes a small share of a core: the longer a look took, the longer it rests, and batches that arrive meanwhile are
//! looked at together. If it falls behind, the feed drops batches and all rules are evaluated.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use storage::{AcceptedBatch, Clock, FeedItem, Subscription};

use crate::arrival::arrived;
use crate::engine::{ActiveRules, RuleEngine};
use crate::trigger::Triggers;

/// Batches that wait; more are lost, which costs one evaluation of all rules.
pub(crate) const BATCHES_WAITING_MAX: usize = 2_048;

/// How long it waits before it looks whether all ends.
const IDLE: Duration = Duration::from_millis(250);

/// A look is followed by a rest so many times as long,
const REST_TIMES: u32 = 19;

/// at least long enough that a stream of small batches wakes it a hundred times a second,
const REST_MIN: Duration = Duration::from_millis(10);

/// but not by one that would delay the notification of an error beyond two seconds.
const REST_MAX: Duration = Duration::from_millis(500);

/// Reads until the store is closed or all ends.
pub(crate) fn watch(engine: &RuleEngine, feed: &Subscription, clock: &Clock, is_stopping: &AtomicBool) {
    let (mut active, mut triggers): (Arc<ActiveRules>, Triggers) = Default::default();
    let _covering = CoverageGuard(engine);
    while !is_stopping.load(Ordering::Relaxed) {
        let first = feed.receive(IDLE);
        let began = Instant::now();
        let now_active = engine.active_rules();
        if !Arc::ptr_eq(&active, &now_active) {
            active = now_active;
            triggers = Triggers::of(&active.rules, clock.now());
            engine.schedule.cover(&triggers.timeless());
        }
        let Some((batches, is_lagging)) = gather(feed, first) else { return };
        if is_lagging {
            let now = clock.now();
            triggers.rules().for_each(|rule| engine.schedule.ask(rule, &[now], &[]));
        }
        look(engine, &triggers, &batches, clock);
        std::thread::sleep((began.elapsed() * REST_TIMES).clamp(REST_MIN, REST_MAX));
    }
}

/// When the thread ends, however it does, rules are asked at every turn again.
struct CoverageGuard<'a>(&'a RuleEngine);

impl Drop for CoverageGuard<'_> {
    fn drop(&mut self) {
        self.0.schedule.cover(&HashSet::new());
    }
}

/// Returns all that waits, and whether something was lost. Nothing when the store is closed.
fn gather(feed: &Subscription, first: FeedItem) -> Option<(Vec<Arc<AcceptedBatch>>, bool)> {
    let (mut batches, mut is_lagging) = (Vec::new(), false);
    let mut next = first;
    loop {
        match next {
            FeedItem::Batch(batch) => batches.push(batch),
            FeedItem::Lagged(_) => is_lagging = true,
            FeedItem::Closed if batches.is_empty() => return None,
            FeedItem::Closed | FeedItem::Idle => return Some((batches, is_lagging)),
        }
        if batches.len() >= BATCHES_WAITING_MAX {
            return Some((batches, is_lagging));
        }
        next = feed.receive(Duration::ZERO);
    }
}

/// Lets the rules that these batches concern be judged at once.
pub(crate) fn look(engine: &RuleEngine, triggers: &Triggers, batches: &[Arc<AcceptedBatch>], clock: &Clock) {
    let now = clock.now();
    let waiting: HashSet<String> = engine.schedule.asked(now);
    let offsets = engine.clock_offsets();
    let batches: Vec<Arc<AcceptedBatch>> = batches.iter().map(|batch| arrived(batch, &offsets)).collect();
    for touched in triggers.touched(&batches, now, &waiting) {
        engine.schedule.ask(&touched.rule, &touched.dues, &touched.late);
    }
}
