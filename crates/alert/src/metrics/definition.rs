//! What people write down of a metric, and what is wrong with it.

use execute::Tail;
use language::{ParseOptions, parse_showing};
use plan::QueryErrors;
use serde::{Deserialize, Serialize};
use types::{GroupPattern, GroupScope, Timestamp, ensure, parse_duration_ns};

use super::family::label_name;
use super::meter::{Meter, MissingLabel, Shape, ValueOf};
use crate::Language;

/// Longest name of a metric, a label and a field.
const NAME_CHARS_MAX: usize = 200;

/// Longest help text.
const HELP_CHARS_MAX: usize = 1_000;

/// Labels of a metric: each multiplies the series.
const LABELS_MAX: usize = 8;

/// Buckets and quantiles of a metric: each is a series.
const BUCKETS_MAX: usize = 50;

/// Longest name of an exemplar's label: name and value have 128 characters in OpenMetrics.
const EXEMPLAR_LABEL_CHARS_MAX: usize = 64;

/// Series of a metric. What comes beyond is counted as one.
const SERIES_MAX: usize = 1_000;

/// What begins with these is counted by catat itself, or by Prometheus of what it scrapes.
const RESERVED: [&str; 5] = ["catat_", "process_", "scrape_", "go_", "__"];

/// Default buckets: seconds of a request, as in the libraries of Prometheus.
const BUCKETS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
const QUANTILES: [f64; 3] = [0.5, 0.9, 0.99];
const WINDOW_NS: i64 = 10 * Timestamp::MINUTE;
const WINDOW_NS_MAX: i64 = 24 * Timestamp::HOUR;

/// Types of metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum MetricType {
    /// How many events there were, or a field of them summed up.
    Counter,
    /// The last value of a field.
    Gauge,
    /// How many values of a field are at most so large.
    Histogram,
    /// Quantiles of a field over a window that moves on.
    Summary,
}

/// A metric as it is made and saved.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct MetricSettings {
    /// Its name on the page of metrics.
    pub name: String,
    /// What is made of the events.
    #[serde(rename = "type")]
    pub kind: MetricType,
    /// What it is, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// Which events count; without it all of the groups.
    #[serde(default)]
    pub query: String,
    /// The language of the query; without it Insights QL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Patterns of groups; without any, all of those that the query names, else all.
    #[serde(default)]
    pub groups: Vec<String>,
    /// The field whose value counts. A counter without one counts events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Fields whose values make series.
    #[serde(default)]
    pub labels: Vec<String>,
    /// The field with the id of a trace, which becomes the exemplar of a counter or of a histogram's bucket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exemplar: Option<String>,
    /// Upper ends of a histogram's buckets, rising.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buckets: Option<Vec<f64>>,
    /// Quantiles of a summary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantiles: Option<Vec<f64>>,
    /// How far back a summary's quantiles look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<String>,
}

/// What is wrong with a metric.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum MetricError {
    /// A member other than the query.
    #[error("{member}: {message}")]
    Member {
        /// Which.
        member: &'static str,
        /// What is wrong.
        message: String,
    },
    /// The query, with the place.
    #[error("query: {0}")]
    Query(QueryErrors),
}

fn wrong(member: &'static str, message: impl Into<String>) -> MetricError {
    MetricError::Member { member, message: message.into() }
}

