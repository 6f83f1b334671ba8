//! Functions of times.

use chrono_tz::Tz;
use gotemplate::{Arguments, Value, Zone, ZonedTime, format_time, parse_time};

/// Returns a zone by its name; UTC where there is none.
fn zone(name: &str) -> Tz {
    name.parse().unwrap_or(Tz::UTC)
}

/// `toDate` and `toDateInZone`: a text by a layout; Go's zero time where it has another form.
pub(super) fn parsed(layout: &str, text: &str, zone_name: &str) -> Value {
    Value::Time(parse_time(layout, text, zone(zone_name)).unwrap_or(ZonedTime::ZERO))
}

/// `date`: a time, or seconds since 1970, by a layout.
pub(super) fn date(of: Arguments<'_>) -> Result<Value, String> {
    let time = match &of[1] {
        Value::Time(time) => ZonedTime { zone: Zone::Named(Tz::UTC), ..*time },
        Value::Integer(seconds) | Value::Long(seconds) => ZonedTime::of_seconds(*seconds),
        other => return Err(format!("date of type {} is not supported", other.type_name())),
    };
    Ok(format_time(&time, of.text(0)).into())
}

/// `unixToTime`: days, seconds, milliseconds, microseconds or nanoseconds since 1970, by the number of digits.
pub(super) fn of_unix(text: &str) -> Result<ZonedTime, String> {
    let unreadable = || format!("unable to parse time '{text}'");
    let number: i64 = text.parse().map_err(|_| unreadable())?;
    let unit_ns: i64 = match text.len() {
        5 => return Ok(ZonedTime::of_seconds(number.saturating_mul(86_400))),
        10 => return Ok(ZonedTime::of_seconds(number)),
        13 => 1_000_000,
        16 => 1_000,
        19 => 1,
        _ => return Err(unreadable()),
    };
    Ok(ZonedTime::of_nanoseconds(number.saturating_mul(unit_ns)))
}
