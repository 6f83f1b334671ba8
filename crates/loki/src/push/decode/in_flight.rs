//! Streams whose lines are being stored. A push waits for others with lines of the same stream and time, so that it sees
//! the lines that they have stored.

use std::collections::HashMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// The range of times of each stream in a push, by the hash of the stream's name.
pub(super) type Spans = HashMap<u128, (i64, i64)>;

/// The spans of all pushes that store lines at present.
#[derive(Debug, Default)]
pub struct InFlight {
    spans: Mutex<Vec<(u128, i64, i64)>>,
    is_freed: Condvar,
}

/// The spans of one push, until it is dropped.
pub(super) struct InFlightGuard<'f> {
    in_flight: &'f InFlight,
    spans: Spans,
}

impl InFlight {
    /// Waits until no other push stores lines of these streams and times, then enters all of them at once.
    pub(super) fn enter(&self, spans: Spans) -> InFlightGuard<'_> {
        let is_taken = |(stream, first, last): &(u128, i64, i64)| {
            spans.get(stream).is_some_and(|(own_first, own_last)| own_first <= last && first <= own_last)
        };
        let mut all = self.lock();
        while all.iter().any(is_taken) {
            all = self.is_freed.wait(all).unwrap_or_else(PoisonError::into_inner);
        }
        all.extend(spans.iter().map(|(stream, (first, last))| (*stream, *first, *last)));
        drop(all);
        InFlightGuard { in_flight: self, spans }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(u128, i64, i64)>> {
        self.spans.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for InFlightGuard<'_> {
    fn drop(&mut self) {
        // Spans of one stream do not overlap.
        self.in_flight.lock().retain(|(stream, first, last)| self.spans.get(stream) != Some(&(*first, *last)));
        self.in_flight.is_freed.notify_all();
    }
}

#[cfg(test)]
mod tests;
