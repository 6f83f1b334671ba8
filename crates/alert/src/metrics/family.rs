//! Families of samples for the page of metrics.

/// Types of families, as Prometheus has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FamilyKind {
    /// It never falls but for a new start.
    Counter,
    /// It goes up and down.
    Gauge,
    /// Buckets, sum and count.
    Histogram,
    /// Quantiles, sum and count.
    Summary,
}

impl FamilyKind {
    /// Returns the name in the text format.
    pub fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Summary => "summary",
        }
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
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The suffix of the family's name: `_bucket`, `_sum`, `_count`, or none.
    pub end: &'static str,
    /// Names and values of labels.
    pub labels: Vec<(String, String)>,
    /// The value.
    pub value: f64,
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