impl MetricSettings {
    /// Checks everything and gives what counts, of groups within `within`.
    pub fn meter(&self, within: GroupScope) -> Result<Meter, MetricError> {
        check_name(&self.name)?;
        if self.help().chars().any(|char| char.is_control() && char != '\n') {
            return Err(wrong("help", "has control characters"));
        }
        let labels = label_names(&self.labels)?;
        let shape = self.shape()?;
        self.check_exemplar()?;
        let fields = self.field.iter().chain(&self.labels).chain(&self.exemplar);
        let fields: Vec<&str> = fields.map(String::as_str).collect();
        if let Some(field) = fields.iter().find(|field| !is_field(field)) {
            return Err(wrong("field", format!("{field:?} is not a field name")));
        }
        let language = self.language.as_deref().map(crate::language::find).transpose();
        let language = language.map_err(|message| wrong("language", message))?;
        let language = language.filter(|language| *language != Language::Promql).unwrap_or_default();
        let options = ParseOptions { now: Timestamp(0), time_zone: chrono_tz::UTC };
        let plan = parse_showing(&self.query, language, &fields, &options).map_err(MetricError::Query)?;
        let tail = Tail::new(&plan, chrono_tz::UTC)
            .map_err(|error| wrong("query", error.to_string().replace("a live tail", "a metric")))?;
        if !plan.sources.is_empty() && !self.groups.is_empty() {
            return Err(wrong("groups", "is left out where the query names its own with source"));
        }
        let named = self.groups.iter().map(GroupPattern::new).collect();
        Ok(Meter {
            groups: if plan.sources.is_empty() { named } else { plan.sources },
            within,
            tail,
            value: if self.field.is_some() { ValueOf::Column } else { ValueOf::One },
            labels,
            shape,
            missing_label: MissingLabel::IsEmpty,
            series_max: SERIES_MAX,
        })
    }

    /// Returns what it is, for people.
    pub fn help(&self) -> String {
        let text = self.help.clone().filter(|help| !help.trim().is_empty()).unwrap_or_else(|| {
            let query = self.query.split_whitespace().collect::<Vec<_>>().join(" ");
            if query.is_empty() { "Of all events.".into() } else { format!("Events that match: {query}") }
        });
        text.chars().take(HELP_CHARS_MAX).collect()
    }

    /// Reports whether both would write under one name.
    pub fn shares_names(&self, other: &Self) -> bool {
        let names = self.sample_names();
        other.sample_names().iter().any(|name| names.contains(name))
    }

    /// Reports whether it would write under a name.
    pub fn writes(&self, name: &str) -> bool {
        self.sample_names().iter().any(|own| own == name)
    }

    /// Returns names on the page of metrics that belong to it.
    fn sample_names(&self) -> Vec<String> {
        let ends: &[&str] = match self.kind {
            MetricType::Counter | MetricType::Gauge => &[""],
            MetricType::Histogram => &["", "_bucket", "_sum", "_count"],
            MetricType::Summary => &["", "_sum", "_count"],
        };
        ends.iter().map(|end| format!("{}{end}", self.name)).collect()
    }

