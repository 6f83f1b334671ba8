//! The zone that times without one are in: a fixed offset or a named zone with its history.

use std::str::FromStr;

use chrono::offset::LocalResult;
use chrono::{DateTime, Offset, TimeZone};
use chrono_tz::{OffsetName, Tz};

/// Where the clock on the wall is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    /// So many seconds east of UTC, all year.
    Fixed(i32),
    /// A zone of the IANA database.
    Named(Tz),
}

impl Zone {
    /// Coordinated universal time.
    pub const UTC: Self = Self::Fixed(0);

    /// Returns how many seconds east of UTC the zone is at an instant.
    pub fn offset_seconds(self, utc_seconds: i64) -> i64 {
        match self {
            Self::Fixed(offset) => i64::from(offset),
            Self::Named(zone) => DateTime::from_timestamp(utc_seconds, 0).map_or(0, |instant| {
                i64::from(zone.offset_from_utc_datetime(&instant.naive_utc()).fix().local_minus_utc())
            }),
        }
    }

    /// Seconds since the epoch of a wall-clock time given as if it were UTC.
    ///
    /// A time that occurs twice is the first; one that a jump of the clock leaves out is taken with the offset
    /// from before the jump.
    pub(crate) fn utc_seconds(self, local_seconds: i64) -> i64 {
        match self {
            Self::Fixed(offset) => local_seconds.saturating_sub(i64::from(offset)),
            Self::Named(zone) => local_seconds.saturating_sub(named_offset(zone, local_seconds)),
        }
    }

    /// Reports whether the zone calls an offset by an abbreviation within half a year of an instant.
    pub(crate) fn uses(self, abbreviation: &[u8], offset_seconds: i64, utc_seconds: i64) -> bool {
        const HALF_YEAR_SECONDS: i64 = 182 * 86_400;
        match self {
            Self::Fixed(offset) => offset != 0 && i64::from(offset) == offset_seconds,
            Self::Named(zone) => [0, -HALF_YEAR_SECONDS, HALF_YEAR_SECONDS].iter().any(|distance| {
                DateTime::from_timestamp(utc_seconds.saturating_add(*distance), 0).is_some_and(|instant| {
                    let at = zone.offset_from_utc_datetime(&instant.naive_utc());
                    at.abbreviation().map(str::as_bytes) == Some(abbreviation)
                        && i64::from(at.fix().local_minus_utc()) == offset_seconds
                })
            }),
        }
    }
}

/// Seconds east of UTC.
impl From<i32> for Zone {
    fn from(offset_seconds: i32) -> Self {
        Self::Fixed(offset_seconds)
    }
}

fn named_offset(zone: Tz, local_seconds: i64) -> i64 {
    let Some(local) = DateTime::from_timestamp(local_seconds, 0) else { return 0 };
    let local = local.naive_utc();
    let offset = match zone.offset_from_local_datetime(&local) {
        LocalResult::Single(offset) | LocalResult::Ambiguous(offset, _) => offset,
        LocalResult::None => zone.offset_from_utc_datetime(&(local - chrono::TimeDelta::hours(3))),
    };
    i64::from(offset.fix().local_minus_utc())
}

/// Why a zone could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown time zone \"{0}\"; write UTC, +07:00 or Asia/Jakarta")]
pub struct ZoneError(pub String);

impl FromStr for Zone {
    type Err = ZoneError;

    /// Reads `UTC`, `Z`, `+07:00`, `-0330`, or a name of the IANA database.
    fn from_str(text: &str) -> Result<Self, ZoneError> {
        if matches!(text, "UTC" | "Z" | "GMT" | "utc") {
            return Ok(Self::UTC);
        }
        let bytes = text.as_bytes();
        if let Some((offset, end)) = crate::time::parse_offset(bytes, 0)
            && end == bytes.len()
        {
            return Ok(Self::Fixed(offset));
        }
        text.parse().map(Self::Named).map_err(|_| ZoneError(text.chars().take(64).collect()))
    }
}

#[cfg(test)]
mod tests;
