//! Samples as events: what the protocols for metrics have in common.
//!
//! A sample is an event of the group `metrics/JOB` with `@type = "sample"`, at its time. Its stream is the canonical text of its
//! labels ([`SeriesLabels`]), which names the series exactly. For people its labels are fields too: the name of the metric is
//! `name`, which is the message as well, the number `value` or the native histogram `histogram`, and a label that has the name of one
//! of those fields is `label.NAME`.

mod exemplar;
mod labels;
mod metadata;
pub(crate) mod number;
mod series_cache;
mod shared_series;

use std::borrow::Cow;

use parse::FieldWriter;
use types::{HISTOGRAM_FIELD, Level, Timestamp, VALUE_FIELD};
pub use types::{METRIC_NAME, SAMPLE_TYPE, field_of_label};

pub use self::exemplar::{EXEMPLAR_LABELS, EXEMPLAR_TYPE, Exemplar};
pub use self::labels::{NAME_BYTES_MAX, SampleSeries, SeriesLabels, label_pairs, label_text, sample_group};
pub use self::metadata::{MetricDescription, MetricDescriptions};
pub use self::number::{STALE_BITS, SampleValue, number_of_text, text_of_number};
pub use self::series_cache::{LastSeries, SeriesCache};
pub(crate) use self::shared_series::RequestSeries;
pub use self::shared_series::SharedSeries;
use crate::{Collector, EventFields, EventMetadata, RawEvent, RecordRefusal, Result};

/// Fields of a sample besides its labels.
const SAMPLE_FIELDS_MAX: usize = 4;

/// Writes samples of one series after another.
pub struct SampleWriter<'w, 'a> {
    collector: &'w mut Collector<'a>,
    place: usize,
    series: Cow<'w, SampleSeries>,
}

impl<'w, 'a> SampleWriter<'w, 'a> {
    /// Starts the samples of a series, in the group of its job.
    ///
    /// # Errors
    /// If the sender may not write to the group.
    pub fn new(collector: &'w mut Collector<'a>, labels: &SeriesLabels) -> Result<Self> {
        let place = collector.group_of_next(labels.group())?;
        let series = Cow::Owned(collector.series(labels));
        Ok(Self { collector, place, series })
    }

    /// The same of a series whose labels were checked.
    ///
    /// # Errors
    /// If the sender may not write to the group.
    pub fn of_series(collector: &'w mut Collector<'a>, series: &'w SampleSeries) -> Result<Self> {
        let place = collector.group_of_next(&series.group)?;
        Ok(Self { collector, place, series: Cow::Borrowed(series) })
    }

    /// Adds a number of a time in ms since the epoch.
    ///
    /// # Errors
    /// If the samples collected need more memory than a request may hold.
    #[inline]
    pub fn add(&mut self, time: i64, value: f64) -> Result<Result<(), RecordRefusal>> {
        self.add_value(time, SampleValue::Float(value))
    }

    /// The same of a number or a histogram.
    ///
    /// # Errors
    /// If the samples collected need more memory than a request may hold.
    #[inline]
    pub fn add_value(&mut self, time: i64, value: SampleValue<'_>) -> Result<Result<(), RecordRefusal>> {
        let time = Timestamp(time.saturating_mul(Timestamp::MILLISECOND));
        if self.collector.takes_samples(self.place) {
            return self.collector.add_sample(self.place, &self.series, time, value);
        }
        self.add_event(time, value)
    }

    /// Adds a sample as any other event: pipelines may change it, or it goes to another group.
    fn add_event(&mut self, time: Timestamp, value: SampleValue<'_>) -> Result<Result<(), RecordRefusal>> {
        let series = &self.series.series;
        self.collector.set_stream(self.place, series.stream());
        let write = |fields: &mut FieldWriter<'_>| {
            for (name, text) in series.fields() {
                if name.starts_with('@') { fields.system(name, text) } else { fields.text(name, text) }
            }
            match value {
                SampleValue::Float(number) if number.is_finite() => fields.float(VALUE_FIELD, number),
                SampleValue::Float(number) => fields.text(VALUE_FIELD, text_of_number(number)),
                SampleValue::Histogram(text) => fields.text(HISTOGRAM_FIELD, text),
            }
        };
        let metadata = EventMetadata {
            time: Some(time),
            level: Some(Level::Info),
            fields: EventFields::Writer { n_max: series.fields().len() + SAMPLE_FIELDS_MAX, write: &write },
            ..EventMetadata::default()
        };
        // The number is not said twice: it would take as much room again.
        let message = RawEvent::Body(series.message().as_bytes());
        self.collector.add(self.place, message, &metadata)
    }
}

#[cfg(test)]
mod tests;
