//! When reports are due: days and a time of day, by the clock of a zone.

use chrono::{DateTime, Datelike, Days as Span, NaiveDate, NaiveTime, TimeZone, Weekday};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use types::Timestamp;

/// How far from now the next or last day is looked for: any month has the days that can be named.
const LOOK_DAYS: u64 = 32;

/// Days of the week, as reports name them.
const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// The last day of a month that every month has.
const DAY_MAX: u32 = 28;

/// The days of a report: `day`, `weekday` (Monday to Friday), the name of a day of the week, or `1` to `28` of the month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) enum Days {
    /// Every day.
    Every,
    /// Monday to Friday.
    Working,
    /// A day of the week.
    Weekly(Weekday),
    /// A day of the month.
    Monthly(u32),
}

/// Days, a time of day, and the zone of both.
#[derive(Clone, Debug)]
pub(super) struct Schedule {
    days: Days,
    time: NaiveTime,
    zone: Tz,
}

impl TryFrom<String> for Days {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if let Some(day) = text.parse::<u32>().ok().filter(|day| (1..=DAY_MAX).contains(day)) {
            return Ok(Self::Monthly(day));
        }
        match text.as_str() {
            "day" => Ok(Self::Every),
            "weekday" => Ok(Self::Working),
            name => {
                let problem = "on: day, weekday, monday to sunday, or 1 to 28 for a day of the month";
                let day = name.parse::<Weekday>().ok().filter(|_| name.len() > 3 && !name.contains(char::is_uppercase));
                day.map(Self::Weekly).ok_or_else(|| problem.to_owned())
            }
        }
    }
}

impl From<Days> for String {
    fn from(days: Days) -> Self {
        match days {
            Days::Every => "day".to_owned(),
            Days::Working => "weekday".to_owned(),
            Days::Monthly(day) => day.to_string(),
            Days::Weekly(day) => WEEKDAYS[day.num_days_from_monday() as usize].to_owned(),
        }
    }
}

impl Schedule {
    /// Reads the time of day, `07:00`. The error says what is wrong with it.
    pub(super) fn new(days: Days, at: &str, zone: Tz) -> Result<Self, String> {
        let time = NaiveTime::parse_from_str(at, "%H:%M").ok().filter(|_| at.len() == 5);
        let time = time.ok_or_else(|| format!("at: {at:?} is no time of day: write 07:00"))?;
        Ok(Self { days, time, zone })
    }

    /// Returns the last time that is not after `now`.
    pub(super) fn before(&self, now: Timestamp) -> Option<Timestamp> {
        let today = self.day_of(now);
        let days = (0..LOOK_DAYS).filter_map(|n| today.checked_sub_days(Span::new(n)));
        days.filter(|day| self.has(*day)).filter_map(|day| self.on(day)).find(|at| *at <= now)
    }

    /// Returns the first time after `now`.
    pub(super) fn after(&self, now: Timestamp) -> Option<Timestamp> {
        let today = self.day_of(now);
        let days = (0..LOOK_DAYS).filter_map(|n| today.checked_add_days(Span::new(n)));
        days.filter(|day| self.has(*day)).filter_map(|day| self.on(day)).find(|at| *at > now)
    }

    fn day_of(&self, at: Timestamp) -> NaiveDate {
        DateTime::from_timestamp_nanos(at.0).with_timezone(&self.zone).date_naive()
    }

    fn has(&self, day: NaiveDate) -> bool {
        match self.days {
            Days::Every => true,
            Days::Working => !matches!(day.weekday(), Weekday::Sat | Weekday::Sun),
            Days::Weekly(wanted) => day.weekday() == wanted,
            Days::Monthly(wanted) => day.day() == wanted,
        }
    }

    /// Returns the instant of a day; where the clocks skip it, that of the hour after it.
    fn on(&self, day: NaiveDate) -> Option<Timestamp> {
        let local = day.and_time(self.time);
        let found = self.zone.from_local_datetime(&local).earliest();
        let found =
            found.or_else(|| self.zone.from_local_datetime(&(local + chrono::TimeDelta::hours(1))).earliest())?;
        found.timestamp_nanos_opt().map(Timestamp)
    }
}

#[cfg(test)]
mod tests;
