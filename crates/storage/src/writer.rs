//! The writer: deliveries on their way into the WAL, and into the hot events and the feed once they are durable.
//!
//! Senders' threads prepare a delivery and put it into a bounded queue; one thread ([`committer`]) appends to the WAL,
//! syncs, publishes and answers. It is the only one that changes hot events, groups, batch ids and positions.

mod acceptance;
pub(crate) mod committer;
pub(crate) mod queue;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use types::{Hold, ensure};

use self::queue::{Answer, CloseReason, Queue, RETRY_AFTER_S, Request, Rotation, WriterCommand};

use crate::feed::Feed;
use crate::segments::Segments;
use crate::state::deletions::{Erasure, HotChange};
use crate::wal::batch_codec::Encoder;
use crate::{AppendError, Delivery, Receipt, StoreError};

pub(crate) use acceptance::{Acceptance, Identity};

/// How long a sender waits for a flush to make room. Less than what senders wait for an answer.
const WAIT_FOR_FLUSH: Duration = Duration::from_secs(10);

/// How long a sender waits before it looks again.
const WAIT_STEP: Duration = Duration::from_millis(20);

/// What senders, the writer thread and flushes share.
pub(crate) struct Writer {
    segments: Arc<Segments>,
    pub(crate) queue: Queue,
    pub(crate) feed: Feed,
    /// For what senders' threads make of a delivery on its way to the queue.
    encoder: Encoder,
    /// Notified when a flush has ended, well or not.
    flush_ended: (Mutex<()>, Condvar),
    /// Whether the last flush failed.
    is_flush_failing: AtomicBool,
    /// Whether everyone who reads what is written knows samples by their series.
    writes_series: AtomicBool,
}

impl Writer {
    pub(crate) fn new(segments: Arc<Segments>) -> Self {
        Self {
            segments,
            queue: Queue::default(),
            feed: Feed::default(),
            encoder: Encoder::default(),
            flush_ended: Default::default(),
            is_flush_failing: AtomicBool::new(false),
            writes_series: AtomicBool::new(true),
        }
    }

    /// Puts a delivery into the queue, whose outcome `done` is called with; an error is a refusal at once.
    pub(crate) fn append_then(
        &self,
        mut delivery: Delivery,
        done: impl FnOnce(Result<Receipt, AppendError>) + Send + 'static,
    ) -> Result<(), AppendError> {
        if let Some(closed) = self.queue.closed() {
            return Err(closed.into());
        }
        ensure!(self.wait_for_flush(), AppendError::Overloaded { retry_after_s: RETRY_AFTER_S });
        if !self.writes_series.load(Ordering::Relaxed) {
            let of_series = delivery.parts.iter_mut().filter(|part| part.batch.series.is_some());
            of_series.for_each(|part| part.batch = part.batch.spelled_out());
        }
        let request = Request::prepare(delivery, &self.encoder)?;
        if request.is_empty() {
            done(Ok(Receipt { duplicate: false, first_sequence: 0, n_events: 0, high_water: None }));
            return Ok(());
        }
        self.queue.push_delivery(request, Answer::new(done))
    }

    /// Says whether samples may be written by their series, from the next delivery on.
    pub(crate) fn write_series(&self, may: bool) {
        self.writes_series.store(may, Ordering::Relaxed);
    }

    /// Waits while hot events are too many; `false` if they stay so, or where flushes fail.
    fn wait_for_flush(&self) -> bool {
        let until = Instant::now() + WAIT_FOR_FLUSH;
        while self.segments.state().hot_bytes() >= self.segments.options.hot_bytes_max() {
            self.segments.signals.flush.ring();
            let left = until.saturating_duration_since(Instant::now());
            let is_hopeless = self.is_flush_failing.load(Ordering::Relaxed) || self.queue.closed().is_some();
            if left.is_zero() || is_hopeless {
                return false;
            }
            // A wake-up that comes between the question and the wait costs one step.
            let guard = self.flush_ended.0.hold();
            drop(self.flush_ended.1.wait_timeout(guard, left.min(WAIT_STEP)));
        }
        true
    }

    /// Notifies those who wait for a flush of its outcome.
    pub(crate) fn flush_has_ended(&self, is_failure: bool) {
        self.is_flush_failing.store(is_failure, Ordering::Relaxed);
        self.flush_ended.1.notify_all();
    }

    /// Asks the writer thread to begin a flush.
    pub(crate) fn rotate(&self) -> Result<Option<Rotation>, StoreError> {
        let (answer, answered) = sync_channel(1);
        self.queue.push_command(WriterCommand::Rotate(answer))?;
        answered.recv().unwrap_or_else(|_| Err(self.why_closed().into()))
    }

    /// Hides deleted events: among hot events, in segments, and in batches that wait to be fed. The caller makes
    /// sure that nothing else changes hot events meanwhile.
    pub(crate) fn apply_erasure(&self, erasure: Erasure) {
        let deletion = erasure.deletion.clone();
        let hot = HotChange::of(&self.segments.state(), &deletion);
        self.segments.state_mut().apply_erasure(erasure, hot);
        self.feed.erase(deletion.group_id, &deletion.sequences);
    }

    /// Closes the queue once what this returns is dropped.
    pub(crate) fn closing(&self) -> CloseOnDrop<'_> {
        CloseOnDrop(self)
    }

    pub(crate) fn why_closed(&self) -> CloseReason {
        self.queue.closed().unwrap_or(CloseReason::ShuttingDown)
    }
}

/// Closes the queue when the thread ends for whatever reason, so that no sender waits for ever.
pub(crate) struct CloseOnDrop<'a>(&'a Writer);

impl Drop for CloseOnDrop<'_> {
    fn drop(&mut self) {
        let ended = if std::thread::panicking() { "the writer thread panicked" } else { "the writer thread ended" };
        if self.0.queue.closed().is_none() || std::thread::panicking() {
            self.0.queue.close(CloseReason::Poisoned(ended.into()));
        }
        self.0.feed.close();
    }
}
