//! How many bytes a key may send in a second, on average (`[limits] key_rate`).
//!
//! A bucket fills up at that rate and holds ten seconds of it. A request is let in while there is anything in the
//! bucket, and takes out what it sends, as it is received and before it is unpacked: the one that empties it goes
//! through, and the next has to wait. So a batch that is larger than the bucket is no batch that can never be sent.

use std::sync::Mutex;

use axum::http::StatusCode;
use types::{Hold, Timestamp};

use crate::problem::{Problem, Result};

/// Seconds of the rate that are there at once.
const BURST_S: i64 = 10;

/// What one key may send.
#[derive(Debug)]
pub struct Bucket {
    bytes_per_s: u64,
    level: Mutex<Level>,
}

#[derive(Debug)]
struct Level {
    n_bytes: i64,
    at: Timestamp,
}

impl PartialEq for Bucket {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for Bucket {}

impl Bucket {
    /// Returns a full bucket.
    pub fn new(bytes_per_s: u64, now: Timestamp) -> Self {
        let bytes_per_s = bytes_per_s.clamp(1, 1 << 40);
        let full = i64::try_from(bytes_per_s).unwrap_or(i64::MAX).saturating_mul(BURST_S);
        Self { bytes_per_s, level: Mutex::new(Level { n_bytes: full, at: now }) }
    }

    /// Refuses a request if the bucket is empty; the answer contains the time to wait.
    pub fn check(&self, now: Timestamp) -> Result<()> {
        let rate = i64::try_from(self.bytes_per_s).unwrap_or(i64::MAX);
        let mut level = self.level.hold();
        let elapsed_ns = now.0.saturating_sub(level.at.0).clamp(0, BURST_S * 1_000 * Timestamp::SECOND);
        let grown = i128::from(elapsed_ns) * i128::from(rate) / i128::from(Timestamp::SECOND);
        if grown > 0 || now < level.at {
            level.at = now;
            let grown = i64::try_from(grown).unwrap_or(i64::MAX);
            level.n_bytes = level.n_bytes.saturating_add(grown).min(rate.saturating_mul(BURST_S));
        }
        if level.n_bytes > 0 {
            return Ok(());
        }
        let wait_s = level.n_bytes.unsigned_abs() / self.bytes_per_s + 1;
        let message = format!("this key may send {} bytes a second", self.bytes_per_s);
        let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "key-rate", message);
        Err(problem.retry_after(wait_s).hint("[limits] key_rate sets it"))
    }

    /// Takes out what was received.
    pub fn take(&self, n_bytes: u64) {
        let mut level = self.level.hold();
        level.n_bytes = level.n_bytes.saturating_sub(i64::try_from(n_bytes).unwrap_or(i64::MAX));
    }
}

#[cfg(test)]
mod tests;
