//! The state that all listeners of a door share: allowed networks, the queue, the signal that the server closes.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use door::access::is_allowed;
use ipnet::IpNet;
use tokio::sync::{Semaphore, watch};

use super::connection_limiter::ConnectionLimiter;
use super::counts::SocketCounts;
use super::delivery::Storing;
use super::door::Door;
use super::queue::Queue;

/// Limit on the events of one frame; a longer frame is cut off.
const FRAME_EVENTS_MAX: usize = 4;

/// Pause after a failed accept or read, so that the loop does not spin.
pub(super) const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How long a socket may be silent after the server began to close before it is closed.
pub(super) const LAST_WAIT: Duration = Duration::from_millis(50);

/// How long a socket is read after the server began to close.
pub(super) const LAST_TIME_MAX: Duration = Duration::from_secs(2);

/// The state that every listener shares.
#[derive(Clone)]
pub(super) struct ListenerState {
    pub(super) storing: Storing,
    pub(super) queue: Queue,
    pub(super) allow: Arc<[IpNet]>,
    pub(super) closing: watch::Receiver<bool>,
    /// The open connections.
    pub(super) limiter: Arc<ConnectionLimiter>,
    /// Places for connections that hold a large part of a frame.
    pub(super) large: Arc<Semaphore>,
}

impl ListenerState {
    pub(super) fn counts(&self) -> &SocketCounts {
        &self.storing.counts
    }

    pub(super) fn door(&self) -> Door {
        self.storing.door
    }

    /// Reports whether an address may send, and counts it if not.
    pub(super) fn admits(&self, address: IpAddr) -> bool {
        let admitted = is_allowed(address, &self.allow);
        if !admitted {
            self.counts().n_refused.fetch_add(1, Ordering::Relaxed);
        }
        admitted
    }

    pub(super) fn frame_bytes_max(&self) -> usize {
        self.storing.server.app.limits.event_bytes_max.saturating_mul(FRAME_EVENTS_MAX)
    }

    /// Waits until the server closes.
    pub(super) async fn closed(&self) {
        // An error means that the sender has gone, which it does only at the end.
        let _ = self.closing.clone().wait_for(|closing| *closing).await;
    }
}

#[cfg(test)]
mod tests;
