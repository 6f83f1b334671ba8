//! Families of samples for the page of metrics.

use types::Timestamp;

types::named! {
    /// Types of families, as Prometheus has them.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum FamilyKind {
        /// It never falls but for a new start.
        Counter = "counter",
        /// It goes up and down.
        Gauge = "gauge",
        /// Buckets, sum and count.
        Histogram = "histogram",
        /// Quantiles, sum and count.
        Summary = "summary",
    }
}

/// Samples of one name.
#[derive(Clone, Debug, PartialEq)]
pub struct Family {
    /// The name.
    pub name: String,
    /// What it is, for people.
    pub help: String,
    /// What it is, for programs.
    pub kind: FamilyKind,
    /// The samples.
    pub samples: Vec<Sample>,
}

/// A value with its labels.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sample {
    /// The suffix of the family's name: `_bucket`, `_sum`, `_count`, or none.
    pub end: &'static str,
    /// Names and values of labels.
    pub labels: Vec<(String, String)>,
    /// The value.
    pub value: f64,
    /// An event that it counts, and the name of the label for the event's trace id.
    pub exemplar: Option<(String, Exemplar)>,
}

/// An event that a sample counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Exemplar {
    /// The id of its trace.
    pub id: String,
    /// Its value.
    pub value: f64,
    /// When it happened.
    pub at: Timestamp,
}

/// Returns the label of a field: `@level` is `level`, `http.status` is `http_status`.
pub(super) fn label_name(field: &str) -> String {
    let fit = |char: char| if char.is_ascii_alphanumeric() { char } else { '_' };
    field.trim_start_matches(['@', '$', '.']).chars().map(fit).collect()
}

/// Returns a number as Prometheus writes it.
pub fn number_text(number: f64) -> String {
    if number == f64::INFINITY {
        "+Inf".into()
    } else if number == f64::NEG_INFINITY {
        "-Inf".into()
    } else {
        // Not a number is `NaN` here and there.
        number.to_string()
    }
}
