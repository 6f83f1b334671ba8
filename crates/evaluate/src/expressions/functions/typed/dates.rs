//! Functions of instants, in UTC and whole milliseconds.

use chrono::{DateTime, Datelike, Timelike, Utc};
use plan::TypedFunction;
use plan::calendar::later_by_months;
use plan::function::{DatePart, DateUnit};
use types::{Timestamp, Value};

use super::super::cell::Cell;

const MILLISECOND: i64 = 1_000_000;

fn time_of(cell: Cell<'_>) -> Option<DateTime<Utc>> {
    match cell {
        Cell::Time(nanos) => Some(DateTime::from_timestamp_nanos(nanos.div_euclid(MILLISECOND) * MILLISECOND)),
        _ => None,
    }
}

fn whole(cell: Option<&Cell<'_>>) -> Option<i64> {
    match cell {
        Some(Cell::Integer(number)) => Some(*number),
        _ => None,
    }
}

/// Returns the value of a function of instants.
pub(super) fn scalar(function: TypedFunction, cells: &[Cell<'_>]) -> Option<Value> {
    let time = time_of(cells[0])?;
    let nanos = time.timestamp_nanos_opt()?;
    match function {
        TypedFunction::DatePart(part) => part_of(part, time).map(Value::Integer),
        TypedFunction::AddMilliseconds => {
            let later = nanos.checked_add(whole(cells.get(1))?.checked_mul(MILLISECOND)?)?;
            Some(Value::Timestamp(Timestamp(later)))
        }
        TypedFunction::AddMonths => {
            let later = later_by_months(Timestamp(nanos), whole(cells.get(1))?)?;
            Some(Value::Timestamp(later))
        }
        TypedFunction::DateDifference(unit) => {
            let end = time_of(*cells.get(1)?)?;
            let difference = end.timestamp_nanos_opt()?.checked_sub(nanos)?;
            let units = match unit {
                DateUnit::Milliseconds(millis) => difference / MILLISECOND / millis,
                DateUnit::Microseconds => difference / 1_000,
                DateUnit::Nanoseconds => difference,
                DateUnit::Months(months) => months_between(time, end) / months,
            };
            // Elasticsearch gives an integer.
            i32::try_from(units).ok().map(|units| Value::Integer(units.into()))
        }
        _ => None,
    }
}

/// Whole calendar months from one instant to another.
fn months_between(from: DateTime<Utc>, to: DateTime<Utc>) -> i64 {
    let month = |time: DateTime<Utc>| i64::from(time.year()) * 12 + i64::from(time.month0());
    let inside = |time: DateTime<Utc>| (time.day(), time.num_seconds_from_midnight(), time.nanosecond());
    let months = month(to) - month(from);
    match months {
        n if n > 0 && inside(to) < inside(from) => n - 1,
        n if n < 0 && inside(to) > inside(from) => n + 1,
        n => n,
    }
}

fn part_of(part: DatePart, time: DateTime<Utc>) -> Option<i64> {
    use DatePart as P;
    let second_of_day = i64::from(time.num_seconds_from_midnight());
    let nano = i64::from(time.nanosecond());
    Some(match part {
        P::Year => time.year().into(),
        P::YearOfEra => time.year().abs().into(),
        P::Era => i64::from(time.year() > 0),
        P::MonthOfYear => time.month().into(),
        P::ProlepticMonth => i64::from(time.year()) * 12 + i64::from(time.month0()),
        P::DayOfMonth => time.day().into(),
        P::DayOfYear => time.ordinal().into(),
        P::DayOfWeek => time.weekday().number_from_monday().into(),
        P::DayOfWeekInMonth => i64::from(time.day0() % 7) + 1,
        P::DayOfWeekInYear => i64::from(time.ordinal0() % 7) + 1,
        P::WeekOfMonth => i64::from(time.day0() / 7) + 1,
        P::WeekOfYear => i64::from(time.ordinal0() / 7) + 1,
        P::EpochDay => time.timestamp().div_euclid(86_400),
        P::HourOfDay => time.hour().into(),
        P::ClockHourOfDay => i64::from(if time.hour() == 0 { 24 } else { time.hour() }),
        P::HourOfHalfDay => i64::from(time.hour() % 12),
        P::ClockHourOfHalfDay => i64::from(time.hour12().1),
        P::HalfOfDay => i64::from(time.hour12().0),
        P::MinuteOfHour => time.minute().into(),
        P::MinuteOfDay => second_of_day / 60,
        P::SecondOfMinute => time.second().into(),
        P::SecondOfDay => second_of_day,
        P::MilliOfSecond => nano / MILLISECOND,
        P::MilliOfDay => second_of_day * 1_000 + nano / MILLISECOND,
        P::MicroOfSecond => nano / 1_000,
        P::MicroOfDay => second_of_day * 1_000_000 + nano / 1_000,
        P::NanoOfSecond => nano,
        P::NanoOfDay => second_of_day * 1_000_000_000 + nano,
        P::InstantSeconds => time.timestamp(),
        P::OffsetSeconds => 0,
    })
}

#[cfg(test)]
mod tests;
