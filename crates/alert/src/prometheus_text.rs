//! Labels and annotations of rules in Prometheus' form: Go's templates, with the functions and variables that Prometheus
//! adds.
//!
//! `define`, `block` and `template` are refused, since an annotation is a template of its own.

mod functions;
mod humanize;
#[cfg(test)]
mod tests;
mod values;

use gotemplate::{Dialect, Input, MapType, Template, Value};
use regex::Regex;

use self::functions::QUERY;
pub(crate) use self::functions::{TEXT, number};
use self::values::{samples, texts};
use crate::labels::Labels;

pub(crate) use self::values::QuerySample;

const PROMETHEUS: Dialect = Dialect {
    functions: &[QUERY, TEXT],
    variables: &["$", "$labels", "$externalLabels", "$externalURL", "$value"],
    regex: compiled,
    steps_max: 50_000,
    // Longer texts are cut.
    text_bytes_max: 16 << 10,
    lenient: None,
};

/// Go's name of the type of the dot.
const DOT: &str =
    "struct { Labels map[string]string; ExternalLabels map[string]string; ExternalURL string; Value interface {} }";

/// Answers the function `query`; the error is the reason why not.
pub(crate) type RunQuery<'a> = dyn Fn(&str) -> Result<Vec<QuerySample>, String> + 'a;

/// What a template is filled in with.
pub(crate) struct Sample<'a> {
    variables: [Value; 5],
    external_url: &'a str,
    /// `now`, in seconds since the epoch.
    now: f64,
    query: &'a RunQuery<'a>,
}

impl<'a> Sample<'a> {
    /// Returns the sample that made an alert, where `external_url` is the address of the page.
    pub(crate) fn new(labels: &Labels, value: f64, external_url: &'a str, now: f64, query: &'a RunQuery<'a>) -> Self {
        let (labels, no_labels) = (texts(labels), texts(&Labels::new()));
        let named = [
            ("Labels", labels.clone()),
            ("ExternalLabels", no_labels.clone()),
            ("ExternalURL", external_url.into()),
            ("Value", Value::Float(value)),
        ];
        let dot = Value::map(MapType::Struct(DOT), named.map(|(name, value)| (name.to_owned(), value)).into());
        Self { variables: [dot, labels, no_labels, external_url.into(), Value::Float(value)], external_url, now, query }
    }
}

impl Input for Sample<'_> {
    fn variables(&self) -> &[Value] {
        &self.variables
    }

    fn call(&self, name: &str, arguments: &[Value]) -> Result<Value, String> {
        Ok(match (name, arguments) {
            ("query", [Value::Text(query)]) => samples((self.query)(query)?),
            ("now", _) => Value::Float(self.now),
            ("externalURL", _) => self.external_url.into(),
            _ => {
                let after_scheme = self.external_url.split_once("://").map_or(self.external_url, |(_, rest)| rest);
                after_scheme.find('/').map_or("", |at| &after_scheme[at..]).into()
            }
        })
    }
}

/// Reads a template.
pub(crate) fn parse(text: &str) -> Result<Template, String> {
    Template::parse(text, &PROMETHEUS)
}

/// Fills in a template; an error becomes the text, as in Prometheus: an alert with a broken text is better than none.
pub(crate) fn render(template: &Template, sample: &Sample<'_>) -> String {
    let mut text = String::new();
    match template.run(sample, &mut text) {
        Ok(()) => text,
        Err(failure) if failure.is_full => text + "…",
        Err(failure) => format!("<error expanding template: {}>", failure.problem),
    }
}

pub(crate) fn compiled(source: &str) -> Result<Regex, String> {
    let rewritten = goregex::rewritten(source).map_err(|error| format!("error parsing regexp: {error}"))?;
    Regex::new(&rewritten).map_err(|error| format!("error parsing regexp: {error}"))
}
