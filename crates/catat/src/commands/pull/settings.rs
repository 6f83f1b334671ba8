//! What all pulls have in common.

use std::time::Duration;

use types::parse_duration_ns;

use crate::failure::{Failure, Result};

/// How long to wait after a failure.
pub(super) const AFTER_FAILURE: Duration = Duration::from_secs(10);

/// Reads a length of time.
pub(super) fn duration(option: &str, text: &str) -> Result<Duration> {
    let read = parse_duration_ns(text).ok().and_then(|ns| u64::try_from(ns).ok()).map(Duration::from_nanos);
    read.ok_or_else(|| Failure::usage(format!("{option} {text}: write 30s, 5m or 1h")))
}

/// Returns the name of this machine's time zone.
pub(super) fn zone() -> String {
    let zone = ship::host_zone().and_then(|name| name.parse().ok()).unwrap_or(chrono_tz::Tz::UTC);
    zone.name().to_owned()
}
