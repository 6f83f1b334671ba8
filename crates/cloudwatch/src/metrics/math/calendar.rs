//! The functions of time: `HOUR(m1)` is the hour, in UTC, in which each period of the request starts.

use types::civil_from_days;

const MINUTE_S: i64 = 60;
const HOUR_S: i64 = 60 * MINUTE_S;
const DAY_S: i64 = 24 * HOUR_S;

/// A part of a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TimePart {
    Minute,
    Hour,
    DayOfWeek,
    DayOfMonth,
    Month,
    Year,
    Epoch,
}

impl TimePart {
    /// Returns the part that a function gives, whose name is in upper case; `None` if it is not a function of time.
    pub(super) fn of_function(name: &str) -> Option<Self> {
        match name {
            "MINUTE" => Some(Self::Minute),
            "HOUR" => Some(Self::Hour),
            "DAY" => Some(Self::DayOfWeek),
            "DATE" => Some(Self::DayOfMonth),
            "MONTH" => Some(Self::Month),
            "YEAR" => Some(Self::Year),
            "EPOCH" => Some(Self::Epoch),
            _ => None,
        }
    }

    /// Returns this part of a time, which is given in ms since the epoch.
    pub(super) fn at(self, time_ms: i64) -> f64 {
        let seconds = time_ms.div_euclid(1_000);
        let (days, of_day) = (seconds.div_euclid(DAY_S), seconds.rem_euclid(DAY_S));
        let (year, month, day) = civil_from_days(days);
        match self {
            Self::Minute => (of_day % HOUR_S / MINUTE_S) as f64,
            Self::Hour => (of_day / HOUR_S) as f64,
            // Monday is 1; the first day of 1970 was a Thursday.
            Self::DayOfWeek => ((days + 3).rem_euclid(7) + 1) as f64,
            Self::DayOfMonth => f64::from(day),
            Self::Month => f64::from(month),
            Self::Year => year as f64,
            Self::Epoch => seconds as f64,
        }
    }
}

#[cfg(test)]
mod tests {
    use types::Timestamp;

    use super::*;

    /// Checks `YEAR MONTH DATE HOUR MINUTE`, then `DAY`, then `EPOCH`.
    fn check(time: &str, expected: [f64; 7]) {
        let at = Timestamp::parse_rfc3339(time).expect(time).0.div_euclid(Timestamp::MILLISECOND);
        let functions = ["YEAR", "MONTH", "DATE", "HOUR", "MINUTE", "DAY", "EPOCH"];
        let found = functions.map(|name| TimePart::of_function(name).expect(name).at(at));
        assert_eq!(found, expected, "{time}");
    }

    #[test]
    fn parts_are_those_of_utc() {
        check("1970-01-01T00:00:00Z", [1970.0, 1.0, 1.0, 0.0, 0.0, 4.0, 0.0]);
        check("1969-12-31T23:59:59.999Z", [1969.0, 12.0, 31.0, 23.0, 59.0, 3.0, -1.0]);
        check("2024-02-29T09:05:00Z", [2024.0, 2.0, 29.0, 9.0, 5.0, 4.0, 1_709_197_500.0]);
        check("2026-11-29T23:59:59Z", [2026.0, 11.0, 29.0, 23.0, 59.0, 7.0, 1_795_996_799.0]);
        check("2026-11-30T00:00:00Z", [2026.0, 11.0, 30.0, 0.0, 0.0, 1.0, 1_795_996_800.0]);
        check("2026-12-01T01:30:00+02:00", [2026.0, 11.0, 30.0, 23.0, 30.0, 1.0, 1_796_081_400.0]);
    }
}
