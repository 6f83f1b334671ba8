//! Takes series and their samples, and counts what cannot be kept.

use std::borrow::Cow;
use std::fmt::Write;
use std::sync::Arc;

use ingest::sample::{Exemplar, SampleSeries, SampleWriter, SeriesLabels};
use ingest::{Collector, IngestError};
use types::{Limits, Timestamp};

use crate::exemplars::NewExemplars;
use crate::metadata::MetricsState;

/// Writes the series of one message.
pub(super) struct SeriesReader<'c, 'a> {
    collector: &'c mut Collector<'a>,
    limits: &'c Limits,
    state: &'c MetricsState,
    exemplars: NewExemplars,
    /// The latest time of a sample, in ms.
    latest: i64,
    n_samples: u64,
    refused: Vec<Refused>,
}

/// What was not stored, for one reason.
struct Refused {
    what: &'static str,
    n: u64,
    /// The first of them.
    example: String,
}

impl<'c, 'a> SeriesReader<'c, 'a> {
    pub(super) fn new(
        collector: &'c mut Collector<'a>,
        now: Timestamp,
        limits: &'c Limits,
        state: &'c MetricsState,
    ) -> Self {
        let latest = now.0.saturating_add(limits.future_ns_max) / Timestamp::MILLISECOND;
        let exemplars = NewExemplars::default();
        Self { collector, limits, state, exemplars, latest, n_samples: 0, refused: Vec::new() }
    }

    /// Checks the labels of a series.
    pub(super) fn labels<'b>(
        &self,
        labels: impl Iterator<Item = (Cow<'b, str>, Cow<'b, str>)>,
    ) -> Result<Arc<SampleSeries>, String> {
        SeriesLabels::new(labels, self.limits).map(|labels| labels.series().clone())
    }

    /// Stores the samples of one series, which come as time in ms and value.
    pub(super) fn series(
        &mut self,
        series: Result<&SampleSeries, String>,
        samples: impl Iterator<Item = Result<(i64, f64), IngestError>>,
    ) -> Result<(), IngestError> {
        let series = match series {
            Ok(series) => series,
            Err(problem) => {
                let mut n = 0;
                for sample in samples {
                    sample?;
                    n += 1;
                }
                self.refuse("samples of series that have no valid labels", n, || problem);
                return Ok(());
            }
        };
        let mut writer = SampleWriter::of_series(self.collector, series)?;
        let (mut n_stored, mut n_future, mut future) = (0, 0, 0);
        let (mut n_old, mut old) = (0, String::new());
        for sample in samples {
            let (time, value) = sample?;
            if time > self.latest {
                (n_future, future) = (n_future + 1, time);
                continue;
            }
            match writer.add(time, value)? {
                Ok(()) => n_stored += 1,
                Err(refusal) => (n_old, old) = (n_old + 1, refusal.to_string()),
            }
        }
        self.n_samples += n_stored;
        if n_future + n_old == 0 {
            return Ok(());
        }
        let shown = series.series.stream();
        let at = |text: String| format!("{}: {text}", &shown[..shown.floor_char_boundary(300)]);
        let (latest, future) = (self.latest, Timestamp(future.saturating_mul(Timestamp::MILLISECOND)));
        let limit = Timestamp(latest.saturating_mul(Timestamp::MILLISECOND));
        self.refuse("samples of the future", n_future, || {
            at(format!("{future} is after {limit}; check the sender's clock"))
        });
        self.refuse("samples that the store does not keep", n_old, || at(old));
        Ok(())
    }

    /// Stores the exemplar of a series.
    pub(super) fn exemplar(&mut self, series: &SampleSeries, exemplar: &Exemplar<'_>) -> Result<(), IngestError> {
        let instant = |ms: i64| Timestamp(ms.saturating_mul(Timestamp::MILLISECOND));
        let problem = if exemplar.time > self.latest {
            Some(format!("{} is after {}; check the sender's clock", instant(exemplar.time), instant(self.latest)))
        } else {
            self.exemplars.add(self.collector, (series, exemplar), self.state)?.err()
        };
        if let Some(problem) = problem {
            let name = series.series.message();
            let example = || format!("{}: {problem}", &name[..name.floor_char_boundary(200)]);
            self.refuse("exemplars that cannot be stored", 1, example);
        }
        Ok(())
    }

    /// Counts something that cannot be kept.
    pub(super) fn refuse(&mut self, what: &'static str, n: u64, example: impl FnOnce() -> String) {
        if n == 0 {
            return;
        }
        match self.refused.iter_mut().find(|refused| refused.what == what) {
            Some(refused) => refused.n += n,
            None => self.refused.push(Refused { what, n, example: example() }),
        }
    }

    /// Returns the number of samples taken, the exemplars taken, and what was not.
    pub(super) fn end(self) -> (u64, NewExemplars, Option<String>) {
        let mut text = String::new();
        for Refused { what, n, example } in &self.refused {
            let separator = if text.is_empty() { "not stored: " } else { "; " };
            // Writing to a text succeeds.
            let _ = write!(text, "{separator}{n} {what} ({example})");
        }
        (self.n_samples, self.exemplars, (!text.is_empty()).then_some(text))
    }
}
