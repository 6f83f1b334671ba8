//! Moves frames from the queue to the store: all that wait become one delivery.

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
use super::queue::QueuedChunk;
use door::server::Server;

/// Limits on the bytes of a delivery and the age of its first message. The age is below the 100 ms that people notice, and
/// long enough that a quiet network does not cost a sync for each message. A megabyte contains messages of dozens of
/// groups; larger deliveries have enough of each group for efficient columns.
const DELIVERY_BYTES: usize = 4 << 20;
const DELIVERY_AGE: Duration = Duration::from_millis(50);

/// Pauses between attempts while the store refuses deliveries.
const PAUSE_MIN: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// Limit on the attempts after the server began to close.
const LAST_ATTEMPTS_MAX: u32 = 5;

/// Stores frames until the sending ends of the queue are dropped.
pub(super) async fn run(server: Arc<Server>, counts: Arc<SyslogCounts>, mut queue: mpsc::Receiver<QueuedChunk>) {
    while let Some(first) = queue.recv().await {
        let due = Instant::now() + DELIVERY_AGE;
        let mut n_bytes = first.chunk.frames.n_bytes();
        let mut rooms = vec![first._room];
        let mut chunks = vec![first.chunk];
        while n_bytes < DELIVERY_BYTES {
            let Ok(Some(next)) = timeout_at(due, queue.recv()).await else { break };
            n_bytes += next.chunk.frames.n_bytes();
            rooms.push(next._room);
            chunks.push(next.chunk);
        }
        let mut deliveries = vec![chunks];
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
    let n_messages = chunks.iter().map(|chunk| chunk.frames.len() as u64).sum();
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
