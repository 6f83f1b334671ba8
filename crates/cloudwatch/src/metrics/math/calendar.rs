//! The functions of time: `HOUR(m1)` is the hour, in UTC, in which each period of the request starts.

use types::civil_from_days;

const MINUTE_S: i64 = 60;
const HOUR_S: i64 = 60 * MINUTE_S;
const DAY_S: i64 = 24 * HOUR_S;

types::named! {
    /// A part of a time, by the name of the function that gives it.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(super) enum TimePart {
        Minute = "MINUTE",
        Hour = "HOUR",
        DayOfWeek = "DAY",
        DayOfMonth = "DATE",
        Month = "MONTH",
        Year = "YEAR",
        Epoch = "EPOCH",
    }
}

impl TimePart {
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
mod tests;
