//! Receives the documents that X-Ray's SDKs send to the daemon: one in each datagram.
//!
//! The sender gets no answer. Datagrams are dropped and counted while the queue is full or the store does not take them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use door::Server;
use door::access::is_allowed;
use door::exposition::{Kind, Page};
use door::listen::told;
use ipnet::IpNet;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tracing::{debug, error};

use super::decode::ingest_datagrams;

/// Largest datagram.
const DATAGRAM_BYTES_MAX: usize = 64 << 10;

/// Limits on the datagrams of a delivery, and on their bytes.
const DELIVERY_DATAGRAMS_MAX: usize = 1_000;
const DELIVERY_BYTES_MAX: usize = 1 << 20;

/// Limit on the deliveries that wait to be stored.
const QUEUE_DELIVERIES_MAX: usize = 16;

/// How long a delivery waits for further datagrams, so that a quiet service does not cost a sync for each span.
const DELIVERY_AGE: Duration = Duration::from_millis(50);

/// Attempts to store a delivery, and the pause between them.
const ATTEMPTS_MAX: u32 = 5;
const ATTEMPT_PAUSE: Duration = Duration::from_millis(500);

/// The socket for documents, and the networks that may send to it.
pub struct XRayListener {
    /// The socket.
    pub socket: std::net::UdpSocket,
    /// Networks that may send, in addition to loopback.
    pub allow: Vec<IpNet>,
}

/// The counters of the listener since the start.
#[derive(Debug, Default)]
pub struct XRayCounts {
    n_received: AtomicU64,
    n_dropped: AtomicU64,
    n_refused: AtomicU64,
    n_lost: AtomicU64,
    n_senders_refused: AtomicU64,
}

impl XRayCounts {
    /// Writes the counters to the metrics page.
    pub fn write_metrics(&self, page: &mut Page) {
        let counters = [
            ("datagrams_received", "X-Ray: Datagrams received.", &self.n_received),
            ("datagrams_dropped", "X-Ray: Datagrams dropped because the store was busy.", &self.n_dropped),
            ("segments_refused", "X-Ray: Segments of datagrams that were invalid or too old.", &self.n_refused),
            ("datagrams_lost", "X-Ray: Datagrams read that the store would not take.", &self.n_lost),
            ("senders_refused", "X-Ray: Datagrams of senders not allowed.", &self.n_senders_refused),
        ];
        for (name, help, counter) in counters {
            let value = counter.load(Ordering::Relaxed) as f64;
            page.single(&format!("catat_xray_{name}_total"), Kind::Counter, help, value);
        }
    }
}

/// Listens until the server closes. The task ends when everything that was read is stored.
///
/// # Errors
/// If the socket cannot be read asynchronously.
pub fn start(server: Arc<Server>, counts: Arc<XRayCounts>, listener: XRayListener) -> std::io::Result<JoinHandle<()>> {
    listener.socket.set_nonblocking(true)?;
    let socket = UdpSocket::from_std(listener.socket)?;
    let (queue, waiting) = mpsc::channel(QUEUE_DELIVERIES_MAX);
    let stored = tokio::spawn(store(server.clone(), counts.clone(), waiting));
    Ok(tokio::spawn(async move {
        receive(&socket, &listener.allow, &server, &counts, queue).await;
        // A panic of the task is counted there.
        let _ = stored.await;
    }))
}

/// Reads datagrams until the server closes, and then those that have arrived.
async fn receive(
    socket: &UdpSocket,
    allow: &[IpNet],
    server: &Server,
    counts: &XRayCounts,
    queue: mpsc::Sender<Vec<Vec<u8>>>,
) {
    let mut closing = server.closing.clone();
    let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
    let mut is_open = true;
    while is_open {
        let readable = tokio::select! {
            readable = socket.readable() => readable,
            // What has arrived is readable at once.
            () = told(&mut closing) => {
                is_open = false;
                timeout(DELIVERY_AGE, socket.readable()).await.unwrap_or(Ok(()))
            }
        };
        match readable {
            // More may arrive while this waits.
            Ok(()) if is_open => drop(timeout(DELIVERY_AGE, told(&mut closing)).await),
            Ok(()) => {}
            Err(_) => sleep(ATTEMPT_PAUSE).await,
        }
        loop {
            let datagrams = read_some(socket, allow, &mut buffer, counts);
            if datagrams.is_empty() {
                break;
            }
            let n_datagrams = datagrams.len() as u64;
            counts.n_received.fetch_add(n_datagrams, Ordering::Relaxed);
            if queue.try_send(datagrams).is_err() {
                counts.n_dropped.fetch_add(n_datagrams, Ordering::Relaxed);
            }
        }
    }
}

/// Reads datagrams of one delivery that have arrived.
fn read_some(socket: &UdpSocket, allow: &[IpNet], buffer: &mut [u8], counts: &XRayCounts) -> Vec<Vec<u8>> {
    let (mut datagrams, mut n_bytes) = (Vec::new(), 0);
    while datagrams.len() < DELIVERY_DATAGRAMS_MAX && n_bytes < DELIVERY_BYTES_MAX {
        let Ok((length, peer)) = socket.try_recv_from(buffer) else { break };
        if !is_allowed(peer.ip(), allow) {
            counts.n_senders_refused.fetch_add(1, Ordering::Relaxed);
            continue;
        }
        n_bytes += length;
        datagrams.push(buffer[..length].to_vec());
    }
    datagrams
}

/// Stores deliveries until the sending end of the queue is dropped.
async fn store(server: Arc<Server>, counts: Arc<XRayCounts>, mut waiting: mpsc::Receiver<Vec<Vec<u8>>>) {
    while let Some(datagrams) = waiting.recv().await {
        let datagrams = Arc::new(datagrams);
        let n_datagrams = datagrams.len() as u64;
        let mut n_attempts_left = ATTEMPTS_MAX;
        loop {
            let (of_thread, of_work) = (server.clone(), datagrams.clone());
            let work = move || ingest_datagrams(&of_thread.app.intake, &of_work, of_thread.now());
            match tokio::task::spawn_blocking(work).await {
                Ok(Ok((_, refused))) => {
                    if let Some(first) = refused.first() {
                        counts.n_refused.fetch_add(refused.len() as u64, Ordering::Relaxed);
                        debug!(n_refused = refused.len(), code = first.code, "segments of x-ray refused");
                    }
                    break;
                }
                Ok(Err(problem)) if n_attempts_left > 1 && problem.is_temporary() => {
                    n_attempts_left -= 1;
                    sleep(ATTEMPT_PAUSE).await;
                }
                Ok(Err(problem)) => {
                    error!(%problem, n_datagrams, "datagrams of x-ray lost");
                    counts.n_lost.fetch_add(n_datagrams, Ordering::Relaxed);
                    break;
                }
                Err(_) => {
                    error!(n_datagrams, "datagrams of x-ray lost by a fault in the server");
                    counts.n_lost.fetch_add(n_datagrams, Ordering::Relaxed);
                    break;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
