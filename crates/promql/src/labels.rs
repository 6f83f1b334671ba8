//! Label sets: what names a series.

use std::fmt;
use std::sync::Arc;

/// Label that holds the name of a metric.
pub const METRIC_NAME: &str = "__name__";

/// Label that holds the upper bound of a bucket of a classic histogram.
pub(crate) const BUCKET: &str = "le";

/// One name and its value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label {
    /// Name: any UTF-8 text.
    pub name: Arc<str>,
    /// Value: any UTF-8 text, never empty.
    pub value: Arc<str>,
}

/// Pairs of name and value in order of name, each name once; cheap to clone.
///
/// The order of label sets is that of Prometheus: by the first pair that differs, then by length.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Labels(Arc<[Label]>);

impl Labels {
    /// Creates a label set; of a name that comes twice the last value counts, and an empty value is no label.
    pub fn new<N: Into<Arc<str>>, V: Into<Arc<str>>>(pairs: impl IntoIterator<Item = (N, V)>) -> Self {
        let mut labels: Vec<Label> =
            pairs.into_iter().map(|(name, value)| Label { name: name.into(), value: value.into() }).collect();
        // Stable, so that the last of equal names stays last.
        labels.sort_by(|a, b| a.name.cmp(&b.name));
        let mut unique: Vec<Label> = Vec::with_capacity(labels.len());
        for label in labels {
            match unique.last_mut() {
                Some(last) if last.name == label.name => *last = label,
                _ => unique.push(label),
            }
        }
        unique.retain(|label| !label.value.is_empty());
        Self(unique.into())
    }

    /// Returns all labels in order of name.
    pub fn iter(&self) -> impl Iterator<Item = &Label> {
        self.0.iter()
    }

    /// Returns the value of `name`, or the empty text, which is what matchers see of a label that is not there.
    pub fn get(&self, name: &str) -> &str {
        self.0.binary_search_by(|label| (*label.name).cmp(name)).map_or("", |at| &self.0[at].value)
    }

    /// Returns the labels whose name is accepted.
    pub(crate) fn filter(&self, accept: impl Fn(&str) -> bool) -> Self {
        if self.0.iter().all(|label| accept(&label.name)) {
            return self.clone();
        }
        Self(self.0.iter().filter(|label| accept(&label.name)).cloned().collect())
    }

    /// Returns the labels with these names, or without them.
    pub(crate) fn select(&self, names: &[Arc<str>], keep: bool) -> Self {
        self.filter(|name| names.iter().any(|n| **n == *name) == keep)
    }

    /// Returns the labels without name, type and unit of the metric.
    pub(crate) fn without_metadata(&self) -> Self {
        self.filter(|name| !matches!(name, METRIC_NAME | "__type__" | "__unit__"))
    }

    /// Returns the labels with `name` set; an empty value removes it.
    pub(crate) fn with(&self, name: &str, value: &str) -> Self {
        let others = self.0.iter().map(|label| (label.name.clone(), label.value.clone()));
        Self::new(others.chain([(Arc::from(name), Arc::from(value))]))
    }
}

impl fmt::Display for Labels {
    /// Writes all labels in braces, as messages of Prometheus show them: `{__name__="up", job="a"}`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one = |label: &Label| {
            if is_label_name(&label.name) {
                format!("{}={:?}", label.name, label.value)
            } else {
                format!("{:?}={:?}", label.name, label.value)
            }
        };
        write!(f, "{{{}}}", self.iter().map(one).collect::<Vec<String>>().join(", "))
    }
}

/// Reports whether `text` is a label name that needs no quotes.
pub(crate) fn is_label_name(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().enumerate().all(|(i, b)| b == b'_' || b.is_ascii_alphabetic() || (i > 0 && b.is_ascii_digit()))
}
