//! A sign-in that has begun: what its browser holds until the provider sends the person back.
//!
//! The cookie is `SECRET.BEGAN.TO`: 32 random bytes and the address to return to in base64, the time in seconds. State, nonce
//! and code verifier are hashes of the secret, the provider and a word of their own; none reveals another.

use std::collections::HashMap;
use std::sync::Mutex;

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};
use types::{Hold, Timestamp};

use crate::error::{Result, SignInError};

/// How long a person may take at the provider, in seconds.
pub const COOKIE_LIFE_S: i64 = 600;

/// Longest address to return to; a cookie has 4096 bytes.
const TO_BYTES_MAX: usize = 2048;

/// Most states that are remembered as used. Beyond it all are forgotten; the provider accepts no code twice either.
const USED_MAX: usize = 10_000;

pub(crate) struct Attempt {
    secret: [u8; 32],
    began_s: i64,
    /// Where the person was, as the page gave it.
    pub(crate) to: String,
}

impl Attempt {
    pub(crate) fn new(to: &str, now: Timestamp) -> Result<Self> {
        let mut secret = [0u8; 32];
        let failed = |error| SignInError::BadAnswer(format!("no random numbers: {error}"));
        getrandom::fill(&mut secret).map_err(failed)?;
        let to = if to.len() <= TO_BYTES_MAX { to } else { "" };
        Ok(Self { secret, began_s: seconds(now), to: to.to_owned() })
    }

    pub(crate) fn cookie(&self) -> String {
        let encoded = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
        format!("{}.{}.{}", encoded(&self.secret), self.began_s, encoded(self.to.as_bytes()))
    }

    /// Reads a cookie; `None` if it is none, or too old.
    pub(crate) fn read(cookie: &str, now: Timestamp) -> Option<Self> {
        let mut parts = cookie.split('.');
        let (secret, began, to) = (parts.next()?, parts.next()?, parts.next()?);
        let decoded = |text: &str| BASE64URL_NOPAD.decode(text.as_bytes()).ok();
        let attempt = Self {
            secret: decoded(secret)?.try_into().ok()?,
            began_s: began.parse().ok()?,
            to: String::from_utf8(decoded(to)?).ok()?,
        };
        let age_s = seconds(now).checked_sub(attempt.began_s)?;
        (parts.next().is_none() && (0..=COOKIE_LIFE_S).contains(&age_s)).then_some(attempt)
    }

    /// Returns the hash for one use, at one provider.
    fn derived(&self, purpose: &str, issuer: &str) -> String {
        let mut hash = Sha256::new();
        for part in [purpose.as_bytes(), issuer.as_bytes(), &self.secret] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        BASE64URL_NOPAD.encode(&hash.finalize())
    }

    pub(crate) fn state(&self, issuer: &str) -> String {
        self.derived("state", issuer)
    }

    pub(crate) fn nonce(&self, issuer: &str) -> String {
        self.derived("nonce", issuer)
    }

    pub(crate) fn verifier(&self, issuer: &str) -> String {
        self.derived("verifier", issuer)
    }

    pub(crate) fn challenge(&self, issuer: &str) -> String {
        BASE64URL_NOPAD.encode(&Sha256::digest(self.verifier(issuer).as_bytes()))
    }
}

/// States that were used, and when: each is good once.
#[derive(Debug, Default)]
pub(crate) struct UsedStates(Mutex<HashMap<String, i64>>);

impl UsedStates {
    /// Notes the use of a state; `false` if it was used before.
    pub(crate) fn note(&self, state: &str, now: Timestamp) -> bool {
        let now_s = seconds(now);
        // Whatever a panic leaves is a map all the same.
        let mut used = self.0.hold();
        if used.len() >= USED_MAX {
            used.retain(|_, at_s| now_s.saturating_sub(*at_s) <= COOKIE_LIFE_S);
            if used.len() >= USED_MAX {
                used.clear();
            }
        }
        used.insert(state.to_owned(), now_s).is_none()
    }
}

pub(crate) fn seconds(time: Timestamp) -> i64 {
    time.0.div_euclid(Timestamp::SECOND)
}
