//! Parameters that several routes have.

use door::{Parameters, Problem, Result};
use plan::QueryErrors;
use traceql::Query;
use types::{TimeRange, Timestamp, ensure};

use crate::search::duration;
use crate::times;

/// Digits of times in seconds until the year 2286; longer ones are nanoseconds.
const SECONDS_DIGITS: usize = 10;

/// Returns the range between `start` and `end`, in seconds; by default the last hour.
pub(super) fn range(parameters: &Parameters, now: Timestamp) -> Result<TimeRange> {
    let range = times::range_of_numbers(parameters, ("start", "end"), Timestamp::SECOND, now)?;
    Ok(range.unwrap_or_else(|| times::last_hour(now)))
}

/// Returns the range of a metrics query: between `start` and `end`, in seconds, nanoseconds or as RFC 3339, or of the length `since`
/// until now; by default the last hour.
pub(super) fn range_of_metrics(parameters: &Parameters, now: Timestamp) -> Result<TimeRange> {
    let (start, end) = (instant(parameters, "start")?, instant(parameters, "end")?);
    let since = parameters.get("since").map(|text| duration("since", text, Timestamp::SECOND)).transpose()?;
    if since.is_some() && start.is_some() {
        return Err(Problem::bad_parameter("since and start cannot both begin the range"));
    }
    let to = end.map_or(times::last_hour(now).to, |end| Timestamp(end.0.saturating_add(1)));
    let length = since.unwrap_or(times::DEFAULT_RANGE_NS);
    let from = start.unwrap_or(Timestamp(to.0.saturating_sub(length)));
    ensure!(from < to, Problem::bad_request("empty-range", format!("the range is empty: it begins at {from}")));
    Ok(TimeRange { from, to })
}

/// Returns an instant. Up to ten digits are seconds, which may have a fraction; more digits are nanoseconds; anything
/// else is RFC 3339.
fn instant(parameters: &Parameters, name: &str) -> Result<Option<Timestamp>> {
    let Some(text) = parameters.get(name) else { return Ok(None) };
    let whole = text.parse::<i64>().ok();
    let seconds = text.parse::<f64>().ok().filter(|seconds| seconds.is_finite() && text.contains('.'));
    let found = match (whole, seconds) {
        (Some(whole), _) if text.len() <= SECONDS_DIGITS => Some(Timestamp(whole.saturating_mul(Timestamp::SECOND))),
        (Some(whole), _) => Some(Timestamp(whole)),
        (None, Some(seconds)) => Some(Timestamp((seconds * Timestamp::SECOND as f64).round() as i64)),
        (None, None) => Timestamp::parse_rfc3339(text),
    };
    let bad = || {
        let problem = Problem::bad_request("bad-time", format!("{name} is not a time: {text:?}"));
        problem.hint("write seconds or nanoseconds since 1970, or 2026-11-20T12:00:00Z")
    };
    found.map(Some).ok_or_else(bad)
}

/// Reads the query in the parameter `q`, or `query`. `None` if there is none.
pub(super) fn traceql(parameters: &Parameters) -> Result<Option<Query>> {
    let text = parameters.get("q").or(parameters.get("query")).filter(|text| !text.trim().is_empty());
    let parsed = text.map(traceql::parse).transpose();
    parsed.map_err(|error| QueryErrors::from(error).into())
}

/// Reads what is complete of the query in the parameter `q`, which editors send while it is being written.
pub(super) fn unfinished_traceql(parameters: &Parameters) -> Option<Query> {
    traceql::parse_unfinished(parameters.get("q")?)
}
