//! Dashboards of others as ours: what can be said in our document, and panel by panel what could not be taken and why.

mod cloudwatch;
mod draft;
mod grafana;
mod read;
mod source;
mod tempo;
mod unit;

use serde_json::Value;
use types::Timestamp;

pub use self::draft::{Import, Outcome};

/// Whose dashboard it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Grafana's JSON model.
    Grafana,
    /// A body of CloudWatch's PutDashboard.
    CloudWatch,
}

/// Makes a dashboard of somebody else's.
///
/// # Errors
///
/// If it is none of that format, or has more panels than a dashboard can have.
pub fn import(format: Format, body: &Value, now: Timestamp) -> Result<Import, String> {
    let draft = match format {
        Format::Grafana => grafana::read(body)?,
        Format::CloudWatch => cloudwatch::read(body)?,
    };
    draft.finish(now)
}

#[cfg(test)]
mod tests;
