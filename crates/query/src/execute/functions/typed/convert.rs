//! Conversions of one value.

use std::net::{IpAddr, Ipv4Addr};

use chrono::{NaiveDate, NaiveDateTime};
use types::{Timestamp, Value};

use super::super::super::cell::Cell;
use super::super::super::number::Number;
use crate::function::TypedKind;

const MILLISECOND: i64 = 1_000_000;

/// A value in a type.
pub(super) fn convert(cell: Cell<'_>, kind: TypedKind) -> Option<Value> {
    match kind {
        TypedKind::Text => text(cell),
        TypedKind::Boolean => boolean(cell),
        TypedKind::Double => decimal(cell).map(Value::Float),
        TypedKind::Long => whole(cell).map(Value::Integer),
        TypedKind::Integer => whole(cell).filter(|number| i32::try_from(*number).is_ok()).map(Value::Integer),
        TypedKind::Date => date(cell),
        TypedKind::Address => match cell {
            Cell::Text(text) => address_of(text).map(|address| Value::text(address.to_string())),
            _ => None,
        },
    }
}

fn text(cell: Cell<'_>) -> Option<Value> {
    Some(match cell {
        Cell::Float(number) => Value::text(decimal_text(number)),
        Cell::Time(_) => Value::text(crate::elastic::format_time(Timestamp(cell.time()?), None)),
        other => Value::text(&*other.text()?),
    })
}

fn boolean(cell: Cell<'_>) -> Option<Value> {
    Some(Value::Boolean(match cell {
        Cell::Boolean(truth) => truth,
        Cell::Text(text) => text.eq_ignore_ascii_case("true"),
        Cell::Integer(number) => number != 0,
        Cell::Float(number) => number != 0.0,
        _ => return None,
    }))
}

