//! Takes series and their samples, and counts what cannot be kept.

use std::borrow::Cow;
use std::fmt::Write;

use ingest::sample::{Exemplar, SampleSeries, SampleValue, SampleWriter, SeriesLabels};
use ingest::{Collector, Result};
use promql::Histogram;
use types::{Limits, Timestamp};

use crate::exemplars::NewExemplars;
use crate::metadata::MetricsState;

/// What is refused where a series cannot be named.
pub(super) const NAMELESS: &str = "samples of series that have no valid labels";

/// What is refused for its time.
const FUTURE: &str = "samples of the future";
const OLD: &str = "samples that the store does not keep";

/// What is refused where exemplars cannot be stored, or not even be read.
const EXEMPLARS: &str = "exemplars that cannot be stored";
pub(super) const UNREADABLE_EXEMPLARS: &str = "exemplars that cannot be read";

/// The earliest time in ms that a store holds: it counts nanoseconds in 64 bits.
const EARLIEST: i64 = i64::MIN / Timestamp::MILLISECOND;

/// Writes the series of one message.
pub(super) struct SeriesReader<'c, 'a> {
    collector: &'c mut Collector<'a>,
    limits: &'c Limits,
    state: &'c MetricsState,
    exemplars: NewExemplars,
    /// The time of the request.
    pub(super) now: Timestamp,
    /// The latest time of a sample, in ms.
    latest: i64,
    n_samples: u64,
    n_histograms: u64,
    refused: Vec<Refused>,
}

/// What was stored of a message.
pub(super) struct Stored {
    pub(super) n_samples: u64,
    pub(super) n_histograms: u64,
    pub(super) exemplars: NewExemplars,
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
        Self { collector, limits, state, exemplars, now, latest, n_samples: 0, n_histograms: 0, refused: Vec::new() }
    }

    /// Checks the labels of a series.
    pub(super) fn labels<'b>(
        &self,
        labels: impl Iterator<Item = (Cow<'b, str>, Cow<'b, str>)>,
    ) -> Result<SampleSeries, String> {
        SeriesLabels::new(labels, self.limits).map(|labels| labels.to_series())
    }

    /// Stores the samples of one series, which come as time in ms and value.
    pub(super) fn series(
        &mut self,
        series: Result<&SampleSeries, String>,
        samples: impl Iterator<Item = Result<(i64, f64)>>,
    ) -> Result<()> {
        let series = match series {
            Ok(series) => series,
            Err(problem) => {
                let mut n = 0;
                for sample in samples {
                    sample?;
                    n += 1;
                }
                self.refuse(NAMELESS, n, || problem);
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
            if time < EARLIEST {
                (n_old, old) = (n_old + 1, too_early(time));
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
        let latest = self.latest;
        self.refuse(FUTURE, n_future, || of_series(series, &too_late(future, latest)));
        self.refuse(OLD, n_old, || of_series(series, &old));
        Ok(())
    }

    /// Stores the histogram of a series and of a time in ms, or says why it cannot be.
    pub(super) fn histogram(
        &mut self,
        series: &SampleSeries,
        time: i64,
        histogram: Result<Histogram, String>,
    ) -> Result<()> {
        let at = |problem: &str| of_series(series, &format!("{}: {problem}", instant(time)));
        let text = histogram.map(|histogram| histogram.to_text()).and_then(|text| {
            let (n, most) = (text.len(), self.limits.field_bytes_max);
            let too_long = || format!("it takes {n} bytes; at most {most} are possible");
            (n <= most).then_some(text).ok_or_else(too_long)
        });
        match text {
            Err(problem) => self.refuse("native histograms that are not valid", 1, || at(&problem)),
            Ok(_) if time > self.latest => {
                let latest = self.latest;
                self.refuse(FUTURE, 1, || of_series(series, &too_late(time, latest)));
            }
            Ok(_) if time < EARLIEST => self.refuse(OLD, 1, || of_series(series, &too_early(time))),
            Ok(text) => {
                let mut writer = SampleWriter::of_series(self.collector, series)?;
                match writer.add_value(time, SampleValue::Histogram(&text))? {
                    Ok(()) => self.n_histograms += 1,
                    Err(refusal) => self.refuse(OLD, 1, || of_series(series, &refusal.to_string())),
                }
            }
        }
        Ok(())
    }

    /// Stores the exemplar of a series.
    pub(super) fn exemplar(&mut self, series: &SampleSeries, exemplar: &Exemplar<'_>) -> Result<()> {
        let problem = if exemplar.time > self.latest {
            Some(too_late(exemplar.time, self.latest))
        } else if exemplar.time < EARLIEST {
            Some(too_early(exemplar.time))
        } else {
            self.exemplars.add(self.collector, (series, exemplar), self.state)?.err()
        };
        if let Some(problem) = problem {
            self.refuse_exemplar(EXEMPLARS, series, &problem);
        }
        Ok(())
    }

    /// Counts an exemplar that is not stored.
    pub(super) fn refuse_exemplar(&mut self, what: &'static str, series: &SampleSeries, problem: &str) {
        let name = series.series.message();
        self.refuse(what, 1, || format!("{}: {problem}", &name[..name.floor_char_boundary(200)]));
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

    /// Returns what was taken, and names what was not.
    pub(super) fn end(self) -> (Stored, Option<String>) {
        let mut text = String::new();
        for Refused { what, n, example } in &self.refused {
            let separator = if text.is_empty() { "not stored: " } else { "; " };
            // Writing to a text succeeds.
            let _ = write!(text, "{separator}{n} {what} ({example})");
        }
        let Self { n_samples, n_histograms, exemplars, .. } = self;
        (Stored { n_samples, n_histograms, exemplars }, (!text.is_empty()).then_some(text))
    }
}

fn instant(ms: i64) -> Timestamp {
    Timestamp(ms.saturating_mul(Timestamp::MILLISECOND))
}

fn too_late(time: i64, latest: i64) -> String {
    format!("{} is after {}; check the sender's clock", instant(time), instant(latest))
}

fn too_early(time: i64) -> String {
    format!("{time} ms from 1970 is before {}, the earliest time that can be stored", instant(EARLIEST))
}

/// Puts the labels of a series before what is wrong with it.
fn of_series(series: &SampleSeries, problem: &str) -> String {
    let shown = series.series.stream();
    format!("{}: {problem}", &shown[..shown.floor_char_boundary(300)])
}

#[cfg(test)]
mod tests;
