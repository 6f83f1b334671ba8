//! What is known about bytes besides their content: when and how they arrived.

use crate::Zone;
use std::sync::Arc;
use types::{Level, Limits, Timestamp, Value};

/// What is known of bytes beside themselves.
#[derive(Clone, Copy, Debug)]
pub struct ArrivalContext<'a> {
    /// When they arrived.
    pub at: Timestamp,
    /// When the file that they come from was last written, while catching up with an old file.
    pub modified: Option<Timestamp>,
    /// The time of the event before them in their source, where that is known.
    pub previous: Option<Timestamp>,
    /// The zone of times that name none.
    pub zone: Zone,
    /// The limits on one event.
    pub limits: &'a Limits,
}

/// Fields that the way an event came by adds to it; its own fields of the same name win.
#[derive(Clone, Copy, Debug, Default)]
pub struct Extras<'a> {
    /// Names and values.
    pub fields: &'a [(Arc<str>, Value)],
    /// The place of the event's first byte in its file.
    pub offset: Option<u64>,
    /// When the event happened, where its sender said so beside the bytes of a text or record.
    pub time: Option<Timestamp>,
    /// Its level, where its sender said so beside them; a level that the fields of a record say is more telling.
    pub level: Option<Level>,
}
