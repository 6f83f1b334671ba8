//! Times and durations as clients of Prometheus write them: seconds with a fraction or RFC 3339; `5m` or seconds.

use door::{Parameters, Problem, Result};
use types::Timestamp;

/// Prometheus' earliest and latest time, which clients send for "any": far beyond what a store holds.
const TEXT_MIN: &str = "-292273086-05-16T16:47:06Z";
const TEXT_MAX: &str = "292277025-08-18T07:12:54.999999999Z";

/// Times beyond this many ms from the epoch are taken for this one: the year 2262.
const TIME_MAX: i64 = i64::MAX / Timestamp::MILLISECOND;

/// Reads a time in ms since the epoch.
fn time(text: &str) -> Option<i64> {
    match text {
        TEXT_MIN => return Some(-TIME_MAX),
        TEXT_MAX => return Some(TIME_MAX),
        _ => {}
    }
    if let Ok(seconds) = text.parse::<f64>() {
        // Infinity and NaN have no place in time; what is beyond is cut, as a cast from a float does.
        return seconds.is_finite().then(|| ((seconds * 1e3).round() as i64).clamp(-TIME_MAX, TIME_MAX));
    }
    Timestamp::parse_rfc3339(text).map(|time| time.0.div_euclid(Timestamp::MILLISECOND))
}

/// Reads a duration in ms.
fn duration(text: &str) -> Option<i64> {
    if let Ok(seconds) = text.parse::<f64>() {
        return seconds.is_finite().then(|| ((seconds * 1e3) as i64).clamp(-TIME_MAX, TIME_MAX));
    }
    promql::duration(text).ok()
}

/// Returns the parameter `name` as a time in ms; `None` if it is not there.
pub(crate) fn time_of(parameters: &Parameters, name: &str) -> Result<Option<i64>> {
    read(parameters, name, time, "a time: seconds since 1970 or RFC 3339")
}

/// Returns the parameter `name` as a duration in ms; `None` if it is not there.
pub(crate) fn duration_of(parameters: &Parameters, name: &str) -> Result<Option<i64>> {
    read(parameters, name, duration, "a duration: seconds, or text such as 5m")
}

/// Returns a parameter that must be there.
pub(crate) fn needed(value: Option<i64>, name: &str) -> Result<i64> {
    value.ok_or_else(|| Problem::bad_parameter(format!("the parameter {name:?} is missing")))
}

fn read(parameters: &Parameters, name: &str, read: impl Fn(&str) -> Option<i64>, form: &str) -> Result<Option<i64>> {
    let Some(text) = parameters.get(name) else { return Ok(None) };
    let message =
        || format!("invalid parameter {name:?}: cannot parse {:?} to {form}", &text[..text.floor_char_boundary(100)]);
    read(text).map(Some).ok_or_else(|| Problem::bad_parameter(message()))
}

#[cfg(test)]
mod tests;