fn decimal(cell: Cell<'_>) -> Option<f64> {
    let number = match cell {
        Cell::Integer(number) => number as f64,
        Cell::Float(number) => number,
        Cell::Boolean(truth) => f64::from(u8::from(truth)),
        Cell::Time(nanos) => nanos.div_euclid(MILLISECOND) as f64,
        Cell::Text(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    number.is_finite().then_some(number)
}

fn whole(cell: Cell<'_>) -> Option<i64> {
    Some(match cell {
        Cell::Integer(number) => number,
        Cell::Boolean(truth) => i64::from(truth),
        Cell::Time(nanos) => nanos.div_euclid(MILLISECOND),
        Cell::Float(number) => rounded(number)?,
        Cell::Text(text) => match Number::read(text) {
            Some(Number::Integer(number)) => i64::try_from(number).ok()?,
            Some(Number::Float(number)) => rounded(number)?,
            None => return None,
        },
        _ => return None,
    })
}

/// The nearest whole number, halves towards positive infinity as in Java.
fn rounded(number: f64) -> Option<i64> {
    let rounded = (number + 0.5).floor();
    (rounded.abs() < 9.223_372_036_854_775e18).then_some(rounded as i64)
}

fn date(cell: Cell<'_>) -> Option<Value> {
    let nanos = match cell {
        Cell::Time(nanos) => nanos.div_euclid(MILLISECOND).checked_mul(MILLISECOND)?,
        Cell::Integer(millis) => millis.checked_mul(MILLISECOND)?,
        Cell::Float(millis) => rounded(millis)?.checked_mul(MILLISECOND)?,
        Cell::Text(text) => date_of(text)?,
        _ => return None,
    };
    Some(Value::Timestamp(Timestamp(nanos)))
}

/// The instant of an ISO 8601 text as `strict_date_optional_time` reads it: parts may be left out from the end, without a
/// zone it is in UTC. In whole milliseconds.
pub(crate) fn date_of(text: &str) -> Option<i64> {
    let (day, time) = text.split_once('T').map_or((text, None), |(day, time)| (day, Some(time)));
    let mut parts = day.split('-');
    let number = |part: Option<&str>, n_digits: usize| -> Option<Option<u32>> {
        let Some(part) = part else { return Some(None) };
        let is_number = part.len() == n_digits && part.bytes().all(|b| b.is_ascii_digit());
        if is_number { part.parse().ok().map(Some) } else { None }
    };
    let year = number(parts.next(), 4)??;
    let (month, date) = (number(parts.next(), 2)?, number(parts.next(), 2)?);
    if parts.next().is_some() || (time.is_some() && date.is_none()) {
        return None;
    }
    let date = NaiveDate::from_ymd_opt(year.try_into().ok()?, month.unwrap_or(1), date.unwrap_or(1))?;
    let (clock, offset) = offset_of(time.unwrap_or_default())?;
    let (clock, fraction) = clock.split_once(['.', ',']).map_or((clock, ""), |(clock, fraction)| (clock, fraction));
    if fraction.len() > 9 || !fraction.bytes().all(|b| b.is_ascii_digit()) || (clock.len() != 8 && !fraction.is_empty())
    {
        return None;
    }
    let mut units = if clock.is_empty() { None } else { Some(clock.split(':')) };
    let mut unit = || number(units.as_mut().and_then(Iterator::next), 2);
    let (hour, minute, second) = (unit()?, unit()?, unit()?);
    if clock.len() > 8 {
        return None;
    }
    let millis: u32 = format!("{fraction:0<3}")[..3].parse().ok()?;
    let time = date.and_hms_milli_opt(hour.unwrap_or(0), minute.unwrap_or(0), second.unwrap_or(0), millis)?;
    instant(time)?.checked_sub(offset * 1_000 * MILLISECOND)
}

fn instant(time: NaiveDateTime) -> Option<i64> {
    time.and_utc().timestamp_nanos_opt()
}

/// A time of day without its zone, and the zone's distance from UTC in seconds.
fn offset_of(time: &str) -> Option<(&str, i64)> {
    if let Some(clock) = time.strip_suffix('Z') {
        return Some((clock, 0));
    }
    let Some(at) = time.rfind(['+', '-']) else { return Some((time, 0)) };
    let (clock, zone) = time.split_at(at);
    let digits: String = zone[1..].chars().filter(|c| *c != ':').collect();
    if !digits.bytes().all(|b| b.is_ascii_digit()) || !matches!(digits.len(), 2 | 4) {
        return None;
    }
    let hours: i64 = digits[..2].parse().ok()?;
    let minutes: i64 = if digits.len() == 4 { digits[2..].parse().ok()? } else { 0 };
    let seconds = hours * 3_600 + minutes * 60;
    Some((clock, if zone.starts_with('-') { -seconds } else { seconds }))
}

/// The address that a text is; one of version 4 inside version 6 is that of version 4.
pub(crate) fn address_of(text: &str) -> Option<IpAddr> {
    match text.parse().ok()? {
        IpAddr::V6(address) => {
            Some(address.to_ipv4_mapped().map_or(IpAddr::V6(address), |v4: Ipv4Addr| IpAddr::V4(v4)))
        }
        v4 => Some(v4),
    }
}

/// A decimal number as Java writes it: `3.0`, `1.5E10`.
pub(crate) fn decimal_text(number: f64) -> String {
    let magnitude = number.abs();
    if magnitude == 0.0 || (1e-3..1e7).contains(&magnitude) {
        let text = number.to_string();
        return if text.contains('.') { text } else { text + ".0" };
    }
    let text = format!("{number:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let point = if digits.contains('.') { "" } else { ".0" };
    format!("{digits}{point}E{exponent}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_strictly() {
        let shown = |text: &str| date_of(text).map(|nanos| Timestamp(nanos).to_string());
        assert_eq!(shown("2026").as_deref(), Some("2026-01-01T00:00:00Z"));
        assert_eq!(shown("2026-11").as_deref(), Some("2026-11-01T00:00:00Z"));
        assert_eq!(shown("2026-11-20T06:30").as_deref(), Some("2026-11-20T06:30:00Z"));
        assert_eq!(shown("2026-11-20T06:30:01.5+07:00").as_deref(), Some("2026-11-19T23:30:01.5Z"));
        assert_eq!(shown("2026-11-20T06:30:01.123456Z").as_deref(), Some("2026-11-20T06:30:01.123Z"));
        for text in ["", "26-11-20", "2026-1-5", "2026-11-20 06:30:00", "2026-11-31", "2026T10", "2026-11-20T6:30", "x"]
        {
            assert_eq!(date_of(text), None, "{text}");
        }
    }

    #[test]
    fn decimals_are_written_as_java_writes_them() {
        for (number, text) in
            [(3.0, "3.0"), (-0.5, "-0.5"), (1e7, "1.0E7"), (1.5e10, "1.5E10"), (1e-4, "1.0E-4"), (0.0, "0.0")]
        {
            assert_eq!(decimal_text(number), text);
        }
    }

    #[test]
    fn halves_are_rounded_up() {
        assert_eq!([rounded(2.5), rounded(-2.5), rounded(1e19)], [Some(3), Some(-2), None]);
    }
}
