//! Orders for keys, what is shown of them, and errors of both.

use serde::{Deserialize, Serialize};
use storage::StoreError;
use types::{Timestamp, ensure, parse_duration_ns};

use crate::access::caller::Role;

/// Longest name in characters, and most patterns of a key with their longest.
const NAME_CHARS_MAX: usize = 128;
const PATTERNS_MAX: usize = 100;
const PATTERN_BYTES_MAX: usize = 512;

/// Longest time for which something that was ended goes on.
const GRACE_NS_MAX: i64 = 90 * Timestamp::DAY;

/// The key that somebody wants.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyOrder {
    /// What it is called, in lists and records.
    pub name: String,
    /// `ingest`, `read`, `operate`, `admin`.
    pub role: String,
    /// Patterns of the groups that exist for it; without them, all.
    pub groups: Option<Vec<String>>,
    /// When it expires: a time, or how long it is valid, such as `90d`; without it, never.
    pub expires: Option<String>,
    /// With the first key: how long senders without a key may go on, such as `7d`; without it, not at all.
    pub anonymous_grace: Option<String>,
}

/// A key that was made; its secrets are nowhere else and are shown once.
#[derive(Clone, Serialize)]
pub struct NewKey {
    /// What it is.
    #[serde(flatten)]
    pub view: KeyView,
    /// The key.
    pub key: String,
    /// Its pair for signatures.
    pub access_key_id: String,
    /// The secret half of it.
    pub secret_access_key: String,
}

impl std::fmt::Debug for NewKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewKey").field("view", &self.view).finish_non_exhaustive()
    }
}

/// What may be seen of a key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KeyView {
    /// By which it is revoked; a part of the key that is no secret.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// Its role.
    pub role: String,
    /// Patterns of its groups.
    pub groups: Vec<String>,
    /// When it was made.
    pub created: String,
    /// When it was last used; kept to the minute over a restart.
    pub last_used: Option<String>,
    /// When it expires, by itself or since another took its place.
    pub expires: Option<String>,
    /// `valid`, `expiring` (within 14 days), `replaced` (another took its place, it still works), `expired`.
    pub state: String,
}

/// Errors of the management of keys, and of keys that are no longer valid.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The request is invalid.
    #[error("{0}")]
    Bad(String),
    /// The key would cover groups that the caller's own key does not.
    #[error("a key can only be created for groups that your own key covers")]
    OutOfScope,
    /// There is no such key.
    #[error("there is no key with the id {0:?}")]
    Unknown(String),
    /// The key was right and is no longer valid.
    #[error("the key {name:?} ({id}) expired at {at}")]
    Expired {
        /// Its id.
        id: String,
        /// Its name.
        name: String,
        /// Since when it is not valid.
        at: Timestamp,
    },
    /// A certificate stands for several keys.
    #[error("several keys with the role ingest are called as the client certificate is: {0}")]
    Ambiguous(String),
    /// The control store did not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The system gives no random numbers.
    #[error("no random numbers: {0}")]
    Random(String),
}

/// Reads when a key expires: a time, or a length of time from `now`.
pub(super) fn expiry_of(text: &str, now: Timestamp) -> Result<Timestamp, KeyError> {
    let relative = || parse_duration_ns(text).ok().map(|ns| Timestamp(now.0.saturating_add(ns)));
    let expires = Timestamp::parse_iso8601(text).or_else(relative).map(whole_seconds).ok_or_else(|| {
        KeyError::Bad(format!(
            "expires: {text:?} is neither a length of time such as 90d nor a time such as 2027-06-30"
        ))
    })?;
    ensure!(expires > now, KeyError::Bad(format!("expires: {expires} is not in the future")));
    Ok(expires)
}

/// Returns the first whole second that is not before `at`.
pub(super) fn whole_seconds(at: Timestamp) -> Timestamp {
    Timestamp(at.0.saturating_add(Timestamp::SECOND - 1) / Timestamp::SECOND * Timestamp::SECOND)
}

/// Reads for how long something that was ended goes on.
///
/// # Errors
/// If it is no length of time, or more than 90 days.
pub fn grace_ns_of(text: &str) -> Result<i64, KeyError> {
    let grace_ns = parse_duration_ns(text).map_err(|error| KeyError::Bad(format!("grace: {error}")))?;
    if (0..=GRACE_NS_MAX).contains(&grace_ns) { Ok(grace_ns) } else { Err(KeyError::Bad("grace: at most 90d".into())) }
}

pub(super) fn role_of(name: &str) -> Result<Role, KeyError> {
    let roles = [Role::Ingest, Role::Read, Role::Operate, Role::Admin];
    let found = roles.into_iter().find(|role| role.name() == name);
    found.ok_or_else(|| KeyError::Bad(format!("role {name:?} is none of ingest, read, operate, admin")))
}

pub(super) fn check_name(name: &str) -> Result<(), KeyError> {
    let is_good = !name.trim().is_empty() && name.chars().count() <= NAME_CHARS_MAX;
    if is_good && !name.chars().any(char::is_control) {
        return Ok(());
    }
    Err(KeyError::Bad(format!("a key's name is 1–{NAME_CHARS_MAX} characters, none of them a control character")))
}

pub(super) fn check_groups(groups: &[String]) -> Result<(), KeyError> {
    if groups.is_empty() || groups.len() > PATTERNS_MAX {
        return Err(KeyError::Bad(format!("a key has 1–{PATTERNS_MAX} patterns of groups; \"*\" is every group")));
    }
    let is_usual = |b: u8| b.is_ascii_alphanumeric() || b"._/#-*".contains(&b);
    let is_good = |pattern: &String| (1..=PATTERN_BYTES_MAX).contains(&pattern.len()) && pattern.bytes().all(is_usual);
    match groups.iter().find(|pattern| !is_good(pattern)) {
        None => Ok(()),
        Some(bad) => Err(KeyError::Bad(format!("{bad:?} is no pattern of groups: A-Z a-z 0-9 . _ / # - and *"))),
    }
}
