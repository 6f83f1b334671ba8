//! Times and durations in the formats of Loki's clients.
//!
//! An instant is seconds with a fraction, whole seconds (up to ten digits), whole nanoseconds, or RFC 3339. All
//! arithmetic saturates, since the numbers are untrusted.

use chrono_tz::Tz;
use types::{TimeRange, Timestamp, ensure, parse_duration_ns};

use door::{Parameters, Problem, Result, Scope};

/// Digits up to which a whole number is seconds; nanoseconds of any time after 1970-01-01 have more.
const SECONDS_DIGITS_MAX: usize = 10;

/// Limit on the steps of one range query, as in Loki and Prometheus.
pub(crate) const STEPS_MAX: i64 = 11_000;

/// Parses an instant.
pub(crate) fn instant(text: &str) -> Option<Timestamp> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
        let number: i64 = text.parse().ok()?;
        let unit = if digits.len() <= SECONDS_DIGITS_MAX { Timestamp::SECOND } else { 1 };
        return number.checked_mul(unit).map(Timestamp);
    }
    if digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && let Ok(seconds) = text.parse::<f64>()
    {
        return nanoseconds(seconds).map(Timestamp);
    }
    Timestamp::parse_rfc3339(text)
}

fn nanoseconds(seconds: f64) -> Option<i64> {
    let whole = seconds.floor();
    // Whole seconds and the fraction are parsed apart: together they have more digits than a float.
    let fraction = ((seconds - whole) * 1e9).round();
    (whole.abs() < 9.2e9).then(|| (whole as i64).saturating_mul(Timestamp::SECOND).saturating_add(fraction as i64))
}

/// Returns the parameter `name` as an instant.
pub(crate) fn instant_of(parameters: &Parameters, name: &str) -> Result<Option<Timestamp>> {
    let Some(text) = parameters.get(name) else { return Ok(None) };
    let unreadable = || Problem::bad_request("bad-time", format!("cannot parse {text:?} as {name}"));
    instant(text).map(Some).ok_or_else(unreadable)
}

/// Returns the range from `start` to `end`, exclusive; by default the last hour.
pub(crate) fn range(parameters: &Parameters, now: Timestamp) -> Result<TimeRange> {
    let to = instant_of(parameters, "end")?.unwrap_or(now);
    let since = match parameters.get("since") {
        None => Timestamp::HOUR,
        Some(text) => duration(text).ok_or_else(|| bad_duration("since", text))?,
    };
    let from = instant_of(parameters, "start")?.unwrap_or(Timestamp(to.0.saturating_sub(since)));
    ensure!(from <= to, Problem::bad_request("bad-range", "end timestamp must not be before or equal to start time"));
    Ok(TimeRange { from, to })
}

/// Returns the step of a range query in nanoseconds: the requested one, else one for about 250 values.
pub(crate) fn step(parameters: &Parameters, range: TimeRange) -> Result<i64> {
    let width = range.to.0.saturating_sub(range.from.0);
    let step = match parameters.get("step") {
        None => (width / 250 / Timestamp::SECOND * Timestamp::SECOND).max(Timestamp::SECOND),
        Some(text) => duration(text).filter(|step| *step > 0).ok_or_else(|| bad_duration("step", text))?,
    };
    if width / step > STEPS_MAX {
        let message = format!("exceeded maximum resolution of {STEPS_MAX} points per series; try a larger step");
        return Err(Problem::bad_request("too-many-steps", message));
    }
    Ok(step)
}

/// Returns the least distance of lines in an answer: the parameter `interval`, by default 0.
pub(crate) fn interval(parameters: &Parameters) -> Result<i64> {
    let Some(text) = parameters.get("interval") else { return Ok(0) };
    duration(text).filter(|interval| *interval >= 0).ok_or_else(|| bad_duration("interval", text))
}

/// Extends a range to multiples of the step, so that the instants of a chart stay the same while time passes.
pub(crate) fn aligned(range: TimeRange, step_ns: i64) -> TimeRange {
    let past = |time: Timestamp| time.0.rem_euclid(step_ns);
    let from = range.from.0.saturating_sub(past(range.from));
    let to = match past(range.to) {
        0 => range.to.0,
        past => range.to.0.saturating_add(step_ns - past),
    };
    TimeRange { from: Timestamp(from), to: Timestamp(to) }
}

/// Parses a duration: seconds as a number, or with units as in `1m30s`.
fn duration(text: &str) -> Option<i64> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds.is_finite() => nanoseconds(seconds),
        _ => parse_duration_ns(text).ok(),
    }
}

fn bad_duration(name: &str, text: &str) -> Problem {
    Problem::bad_request("bad-duration", format!("cannot parse {text:?} as {name}"))
}

/// Returns the scope of a LogQL query, which has its own selectors.
pub(crate) fn scope(now: Timestamp) -> Scope {
    Scope { groups: Vec::new(), limit: None, time_zone: Tz::UTC, now }
}

#[cfg(test)]
mod tests;
