//! The labels of a series and their canonical text: `{"__name__":"up","job":"node"}`, a JSON object in order of name.
//!
//! JSON, because it holds any text and everybody can read it; equal labels have equal texts.

use std::borrow::Cow;
use std::sync::Arc;

use types::{GroupName, Limits, METRIC_NAME, Series, group_name_of_outside};

/// Longest name of a label: that of a field.
pub const NAME_BYTES_MAX: usize = 500;

/// Longest canonical text of labels.
const TEXT_BYTES_MAX: usize = 64 << 10;

/// The job of samples that name none.
const UNKNOWN_JOB: &str = "unknown_job";

/// Returns the group of a job's samples.
pub fn sample_group(job: &str) -> GroupName {
    let group = group_name_of_outside(&format!("{}{job}", GroupName::SAMPLES));
    if group.as_str().contains('/') {
        group
    } else {
        group_name_of_outside(&format!("{}{UNKNOWN_JOB}", GroupName::SAMPLES))
    }
}

/// A series whose labels were checked, and the group of its samples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampleSeries {
    /// What its samples have in common.
    pub series: Arc<Series>,
    /// The group of its job.
    pub group: GroupName,
    /// Bytes that the series takes in memory.
    pub memory_bytes: usize,
}

/// Labels of one series: in order of name, each name once, no value empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeriesLabels {
    pairs: Vec<(String, String)>,
    text: String,
    group: GroupName,
}

impl SeriesLabels {
    /// Checks labels and sorts them. A label without a value is none.
    ///
    /// # Errors
    /// The label that is wrong, and why.
    pub fn new<'l>(
        labels: impl IntoIterator<Item = (Cow<'l, str>, Cow<'l, str>)>,
        limits: &Limits,
    ) -> Result<Self, String> {
        let mut pairs: Vec<(String, String)> = labels
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        pairs.sort_unstable();
        if let Some(twice) = pairs.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(format!("label {:?} is there twice; a name can have one value", shown(&twice[0].0)));
        }
        if pairs.len() > limits.fields_max.saturating_sub(8) {
            return Err(format!(
                "{} labels; a series has at most {}",
                pairs.len(),
                limits.fields_max.saturating_sub(8)
            ));
        }
        for (name, value) in &pairs {
            if name.is_empty() || name.len() > NAME_BYTES_MAX {
                return Err(format!(
                    "label name {:?} has {} bytes; 1 to {NAME_BYTES_MAX} are possible",
                    shown(name),
                    name.len()
                ));
            }
            if value.len() > limits.field_bytes_max {
                let (n, most) = (value.len(), limits.field_bytes_max);
                return Err(format!("the value of label {:?} has {n} bytes; at most {most} are possible", shown(name)));
            }
        }
        if !pairs.iter().any(|(name, _)| name == METRIC_NAME) {
            return Err(format!("there is no label {METRIC_NAME:?}: a series needs the name of its metric"));
        }
        let text = text_of_labels(&pairs);
        if text.len() > TEXT_BYTES_MAX {
            return Err(format!("the labels have {} bytes; at most {TEXT_BYTES_MAX} are possible", text.len()));
        }
        let job = pairs.iter().find(|(name, _)| name == "job").map_or("", |(_, value)| value);
        let group = sample_group(job);
        Ok(Self { pairs, text, group })
    }

    /// Makes the series that they name. Code that stores samples calls [`Collector::series`](crate::Collector::series) instead, so that
    /// samples of different requests share one.
    pub fn to_series(&self) -> SampleSeries {
        let series = Series::of_labels(&self.text).expect("labels that were checked name a series");
        let memory_bytes = series.memory_bytes();
        SampleSeries { series: Arc::new(series), group: self.group.clone(), memory_bytes }
    }

    /// Returns the canonical text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the group of its samples.
    pub fn group(&self) -> &GroupName {
        &self.group
    }

    /// Returns how many labels there are.
    pub fn n(&self) -> usize {
        self.pairs.len()
    }

    /// Returns names and values in order of name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// Reads a canonical text; `None` if it is none.
pub fn label_pairs(text: &str) -> Option<Vec<(String, String)>> {
    let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(text).ok()?;
    let pair = |(name, value)| match value {
        serde_json::Value::String(value) => Some((name, value)),
        _ => None,
    };
    object.into_iter().map(pair).collect()
}

/// Returns the canonical text of labels in order of name.
pub(super) fn text_of_labels(pairs: &[(String, String)]) -> String {
    let mut text = String::from("{");
    for (index, (name, value)) in pairs.iter().enumerate() {
        text.push_str(if index == 0 { "" } else { "," });
        push_json(name, &mut text);
        text.push(':');
        push_json(value, &mut text);
    }
    text.push('}');
    text
}

/// Returns a label as it stands in a canonical text.
pub fn label_text(name: &str, value: &str) -> String {
    let mut text = String::new();
    push_json(name, &mut text);
    text.push(':');
    push_json(value, &mut text);
    text
}

fn push_json(part: &str, text: &mut String) {
    if part.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
        text.extend(["\"", part, "\""]);
    } else {
        text.push_str(&serde_json::Value::from(part).to_string());
    }
}

/// Returns the start of a text, for errors.
fn shown(text: &str) -> &str {
    &text[..text.floor_char_boundary(100)]
}
