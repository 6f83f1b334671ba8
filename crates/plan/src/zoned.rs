//! Instants as clocks of a zone show them, with the zone's distance from UTC.

use chrono_tz::Tz;
use types::Timestamp;

use crate::calendar::offset_ns;

/// Writes an instant by the clock of a zone: RFC 3339 with the offset, `Z` in UTC, as many fraction digits as it needs.
///
/// Offsets are of whole minutes, as RFC 3339 has no others; the instant is the same whatever the zone.
pub fn write_zoned(instant: Timestamp, zone: Tz, out: &mut String) {
    use std::fmt::Write;
    let minutes = offset_ns(zone, instant.0) / Timestamp::MINUTE;
    let local = Timestamp(instant.0.saturating_add(minutes * Timestamp::MINUTE));
    // Writing into a String cannot fail.
    let _ = write!(out, "{local}");
    if zone == Tz::UTC {
        return;
    }
    out.pop();
    let sign = if minutes < 0 { '-' } else { '+' };
    let _ = write!(out, "{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60);
}

#[cfg(test)]
mod tests;
