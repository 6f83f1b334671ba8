//! What counts events: which ones, and what of each; and what it has counted.
//!
//! Metrics that people make and metric filters of CloudWatch are both a meter and a tally.

use std::collections::BTreeMap;

use execute::{Tail, TailRows};
use serde::{Deserialize, Serialize};
use types::{EventId, GroupPattern, GroupScope, Timestamp, Value};

use super::family::{Exemplar, Family, FamilyKind, Sample, label_name};
use super::sketch::Window;

/// The longest value of a label.
const LABEL_CHARS_MAX: usize = 255;

/// Longest id of a trace: those of OpenTelemetry have 32 characters.
const EXEMPLAR_CHARS_MAX: usize = 64;

/// The labels of what is one series too many.
pub const OTHER: &str = "(other)";

/// Groups of the server's own count only if a pattern names them.
const OWN_GROUPS: &str = "catat/";

/// What counts events.
#[derive(Debug)]
pub struct Meter {
    /// Groups whose events count; none is all.
    pub groups: Vec<GroupPattern>,
    /// Groups that exist for its author.
    pub within: GroupScope,
    /// Finds the events. The columns are the value, if one is needed, the labels, and the trace id, if series have
    /// exemplars.
    pub tail: Tail,
    /// What the value is.
    pub value: ValueOf,
    /// Names of the labels.
    pub labels: Vec<String>,
    /// What is made of the values.
    pub shape: Shape,
    /// What an event is without one of the labels.
    pub missing_label: MissingLabel,
    /// Most series; what comes beyond is one.
    pub series_max: usize,
}

/// What the value of an event is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ValueOf {
    /// The event is what counts.
    One,
    /// The same for each.
    Constant(f64),
    /// The first column of the tail; an event without a number there does not count.
    Column,
    /// The same, zero for an event without.
    ColumnOrZero,
}

/// What an event without one of the labels is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MissingLabel {
    /// One whose label is empty, which Prometheus takes for none.
    IsEmpty,
    /// None of the metric.
    IsNone,
}

/// What is made of the values.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// Their number and their sum.
    Sum,
    /// That of the latest event.
    Last,
    /// How many are at most so large.
    Histogram(Vec<f64>),
    /// Quantiles over a window.
    Summary {
        /// Which.
        quantiles: Vec<f64>,
        /// How far they look back.
        window_ns: i64,
    },
}

/// What was counted of one set of labels.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct Series {
    /// Events.
    pub n_events: u64,
    /// Their values, summed up.
    pub sum: f64,
    /// When the latest event was, and its sequence, where its value is wanted.
    #[serde(default)]
    latest: (i64, u64),
    /// The value of the latest event.
    #[serde(default)]
    last: f64,
    /// Events by the first bucket that holds their value; those beyond all are in none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    buckets: Vec<u64>,
    /// The latest event with a trace id in each bucket, and above the last one. Not kept over a restart.
    #[serde(skip)]
    exemplars: Vec<Option<Exemplar>>,
    /// Starts again with the process, as in Prometheus' own libraries.
    #[serde(skip)]
    window: Window,
}

/// What a meter has counted.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct Tally {
    /// The last event that was looked at, or that was there before.
    pub sequence: u64,
    /// Events that fulfil the condition and have no usable value.
    #[serde(default)]
    pub n_skipped: u64,
    /// Events whose labels were one series too many.
    #[serde(default)]
    pub n_other: u64,
    /// By the values of the labels.
    #[serde(default, with = "pairs")]
    pub series: BTreeMap<Vec<String>, Series>,
}

/// Maps as lists of pairs: JSON has texts alone as names of members.
pub mod pairs {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    /// Writes a map.
    pub fn serialize<K: Serialize, V: Serialize, S: Serializer>(
        map: &BTreeMap<K, V>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        map.iter().collect::<Vec<_>>().serialize(to)
    }

    /// Reads a map.
    pub fn deserialize<'de, K, V, D>(from: D) -> Result<BTreeMap<K, V>, D::Error>
    where
        K: Deserialize<'de> + Ord,
        V: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        Vec::deserialize(from).map(|pairs: Vec<(K, V)>| pairs.into_iter().collect())
    }
}

