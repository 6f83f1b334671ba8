//! Instant and time zone that the meaning of a query depends on.

use types::Timestamp;

/// What the meaning of a query depends on besides its text.
#[derive(Clone, Copy, Debug)]
pub struct ParseOptions {
    /// The instant that relative times and warnings about times refer to.
    pub now: Timestamp,
    /// The zone that times without one are in.
    pub time_zone: chrono_tz::Tz,
}
