//! The requests of X-Ray's operations, and their errors.

use door::{Problem, Result};
use plan::QueryError;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use types::{TimeRange, Timestamp, ensure};

use crate::span::trace_id;

/// Traces of one request.
const TRACE_IDS_MAX: usize = 5;

/// Reads the body of a request, whose members may be `null`. Unknown members are ignored.
pub(super) fn body<T: DeserializeOwned>(body: &[u8]) -> Result<T> {
    let body = if body.trim_ascii().is_empty() { b"{}" } else { body };
    ensure!(body.trim_ascii_start().first() == Some(&b'{'), bad("the request is not an object as JSON"));
    serde_json::from_slice(body).map_err(|error| bad(format!("the request cannot be read: {error}")))
}

/// Returns the problem of a request that cannot be carried out.
pub(super) fn bad(message: impl Into<String>) -> Problem {
    Problem::bad_parameter(message)
}

/// Returns the problem of a filter expression, with its place.
pub(super) fn bad_filter(error: &QueryError) -> Problem {
    let hint = error.hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
    let QueryError { message, line, column, .. } = error;
    bad(format!("FilterExpression, line {line}, column {column}: {message}{hint}"))
}

/// The ends of a range, in seconds since the epoch.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Ends {
    #[serde(rename = "StartTime")]
    start: Option<Json>,
    #[serde(rename = "EndTime")]
    end: Option<Json>,
}

impl Ends {
    /// Returns the range. An end without decimals includes its whole second, since clients cut off the decimals.
    pub(super) fn range(&self) -> Result<TimeRange> {
        let instant = |name: &str, value: &Option<Json>| {
            let value =
                value.as_ref().filter(|value| !value.is_null()).ok_or_else(|| bad(format!("{name} is required")))?;
            let seconds = value.as_f64().filter(|seconds| seconds.is_finite() && (0.0..9e9).contains(seconds));
            let seconds = seconds.ok_or_else(|| {
                let shown: String = value.to_string().chars().take(40).collect();
                bad(format!("{name} is seconds since the epoch, not {shown}"))
            })?;
            // Below 9e18 nanoseconds, so it fits.
            Ok::<_, Problem>(Timestamp((seconds * 1e3).round() as i64 * 1_000_000))
        };
        let (from, to) = (instant("StartTime", &self.start)?, instant("EndTime", &self.end)?);
        ensure!(from <= to, bad(format!("the range is empty: StartTime {from} is after EndTime {to}")));
        let is_second = to.0 % Timestamp::SECOND == 0;
        Ok(TimeRange { from, to: Timestamp(to.0.saturating_add(if is_second { Timestamp::SECOND } else { 1 })) })
    }
}

/// A request about traces by their ids.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ById {
    #[serde(rename = "TraceIds")]
    ids: Option<Vec<String>>,
}

impl ById {
    /// Returns the ids, each once: as they were sent, and with 32 digits.
    pub(super) fn ids(self) -> Result<Vec<(String, String)>> {
        let sent = self.ids.unwrap_or_default();
        if sent.is_empty() || sent.len() > TRACE_IDS_MAX {
            return Err(bad(format!("TraceIds has {} ids; a request takes 1 to {TRACE_IDS_MAX}", sent.len())));
        }
        let mut ids: Vec<(String, String)> = Vec::new();
        for text in sent {
            let id = stored_id(&text)?;
            if !ids.iter().any(|(_, known)| *known == id) {
                ids.push((text, id));
            }
        }
        Ok(ids)
    }
}

/// Returns the 32 digits of an id in X-Ray's form, or of one that has only digits.
fn stored_id(text: &str) -> Result<String> {
    let digits = match text.strip_prefix("1-").and_then(|rest| rest.split_once('-')) {
        Some((time, rest)) if (time.len(), rest.len()) == (8, 24) => trace_id(&format!("{time}{rest}")),
        Some(_) => None,
        None => trace_id(text).filter(|_| text.len() == 32),
    };
    digits.ok_or_else(|| {
        let shown: String = text.chars().take(50).collect();
        bad(format!("the trace id {shown:?} is not 1-, 8 hexadecimal digits, -, 24 hexadecimal digits"))
    })
}

#[cfg(test)]
mod tests;