impl Series {
    /// Returns events that were counted elsewhere, and their values, summed up.
    pub fn of_sum(n_events: u64, sum: f64) -> Self {
        Self { n_events, sum, ..Self::default() }
    }

    /// Makes an event of a trace the exemplar of a bucket, unless that has a later one.
    fn note_exemplar(&mut self, bucket: usize, exemplar: Exemplar) {
        if self.exemplars.len() <= bucket {
            self.exemplars.resize(bucket + 1, None);
        }
        let known = &mut self.exemplars[bucket];
        if known.as_ref().is_none_or(|known| known.at <= exemplar.at) {
            *known = Some(exemplar);
        }
    }
}

impl Meter {
    /// Reports whether events of a group count.
    pub fn counts(&self, group: &str) -> bool {
        let is_own = group.starts_with(OWN_GROUPS);
        let is_named = |pattern: &GroupPattern| !is_own || pattern.as_str().starts_with(OWN_GROUPS);
        let is_meant = self.groups.iter().any(|pattern| is_named(pattern) && pattern.matches(group));
        self.within.admits(group) && (is_meant || self.groups.is_empty() && !is_own)
    }

    /// Reports whether it looks at the server's own groups.
    pub(super) fn names_own_groups(&self) -> bool {
        self.groups.iter().any(|pattern| pattern.as_str().starts_with(OWN_GROUPS))
    }

    /// Counts what was found after what the tally has looked at. `room` is how many series more there may be in all.
    pub(super) fn count(&self, found: &TailRows, tally: &mut Tally, room: &mut usize, now: Timestamp) {
        for (id, row) in found.ids.iter().zip(&found.rows) {
            if let Some(id) = EventId::decode(id).filter(|id| id.sequence > tally.sequence) {
                self.count_event(id, row, tally, room, now);
            }
        }
    }

    fn count_event(&self, id: EventId, row: &[Option<Value>], tally: &mut Tally, room: &mut usize, now: Timestamp) {
        let has_column = matches!(self.value, ValueOf::Column | ValueOf::ColumnOrZero);
        let (value, rest) = row.split_at(usize::from(has_column).min(row.len()));
        let (labels, trace) = rest.split_at(self.labels.len().min(rest.len()));
        let given = value.first().and_then(|value| number_of(value.as_ref()?));
        let value = match self.value {
            ValueOf::One => Some(1.0),
            ValueOf::Constant(number) => Some(number),
            // A counter never falls.
            ValueOf::Column => given.filter(|value| self.shape != Shape::Sum || *value >= 0.0),
            ValueOf::ColumnOrZero => Some(given.unwrap_or(0.0)),
        };
        let is_without = labels.iter().any(Option::is_none) && self.missing_label == MissingLabel::IsNone;
        let Some(value) = value.filter(|_| !is_without) else {
            tally.n_skipped += u64::from(!is_without);
            return;
        };
        let texts: Vec<String> =
            labels.iter().map(|value| value.as_ref().map(label_text).unwrap_or_default()).collect();
        let series = self.series_of(texts, tally, room);
        series.n_events += 1;
        series.sum = (series.sum + value).clamp(f64::MIN, f64::MAX);
        let mut bucket = 0;
        match &self.shape {
            Shape::Sum => {}
            Shape::Last => {
                let at = (id.timestamp.0, id.sequence);
                if series.n_events == 1 || at > series.latest {
                    (series.latest, series.last) = (at, value);
                }
            }
            Shape::Histogram(ends) => {
                series.buckets.resize(ends.len(), 0);
                bucket = ends.partition_point(|end| *end < value);
                series.buckets.get_mut(bucket).into_iter().for_each(|n| *n += 1);
            }
            Shape::Summary { window_ns, .. } => series.window.add(value, now.0, *window_ns),
        }
        let trace = trace.first().and_then(|trace| Some(label_text(trace.as_ref()?)));
        if let Some(trace) = trace.filter(|text| !text.is_empty() && text.chars().count() <= EXEMPLAR_CHARS_MAX) {
            // An event dated ahead must not keep out later ones.
            series.note_exemplar(bucket, Exemplar { id: trace, value, at: id.timestamp.min(now) });
        }
    }

