//! Moves frames from the queue to the store: all that wait become one delivery, but for those of events that are still coming.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ingest::{Encoding, IngestError, Intake, Sender};
use storage::AppendError;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout_at};
use tracing::{error, warn};
use types::{GroupScope, Hold, Timestamp};

use super::counts::SocketCounts;
use super::door::Door;
use super::joined::JoinedMessages;
use super::queue::QueuedChunk;
use super::sink::{Chunk, EventSink, Stored};
use crate::{forward, gelf, lines, lumberjack, syslog};
use ::door::server::Server;

/// Limits on the bytes of a delivery and the age of its first message. The age is below the 100 ms that people notice, and
/// long enough that a quiet network does not cost a sync for each message. A megabyte contains messages of dozens of
/// groups; larger deliveries have enough of each group for efficient columns.
const DELIVERY_BYTES: usize = 4 << 20;
const DELIVERY_AGE: Duration = Duration::from_millis(50);

/// How often events that wait for further lines are looked at, and how often it is looked whether any do.
const LOOK_PAUSE: Duration = Duration::from_millis(100);
const IDLE_PAUSE: Duration = Duration::from_secs(3600);

/// Pauses between attempts while the store refuses deliveries.
const PAUSE_MIN: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// How often the log has a line about messages that could not be read.
const WORD_EVERY: Duration = Duration::from_secs(60);

/// Limit on the attempts after the server began to close.
const LAST_ATTEMPTS_MAX: u32 = 5;

/// Where the frames of a door go.
#[derive(Clone)]
pub(super) struct Storing {
    pub(super) door: Door,
    pub(super) server: Arc<Server>,
    pub(super) counts: Arc<SocketCounts>,
}

/// What became of a delivery.
pub(super) enum Delivered {
    /// It is durable.
    Stored(Stored),
    /// It exceeds the limits of one delivery.
    TooLarge,
    /// The store did not take it.
    Lost,
}

/// Stores what frames of several senders hold as one delivery, and returns when it is durable. Blocks.
pub fn ingest_chunks(
    intake: &Intake,
    door: Door,
    chunks: &[Chunk],
    batch_id: Option<&str>,
    now: Timestamp,
) -> Result<Stored, IngestError> {
    let sender = Sender { name: door.name(), within: &GroupScope::All, batch_id, now, groups: None };
    let mut sink = EventSink::new(intake, sender);
    let add = match door {
        Door::Syslog => syslog::add,
        Door::Gelf => gelf::add,
        Door::Forward => forward::add,
        Door::Lumberjack => lumberjack::add,
        Door::Lines => lines::add,
    };
    for chunk in chunks {
        for (frame, n_cut) in chunk.frames.iter() {
            add(frame, n_cut, chunk, &mut sink)?;
        }
    }
    let n_bytes = chunks.iter().map(|chunk| chunk.frames.n_bytes() as u64).sum();
    // The id of a batch contains the hash of its bytes.
    sink.deliver(n_bytes, b"")
}

/// Stores frames until the sending ends of the queue are dropped.
pub(super) async fn run(storing: Storing, mut queue: mpsc::Receiver<QueuedChunk>) {
    let began = Instant::now();
    let now_ms = || u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let mut joined = JoinedMessages::new(storing.door);
    let mut is_open = true;
    while is_open || joined.is_waiting() {
        // Events that wait for further lines are looked at from time to time.
        let look = Instant::now() + if joined.is_waiting() { LOOK_PAUSE } else { IDLE_PAUSE };
        let mut next = timeout_at(look, queue.recv()).await;
        let due = Instant::now() + DELIVERY_AGE;
        let (mut n_bytes, mut rooms) = (0, Vec::new());
        while let Ok(received) = next {
            let Some(queued) = received else {
                is_open = false;
                break;
            };
            n_bytes += queued.chunk.frames.n_bytes();
            rooms.push(queued._room);
            joined.add(queued.chunk, now_ms());
            next = if n_bytes < DELIVERY_BYTES { timeout_at(due, queue.recv()).await } else { break };
        }
        let chunks = if is_open { joined.take(now_ms()) } else { joined.finish() };
        let mut deliveries = vec![chunks];
        deliveries.retain(|chunks| !chunks.is_empty());
        while let Some(chunks) = deliveries.pop() {
            let chunks: Arc<[Chunk]> = chunks.into();
            if let Delivered::TooLarge = storing.deliver(&chunks, None, None).await {
                deliveries.extend(chunks.chunks(chunks.len().div_ceil(2)).rev().map(<[Chunk]>::to_vec));
            }
        }
        drop(rooms);
    }
}

