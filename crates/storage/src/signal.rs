//! Wakes a thread that has work to do, or ends it.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use types::Hold;

/// Wakes one thread.
#[derive(Debug, Default)]
pub(crate) struct Signal {
    state: Mutex<SignalState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct SignalState {
    rung: bool,
    stopped: bool,
}

impl Signal {
    /// Wakes the thread.
    pub(crate) fn ring(&self) {
        self.state.hold().rung = true;
        self.changed.notify_all();
    }

    /// Ends the thread once it has finished what it is doing.
    pub(crate) fn stop(&self) {
        self.state.hold().stopped = true;
        self.changed.notify_all();
    }

    /// Waits until it is rung, or for `timeout`; `false` once it is stopped.
    pub(crate) fn wait(&self, timeout: Duration) -> bool {
        let silent = |ringing: &mut SignalState| !ringing.rung && !ringing.stopped;
        let waited = self.changed.wait_timeout_while(self.state.hold(), timeout, silent);
        let (mut ringing, _) = waited.unwrap_or_else(PoisonError::into_inner);
        ringing.rung = false;
        !ringing.stopped
    }

    /// Reports whether it is stopped.
    pub(crate) fn is_stopped(&self) -> bool {
        self.state.hold().stopped
    }

    /// Waits for `timeout` whether or not it is rung; `false` once it is stopped.
    pub(crate) fn pause(&self, timeout: Duration) -> bool {
        let running = |ringing: &mut SignalState| !ringing.stopped;
        let waited = self.changed.wait_timeout_while(self.state.hold(), timeout, running);
        let (ringing, _) = waited.unwrap_or_else(PoisonError::into_inner);
        !ringing.stopped
    }
}