    fn series_of<'t>(&self, texts: Vec<String>, tally: &'t mut Tally, room: &mut usize) -> &'t mut Series {
        let is_known = tally.series.contains_key(&texts);
        if is_known || texts.is_empty() {
            return tally.series.entry(texts).or_default();
        }
        if tally.series.len() >= self.series_max || *room == 0 {
            tally.n_other += 1;
            return tally.series.entry(vec![OTHER.into(); texts.len()]).or_default();
        }
        *room -= 1;
        tally.series.entry(texts).or_default()
    }

    /// Returns what the page of metrics shows of a tally.
    pub(super) fn family(&self, name: &str, help: String, tally: &Tally, now: Timestamp) -> Family {
        let kind = match &self.shape {
            Shape::Sum => FamilyKind::Counter,
            Shape::Last => FamilyKind::Gauge,
            Shape::Histogram(_) => FamilyKind::Histogram,
            Shape::Summary { .. } => FamilyKind::Summary,
        };
        let mut samples = Vec::new();
        let zero = (Vec::new(), Series::default());
        // What has no labels and counts from zero is there from the beginning on.
        let is_zero = tally.series.is_empty() && self.labels.is_empty() && self.shape != Shape::Last;
        for (texts, series) in tally.series.iter().chain(is_zero.then_some((&zero.0, &zero.1))) {
            let labels: Vec<(String, String)> = self.labels.iter().cloned().zip(texts.iter().cloned()).collect();
            let first = samples.len();
            self.samples(labels, series, now, &mut samples);
            // Buckets come first, and a counter is one sample.
            for (sample, exemplar) in samples[first..].iter_mut().zip(&series.exemplars) {
                sample.exemplar = exemplar.clone().map(|exemplar| (self.exemplar_label(), exemplar));
            }
        }
        Family { name: name.to_owned(), help, kind, samples }
    }

    fn exemplar_label(&self) -> String {
        self.tail.columns().last().map(|field| label_name(field)).unwrap_or_default()
    }

    fn samples(&self, labels: Vec<(String, String)>, series: &Series, now: Timestamp, samples: &mut Vec<Sample>) {
        let n_events = series.n_events as f64;
        let mut with = |end: &'static str, more: Option<(&str, f64)>, value: f64| {
            let more = more.map(|(name, number)| (name.to_owned(), super::family::number_text(number)));
            samples.push(Sample { end, labels: labels.iter().cloned().chain(more).collect(), value, exemplar: None });
        };
        match &self.shape {
            Shape::Sum if self.value == ValueOf::One => return with("", None, n_events),
            Shape::Sum => return with("", None, series.sum),
            Shape::Last => return with("", None, series.last),
            Shape::Histogram(ends) => {
                let mut n_below = 0;
                for (at, end) in ends.iter().enumerate() {
                    n_below += series.buckets.get(at).copied().unwrap_or(0);
                    with("_bucket", Some(("le", *end)), n_below as f64);
                }
                with("_bucket", Some(("le", f64::INFINITY)), n_events);
            }
            Shape::Summary { quantiles, window_ns } => {
                let values = series.window.quantiles(quantiles, now.0, *window_ns);
                quantiles.iter().zip(values).for_each(|(quantile, value)| {
                    with("", Some(("quantile", *quantile)), value);
                });
            }
        }
        with("_sum", None, series.sum);
        with("_count", None, n_events);
    }
}

/// Returns the text of a value as a label, cut off at the longest one.
pub fn label_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.chars().take(LABEL_CHARS_MAX).collect(),
        other => other.to_string().chars().take(LABEL_CHARS_MAX).collect(),
    }
}

/// Returns the number that a value is or spells.
pub fn number_of(value: &Value) -> Option<f64> {
    let number = if let Value::String(text) = value { text.trim().parse().ok() } else { value.as_f64() };
    number.filter(|number: &f64| number.is_finite())
}

#[cfg(test)]
mod tests;
