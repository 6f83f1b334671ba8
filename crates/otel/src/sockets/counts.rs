//! The counters of the listeners, for the metrics of the server.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use super::door::Door;

/// What the listeners of a door have counted since the start.
#[derive(Debug, Default)]
pub struct SocketCounts {
    /// Whether the door has been opened.
    pub(super) is_open: AtomicBool,
    /// Messages stored.
    pub n_stored: AtomicU64,
    /// Datagrams dropped because the store was busy.
    pub n_dropped: AtomicU64,
    /// Messages that the store would not take.
    pub n_lost: AtomicU64,
    /// Messages that could not be read.
    pub n_malformed: AtomicU64,
    /// Messages older than the retention of their group.
    pub n_too_old: AtomicU64,
    /// Senders not allowed.
    pub n_refused: AtomicU64,
    /// Connections that are open.
    pub n_connections: AtomicU64,
    /// Silent connections closed for others.
    pub n_closed: AtomicU64,
    /// When the log last had a line about messages that could not be read.
    pub(super) told: Mutex<Option<Instant>>,
}

/// One number of the listeners: its name, whether it only grows, what it means, its value.
pub type SocketNumber = (&'static str, bool, &'static str, u64);

impl SocketCounts {
    /// Returns all numbers.
    pub fn numbers(&self) -> [SocketNumber; 8] {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        [
            ("messages_stored", true, "Messages stored.", of(&self.n_stored)),
            ("datagrams_dropped", true, "Datagrams dropped because the store was busy.", of(&self.n_dropped)),
            ("messages_lost", true, "Messages read that the store would not take.", of(&self.n_lost)),
            ("messages_malformed", true, "Messages that could not be read.", of(&self.n_malformed)),
            ("messages_too_old", true, "Messages older than the retention of their group.", of(&self.n_too_old)),
            ("senders_refused", true, "Connections and datagrams of senders not allowed.", of(&self.n_refused)),
            ("connections_closed", true, "Silent connections closed for others to have a place.", of(&self.n_closed)),
            ("connections", false, "Connections that are open.", of(&self.n_connections)),
        ]
    }
}

/// The counters of all doors.
#[derive(Clone, Debug, Default)]
pub struct DoorCounts([Arc<SocketCounts>; Door::ALL.len()]);

impl DoorCounts {
    /// Returns the counters of a door.
    pub fn of(&self, door: Door) -> &Arc<SocketCounts> {
        &self.0[door as usize]
    }

    /// Returns the numbers of syslog, and of the other doors that are open.
    pub fn numbers(&self) -> Vec<(&'static str, Vec<SocketNumber>)> {
        let is_shown = |door: &Door| *door == Door::Syslog || self.of(*door).is_open.load(Ordering::Relaxed);
        Door::ALL.into_iter().filter(is_shown).map(|door| (door.name(), self.of(door).numbers().into())).collect()
    }
}
