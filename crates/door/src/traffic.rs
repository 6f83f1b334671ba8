//! Counts requests by route and status, for `/metrics`.
//!
//! Bounded by the table of routes: requests that match none count under one name.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;
use types::Hold;

/// Requests answered so far.
#[derive(Debug, Default)]
pub struct Traffic(Mutex<BTreeMap<(String, u16), RequestCount>>);

/// Requests of one route answered with one status.
#[derive(Clone, Copy, Debug, Default)]
pub struct RequestCount {
    /// How many.
    pub n_requests: u64,
    /// Time until their answers began.
    pub elapsed: Duration,
}

impl Traffic {
    /// Counts one request.
    pub fn note(&self, route: &str, status: u16, elapsed: Duration) {
        let mut table = self.0.hold();
        let served = table.entry((route.to_owned(), status)).or_default();
        served.n_requests += 1;
        served.elapsed = served.elapsed.saturating_add(elapsed);
    }

    /// Returns all counts, by route and status.
    pub fn counts(&self) -> Vec<((String, u16), RequestCount)> {
        let table = self.0.hold();
        table.iter().map(|(key, served)| (key.clone(), *served)).collect()
    }
}
