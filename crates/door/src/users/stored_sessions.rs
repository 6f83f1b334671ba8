//! Sessions over a restart: a document of the control store for each user who is signed in.
//!
//! | kind | name | document |
//! |---|---|---|
//! | `sessions` | the user's | `[{"hash","password","began_ns","used_ns"}]`, hashes in hexadecimal |
//!
//! `hash` is that of the token; `password` is a hash of what the control store has of the password that was signed in
//! with, so that no session outlives it, whoever changed it and however. A document says what memory says: it is made
//! anew from there each time that somebody signs in or out, and once an hour of who was active.

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use storage::{Settings, StoreError};
use subtle::ConstantTimeEq;
use types::{Hold, Timestamp};

use super::directory::{KIND as USER_KIND, Users, caller_name, caller_of, document_of, user_of};
use super::password::fingerprint;
use super::sessions::{SessionRecord, Sessions};
use crate::access::Caller;
use crate::problem::Result;

const KIND: &str = "sessions";

/// A session as its user's document has it.
#[derive(Serialize, Deserialize)]
struct StoredSession {
    hash: String,
    password: String,
    began_ns: i64,
    used_ns: i64,
}

/// Compares fingerprints in constant time.
fn is_same(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

impl StoredSession {
    fn begun(&self) -> Option<SessionRecord> {
        let hash = HEXLOWER.decode(self.hash.as_bytes()).ok()?.try_into().ok()?;
        let (began, used) = (Timestamp(self.began_ns), Timestamp(self.used_ns));
        Some(SessionRecord { hash, password: self.password.clone(), began, used })
    }

    fn of(begun: SessionRecord) -> Self {
        let SessionRecord { hash, password, began, used } = begun;
        Self { hash: HEXLOWER.encode(&hash), password, began_ns: began.0, used_ns: used.0 }
    }
}

/// Returns the sessions that are written down and whose passwords still hold.
fn stored(settings: Settings<'_>) -> Result<Vec<(Caller, SessionRecord)>, StoreError> {
    let mut stored = Vec::new();
    for (name, json) in settings.all(KIND)? {
        let Some(user) = settings.get(USER_KIND, &name)?.as_deref().and_then(document_of) else { continue };
        let kept: Vec<StoredSession> = serde_json::from_str(&json).unwrap_or_default();
        let password = fingerprint(&user.password);
        let begun = kept.iter().filter_map(StoredSession::begun).filter(|begun| is_same(&begun.password, &password));
        stored.extend(begun.filter_map(|begun| Some((caller_of(&name, &user)?, begun))));
    }
    Ok(stored)
}

impl Users {
    /// Writes down who is signed in as a user. Blocks.
    pub fn keep_sessions(&self, settings: Settings<'_>, sessions: &Sessions, name: &str) -> Result<(), StoreError> {
        // What is written last says what memory says last.
        let _keeping = self.keeping.hold();
        let kept: Vec<StoredSession> =
            sessions.of_caller(&caller_name(name)).into_iter().map(StoredSession::of).collect();
        if kept.is_empty() {
            return settings.remove(KIND, name);
        }
        let json = serde_json::to_string(&kept).expect("texts and numbers are JSON");
        settings.put(KIND, name, &json)
    }

    /// Takes up the sessions of before the start. Blocks.
    pub fn resume_sessions(
        &self,
        settings: Settings<'_>,
        sessions: &Sessions,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        stored(settings)?.into_iter().for_each(|(caller, begun)| sessions.resume(caller, begun, now));
        Ok(())
    }

    /// Takes over who has signed in or out at other nodes of a fleet. Blocks.
    ///
    /// # Errors
    /// If the control store cannot be read: then what is known holds.
    pub fn follow_sessions(
        &self,
        settings: Settings<'_>,
        sessions: &Sessions,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let _keeping = self.keeping.hold();
        sessions.agree(stored(settings)?, now);
        Ok(())
    }

    /// Reports whether a user still exists with the password of the sign-in.
    pub fn still_has(&self, settings: Settings<'_>, caller: &Caller, password: &str) -> Result<bool> {
        let name = user_of(caller).unwrap_or_default();
        let document = settings.get(USER_KIND, name)?.as_deref().and_then(document_of);
        Ok(document.is_some_and(|document| is_same(&fingerprint(&document.password), password)))
    }
}
