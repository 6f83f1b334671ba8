//! A key as it is kept: in memory, and as a document of the control store.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use storage::{Store, StoreError};
use types::{GroupPattern, GroupScope, Timestamp};

use super::order::{KeyError, KeyView, role_of};
use crate::access::caller::{Caller, Role};
use crate::access::rate::Bucket;
use crate::access::validity::Validity;

/// The document: the ids of keys and when each was last used, in nanoseconds. Earlier versions do not read it.
pub(super) const USES_KIND: &str = "key-use";
pub(super) const USES_NAME: &str = "all";

/// How long before its end a key is said to expire.
const EXPIRING_NS: i64 = 14 * Timestamp::DAY;

/// A key as it is kept in memory.
pub(super) struct Key {
    pub(super) id: String,
    pub(super) document: Document,
    pub(super) hash: [u8; 32],
    pub(super) caller: Arc<Caller>,
    pub(super) used_ns: AtomicI64,
}

/// A key as it is kept in the control store. Earlier versions read it too: they leave out what they do not know.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Document {
    pub(super) name: String,
    pub(super) role: String,
    pub(super) groups: Vec<String>,
    pub(super) hash: String,
    pub(super) created_ns: i64,
    pub(super) expires_ns: Option<i64>,
    pub(super) used_ns: Option<i64>,
    pub(super) line: String,
    /// How long a key that was made with an expiry is valid, and the one that replaces it. Without it, the key only has
    /// an expiry since another took its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) lifetime_ns: Option<i64>,
}

impl Key {
    /// Returns the key of a document; `None` for an invalid one.
    pub(super) fn of(id: &str, document: Document, bytes_per_s: Option<u64>, now: Timestamp) -> Option<Self> {
        let role = role_of(&document.role).ok()?;
        let hash = HEXLOWER.decode(document.hash.as_bytes()).ok()?.try_into().ok()?;
        let patterns = document.groups.iter().map(|pattern| GroupPattern::new(pattern.as_str())).collect();
        let validity = Validity::default();
        if let Some(expires_ns) = document.expires_ns {
            validity.end_at(Timestamp(expires_ns));
        }
        let caller = Caller {
            role,
            sends: matches!(role, Role::Ingest | Role::Admin),
            scope: GroupScope::Matching(patterns),
            name: format!("key:{}", document.name).into(),
            validity,
            bucket: bytes_per_s.map(|bytes_per_s| Arc::new(Bucket::new(bytes_per_s, now))),
            batches: document.line.as_str().into(),
            way: None,
        };
        let used_ns = AtomicI64::new(document.used_ns.unwrap_or(i64::MIN));
        Some(Self { id: id.to_owned(), document, hash, caller: Arc::new(caller), used_ns })
    }

    /// Returns the key with another document.
    pub(super) fn with(&self, document: Document) -> Self {
        let used_ns = AtomicI64::new(self.used_ns.load(Ordering::Relaxed));
        Self { id: self.id.clone(), document, hash: self.hash, caller: self.caller.clone(), used_ns }
    }

    /// Returns when it was last used.
    pub(super) fn used(&self) -> Option<i64> {
        Some(self.used_ns.load(Ordering::Relaxed)).filter(|used_ns| *used_ns != i64::MIN)
    }

    pub(super) fn is_valid(&self, now: Timestamp) -> bool {
        self.caller.validity.is_valid_at(now)
    }

    /// Refuses a key that has expired.
    pub(super) fn check_expiry(&self, now: Timestamp) -> Result<(), KeyError> {
        match self.caller.validity.ends().filter(|ends| *ends <= now) {
            None => Ok(()),
            // One that is being revoked is not there.
            Some(Timestamp(i64::MIN)) => Err(KeyError::Unknown(self.id.clone())),
            Some(at) => Err(KeyError::Expired { id: self.id.clone(), name: self.document.name.clone(), at }),
        }
    }

    /// Reports whether all groups of the key are within a scope.
    pub(super) fn is_within(&self, scope: &GroupScope) -> bool {
        self.document.groups.iter().all(|pattern| covers(scope, pattern))
    }

    /// Whether it ends because another has taken its place.
    pub(super) fn is_replaced(&self) -> bool {
        self.caller.validity.ends().is_some() && self.document.lifetime_ns.is_none()
    }

    pub(super) fn view(&self, now: Timestamp) -> KeyView {
        let Document { name, role, groups, created_ns, .. } = self.document.clone();
        let time = |ns: i64| Timestamp(ns).to_string();
        let ends = self.caller.validity.ends().filter(|ends| ends.0 != i64::MIN);
        let state = match ends {
            Some(ends) if ends <= now => "expired",
            Some(_) if self.is_replaced() => "replaced",
            Some(ends) if ends.0.saturating_sub(now.0) <= EXPIRING_NS => "expiring",
            _ => "valid",
        };
        let (created, last_used, expires) = (time(created_ns), self.used().map(time), ends.map(|ends| time(ends.0)));
        KeyView { id: self.id.clone(), name, role, groups, created, last_used, expires, state: state.into() }
    }
}

/// Reads when keys were last used. A document that cannot be read is written again.
pub(super) fn read_uses(store: &Store) -> Result<BTreeMap<String, i64>, StoreError> {
    let json = store.settings().get(USES_KIND, USES_NAME)?;
    Ok(json.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default())
}

/// Reports whether every group that a pattern may match is within a scope. A `*` of the pattern is only taken up by one of the
/// scope's, which takes up all that it may stand for.
pub fn covers(scope: &GroupScope, pattern: &str) -> bool {
    scope.admits(pattern)
}
