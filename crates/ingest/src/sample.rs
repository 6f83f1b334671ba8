//! Samples as events: what the protocols for metrics have in common.
//!
//! A sample is an event of the group `metrics/JOB` with `@type = "sample"`, at its time. Its stream is the canonical text of its
//! labels ([`SeriesLabels`]), which names the series exactly. For people its labels are fields too: the name of the metric is
//! `name`, which is the message as well, the number `value`, and a label that has the name of one of those fields is `label.NAME`.

mod labels;

use std::borrow::Cow;

use parse::FieldWriter;
use types::{Level, Timestamp};

pub use self::labels::{METRIC_NAME, SeriesLabels, label_pairs, label_text, sample_group};
use crate::{Collector, EventFields, EventMetadata, IngestError, RawEvent, RecordRefusal};

/// The value of `@type` of a sample.
pub const SAMPLE_TYPE: &str = "sample";

/// The NaN that marks the end of a series. Source: Prometheus' `model/value`.
pub const STALE_BITS: u64 = 0x7ff0_0000_0000_0002;

/// Fields of a sample besides its labels.
const SAMPLE_FIELDS_MAX: usize = 4;

/// Numbers that no column of numbers holds, as the field `value` has them.
const STALE_TEXT: &str = "stale";

/// Returns the field that has a label.
pub fn field_of_label(label: &str) -> Cow<'_, str> {
    match label {
        METRIC_NAME => Cow::Borrowed("name"),
        "name" | "value" | "histogram" => Cow::Owned(format!("label.{label}")),
        _ if label.starts_with("label.") || label.starts_with('@') => Cow::Owned(format!("label.{label}")),
        _ => Cow::Borrowed(label),
    }
}

/// Returns a number as the field `value` has it where a column of numbers cannot: `NaN`, `+Inf`, `-Inf` or `stale`.
pub fn text_of_number(value: f64) -> &'static str {
    if value.to_bits() == STALE_BITS {
        STALE_TEXT
    } else if value.is_nan() {
        "NaN"
    } else if value > 0.0 {
        "+Inf"
    } else {
        "-Inf"
    }
}

/// Returns the number that a text of [`text_of_number`] stands for.
pub fn number_of_text(text: &str) -> Option<f64> {
    match text {
        STALE_TEXT => Some(f64::from_bits(STALE_BITS)),
        "NaN" => Some(f64::NAN),
        "+Inf" => Some(f64::INFINITY),
        "-Inf" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

/// Writes samples of one series after another.
pub struct SampleWriter<'w, 'a> {
    collector: &'w mut Collector<'a>,
    place: usize,
    labels: &'w SeriesLabels,
}

impl<'w, 'a> SampleWriter<'w, 'a> {
    /// Starts the samples of a series, in the group of its job.
    ///
    /// # Errors
    /// If the sender may not write to the group.
    pub fn new(collector: &'w mut Collector<'a>, labels: &'w SeriesLabels) -> Result<Self, IngestError> {
        let place = collector.group(labels.group())?;
        collector.set_stream(place, labels.text());
        Ok(Self { collector, place, labels })
    }

    /// Adds a sample of a time in ms since the epoch.
    ///
    /// # Errors
    /// If the samples collected need more memory than a request may hold.
    pub fn add(&mut self, time: i64, value: f64) -> Result<Result<(), RecordRefusal>, IngestError> {
        let labels = self.labels;
        let write = |fields: &mut FieldWriter<'_>| {
            fields.system("@type", SAMPLE_TYPE);
            for (name, text) in labels.iter() {
                fields.text(&field_of_label(name), text);
            }
            if value.is_finite() { fields.float("value", value) } else { fields.text("value", text_of_number(value)) }
        };
        let metadata = EventMetadata {
            time: Some(Timestamp(time.saturating_mul(Timestamp::MILLISECOND))),
            level: Some(Level::Info),
            fields: EventFields::Writer { n_max: labels.n() + SAMPLE_FIELDS_MAX, write: &write },
            offset: None,
        };
        // The number is not said twice: it would take as much room again.
        let message = RawEvent::Body(self.labels.get(METRIC_NAME).as_bytes());
        self.collector.add(self.place, message, &metadata)
    }
}

#[cfg(test)]
mod tests;
