//! Sources whose clock or time zone is off.

use std::sync::Arc;

use crate::GroupName;

/// A stream whose events steadily happen, by their own times, before or after they arrive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClockOffset {
    /// The group.
    pub group: GroupName,
    /// The stream in it.
    pub stream: Arc<str>,
    /// Event time minus arrival, in nanoseconds.
    pub offset_ns: i64,
}

/// Looks up the streams whose offset is certain.
pub type ClockOffsets = Arc<dyn Fn() -> Arc<Vec<ClockOffset>> + Send + Sync>;
