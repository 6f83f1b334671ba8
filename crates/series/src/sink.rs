//! Stores samples that the server computes.

use std::borrow::Cow;
use std::sync::Arc;

use ingest::sample::{SampleValue, SampleWriter, SeriesLabels};
use ingest::{Intake, Sender};
use promql::{Labels, Value};
use types::{GroupScope, Timestamp};

/// A sample to be stored.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedSample {
    /// What names the series, the name of the metric among them.
    pub labels: Labels,
    /// ms since the epoch.
    pub time: i64,
    /// The value; a float of [`promql::STALE`] marks the end of the series.
    pub value: Value,
}

/// Stores samples as samples that were sent.
pub struct StoreSink {
    intake: Arc<Intake>,
}

impl StoreSink {
    /// Stores into what `intake` takes.
    pub fn new(intake: Arc<Intake>) -> Self {
        Self { intake }
    }

    /// Stores samples and returns when they are durable and queries find them; a message names what could not be stored.
    pub fn store(&self, samples: &[RecordedSample], now: Timestamp) -> Result<(), String> {
        let sender = Sender { name: "", within: &GroupScope::All, batch_id: None, now, groups: None };
        let mut collector = self.intake.collect(&sender);
        let mut refused = None;
        for RecordedSample { labels, time, value } in samples {
            let pairs = labels.iter().map(|label| (Cow::Borrowed(&*label.name), Cow::Borrowed(&*label.value)));
            let labels = match SeriesLabels::new(pairs, &self.intake.limits) {
                Ok(labels) => labels,
                Err(problem) => {
                    refused.get_or_insert(problem);
                    continue;
                }
            };
            let mut writer = SampleWriter::new(&mut collector, &labels).map_err(|error| error.to_string())?;
            let added = match value {
                Value::Float(number) => writer.add(*time, *number),
                Value::Histogram(histogram) => writer.add_value(*time, SampleValue::Histogram(&histogram.to_text())),
            };
            if let Err(refusal) = added.map_err(|error| error.to_string())? {
                refused.get_or_insert(refusal.to_string());
            }
        }
        self.intake.accept(collector, &[], &sender).map_err(|error| error.to_string())?;
        refused.map_or(Ok(()), Err)
    }
}
