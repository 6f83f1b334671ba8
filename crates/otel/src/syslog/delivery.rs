//! Moves frames from the queue to the store: all that wait become one delivery, but for those of events that are still coming.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ingest::IngestError;
use storage::AppendError;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout_at};
use tracing::{error, warn};

use super::counts::SyslogCounts;
use super::decode::{SyslogChunk, ingest_syslog};
use super::joined::JoinedMessages;
use super::queue::QueuedChunk;
use door::server::Server;

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

/// Limit on the attempts after the server began to close.
const LAST_ATTEMPTS_MAX: u32 = 5;

/// Stores frames until the sending ends of the queue are dropped.
pub(super) async fn run(server: Arc<Server>, counts: Arc<SyslogCounts>, mut queue: mpsc::Receiver<QueuedChunk>) {
    let began = Instant::now();
    let now_ms = || u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let mut joined = JoinedMessages::default();
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
        while let Some(mut chunks) = deliveries.pop() {
            if let Err(TooLarge(all)) = deliver(&server, &counts, chunks.into()).await {
                chunks = all.to_vec();
                let second = chunks.split_off(chunks.len() / 2);
                deliveries.extend([second, chunks]);
            }
        }
        drop(rooms);
    }
}

/// Chunks that exceed the limits of one delivery.
struct TooLarge(Arc<[SyslogChunk]>);

/// Stores chunks, and retries while the store is busy or full.
async fn deliver(server: &Arc<Server>, counts: &SyslogCounts, chunks: Arc<[SyslogChunk]>) -> Result<(), TooLarge> {
    let n_messages = chunks.iter().map(SyslogChunk::n_messages).sum();
    let mut pause = PAUSE_MIN;
    let mut n_attempts_left = LAST_ATTEMPTS_MAX;
    loop {
        let (of_thread, of_work) = (server.clone(), chunks.clone());
        let work = move || ingest_syslog(&of_thread.app.intake, &of_work, of_thread.now());
        let problem = match tokio::task::spawn_blocking(work).await {
            Ok(Ok(_)) => {
                counts.n_stored.fetch_add(n_messages, Ordering::Relaxed);
                return Ok(());
            }
            Ok(Err(problem)) => problem,
            Err(_) => {
                error!(n_messages, "syslog messages lost by a fault in the server");
                counts.n_lost.fetch_add(n_messages, Ordering::Relaxed);
                return Ok(());
            }
        };
        let is_large =
            matches!(problem, IngestError::TooManyFields { .. } | IngestError::Store(AppendError::TooLarge(_)));
        if is_large && chunks.len() > 1 {
            return Err(TooLarge(chunks));
        }
        n_attempts_left -= u32::from(*server.closing.borrow());
        if !problem.is_temporary() || n_attempts_left == 0 {
            error!(%problem, n_messages, "syslog messages lost");
            counts.n_lost.fetch_add(n_messages, Ordering::Relaxed);
            return Ok(());
        }
        if pause == PAUSE_MIN {
            warn!(%problem, n_messages, "syslog messages wait for the store");
        }
        sleep(pause).await;
        pause = (pause * 2).min(PAUSE_MAX);
    }
}
