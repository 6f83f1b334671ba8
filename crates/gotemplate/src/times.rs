//! Times of templates.

use chrono::{DateTime, Datelike, Offset, TimeZone, Timelike};
use chrono_tz::Tz;

/// An instant in a zone, from the year 1 on.
#[derive(Clone, Copy, Debug)]
pub struct ZonedTime {
    /// Seconds since 1970.
    pub seconds: i64,
    /// Nanoseconds of the second.
    pub nanoseconds: u32,
    /// The zone in which it is shown.
    pub zone: Zone,
}

/// How an instant is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    /// By its name.
    Named(Tz),
    /// Seconds east of UTC.
    Offset(i32),
}

/// Seconds from the year 1 to 1970.
const YEAR_ONE: i64 = -62_135_596_800;

impl PartialEq for ZonedTime {
    fn eq(&self, other: &Self) -> bool {
        (self.seconds, self.nanoseconds) == (other.seconds, other.nanoseconds)
    }
}

/// A date and a time of the day, with the zone's offset and name.
#[derive(Clone, Debug)]
pub(crate) struct Civil {
    pub year: i32,
    pub month: u32,
    pub day: u32,
    pub day_of_year: u32,
    /// From Sunday.
    pub weekday: u32,
    pub hour: u32,
    pub minute: u32,
    pub second: u32,
    pub nanosecond: u32,
    pub offset_s: i32,
    pub zone: String,
}

impl ZonedTime {
    /// What Go calls the zero time: the start of the year 1.
    pub const ZERO: Self = Self { seconds: YEAR_ONE, nanoseconds: 0, zone: Zone::Named(Tz::UTC) };

    /// Returns nanoseconds since 1970 as a time in UTC.
    pub fn of_nanoseconds(nanoseconds: i64) -> Self {
        let (seconds, rest) = (nanoseconds.div_euclid(1_000_000_000), nanoseconds.rem_euclid(1_000_000_000));
        Self { seconds, nanoseconds: rest as u32, zone: Zone::Named(Tz::UTC) }
    }

    /// Returns seconds since 1970 as a time in UTC.
    pub fn of_seconds(seconds: i64) -> Self {
        Self { seconds, nanoseconds: 0, zone: Zone::Named(Tz::UTC) }
    }

    /// Returns the time since 1970 in units of 1/`per_second` of a second, rounded down.
    pub fn units(&self, per_second: i64) -> i64 {
        let of_second = i64::from(self.nanoseconds) / (1_000_000_000 / per_second);
        self.seconds.wrapping_mul(per_second).wrapping_add(of_second)
    }

    pub(crate) fn civil(&self) -> Civil {
        let utc = DateTime::from_timestamp(self.seconds, self.nanoseconds).unwrap_or_default();
        let (offset_s, zone) = match self.zone {
            Zone::Offset(0) => (0, "UTC".to_owned()),
            Zone::Offset(offset) => (offset, String::new()),
            Zone::Named(tz) => {
                let offset = tz.offset_from_utc_datetime(&utc.naive_utc());
                (offset.fix().local_minus_utc(), offset.to_string())
            }
        };
        let local = utc.naive_utc() + chrono::TimeDelta::seconds(i64::from(offset_s));
        Civil {
            year: local.year(),
            month: local.month(),
            day: local.day(),
            day_of_year: local.ordinal(),
            weekday: local.weekday().num_days_from_sunday(),
            hour: local.hour(),
            minute: local.minute(),
            second: local.second(),
            nanosecond: local.nanosecond(),
            offset_s,
            zone,
        }
    }
}
