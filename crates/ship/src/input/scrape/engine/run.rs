//! A target at work: from a fetched page to the lines of a scrape.

use std::time::{Duration, Instant};

use exposition::Format;
use types::Timestamp;

use super::super::job::Job;
use super::super::labels::LabelSet;
use super::super::pool::{Fetched, Page};
use super::super::series::{PageSamples, SeriesState, push_report};
use super::super::target::Target;

/// What a scrape says about itself, in this order.
const REPORTS: [&str; 5] = [
    "up",
    "scrape_duration_seconds",
    "scrape_samples_scraped",
    "scrape_samples_post_metric_relabeling",
    "scrape_series_added",
];

/// How far the time of a scrape may be from its schedule to be written as the scheduled time, as in Prometheus: times with equal
/// distances take less room.
const TOLERANCE_MS: i64 = 2;

/// A target and its series.
pub(super) struct TargetRun {
    /// The place of its job.
    pub(super) job: usize,
    pub(super) target: Target,
    pub(super) is_fetching: bool,
    /// When the scrape that runs, or ran last, was to begin.
    pub(super) due: Instant,
    /// When its series end, if it is gone.
    pub(super) ends_at: Option<Instant>,
    /// Its labels before relabelling.
    pub(super) discovered: LabelSet,
    /// How the last scrape ended.
    pub(super) outcome: Option<ScrapeOutcome>,
    series: SeriesState,
    /// The schedule and the last scrape, in ms.
    scheduled: Option<i64>,
    last: Option<i64>,
}

/// How a scrape ended.
#[derive(Clone, Debug)]
pub(super) struct ScrapeOutcome {
    pub(super) began: Timestamp,
    pub(super) took: Duration,
    pub(super) error: Option<String>,
}

impl TargetRun {
    pub(super) fn new(job: usize, target: Target, discovered: LabelSet) -> Self {
        Self {
            job,
            target,
            is_fetching: false,
            due: Instant::now(),
            ends_at: None,
            discovered,
            outcome: None,
            series: SeriesState::default(),
            scheduled: None,
            last: None,
        }
    }

    /// Notes that the target is gone; returns when its series end: when it would have been scraped next.
    pub(super) fn end(&mut self, now: Instant) -> Instant {
        let end = if self.last.is_some() { (self.due + self.target.interval).max(now) } else { now };
        *self.ends_at.get_or_insert(end)
    }

    /// Returns what a scrape gave.
    pub(super) fn write(&mut self, job: &Job, fetched: Fetched) -> PageSamples {
        let time = self.aligned(fetched.began.0.div_euclid(Timestamp::MILLISECOND));
        let mut samples = match fetched.page {
            Ok(page) => self.read(job, &page, time),
            Err(error) => {
                let mut samples = PageSamples { error: Some(error), ..PageSamples::default() };
                self.series.end(time, &mut samples.lines);
                samples
            }
        };
        let is_up = if samples.error.is_none() { 1.0 } else { 0.0 };
        let counts = [samples.n_scraped, samples.n_kept, samples.n_added].map(|n| n as f64);
        let values = [is_up, fetched.took.as_secs_f64(), counts[0], counts[1], counts[2]];
        for (name, value) in REPORTS.iter().zip(values) {
            push_report(&mut samples.lines, name, &self.target.labels, Some(value), time);
        }
        self.last = Some(time);
        let (began, took) = (fetched.began, fetched.took);
        self.outcome = Some(ScrapeOutcome { began, took, error: samples.error.clone() });
        samples
    }

    fn read(&mut self, job: &Job, page: &Page, time: i64) -> PageSamples {
        let format = match (&*page.content_type, job.fallback) {
            (kind, Some(fallback)) if !Format::is_named_by(kind) => Some(fallback),
            (kind, _) => Format::of_content_type(kind),
        };
        if let Some(format) = format {
            return self.series.page(&page.text, format, time, job, &self.target.labels);
        }
        let error = Some(format!("the page is {:?}, which is not a text format of metrics", page.content_type));
        let mut samples = PageSamples { error, ..PageSamples::default() };
        self.series.end(time, &mut samples.lines);
        samples
    }

    /// Returns the stale markers of all series of a target that is gone.
    pub(super) fn last_lines(&mut self) -> String {
        let mut lines = String::new();
        let Some(last) = self.last else { return lines };
        let interval = i64::try_from(self.target.interval.as_millis()).unwrap_or(i64::MAX);
        let time = last.saturating_add(interval);
        self.series.end(time, &mut lines);
        for name in REPORTS {
            push_report(&mut lines, name, &self.target.labels, None, time);
        }
        lines
    }

    /// Returns the time of a scrape in ms: the scheduled one if it is near.
    fn aligned(&mut self, began: i64) -> i64 {
        let interval = i64::try_from(self.target.interval.as_millis()).unwrap_or(i64::MAX).max(1);
        let scheduled =
            self.scheduled.map_or(began, |scheduled| scheduled + (began - scheduled).div_euclid(interval) * interval);
        self.scheduled = Some(scheduled);
        let tolerance = TOLERANCE_MS.min(interval / 100);
        if (began - scheduled).abs() <= tolerance { scheduled } else { began }
    }
}
