//! Wrong keys and signatures, by the address that they came from: ten different ones within a minute, and wrong ones of that
//! address are answered with 429 until the minute is over. A right key is never refused for what came before it.
//!
//! A wrong key that is sent again and again is an agent that nobody has told, not somebody who guesses: it counts once.
//! Passwords are counted apart, since they can be guessed (`users/sign_ins.rs`).

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;

use axum::http::StatusCode;
use sha2::{Digest, Sha256};
use types::{Hold, Timestamp};

use crate::problem::Problem;

/// Different wrong keys from one address in a minute.
const FAILURES_MAX: usize = 10;

/// How long they count.
const WINDOW_NS: i64 = Timestamp::MINUTE;

/// Addresses that are remembered. Beyond it those go whose minute is over, and then all: the table must not grow with
/// the addresses that somebody has at hand.
const ADDRESSES_MAX: usize = 10_000;

/// What failed lately.
#[derive(Debug, Default)]
pub struct Attempts(Mutex<HashMap<Option<IpAddr>, Failures>>);

#[derive(Debug)]
struct Failures {
    since: Timestamp,
    /// The first bytes of their digests.
    different: Vec<u64>,
}

/// Returns the part of an address by which requests are counted: the /64 network of an IPv6 address, as its owner has all of it.
pub fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        v4 => v4,
    }
}

impl Failures {
    fn is_over(&self, now: Timestamp) -> bool {
        now.0.saturating_sub(self.since.0) >= WINDOW_NS || now < self.since
    }
}

impl Attempts {
    /// Notes that `tried` was wrong; says what to answer.
    pub fn refuse(&self, peer: Option<IpAddr>, tried: &[u8], now: Timestamp) -> Problem {
        match self.note(peer, tried, now) {
            None => {
                let problem = Problem::new(StatusCode::UNAUTHORIZED, "bad-key", "unknown key");
                problem.hint("it may have been revoked; catat keys list shows those that are valid")
            }
            Some(retry_after_s) => {
                let message = "too many wrong keys came from this address";
                Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many-failures", message).retry_after(retry_after_s)
            }
        }
    }

    /// Notes a failure; seconds to wait where there were too many.
    pub fn note(&self, peer: Option<IpAddr>, tried: &[u8], now: Timestamp) -> Option<u64> {
        let digest = Sha256::digest(tried);
        let print = digest.iter().take(8).fold(0u64, |print, byte| print << 8 | u64::from(*byte));
        let peer = peer.map(network_of);
        // Whatever a panic leaves is a table all the same.
        let mut table = self.0.hold();
        if table.len() >= ADDRESSES_MAX && !table.contains_key(&peer) {
            table.retain(|_, failures| !failures.is_over(now));
            if table.len() >= ADDRESSES_MAX {
                table.clear();
            }
        }
        let failures = table.entry(peer).or_insert_with(|| Failures { since: now, different: Vec::new() });
        if failures.is_over(now) {
            *failures = Failures { since: now, different: Vec::new() };
        }
        if failures.different.contains(&print) {
            return None;
        }
        if failures.different.len() < FAILURES_MAX {
            failures.different.push(print);
            return None;
        }
        let left_ns = WINDOW_NS - now.0.saturating_sub(failures.since.0);
        Some(u64::try_from(left_ns / Timestamp::SECOND).unwrap_or_default() + 1)
    }
}

#[cfg(test)]
mod tests;
