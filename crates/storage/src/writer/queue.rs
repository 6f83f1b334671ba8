//! Deliveries on their way to the writer thread.
//!
//! Senders' threads do what can be done by many: put rows in order of time and encode the record. The queue is
//! bounded by bytes; a sender that finds it full waits a while and is then asked to retry.

use std::collections::VecDeque;
use std::fmt;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use types::{Batch, GroupName, Hold, Numbers, ensure};

use crate::hot::Generation;
use crate::state::deletions::Erasure;
use crate::wal::batch_codec::Encoder;
use crate::wal::record::{Body, encode_body};
use crate::{AppendError, BatchKey, DeletionReceipt, Delivery, Receipt, SourcePosition, StoreError};

/// Bytes that may wait for the writer. A few group commits: more would only make every sender wait longer.
const QUEUE_BYTES_MAX: usize = 64 << 20;

/// How long a sender waits for room in the queue.
const WAIT_FOR_ROOM: Duration = Duration::from_secs(10);

/// Bytes of records that go out with one sync. Bounds the memory and the time of one group commit.
pub(crate) const COMMIT_BYTES_MAX: usize = 8 << 20;

/// Deliveries that a group commit waits for while more are on their way, and how long: a quick disk would sync for each few
/// of hundreds of senders, and every sync costs processors too.
const GATHERED_MAX: usize = 64;
const GATHER_TIME: Duration = Duration::from_millis(5);

/// What a sender is asked to wait before it tries again.
pub(crate) const RETRY_AFTER_S: u64 = 1;

/// A delivery ready to be written.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) key: Option<BatchKey>,
    pub(crate) position: Option<SourcePosition>,
    pub(crate) raw_bytes: u64,
    pub(crate) parts: Vec<RequestPart>,
    pub(crate) n_events: u64,
    pub(crate) body: Body,
}

/// Events of one group, in order of time; sequences count from 0 in order of acceptance.
#[derive(Debug)]
pub(crate) struct RequestPart {
    pub(crate) group: GroupName,
    pub(crate) raw_bytes: u64,
    pub(crate) batch: Batch,
}

impl Request {
    /// Prepares a delivery; the error is why it is too large.
    pub(crate) fn prepare(mut delivery: Delivery, encoder: &Encoder) -> Result<Self, AppendError> {
        delivery.parts.retain(|part| !part.batch.is_empty());
        delivery.position = delivery.position.filter(|position| !position.range.is_empty());
        delivery.parts.iter_mut().for_each(|part| in_order_of_time(&mut part.batch));
        let raw_shares = raw_shares(&delivery);
        let body = encode_body(&delivery, &raw_shares, encoder).map_err(AppendError::TooLarge)?;
        let Delivery { key, position, raw_bytes, parts } = delivery;
        let n_events = parts.iter().map(|part| part.batch.len() as u64).sum();
        let parts = parts.into_iter().zip(raw_shares);
        let parts = parts.map(|(part, raw_bytes)| RequestPart { group: part.group, raw_bytes, batch: part.batch });
        Ok(Self { key, position, raw_bytes, parts: parts.collect(), n_events, body })
    }

    /// Reports whether accepting it leaves no trace.
    pub(crate) fn is_empty(&self) -> bool {
        self.n_events == 0 && self.key.is_none() && self.position.is_none()
    }

    fn size(&self) -> RequestSize {
        let batches: usize = self.parts.iter().map(|part| part.batch.memory_bytes()).sum();
        let record = self.body.bytes.len();
        RequestSize { memory: batches + record, record }
    }
}

/// Numbers rows in the order in which they were sent and sorts them by time.
fn in_order_of_time(batch: &mut Batch) {
    batch.sequences = Numbers::consecutive(0, batch.len());
    // The last instant that an i64 can say belongs to no half-open range: no query could ever find it.
    if batch.timestamps.bounds().is_some_and(|(_, latest)| latest == i64::MAX) {
        batch.timestamps = batch.timestamps.iter().map(|time| time.min(i64::MAX - 1)).collect();
    }
    if !batch.timestamps.is_sorted() {
        let rows: Vec<(u32, u32)> = batch.time_order().into_iter().map(|row| (0, row)).collect();
        *batch = Batch::gather(&[batch], &rows);
    }
}

/// Shares the bytes sent out among the groups by the length of their texts.
fn raw_shares(delivery: &Delivery) -> Vec<u64> {
    let weight = |batch: &Batch| (batch.messages.text().len() + batch.len()) as u128;
    let total: u128 = delivery.parts.iter().map(|part| weight(&part.batch)).sum::<u128>().max(1);
    let mut left = delivery.raw_bytes;
    let mut shares = Vec::with_capacity(delivery.parts.len());
    for (index, part) in delivery.parts.iter().enumerate() {
        let is_last = index + 1 == delivery.parts.len();
        let share = (u128::from(delivery.raw_bytes) * weight(&part.batch) / total) as u64;
        let share = if is_last { left } else { share.min(left) };
        left -= share;
        shares.push(share);
    }
    shares
}

