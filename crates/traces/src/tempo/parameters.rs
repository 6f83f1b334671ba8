//! Parameters that several routes have.

use door::parameters::Parameters;
use door::problem::Problem;
use types::{TimeRange, Timestamp};

use crate::times;

/// Returns the range between `start` and `end`, in seconds; by default the last hour.
pub(super) fn range(parameters: &Parameters, now: Timestamp) -> Result<TimeRange, Problem> {
    let range = times::range_of_numbers(parameters, ("start", "end"), Timestamp::SECOND, now)?;
    Ok(range.unwrap_or_else(|| times::last_hour(now)))
}

/// Refuses a parameter with TraceQL.
pub(super) fn refuse_traceql(parameters: &Parameters, name: &str) -> Result<(), Problem> {
    // `{}` selects everything, as no query does.
    match parameters.get(name).map(str::trim) {
        None | Some("{}" | "{ }") => Ok(()),
        Some(query) => {
            let message = format!("{name} is TraceQL, which is not supported: {query}");
            let problem = Problem::bad_request("unsupported", message);
            Err(problem.hint("use tags, minDuration and maxDuration, or POST /api/v1/traces/search"))
        }
    }
}