    fn shape(&self) -> Result<Shape, MetricError> {
        let only = |is_set: bool, member: &'static str, kind: &str| {
            if is_set { Err(wrong(member, format!("is for a {kind} alone"))) } else { Ok(()) }
        };
        if self.kind != MetricType::Histogram {
            only(self.buckets.is_some(), "buckets", "histogram")?;
        }
        if self.kind != MetricType::Summary {
            only(self.quantiles.is_some(), "quantiles", "summary")?;
            only(self.window.is_some(), "window", "summary")?;
        }
        if self.kind != MetricType::Counter && self.field.is_none() {
            return Err(wrong("field", "is needed; only a counter can omit it"));
        }
        Ok(match self.kind {
            MetricType::Counter => Shape::Sum,
            MetricType::Gauge => Shape::Last,
            MetricType::Histogram => Shape::Histogram(self.buckets()?),
            MetricType::Summary => {
                let quantiles = self.quantiles.clone().unwrap_or_else(|| QUANTILES.to_vec());
                let is_fit = quantiles.iter().all(|quantile| (0.0..=1.0).contains(quantile));
                if !is_fit || !is_rising(&quantiles) || quantiles.len() > BUCKETS_MAX {
                    return Err(wrong("quantiles", format!("are at most {BUCKETS_MAX} numbers from 0 to 1, rising")));
                }
                Shape::Summary { quantiles, window_ns: self.window_ns()? }
            }
        })
    }

    /// OpenMetrics has exemplars of buckets and of counters, whose names end in `_total` there.
    fn check_exemplar(&self) -> Result<(), MetricError> {
        let Some(field) = &self.exemplar else { return Ok(()) };
        let is_total = self.kind == MetricType::Counter && self.name.ends_with("_total");
        if !is_total && self.kind != MetricType::Histogram {
            return Err(wrong("exemplar", "is for a histogram, or a counter whose name ends in _total"));
        }
        let is_label = label_names(std::slice::from_ref(field)).is_ok();
        if !is_label || label_name(field).len() > EXEMPLAR_LABEL_CHARS_MAX {
            return Err(wrong("exemplar", format!("{field:?} cannot be a label")));
        }
        Ok(())
    }

    fn buckets(&self) -> Result<Vec<f64>, MetricError> {
        let mut buckets = self.buckets.clone().unwrap_or_else(|| BUCKETS.to_vec());
        // The last is there anyhow.
        if buckets.last() == Some(&f64::INFINITY) {
            buckets.pop();
        }
        let is_fit = buckets.iter().all(|end| end.is_finite()) && is_rising(&buckets);
        if is_fit && !buckets.is_empty() && buckets.len() <= BUCKETS_MAX {
            return Ok(buckets);
        }
        Err(wrong("buckets", format!("are 1–{BUCKETS_MAX} numbers, rising")))
    }

    fn window_ns(&self) -> Result<i64, MetricError> {
        let Some(text) = &self.window else { return Ok(WINDOW_NS) };
        let window_ns = parse_duration_ns(text).map_err(|error| wrong("window", error.to_string()))?;
        if (Timestamp::SECOND..=WINDOW_NS_MAX).contains(&window_ns) {
            return Ok(window_ns);
        }
        Err(wrong("window", "is 1s to 24h"))
    }
}

fn is_rising(numbers: &[f64]) -> bool {
    numbers.windows(2).all(|pair| pair[0] < pair[1])
}

/// Checks the name of a metric by the rules of Prometheus, and that it is no one else's.
pub(super) fn check_name(name: &str) -> Result<(), MetricError> {
    let starts_well = name.starts_with(|char: char| char.is_ascii_alphabetic() || matches!(char, '_' | ':'));
    let is_word = name.chars().all(|char| char.is_ascii_alphanumeric() || matches!(char, '_' | ':'));
    if !starts_well || !is_word || name.len() > NAME_CHARS_MAX {
        let rule = format!("letters, digits, _ and :, not a digit first, {NAME_CHARS_MAX} characters at most");
        return Err(wrong("name", format!("{name:?} is not a metric name: {rule}")));
    }
    if name == "up" || RESERVED.iter().any(|reserved| name.starts_with(reserved)) {
        let message = format!("{name:?} is reserved: names of metrics of catat and Prometheus begin like this");
        return Err(wrong("name", message));
    }
    Ok(())
}

/// Returns the labels that fields make: Prometheus has letters, digits and `_` in names.
pub(super) fn label_names(fields: &[String]) -> Result<Vec<String>, MetricError> {
    ensure!(fields.len() <= LABELS_MAX, wrong("labels", format!("there are more than {LABELS_MAX}")));
    let mut names: Vec<String> = Vec::new();
    for field in fields {
        let name = label_name(field);
        let is_reserved = name.is_empty() || name.starts_with("__") || matches!(&*name, "le" | "quantile");
        if is_reserved || name.starts_with(|char: char| char.is_ascii_digit()) {
            return Err(wrong("labels", format!("{field:?} cannot be a label")));
        }
        ensure!(!names.contains(&name), wrong("labels", format!("{name:?} is there twice")));
        names.push(name);
    }
    Ok(names)
}

fn is_field(name: &str) -> bool {
    !name.trim().is_empty() && name.chars().count() <= NAME_CHARS_MAX && !name.chars().any(char::is_control)
}

/// A metric of a rule file.
#[derive(Clone, Debug, PartialEq)]
pub struct FileMetric {
    /// What it is.
    pub settings: MetricSettings,
    /// The file.
    pub file: String,
}

#[cfg(test)]
mod tests;