/// Called with what became of a delivery, by the writer thread: it must not block.
pub(crate) struct Answer(Box<dyn FnOnce(Result<Receipt, AppendError>) + Send>);

impl Answer {
    pub(crate) fn new(done: impl FnOnce(Result<Receipt, AppendError>) + Send + 'static) -> Self {
        Self(Box::new(done))
    }

    pub(crate) fn send(self, result: Result<Receipt, AppendError>) {
        (self.0)(result);
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answer")
    }
}

/// What the writer thread is asked to do.
#[derive(Debug)]
pub(crate) enum WriterCommand {
    /// Accept a delivery.
    Append(Box<Request>, Answer),
    /// Begin a flush: continue in a new WAL file and hand over what came before. `None` if there is nothing.
    Rotate(SyncSender<Result<Option<Rotation>, StoreError>>),
    /// Delete a group; the answer is whether there was one.
    Delete(GroupName, SyncSender<Result<bool, StoreError>>),
    /// Delete events.
    Erase(Box<Erasure>, Box<DeletionReceipt>, SyncSender<Result<(), StoreError>>),
}

/// What a flush begins with.
#[derive(Debug)]
pub(crate) struct Rotation {
    pub(crate) generation: Arc<Generation>,
    /// Number of the WAL file before which all are released once the generation is in segments.
    pub(crate) wal_released: u64,
    pub(crate) next_sequence: u64,
    pub(crate) next_group: u32,
    /// In a fleet, the sequence below which all events are in segments.
    pub(crate) flushed: u64,
}

/// Why the queue takes nothing any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CloseReason {
    ShuttingDown,
    Poisoned(String),
}

impl From<CloseReason> for AppendError {
    fn from(closed: CloseReason) -> Self {
        match closed {
            CloseReason::ShuttingDown => Self::ShuttingDown,
            CloseReason::Poisoned(reason) => Self::Poisoned(reason),
        }
    }
}

impl From<CloseReason> for StoreError {
    fn from(closed: CloseReason) -> Self {
        match closed {
            CloseReason::ShuttingDown => Self::ShuttingDown,
            CloseReason::Poisoned(reason) => Self::Poisoned(reason),
        }
    }
}

/// Bytes of a delivery: in memory, and of its record. The record is a fifth of it or less.
#[derive(Clone, Copy, Debug, Default)]
struct RequestSize {
    memory: usize,
    record: usize,
}

#[derive(Debug, Default)]
struct QueueState {
    work: VecDeque<(WriterCommand, RequestSize)>,
    /// Bytes of memory of all deliveries.
    bytes: usize,
    /// Bytes of their records.
    record_bytes: usize,
    /// Senders that wait for room.
    n_shut_out: usize,
    closed: Option<CloseReason>,
    /// Deliveries that were announced and are not here yet.
    n_coming: usize,
    /// Whether the writer waits for more than it has, and for nothing but deliveries.
    is_gathering: bool,
}

impl QueueState {
    /// Reports whether it is worth to wait for what is on its way.
    fn may_gather(&self) -> bool {
        self.closed.is_none()
            && self.is_gathering
            && self.n_coming > 0
            && self.work.len() < GATHERED_MAX
            && self.bytes < COMMIT_BYTES_MAX
    }
}

/// The queue to the writer thread.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    waiting: Mutex<QueueState>,
    arrived: Condvar,
    left: Condvar,
}

impl Queue {
    /// Returns why nothing is taken any more, where it is so.
    pub(crate) fn closed(&self) -> Option<CloseReason> {
        self.waiting.hold().closed.clone()
    }

