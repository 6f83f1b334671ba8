//! The audit log: keys created, revoked and first used, wrong keys, limits of groups, deletions. Each entry is an event of
//! the group `catat/audit`, to which no sender may write.
//!
//! An action of an administrator is durable here before it is answered. Wrong keys, which anyone can send, are recorded once
//! per minute and address, for a bounded number of addresses. The query of a deletion is left out: it may hold the data to
//! be erased. The group exists only for callers with the role `admin` whose query names it.

use std::sync::atomic::{AtomicI64, AtomicU64};

use storage::GroupRetention;
use types::Timestamp;

use crate::access::{Caller, Role};
use crate::problem::{Problem, Result};

/// Smallest age and size limits of the group: smaller ones would delete recent entries.
const AGE_NS_MIN: i64 = 7 * Timestamp::DAY;
const BYTES_MIN: u64 = 1 << 20;

/// What the audit log recorded recently.
#[derive(Default)]
pub struct Audit {
    pub(crate) minute: AtomicI64,
    pub(crate) n_refusals: AtomicU64,
    pub(crate) sessions_kept_ns: AtomicI64,
}

/// Reports whether a caller who names the audit group may see its events.
pub fn may_see(caller: &Caller) -> bool {
    caller.role == Role::Admin
}

/// Refuses limits that would delete recent entries.
pub fn check_retention(limits: &GroupRetention) -> Result<()> {
    let is_long = limits.age_ns.is_none_or(|age_ns| age_ns >= AGE_NS_MIN);
    if is_long && limits.bytes.is_none_or(|bytes| bytes >= BYTES_MIN) {
        return Ok(());
    }
    Err(Problem::forbidden("group-reserved", format!("{} keeps at least 7 days and 1MiB", ingest::AUDIT_GROUP)))
}
