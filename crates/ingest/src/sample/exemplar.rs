//! Exemplars: events that samples of a series point to, such as a trace.
//!
//! An exemplar is an event of the group `exemplars/JOB` with `@type = "exemplar"`, whose stream is the canonical text of the labels of
//! its series, as of a sample. It is in a group of its own because a group of samples is stored by series, which any other event in
//! it would undo. Its own labels are the field `exemplar`, a canonical text of labels too.

use std::borrow::Cow;

use parse::FieldWriter;
use types::{GroupName, Level, METRIC_NAME, Timestamp, group_name_of_outside};

use super::labels::{SampleSeries, text_of_labels};
use super::number::text_of_number;
use crate::{Collector, EventFields, EventMetadata, RawEvent, Result};

/// The value of `@type` of an exemplar.
pub const EXEMPLAR_TYPE: &str = "exemplar";

/// The field that has the labels of an exemplar.
pub const EXEMPLAR_LABELS: &str = "exemplar";

/// What names of groups of exemplars begin with.
const GROUPS: &str = "exemplars/";

/// Most characters of names and values of an exemplar's labels. Source: OpenMetrics.
const CHARACTERS_MAX: usize = 128;

/// Labels of an exemplar that are fields of their own, so that events of a trace are found with it.
const OWN_FIELDS: [&str; 4] = ["trace_id", "traceID", "span_id", "spanID"];

/// Fields of an exemplar besides the labels of its series.
const FIELDS_MAX: usize = 8;

/// An exemplar as sent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exemplar<'e> {
    /// Its labels, in any order.
    pub labels: Vec<(Cow<'e, str>, Cow<'e, str>)>,
    /// The value observed.
    pub value: f64,
    /// When, in ms since the epoch.
    pub time: i64,
}

impl Exemplar<'_> {
    /// Returns its labels as a canonical text.
    ///
    /// # Errors
    /// If it has a label twice, one without a name, or too many characters.
    pub fn text(&self) -> Result<String, String> {
        let n: usize = self.labels.iter().map(|(name, value)| name.chars().count() + value.chars().count()).sum();
        if n > CHARACTERS_MAX {
            return Err(format!("labels of an exemplar have {n} characters; at most {CHARACTERS_MAX} are possible"));
        }
        let mut pairs: Vec<(String, String)> =
            self.labels.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        pairs.sort_unstable();
        if pairs.iter().any(|(name, _)| name.is_empty()) || pairs.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            return Err("an exemplar has a label twice or one without a name".to_owned());
        }
        Ok(text_of_labels(&pairs))
    }

    /// Adds the exemplar of a series, whose labels are `text`, to what is collected; returns why it is refused.
    ///
    /// # Errors
    /// If the events collected need more memory than a request may hold.
    pub fn add(&self, collector: &mut Collector<'_>, series: &SampleSeries, text: &str) -> Result<Result<(), String>> {
        let place = match collector.group(&group_of_exemplars(&series.group)) {
            Ok(place) => place,
            // A key for samples alone loses nothing else.
            Err(refused) => return Ok(Err(refused.to_string())),
        };
        let series = &series.series;
        collector.set_stream(place, series.stream());
        let is_of_series = |name: &str| series.field(name).is_some();
        let write = |fields: &mut FieldWriter<'_>| {
            fields.system("@type", EXEMPLAR_TYPE);
            for (name, label) in series.fields().iter().filter(|(name, _)| !name.starts_with('@')) {
                // A label of the series gives way; the stream has it.
                if **name != *EXEMPLAR_LABELS {
                    fields.text(name, label);
                }
            }
            fields.text(EXEMPLAR_LABELS, text);
            for (name, label) in &self.labels {
                if OWN_FIELDS.contains(&&**name) && !is_of_series(name) {
                    fields.id(name, label);
                }
            }
            match self.value.is_finite() {
                true => fields.float("value", self.value),
                false => fields.text("value", text_of_number(self.value)),
            }
        };
        let metadata = EventMetadata {
            time: Some(Timestamp(self.time.saturating_mul(Timestamp::MILLISECOND))),
            level: Some(Level::Info),
            fields: EventFields::Writer { n_max: series.fields().len() + FIELDS_MAX, write: &write },
            ..EventMetadata::default()
        };
        let message = RawEvent::Body(series.field("name").map_or(METRIC_NAME, |name| name).as_bytes());
        Ok(collector.add(place, message, &metadata)?.map_err(|refusal| refusal.to_string()))
    }
}

/// Returns the group of the exemplars of a job, from that of its samples.
fn group_of_exemplars(samples: &GroupName) -> GroupName {
    let job = samples.as_str().strip_prefix(GroupName::SAMPLES).unwrap_or(samples.as_str());
    group_name_of_outside(&format!("{GROUPS}{job}"))
}

#[cfg(test)]
mod tests;
