//! Parameters that several routes have.

use door::parameters::Parameters;
use door::problem::Problem;
use plan::QueryErrors;
use traceql::Query;
use types::{TimeRange, Timestamp};

use crate::times;

/// Returns the range between `start` and `end`, in seconds; by default the last hour.
pub(super) fn range(parameters: &Parameters, now: Timestamp) -> Result<TimeRange, Problem> {
    let range = times::range_of_numbers(parameters, ("start", "end"), Timestamp::SECOND, now)?;
    Ok(range.unwrap_or_else(|| times::last_hour(now)))
}

/// Reads the query in the parameter `q`. `None` if there is none.
pub(super) fn traceql(parameters: &Parameters) -> Result<Option<Query>, Problem> {
    let text = parameters.get("q").filter(|text| !text.trim().is_empty());
    let parsed = text.map(traceql::parse).transpose();
    parsed.map_err(|error| QueryErrors::from(error).into())
}