    /// Adds a delivery, waiting for room.
    pub(crate) fn push_delivery(&self, request: Request, answer: Answer) -> Result<(), AppendError> {
        let size = request.size();
        let is_full = |waiting: &mut QueueState| {
            waiting.closed.is_none() && waiting.bytes > 0 && waiting.bytes.saturating_add(size.memory) > QUEUE_BYTES_MAX
        };
        let mut waiting = self.waiting.hold();
        let mut is_late = false;
        if is_full(&mut waiting) {
            waiting.n_shut_out += 1;
            // The writer does not wait for more: there is no room for it.
            self.arrived.notify_one();
            let waited = self.left.wait_timeout_while(waiting, WAIT_FOR_ROOM, is_full);
            let (late, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            (waiting, is_late) = (late, timeout.timed_out());
            waiting.n_shut_out -= 1;
        }
        if let Some(closed) = &waiting.closed {
            return Err(closed.clone().into());
        }
        ensure!(!is_late, AppendError::Overloaded { retry_after_s: RETRY_AFTER_S });
        waiting.bytes += size.memory;
        waiting.record_bytes += size.record;
        waiting.work.push_back((WriterCommand::Append(Box::new(request), answer), size));
        let is_awaited = !waiting.may_gather();
        drop(waiting);
        if is_awaited {
            self.arrived.notify_one();
        }
        Ok(())
    }

    /// Adds a command.
    pub(crate) fn push_command(&self, command: WriterCommand) -> Result<(), StoreError> {
        let mut waiting = self.waiting.hold();
        if let Some(closed) = &waiting.closed {
            return Err(closed.clone().into());
        }
        waiting.work.push_back((command, RequestSize::default()));
        waiting.is_gathering = false;
        drop(waiting);
        self.arrived.notify_one();
        Ok(())
    }

    /// Takes the next work for which `take` answers true, without waiting.
    pub(crate) fn next_if(&self, take: impl FnOnce(&WriterCommand) -> bool) -> Option<WriterCommand> {
        let mut waiting = self.waiting.hold();
        let (work, size) = waiting.work.pop_front_if(|(work, _)| take(work))?;
        waiting.bytes -= size.memory;
        waiting.record_bytes -= size.record;
        drop(waiting);
        self.left.notify_all();
        Some(work)
    }

    /// Reports whether nothing waits.
    pub(crate) fn is_idle(&self) -> bool {
        self.waiting.hold().work.is_empty()
    }

    /// Waits until there is work; `false` once the queue is closed and empty.
    pub(crate) fn wait(&self) -> bool {
        let idle = |waiting: &mut QueueState| waiting.work.is_empty() && waiting.closed.is_none();
        let waiting = self.arrived.wait_while(self.waiting.hold(), idle).unwrap_or_else(PoisonError::into_inner);
        !waiting.work.is_empty()
    }

    /// Says that a delivery is on its way, or that it is no longer.
    pub(crate) fn note_coming(&self, is_coming: bool) {
        let mut waiting = self.waiting.hold();
        waiting.n_coming = if is_coming { waiting.n_coming + 1 } else { waiting.n_coming.saturating_sub(1) };
        let is_awaited = waiting.is_gathering && !waiting.may_gather();
        drop(waiting);
        if is_awaited {
            self.arrived.notify_one();
        }
    }

    /// Waits a moment for deliveries that are on their way.
    pub(crate) fn gather(&self) {
        self.gather_for(GATHER_TIME);
    }

    fn gather_for(&self, patience: Duration) {
        let mut waiting = self.waiting.hold();
        waiting.is_gathering = waiting.work.iter().all(|(work, _)| matches!(work, WriterCommand::Append(..)));
        let waited = self.arrived.wait_timeout_while(waiting, patience, |waiting| waiting.may_gather());
        let (mut waiting, _) = waited.unwrap_or_else(PoisonError::into_inner);
        waiting.is_gathering = false;
    }

    /// Waits until an instant for more deliveries, until their records have `record_bytes`, there is no room for more or
    /// something else is to be done.
    pub(crate) fn wait_for_more(&self, until: Instant, record_bytes: usize) {
        let is_short = |waiting: &mut QueueState| {
            waiting.closed.is_none()
                && waiting.n_shut_out == 0
                && waiting.record_bytes < record_bytes
                && waiting.work.iter().all(|(work, _)| matches!(work, WriterCommand::Append(..)))
        };
        let patience = until.saturating_duration_since(Instant::now());
        drop(self.arrived.wait_timeout_while(self.waiting.hold(), patience, is_short));
    }

    /// Takes nothing any more. What is already waiting is still done, unless the reason is a failure: then it
    /// is answered with it.
    pub(crate) fn close(&self, reason: CloseReason) {
        let mut waiting = self.waiting.hold();
        let is_failure = matches!(reason, CloseReason::Poisoned(_));
        if waiting.closed.is_none() || is_failure {
            waiting.closed = Some(reason.clone());
        }
        let refused = if is_failure { std::mem::take(&mut waiting.work) } else { VecDeque::new() };
        if is_failure {
            (waiting.bytes, waiting.record_bytes) = (0, 0);
        }
        drop(waiting);
        for (work, _) in refused {
            // A sender that no longer waits needs no answer.
            match work {
                WriterCommand::Append(_, answer) => answer.send(Err(reason.clone().into())),
                WriterCommand::Rotate(answer) => drop(answer.send(Err(reason.clone().into()))),
                WriterCommand::Delete(_, answer) => drop(answer.send(Err(reason.clone().into()))),
                WriterCommand::Erase(_, _, answer) => drop(answer.send(Err(reason.clone().into()))),
            }
        }
        self.arrived.notify_all();
        self.left.notify_all();
    }
}

#[cfg(test)]
mod tests;
