//! What was done that people ask about later: keys made and revoked, their first use, wrong keys, limits of groups,
//! deletions. Each is an event of the group `catat/audit`, to which no sender may write.
//!
//! What an administrator does is durable here before it is answered. What anybody can cause, wrong keys, is told of once
//! a minute and address, and of a bounded number of addresses. Texts of deletions are left out: they may hold what
//! was to be forgotten. The group exists for callers with the role `admin` only, and where a query names it; so it is
//! not among everybody's events.

use std::sync::atomic::{AtomicI64, AtomicU64};

use axum::http::StatusCode;
use storage::GroupRetention;
use types::Timestamp;

use crate::access::{Caller, Role};
use crate::problem::Problem;

/// Least age and size that may be set as the group's limits: less would be a deletion of what was done today.
const AGE_NS_MIN: i64 = 7 * Timestamp::DAY;
const BYTES_MIN: u64 = 1 << 20;

/// What was told lately.
#[derive(Default)]
pub struct Audit {
    pub(crate) minute: AtomicI64,
    pub(crate) n_refusals: AtomicU64,
    pub(crate) uses_kept_ns: AtomicI64,
}

/// Reports whether a caller who names the audit group may see its events.
pub fn may_see(caller: &Caller) -> bool {
    caller.role == Role::Admin
}

/// Refuses limits that would let go what was done just now.
pub fn check_retention(limits: &GroupRetention) -> Result<(), Problem> {
    let is_long = limits.age_ns.is_none_or(|age_ns| age_ns >= AGE_NS_MIN);
    if is_long && limits.bytes.is_none_or(|bytes| bytes >= BYTES_MIN) {
        return Ok(());
    }
    let message = format!("{} is kept for 7 days and 1MiB at least", ingest::AUDIT_GROUP);
    Err(Problem::new(StatusCode::FORBIDDEN, "group-reserved", message))
}
