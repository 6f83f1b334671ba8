//! Who has the places for syslog's connections, and who gives one up when all are taken.
//!
//! Senders keep connections open for the next message, for hours, and thousands that are forgotten would keep out who has
//! something to say. So when somebody comes for whom there is no place, a connection is closed that has been silent for a
//! while: of the network that has most, the one that has been silent longest. Who said something lately, or is in the
//! midst of a message, stays. A sender whose connection was closed, which it is told before it is
//! no longer read, makes another one for its next message.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use door::access::network_of;

/// How long a connection has to be silent before it is closed for others.
const SILENCE_MIN: Duration = Duration::from_secs(60);

/// How long nobody is looked for once nobody was found: looking takes time with thousands.
const PAUSE_US: u64 = 1_000_000;

/// Stands for the time of those that are in the midst of a message, or on their way out.
const BUSY: u64 = u64::MAX;

/// All of them.
#[derive(Debug)]
pub(crate) struct Seats {
    began: Instant,
    silence_min: Duration,
    taken: Mutex<HashMap<u64, Arc<Seat>>>,
    next_number: AtomicU64,
    /// When somebody is looked for again, in microseconds.
    next_look: AtomicU64,
}

/// One of them.
#[derive(Debug)]
struct Seat {
    network: IpAddr,
    /// When something was said last, in microseconds.
    last: AtomicU64,
    leave: Notify,
}

/// Somebody on a seat; it is free when this is dropped.
#[derive(Debug)]
pub(super) struct Seated {
    seats: Arc<Seats>,
    number: u64,
    seat: Arc<Seat>,
}

impl Default for Seats {
    fn default() -> Self {
        Self::sparing(SILENCE_MIN)
    }
}

impl Seats {
    /// Seats of which whoever has said something so lately keeps theirs.
    pub(crate) fn sparing(silence_min: Duration) -> Self {
        let (next_number, next_look) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { began: Instant::now(), silence_min, taken: Mutex::default(), next_number, next_look }
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<u64, Arc<Seat>>> {
        // What a panic leaves is a map all the same.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now_us(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_micros()).unwrap_or(BUSY - 1)
    }

    /// Seats somebody.
    pub(super) fn seat(self: &Arc<Self>, address: IpAddr) -> Seated {
        let number = self.next_number.fetch_add(1, Ordering::Relaxed);
        let last = AtomicU64::new(self.now_us());
        let seat = Arc::new(Seat { network: network_of(address), last, leave: Notify::new() });
        self.taken().insert(number, seat.clone());
        Seated { seats: self.clone(), number, seat }
    }

    /// Asks somebody to leave; tells whether there was one to ask.
    pub(super) fn ask_one_to_leave(&self) -> bool {
        let now_us = self.now_us();
        if now_us < self.next_look.load(Ordering::Relaxed) {
            return false;
        }
        let silence_us = u64::try_from(self.silence_min.as_micros()).unwrap_or(u64::MAX);
        let found = longest_silent(&self.taken(), now_us, silence_us);
        let Some(seat) = found else {
            self.next_look.store(now_us.saturating_add(PAUSE_US), Ordering::Relaxed);
            return false;
        };
        seat.last.store(BUSY, Ordering::Relaxed);
        seat.leave.notify_one();
        true
    }
}

/// Of the network that has most seats, among those with somebody who is silent, the one who is so longest.
fn longest_silent(taken: &HashMap<u64, Arc<Seat>>, now_us: u64, silence_us: u64) -> Option<Arc<Seat>> {
    let mut n_of: HashMap<IpAddr, usize> = HashMap::new();
    taken.values().for_each(|seat| *n_of.entry(seat.network).or_default() += 1);
    let silent = taken.values().filter_map(|seat| {
        let silence = now_us.checked_sub(seat.last.load(Ordering::Relaxed))?;
        (silence >= silence_us).then_some((n_of.get(&seat.network)?, silence, seat))
    });
    silent.max_by_key(|(n, silence, _)| (**n, *silence)).map(|(_, _, seat)| seat.clone())
}

impl Seated {
    /// Notes that something was said, and whether a message is under way.
    pub(super) fn spoke(&self, is_under_way: bool) {
        let at = if is_under_way { BUSY } else { self.seats.now_us() };
        self.seat.last.store(at, Ordering::Relaxed);
    }

    /// Waits until one is asked to leave.
    pub(super) async fn asked_to_leave(&self) {
        self.seat.leave.notified().await;
    }
}

impl Drop for Seated {
    fn drop(&mut self) {
        self.seats.taken().remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seat(network: u8, last: u64) -> Arc<Seat> {
        Arc::new(Seat { network: IpAddr::from([10, 0, 0, network]), last: AtomicU64::new(last), leave: Notify::new() })
    }

    #[test]
    fn who_has_most_gives_up_the_one_that_has_been_silent_longest() {
        let check = |seats: &[(u8, u64)]| {
            let taken =
                seats.iter().enumerate().map(|(n, (network, last))| (n as u64, seat(*network, *last))).collect();
            let found = longest_silent(&taken, 100_000, 60_000);
            found.map(|seat| (seat.network.to_string(), seat.last.load(Ordering::Relaxed)))
        };
        let is = |network: &str, last| Some((network.to_owned(), last));
        assert_eq!(check(&[(1, 0), (2, 30_000), (2, 20_000), (2, 90_000)]), is("10.0.0.2", 20_000));
        // One that has few gives theirs up before those that speak do.
        assert_eq!(check(&[(1, 40_000), (2, 40_001), (2, 99_000), (2, BUSY)]), is("10.0.0.1", 40_000));
        assert_eq!(check(&[(1, 40_001), (2, BUSY)]), None);
        assert_eq!(check(&[]), None);
    }

    #[test]
    fn one_is_asked_once_and_nobody_is_looked_for_again_and_again() {
        let seats = Arc::new(Seats::sparing(Duration::ZERO));
        let seated = seats.seat(IpAddr::from([10, 0, 0, 1]));
        assert!(seats.ask_one_to_leave());
        assert!(!seats.ask_one_to_leave(), "it is on its way out");
        seated.spoke(false);
        assert!(!seats.ask_one_to_leave(), "there is a pause");
        drop(seated);
        assert!(seats.taken().is_empty());
    }
}
