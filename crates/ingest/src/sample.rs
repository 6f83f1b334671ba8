//! Samples as events: what the protocols for metrics have in common.
//!
//! A sample is an event of the group `metrics/JOB` with `@type = "sample"`, at its time. Its stream is the canonical text of its
//! labels ([`SeriesLabels`]), which names the series exactly. For people its labels are fields too: the name of the metric is
//! `name`, which is the message as well, the number `value`, and a label that has the name of one of those fields is `label.NAME`.

mod exemplar;
mod labels;

use parse::FieldWriter;
use types::{Level, Timestamp};
pub use types::{METRIC_NAME, SAMPLE_TYPE, field_of_label};

pub use self::exemplar::{EXEMPLAR_LABELS, EXEMPLAR_TYPE, Exemplar};
use self::labels::text_of_labels;
pub use self::labels::{SampleSeries, SeriesLabels, label_pairs, label_text, sample_group};
use crate::{Collector, EventFields, EventMetadata, IngestError, RawEvent, RecordRefusal};

/// The NaN that marks the end of a series. Source: Prometheus' `model/value`.
pub const STALE_BITS: u64 = 0x7ff0_0000_0000_0002;

/// Fields of a sample besides its labels.
const SAMPLE_FIELDS_MAX: usize = 4;

/// Numbers that no column of numbers holds, as the field `value` has them.
const STALE_TEXT: &str = "stale";

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
    series: &'w SampleSeries,
}

impl<'w, 'a> SampleWriter<'w, 'a> {
    /// Starts the samples of a series, in the group of its job.
    ///
    /// # Errors
    /// If the sender may not write to the group.
    pub fn new(collector: &'w mut Collector<'a>, labels: &'w SeriesLabels) -> Result<Self, IngestError> {
        Self::of_series(collector, labels.series())
    }

    /// The same of a series whose labels were checked.
    ///
    /// # Errors
    /// If the sender may not write to the group.
    pub fn of_series(collector: &'w mut Collector<'a>, series: &'w SampleSeries) -> Result<Self, IngestError> {
        let place = collector.group_of_next(&series.group)?;
        Ok(Self { collector, place, series })
    }

    /// Adds a sample of a time in ms since the epoch.
    ///
    /// # Errors
    /// If the samples collected need more memory than a request may hold.
    #[inline]
    pub fn add(&mut self, time: i64, value: f64) -> Result<Result<(), RecordRefusal>, IngestError> {
        let time = Timestamp(time.saturating_mul(Timestamp::MILLISECOND));
        if self.collector.takes_samples(self.place) {
            return self.collector.add_sample(self.place, &self.series.series, time, value);
        }
        self.add_event(time, value)
    }

    /// Adds a sample as any other event: pipelines may change it, or it goes to another group.
    fn add_event(&mut self, time: Timestamp, value: f64) -> Result<Result<(), RecordRefusal>, IngestError> {
        let series = &self.series.series;
        self.collector.set_stream(self.place, series.stream());
        let write = |fields: &mut FieldWriter<'_>| {
            for (name, text) in series.fields() {
                if name.starts_with('@') { fields.system(name, text) } else { fields.text(name, text) }
            }
            if value.is_finite() { fields.float("value", value) } else { fields.text("value", text_of_number(value)) }
        };
        let metadata = EventMetadata {
            time: Some(time),
            level: Some(Level::Info),
            fields: EventFields::Writer { n_max: series.fields().len() + SAMPLE_FIELDS_MAX, write: &write },
            offset: None,
        };
        // The number is not said twice: it would take as much room again.
        let message = RawEvent::Body(series.message().as_bytes());
        self.collector.add(self.place, message, &metadata)
    }
}

#[cfg(test)]
mod tests;
