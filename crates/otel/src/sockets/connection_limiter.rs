//! Chooses the connection that is closed for a new one when all places are taken.
//!
//! Senders keep connections open for hours, and thousands of forgotten ones would keep out senders with messages. When a
//! new connection finds no place, the connection that has been silent longest is closed, among those of the network with
//! the most connections. A connection that has sent something recently, or is in the middle of a message, stays. The
//! sender sees the end of the connection before the server stops reading it, and opens another for its next message.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use door::access::network_of;
use types::Hold;

/// How long a connection must be silent before it may be closed for another.
const SILENCE_MIN: Duration = Duration::from_secs(60);

/// The pause after a search that found no silent connection: a search over thousands takes time.
const PAUSE_US: u64 = 1_000_000;

/// The time of a connection that is in the middle of a message, or was asked to close.
const BUSY: u64 = u64::MAX;

/// All open connections.
#[derive(Debug)]
pub struct ConnectionLimiter {
    began: Instant,
    silence_min: Duration,
    // A panic leaves a valid map.
    open: Mutex<HashMap<u64, Arc<ConnectionState>>>,
    next_number: AtomicU64,
    /// Time of the next search, in microseconds.
    next_look: AtomicU64,
}

/// An open connection.
#[derive(Debug)]
struct ConnectionState {
    network: IpAddr,
    /// Time of the last bytes, in microseconds.
    last: AtomicU64,
    close: Notify,
}

/// The place of a connection, which is free again when this is dropped.
#[derive(Debug)]
pub(super) struct ConnectionSlot {
    limiter: Arc<ConnectionLimiter>,
    /// The number of the connection, which no other has.
    pub(super) number: u64,
    connection: Arc<ConnectionState>,
}

impl Default for ConnectionLimiter {
    fn default() -> Self {
        Self::sparing(SILENCE_MIN)
    }
}

impl ConnectionLimiter {
    /// Creates a limiter that spares connections silent for less than `silence_min`.
    pub fn sparing(silence_min: Duration) -> Self {
        let (next_number, next_look) = (AtomicU64::new(1), AtomicU64::new(0));
        Self { began: Instant::now(), silence_min, open: Mutex::default(), next_number, next_look }
    }

    fn now_us(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_micros()).unwrap_or(BUSY - 1)
    }

    /// Registers a connection.
    pub(super) fn register(self: &Arc<Self>, address: IpAddr) -> ConnectionSlot {
        let number = self.next_number.fetch_add(1, Ordering::Relaxed);
        let last = AtomicU64::new(self.now_us());
        let connection = Arc::new(ConnectionState { network: network_of(address), last, close: Notify::new() });
        self.open.hold().insert(number, connection.clone());
        ConnectionSlot { limiter: self.clone(), number, connection }
    }

    /// Asks a silent connection to close; reports whether there was one.
    pub(super) fn ask_one_to_close(&self) -> bool {
        let now_us = self.now_us();
        if now_us < self.next_look.load(Ordering::Relaxed) {
            return false;
        }
        let silence_us = u64::try_from(self.silence_min.as_micros()).unwrap_or(u64::MAX);
        let found = longest_silent(&self.open.hold(), now_us, silence_us);
        let Some(connection) = found else {
            self.next_look.store(now_us.saturating_add(PAUSE_US), Ordering::Relaxed);
            return false;
        };
        connection.last.store(BUSY, Ordering::Relaxed);
        connection.close.notify_one();
        true
    }
}

/// Returns the connection that has been silent longest, of the network with the most connections among those with a
/// silent one.
fn longest_silent(
    open: &HashMap<u64, Arc<ConnectionState>>,
    now_us: u64,
    silence_us: u64,
) -> Option<Arc<ConnectionState>> {
    let mut n_of: HashMap<IpAddr, usize> = HashMap::new();
    open.values().for_each(|connection| *n_of.entry(connection.network).or_default() += 1);
    let silent = open.values().filter_map(|connection| {
        let silence = now_us.checked_sub(connection.last.load(Ordering::Relaxed))?;
        (silence >= silence_us).then_some((n_of.get(&connection.network)?, silence, connection))
    });
    silent.max_by_key(|(n, silence, _)| (**n, *silence)).map(|(_, _, connection)| connection.clone())
}

impl ConnectionSlot {
    /// Records that bytes arrived, and whether a message is incomplete.
    pub(super) fn spoke(&self, is_under_way: bool) {
        let at = if is_under_way { BUSY } else { self.limiter.now_us() };
        self.connection.last.store(at, Ordering::Relaxed);
    }

    /// Waits until the connection is asked to close.
    pub(super) async fn asked_to_close(&self) {
        self.connection.close.notified().await;
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        self.limiter.open.hold().remove(&self.number);
    }
}

#[cfg(test)]
mod tests;