impl Storing {
    /// Stores chunks, and retries while the store is busy or full. A single chunk is never too large. What connections deliver
    /// by themselves, packed as `admitted` says, is admitted as bodies of requests are.
    pub(super) async fn deliver(
        &self,
        chunks: &Arc<[Chunk]>,
        batch_id: Option<&Arc<str>>,
        admitted: Option<Encoding>,
    ) -> Delivered {
        let Self { door, server, counts } = self;
        let n_messages = chunks.iter().map(Chunk::n_messages).sum();
        let mut pause = PAUSE_MIN;
        let mut n_attempts_left = LAST_ATTEMPTS_MAX;
        loop {
            let (of_thread, of_work, id, door) = (server.clone(), chunks.clone(), batch_id.cloned(), *door);
            let work = move || ingest_chunks(&of_thread.app.intake, door, &of_work, id.as_deref(), of_thread.now());
            let worked = match admitted {
                None => tokio::task::spawn_blocking(work).await.map_err(|_| true),
                Some(encoding) => {
                    let n_bytes = chunks.iter().map(|chunk| chunk.frames.n_bytes()).sum();
                    server.intake.run(encoding, n_bytes, work).await.map_err(|problem| problem.status.as_u16() == 500)
                }
            };
            let problem = match worked {
                Ok(Ok(stored)) => {
                    self.count(&stored, chunks);
                    return Delivered::Stored(stored);
                }
                Ok(Err(problem)) => problem,
                Err(false) if n_attempts_left > 0 => {
                    n_attempts_left -= u32::from(*server.closing.borrow());
                    sleep(pause).await;
                    continue;
                }
                Err(_) => {
                    error!(door = door.name(), n_messages, "messages lost by a fault in the server");
                    counts.n_lost.fetch_add(n_messages, Ordering::Relaxed);
                    return Delivered::Lost;
                }
            };
            let is_large =
                matches!(problem, IngestError::TooManyFields { .. } | IngestError::Store(AppendError::TooLarge(_)));
            if is_large && chunks.len() > 1 {
                return Delivered::TooLarge;
            }
            n_attempts_left -= u32::from(*server.closing.borrow());
            if !problem.is_temporary() || n_attempts_left == 0 {
                error!(door = door.name(), %problem, n_messages, "messages lost");
                counts.n_lost.fetch_add(n_messages, Ordering::Relaxed);
                return Delivered::Lost;
            }
            if pause == PAUSE_MIN {
                warn!(door = door.name(), %problem, n_messages, "messages wait for the store");
            }
            sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    /// Counts what became of messages.
    fn count(&self, stored: &Stored, chunks: &[Chunk]) {
        let n_joined: u64 = chunks.iter().map(|chunk| chunk.n_joined).sum();
        let n_stored = if stored.answer.duplicate { 0 } else { stored.answer.accepted + n_joined };
        self.counts.n_stored.fetch_add(n_stored, Ordering::Relaxed);
        self.counts.n_too_old.fetch_add(stored.n_too_old, Ordering::Relaxed);
        self.refuse(stored.n_malformed, stored.problem.as_deref());
    }

    /// Counts messages that could not be read, and logs the problem now and then.
    pub(super) fn refuse(&self, n_malformed: u64, problem: Option<&str>) {
        self.counts.n_malformed.fetch_add(n_malformed, Ordering::Relaxed);
        let Some(problem) = problem else { return };
        let mut told = self.counts.told.hold();
        if told.is_none_or(|at| at.elapsed() > WORD_EVERY) {
            *told = Some(std::time::Instant::now());
            warn!(door = self.door.name(), problem, n_malformed, "messages could not be read");
        }
    }
}
