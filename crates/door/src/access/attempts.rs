//! Wrong keys and signatures, by the address that they came from: ten different ones within a minute, and wrong ones of that
//! address are answered with 429 until the minute is over. A right key is never refused for what came before it.
//!
//! A wrong key that is sent again and again is an agent that nobody has told, not somebody who guesses: it counts once.
//! Passwords are counted apart, since they can be guessed (`users/sign_ins.rs`).

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use axum::http::StatusCode;
use sha2::{Digest, Sha256};
use types::Timestamp;

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
                let problem = Problem::new(StatusCode::UNAUTHORIZED, "bad-key", "the key is not known here");
                problem.hint("it may have been revoked; catat keys list shows those that are valid")
            }
            Some(retry_after_s) => Problem {
                retry_after_s: Some(retry_after_s),
                ..Problem::new(
                    StatusCode::TOO_MANY_REQUESTS,
                    "too-many-failures",
                    "too many wrong keys came from this address",
                )
            },
        }
    }

    /// Notes a failure; seconds to wait where there were too many.
    pub fn note(&self, peer: Option<IpAddr>, tried: &[u8], now: Timestamp) -> Option<u64> {
        let digest = Sha256::digest(tried);
        let print = digest.iter().take(8).fold(0u64, |print, byte| print << 8 | u64::from(*byte));
        let peer = peer.map(network_of);
        // Whatever a panic leaves is a table all the same.
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
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
mod tests {
    use super::*;

    #[test]
    fn who_guesses_has_to_wait_and_who_repeats_does_not() {
        let attempts = Attempts::default();
        let peer = Some(IpAddr::from([192, 0, 2, 1]));
        let other = Some(IpAddr::from([192, 0, 2, 2]));
        for at in 0..10u8 {
            assert_eq!(attempts.note(peer, &[at], Timestamp(0)), None);
            assert_eq!(attempts.note(other, b"the same", Timestamp(0)), None);
        }
        assert_eq!(attempts.note(peer, b"one more", Timestamp(10 * Timestamp::SECOND)), Some(51));
        assert_eq!(attempts.note(peer, &[3], Timestamp(0)), None);
        assert_eq!(attempts.note(other, b"one more", Timestamp(0)), None);
        assert_eq!(attempts.note(peer, b"one more", Timestamp(Timestamp::MINUTE)), None);
        assert_eq!(attempts.refuse(peer, b"x", Timestamp(Timestamp::MINUTE)).status.as_u16(), 401);
    }

    #[test]
    fn a_network_of_ipv6_and_an_address_of_ipv4_in_any_spelling_are_one() {
        let attempts = Attempts::default();
        let note = |address: &str, tried: u8| {
            attempts.note(Some(address.parse().expect("an address")), &[tried], Timestamp(0)).is_none()
        };
        assert!((0..10).all(|n| note(&format!("2001:db8::{n:x}:1"), n)));
        assert!(!note("2001:db8::ffff:0:0:1", 10) && note("2001:db8:0:1::1", 10));
        assert!((0..10).all(|n| note(if n % 2 == 0 { "192.0.2.1" } else { "::ffff:192.0.2.1" }, n)));
        assert!(!note("192.0.2.1", 10) && !note("::ffff:192.0.2.1", 11) && note("192.0.2.2", 10));
    }

    #[test]
    fn the_table_of_addresses_is_bounded() {
        let attempts = Attempts::default();
        for at in 0..3 * ADDRESSES_MAX as u32 {
            attempts.note(Some(IpAddr::from(at.to_be_bytes())), b"x", Timestamp(0));
        }
        assert!(attempts.0.lock().expect("no panic before").len() <= ADDRESSES_MAX);
    }
}
