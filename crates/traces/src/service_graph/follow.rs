//! The thread that follows spans and writes the counts of their calls.

use std::sync::{Arc, Weak};
use std::time::Duration;

use door::{Server, Shared};
use storage::{AcceptedBatch, FeedItem, Subscription};
use types::{BatchRun, Run, ScanError, Timestamp};

use super::counts::Counts;
use super::pairs::Pairs;
use super::samples;
use crate::map::scan::calls_of;
use crate::plans::span_groups;

/// Batches that wait to be looked at; the events of what comes beyond are counted as dropped.
const BATCHES_WAITING_MAX: usize = 256;

/// How often the thread looks whether it is to write or to end.
const LOOK: Duration = Duration::from_millis(200);

/// Returns the body of the thread that counts the calls among the spans that are accepted from now on, and writes the counts every
/// `interval`, until the server ends.
pub fn count_calls(server: &Arc<Server>, interval: Duration) -> impl FnOnce() + Send + 'static {
    // However late the thread begins, it counts what is sent as soon as the server listens.
    let following = server.whole_store().has_alerts().then(|| CallCounter::new(server));
    let server = Arc::downgrade(server);
    move || count_while_running(&server, interval, following)
}

fn count_while_running(server: &Weak<Server>, interval: Duration, mut following: Option<CallCounter>) {
    while let Some(running) = server.upgrade().filter(|server| !*server.closing.borrow()) {
        // In a fleet, one node counts; another one begins at 0.
        if !running.whole_store().has_alerts() {
            following = None;
            drop(running);
            std::thread::sleep(LOOK);
            continue;
        }
        let counter = following.get_or_insert_with(|| CallCounter::new(&running));
        counter.write_if_due(running, interval);
        if !counter.follow() {
            return;
        }
    }
}

/// Spans that are followed, and what was counted.
struct CallCounter {
    feed: Subscription,
    pairs: Pairs,
    counts: Counts,
    /// The time of the last spans looked at, and of the last writing.
    now: Timestamp,
    written: Timestamp,
}

impl CallCounter {
    fn new(server: &Server) -> Self {
        let feed = server.whole_store().subscribe(span_groups(&[]), BATCHES_WAITING_MAX);
        let now = server.now();
        Self { feed, pairs: Pairs::default(), counts: Counts::default(), now, written: now }
    }

    fn write_if_due(&mut self, server: Arc<Server>, interval: Duration) {
        self.now = server.now();
        let interval_ns = i64::try_from(interval.as_nanos()).unwrap_or(i64::MAX);
        let since = self.now.0.saturating_sub(self.written.0);
        if (0..interval_ns).contains(&since) {
            return;
        }
        self.pairs.expire(self.now, &mut self.counts);
        // After a clock was set, the first samples of new series are still before the next.
        let before = self.written.min(Timestamp(self.now.0.saturating_sub(interval_ns)));
        let written = samples::write(&Shared::of_server(server), &mut self.counts, (before, self.now));
        if let Err(problem) = written {
            tracing::warn!(
                problem = problem.message,
                "metrics of the service graph not written; they are at the next interval"
            );
        }
        self.written = self.now;
    }

    /// Looks at the next batch; `false` if there will be none.
    fn follow(&mut self) -> bool {
        match self.feed.receive(LOOK) {
            FeedItem::Batch(batch) => {
                if let Err(error) = self.add(&batch) {
                    tracing::warn!(%error, "calls among accepted spans not counted");
                }
            }
            FeedItem::Lagged(n_events) => self.counts.n_dropped += n_events,
            FeedItem::Idle => {}
            FeedItem::Closed => return false,
        }
        true
    }

    fn add(&mut self, accepted: &AcceptedBatch) -> Result<(), ScanError> {
        if accepted.batch.is_empty() {
            return Ok(());
        }
        let run = BatchRun::new(accepted.group.clone(), accepted.group_id, accepted.batch.clone());
        for block in 0..run.n_blocks() {
            for span in calls_of(&run, block)? {
                self.pairs.add(span, self.now, &mut self.counts);
            }
        }
        Ok(())
    }
}
