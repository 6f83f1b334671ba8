//! Functions of instants.

use std::fmt::Write;

use chrono::format::{Item, StrftimeItems};
use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Timelike};
use chrono_tz::Tz;
use types::{Column, Timestamp, Value};

use crate::columns::cell::Cell;
use plan::{Function, Length, Number, calendar as bins};

/// Instants rounded down or up to spans.
pub(super) fn round_rows(function: Function, times: &Column, span: Length, zone: Tz) -> Column {
    let round = if function == Function::DateCeil { bins::ceil } else { bins::floor };
    if let Column::Timestamps(instants) = times {
        let rounded = match function {
            Function::DateFloor => floor_runs(instants, span, zone),
            _ => instants.iter().map(|instant| round(zone, *instant, span)).collect(),
        };
        if let Some(rounded) = rounded {
            return Column::Timestamps(rounded);
        }
    }
    let value = |row| Cell::at(times, row).time().and_then(|instant| round(zone, instant, span)).map(instant_value);
    Column::of_values((0..times.n_rows()).map(value).collect())
}

/// Rounds instants down; `None` where one is beyond the range of times. They are in order: most lie in the bucket of the one
/// before, so that a bucket is found once for all of its rows.
fn floor_runs(instants: &[i64], span: Length, zone: Tz) -> Option<Vec<i64>> {
    let mut rounded = Vec::with_capacity(instants.len());
    let mut rest = instants;
    while let Some(first) = rest.first() {
        let (start, end) = bins::bounds(zone, *first, span)?;
        let n_rows = 1 + rest[1..].iter().take_while(|instant| (start..end).contains(instant)).count();
        rounded.resize(rounded.len() + n_rows, start);
        rest = &rest[n_rows..];
    }
    Some(rounded)
}

/// Instants later by a span.
pub(super) fn later_rows(times: &Column, span: Length, zone: Tz) -> Column {
    if let Column::Timestamps(instants) = times
        && let Some(later) = instants.iter().map(|instant| bins::later(zone, *instant, span)).collect()
    {
        return Column::Timestamps(later);
    }
    let value = |row| Cell::at(times, row).time().and_then(|instant| bins::later(zone, instant, span));
    Column::of_values((0..times.n_rows()).map(|row| value(row).map(instant_value)).collect())
}

/// Returns the number that a value is, of a date or its text the milliseconds since the epoch.
pub(super) fn measure(cell: Cell<'_>) -> Option<Value> {
    match cell {
        Cell::Text(text) if Number::read(text).is_none() => plan::date_math::date_value(text)
            .and_then(|instant| Cell::Time(instant).number())
            .and_then(Number::into_value),
        Cell::Time(_) => cell.number().and_then(Number::into_value),
        other => other.to_value(),
    }
}

/// Returns a time or the text of one as whole milliseconds since the epoch, another value as it is.
pub(super) fn date_millis(cell: Cell<'_>) -> Option<Value> {
    let instant = match cell {
        Cell::Text(text) => plan::date_math::date_value(text),
        Cell::Time(instant) => Some(instant),
        _ => None,
    };
    instant.map_or_else(|| cell.to_value(), |instant| Some(Value::Integer(instant.div_euclid(1_000_000))))
}

/// Starts of buckets of `length`, counted from an origin.
pub(super) fn bucket_rows(times: &Column, origins: &Column, length: i64) -> Column {
    let value = |row| {
        let (instant, origin) = (Cell::at(times, row).time()?, Cell::at(origins, row).time()?);
        bins::floor_from(origin, instant, length).map(instant_value)
    };
    let values: Vec<Option<Value>> = (0..times.n_rows()).map(value).collect();
    Column::of_values(values)
}

/// Starts of buckets of `length` by the clocks of a zone, counted from an origin on them.
pub(super) fn wall_bucket_rows(times: &Column, origin: i64, length: i64, zone: Tz) -> Column {
    // Times are in order: most rows lie in the bucket of the row before.
    let mut last: Option<(i64, i64)> = None;
    let mut value = |row| {
        let instant = Cell::at(times, row).time()?;
        if let Some((start, end)) = last
            && (start..end).contains(&instant)
        {
            return Some(instant_value(start));
        }
        let start = bins::wall_floor(zone, instant, length, origin)?;
        last = bins::wall_next(zone, start, length, origin).map(|end| (start, end));
        Some(instant_value(start))
    };
    let values: Vec<Option<Value>> = (0..times.n_rows()).map(&mut value).collect();
    Column::of_values(values)
}

fn instant_value(nanos: i64) -> Value {
    Value::Timestamp(Timestamp(nanos))
}

/// Returns the value of a function whose arguments are all there.
pub(super) fn scalar(function: Function, cells: &[Cell<'_>], zone: Tz) -> Option<Value> {
    Some(match function {
        Function::FromMillis => instant_value(match cells[0].number()? {
            Number::Integer(millis) => i64::try_from(millis.checked_mul(1_000_000)?).ok()?,
            Number::Float(millis) if millis.abs() < 9.2e12 => (millis * 1e6).round() as i64,
            Number::Float(_) => return None,
        }),
        Function::ToMillis => Value::Integer(cells[0].time()?.div_euclid(1_000_000)),
        Function::Hour => Value::Integer(bins::local_time(zone, cells[0].time()?).hour().into()),
        Function::Weekday => {
            Value::Integer(bins::local_time(zone, cells[0].time()?).weekday().number_from_monday().into())
        }
        Function::FormatDate => format(bins::local_time(zone, cells[0].time()?), &cells[1].text()?)?,
        Function::ParseDate => instant_value(parse(&cells[0].text()?, &cells[1].text()?, zone)?),
        _ => return None,
    })
}

fn format(time: DateTime<Tz>, letters: &str) -> Option<Value> {
    let items: Vec<Item<'_>> = StrftimeItems::new(letters).collect();
    if items.contains(&Item::Error) {
        return None;
    }
    let mut text = String::new();
    write!(text, "{}", time.format_with_items(items.iter())).ok()?;
    Some(Value::text(text))
}

/// Reads a time by strftime letters: with a zone, without one, or a date alone.
fn parse(text: &str, letters: &str, zone: Tz) -> Option<i64> {
    if let Ok(time) = DateTime::parse_from_str(text, letters) {
        return time.timestamp_nanos_opt();
    }
    let local = NaiveDateTime::parse_from_str(text, letters).ok();
    let local = local.or_else(|| bins::midnight(NaiveDate::parse_from_str(text, letters).ok()?));
    bins::instant_of(zone, local?)
}

#[cfg(test)]
mod tests;
