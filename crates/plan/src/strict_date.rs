//! Dates as ES|QL reads them: ISO 8601 with every part at its full width.

use chrono::{NaiveDate, NaiveDateTime};

const MILLISECOND: i64 = 1_000_000;

/// Returns the instant of an ISO 8601 text as `strict_date_optional_time` reads it: parts may be left out from the end,
/// without a zone it is in UTC. In whole milliseconds.
pub fn date_of(text: &str) -> Option<i64> {
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

/// Returns a time of day without its zone, and the zone's distance from UTC in seconds.
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

#[cfg(test)]
mod tests;
