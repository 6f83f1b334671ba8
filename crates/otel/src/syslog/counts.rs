//! The counters of the syslog listeners, for the metrics of the server.

use std::sync::atomic::{AtomicU64, Ordering};

/// What the listeners have counted since the start.
#[derive(Debug, Default)]
pub struct SyslogCounts {
    /// Messages stored.
    pub n_stored: AtomicU64,
    /// Datagrams dropped because the store was busy.
    pub n_dropped: AtomicU64,
    /// Messages that the store would not take.
    pub n_lost: AtomicU64,
    /// Senders not allowed.
    pub n_refused: AtomicU64,
    /// Connections that are open.
    pub n_connections: AtomicU64,
    /// Silent connections closed for others.
    pub n_closed: AtomicU64,
}

/// One number of the listeners: its name, whether it only grows, what it means, its value.
pub(super) type SyslogNumber = (&'static str, bool, &'static str, u64);

impl SyslogCounts {
    /// Returns all numbers.
    pub fn numbers(&self) -> [SyslogNumber; 6] {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        [
            ("messages_stored", true, "Messages stored.", of(&self.n_stored)),
            ("datagrams_dropped", true, "Datagrams dropped because the store was busy.", of(&self.n_dropped)),
            ("messages_lost", true, "Messages read that the store would not take.", of(&self.n_lost)),
            ("senders_refused", true, "Connections and datagrams of senders not allowed.", of(&self.n_refused)),
            ("connections_closed", true, "Silent connections closed for others to have a place.", of(&self.n_closed)),
            ("connections", false, "Connections that are open.", of(&self.n_connections)),
        ]
    }
}
