//! Against guessing passwords: so many failures a minute, per address and per name.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use sha2::{Digest, Sha256};
use types::Hold;

use crate::access::network_of;
use crate::problem::{Problem, Result};

/// Failures within [`WINDOW`] after which nobody is asked any more.
const FAILURES_MAX: u32 = 10;

const WINDOW: Duration = Duration::from_secs(60);

/// Most addresses and names that are watched at once.
const WATCHED_MAX: usize = 20_000;

/// Failures of late.
#[derive(Debug, Default)]
pub struct SignIns(Mutex<HashMap<Who, Window>>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Who {
    Address(IpAddr),
    Name([u8; 32]),
}

#[derive(Clone, Copy, Debug)]
struct Window {
    began: Instant,
    n: u32,
}

impl SignIns {
    fn windows(&self) -> MutexGuard<'_, HashMap<Who, Window>> {
        // What a panic leaves is a map all the same.
        self.0.hold()
    }

    /// Counts an attempt as failed before it is looked at, so that many at once cannot slip through together.
    pub fn begin(&self, address: Option<IpAddr>, name: Option<&str>, now: Instant) -> Result<()> {
        let mut windows = self.windows();
        if windows.len() + 2 > WATCHED_MAX {
            windows.retain(|_, window| now.duration_since(window.began) < WINDOW);
        }
        let whose = whose(address, name);
        let is_full = windows.len() + 2 > WATCHED_MAX;
        let left = whose.iter().flatten().filter_map(|who| windows.get(who)?.refuses(now)).max();
        if let Some(left) = left.or(is_full.then_some(WINDOW)) {
            let message = "too many failed attempts to sign in";
            let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many-attempts", message);
            let retry_after_s = Some(left.as_secs() + 1);
            return Err(Problem { retry_after_s, ..problem.hint("wait a minute") });
        }
        for who in whose.into_iter().flatten() {
            let window = windows.entry(who).or_insert(Window { began: now, n: 0 });
            if now.duration_since(window.began) >= WINDOW {
                *window = Window { began: now, n: 0 };
            }
            window.n += 1;
        }
        Ok(())
    }

    /// Takes back what [`Self::begin`] counted: the attempt was right.
    pub fn succeeded(&self, address: Option<IpAddr>, name: Option<&str>) {
        let mut windows = self.windows();
        for who in whose(address, name).into_iter().flatten() {
            if let Some(window) = windows.get_mut(&who) {
                window.n = window.n.saturating_sub(1);
            }
        }
    }
}

impl Window {
    /// Returns how long the address is refused, if it is.
    fn refuses(&self, now: Instant) -> Option<Duration> {
        let left = WINDOW.checked_sub(now.duration_since(self.began)).filter(|left| !left.is_zero())?;
        (self.n >= FAILURES_MAX).then_some(left)
    }
}

/// Whom an attempt counts for.
fn whose(address: Option<IpAddr>, name: Option<&str>) -> [Option<Who>; 2] {
    let network = address.map(network_of);
    [network.map(Who::Address), name.map(|name| Who::Name(Sha256::digest(name.as_bytes()).into()))]
}

#[cfg(test)]
mod tests;
