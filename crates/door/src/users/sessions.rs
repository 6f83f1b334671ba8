//! Who is signed in: sessions in memory, under the hash of what their cookie holds.
//!
//! A session ends when it is signed out of, when nobody has used it for 12 hours, a week after it began, and when its user
//! is removed or gets another password. A restart ends none ([`super::kept`]).

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::http::{HeaderMap, header};
use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};
use types::{Hold, Timestamp};

use super::directory::SignedIn;
use crate::access::Caller;
use crate::problem::{Result, random};

/// The cookie's name.
const COOKIE: &str = "catat_session";

/// How long a session lasts that nobody uses.
const IDLE_NS: i64 = 12 * 60 * Timestamp::MINUTE;

/// How long a session lasts, however much it is used: what was stolen unnoticed is good for no longer.
const WHOLE_NS: i64 = 7 * Timestamp::DAY;

/// How long a session may not be written down yet that began here.
const SETTLING_NS: i64 = 5 * Timestamp::SECOND;

/// Most sessions of one user and of all. The one that was used least recently makes room.
const OF_USER_MAX: usize = 100;
const SESSIONS_MAX: usize = 20_000;

/// Sessions by the hash of their token: whoever reads this memory cannot sign in with it.
#[derive(Debug, Default)]
pub struct Sessions(Mutex<HashMap<[u8; 32], Session>>);

#[derive(Debug)]
struct Session {
    caller: Arc<Caller>,
    /// What tells the password that was signed in with from others.
    password: String,
    began: Timestamp,
    used: Timestamp,
}

/// A session without its user.
pub(super) struct SessionRecord {
    /// The hash of its token.
    pub(super) hash: [u8; 32],
    pub(super) password: String,
    pub(super) began: Timestamp,
    pub(super) used: Timestamp,
}

impl Sessions {
    fn sessions(&self) -> MutexGuard<'_, HashMap<[u8; 32], Session>> {
        // What a panic leaves is a map all the same.
        self.0.hold()
    }

    /// Begins a session; gives the token that its cookie is to hold, which is never one that a client chose.
    pub fn begin(&self, who: SignedIn, now: Timestamp) -> Result<String> {
        let token = BASE64URL_NOPAD.encode(&random::<32>()?);
        let SignedIn { caller, password } = who;
        self.put(caller, SessionRecord { hash: hash(&token), password, began: now, used: now }, now);
        Ok(token)
    }

    /// Takes up a session that began before the start, unless it is over.
    pub(super) fn resume(&self, caller: Caller, begun: SessionRecord, now: Timestamp) {
        self.put(caller, begun, now);
        self.sessions().retain(|_, session| !session.is_over(now));
    }

    /// Adds the stored sessions that began on other nodes of a fleet, and ends those that are not stored any more.
    pub(super) fn agree(&self, stored: Vec<(Caller, SessionRecord)>, now: Timestamp) {
        let hashes: HashSet<[u8; 32]> = stored.iter().map(|(_, begun)| begun.hash).collect();
        let known: HashSet<[u8; 32]> = {
            let mut sessions = self.sessions();
            sessions.retain(|hash, session| {
                let stays = hashes.contains(hash) || now.0.saturating_sub(session.began.0) < SETTLING_NS;
                if !stays {
                    session.caller.validity.end();
                }
                stays
            });
            sessions.keys().copied().collect()
        };
        let new = stored.into_iter().filter(|(_, begun)| !known.contains(&begun.hash));
        new.for_each(|(caller, begun)| self.resume(caller, begun, now));
    }

    fn put(&self, caller: Caller, begun: SessionRecord, now: Timestamp) {
        let SessionRecord { hash, password, began, used } = begun;
        caller.validity.end_at(Timestamp(began.0.saturating_add(WHOLE_NS)));
        let mut sessions = self.sessions();
        sessions.retain(|_, session| !session.is_over(now));
        let of_user = sessions.values().filter(|session| session.caller.name == caller.name).count();
        if of_user >= OF_USER_MAX {
            remove_oldest(&mut sessions, |session| session.caller.name == caller.name);
        } else if sessions.len() >= SESSIONS_MAX {
            remove_oldest(&mut sessions, |_| true);
        }
        sessions.insert(hash, Session { caller: Arc::new(caller), password, began, used });
    }

    /// Returns the sessions of the caller called `name`.
    pub(super) fn of_caller(&self, name: &str) -> Vec<SessionRecord> {
        let sessions = self.sessions();
        let of_caller = sessions.iter().filter(|(_, session)| &*session.caller.name == name);
        let begun = |(hash, session): (&[u8; 32], &Session)| SessionRecord {
            hash: *hash,
            password: session.password.clone(),
            began: session.began,
            used: session.used,
        };
        of_caller.map(begun).collect()
    }

    /// Returns the names of callers whose sessions were used since then.
    pub fn used_since(&self, since: Timestamp) -> BTreeSet<Arc<str>> {
        let sessions = self.sessions();
        sessions.values().filter(|session| session.used > since).map(|session| session.caller.name.clone()).collect()
    }

    /// Who the bearer of a request's cookie is.
    pub fn caller_of(&self, headers: &HeaderMap, now: Timestamp) -> Option<Arc<Caller>> {
        let hash = hash(cookie_of(headers)?);
        let mut sessions = self.sessions();
        let session = sessions.get_mut(&hash)?;
        if session.is_over(now) {
            session.caller.validity.end();
            sessions.remove(&hash);
            return None;
        }
        session.used = now;
        Some(session.caller.clone())
    }

    /// Ends the session of a token, and answers that are under way in it; gives whose it was.
    pub fn end(&self, token: &str) -> Option<Arc<Caller>> {
        let session = self.sessions().remove(&hash(token))?;
        session.caller.validity.end();
        Some(session.caller)
    }

    /// Ends all sessions of the caller called `name`.
    pub fn end_of(&self, name: &str) {
        self.sessions().retain(|_, session| {
            let stays = &*session.caller.name != name;
            if !stays {
                session.caller.validity.end();
            }
            stays
        });
    }
}

impl Session {
    fn is_over(&self, now: Timestamp) -> bool {
        now.0.saturating_sub(self.used.0) > IDLE_NS || !self.caller.validity.is_valid_at(now)
    }
}

fn remove_oldest(sessions: &mut HashMap<[u8; 32], Session>, may_go: impl Fn(&Session) -> bool) {
    let candidates = sessions.iter().filter(|(_, session)| may_go(session));
    if let Some(hash) = candidates.min_by_key(|(_, session)| session.used.0).map(|(hash, _)| *hash) {
        sessions.remove(&hash).into_iter().for_each(|session| session.caller.validity.end());
    }
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// Returns the token in a request's cookie.
pub fn cookie_of(headers: &HeaderMap) -> Option<&str> {
    cookie_named(headers, COOKIE)
}

/// Returns the value of a request's cookie of that name.
pub fn cookie_named<'h>(headers: &'h HeaderMap, wanted: &str) -> Option<&'h str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find_map(|(name, value)| (name == wanted).then_some(value))
}

/// Returns the value of `Set-Cookie` that sets a token; an empty token deletes the cookie.
pub fn set_cookie(token: &str, is_encrypted: bool) -> String {
    let secure = if is_encrypted { "; Secure" } else { "" };
    let age = if token.is_empty() { "; Max-Age=0" } else { "" };
    format!("{COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict{secure}{age}")
}

#[cfg(test)]
mod tests;
