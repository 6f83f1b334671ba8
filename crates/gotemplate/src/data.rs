//! What templates are filled in with.

use std::collections::BTreeMap;

/// Labels by name.
pub type Labels = BTreeMap<String, String>;

/// A sample of an answer to `query`.
#[derive(Clone, Debug, PartialEq)]
pub struct QuerySample {
    /// Its labels, the name of the metric among them.
    pub labels: Labels,
    /// Its value.
    pub value: f64,
}

/// Answers the function `query`; the error is the reason why not.
pub type RunQuery<'a> = dyn Fn(&str) -> Result<Vec<QuerySample>, String> + 'a;

/// What a template may name.
pub struct Data<'a> {
    /// `$labels`: those of the sample that made the alert.
    pub labels: &'a Labels,
    /// `$value`.
    pub value: f64,
    /// `$externalURL`: the address of the page.
    pub external_url: &'a str,
    /// Answers `query`.
    pub query: &'a RunQuery<'a>,
    /// `now`, in seconds since the epoch.
    pub now: f64,
}
