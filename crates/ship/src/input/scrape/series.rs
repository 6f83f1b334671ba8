//! The series of one target from scrape to scrape: which are new, and which have ended and get a stale marker.
//!
//! A page becomes lines `LABELS VALUE TIME` and lines of exemplars, as the server takes them from a shipper ([`super::line`]). A page
//! that breaks a limit or cannot be read gives no samples at all, as in Prometheus. The exemplar of a series is written once: pages
//! repeat it until there is a newer one.

use std::collections::HashMap;

use exposition::{Family, Format, Metadata, Sample};
use xxhash_rust::xxh3::xxh3_64;

use super::job::{Job, ScrapeLimits};
use super::labels::{LabelSet, METRIC_NAME, add_target, get, text_of};
use super::line::{exemplar_fits, number, push_exemplar, push_line};
use super::relabel::relabel;

/// The value of a stale marker.
const STALE: &str = "stale";

/// Series that are remembered beyond twice those of the last page: names that change with each page do not add up.
const SERIES_MORE_MAX: usize = 1_000;

/// What is known of the series of a target.
#[derive(Debug, Default)]
pub(super) struct SeriesState {
    /// The number of the scrape that is being read.
    scrape: u64,
    known: HashMap<Box<str>, Seen>,
    n_of_last_page: usize,
}

/// When a series was seen last, and when last in such a way that it gets a marker when it ends: numbers of scrapes.
#[derive(Debug, Default)]
struct Seen {
    last: u64,
    tracked: u64,
    /// The hash of the exemplar that was written last; 0 before the first.
    exemplar: u64,
}

/// What a scrape gave.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct PageSamples {
    /// The lines of samples, exemplars and stale markers.
    pub(super) lines: String,
    /// What the page says of its metrics.
    pub(super) metadata: Vec<(String, Metadata)>,
    /// Samples on the page.
    pub(super) n_scraped: usize,
    /// Samples after relabelling.
    pub(super) n_kept: usize,
    /// Series that are new.
    pub(super) n_added: usize,
    /// Why the scrape failed.
    pub(super) error: Option<String>,
}

impl SeriesState {
    /// Reads a page that was fetched at `time`, in ms.
    pub(super) fn page(&mut self, text: &str, format: Format, time: i64, job: &Job, target: &LabelSet) -> PageSamples {
        let mut page = PageSamples::default();
        if text.is_empty() {
            self.end(time, &mut page.lines);
            return page;
        }
        self.begin();
        match exposition::read(text, format, job.limits.page_samples) {
            Ok(families) => {
                self.families(&families, time, (job, target), &mut page);
                let described = families.into_iter().filter(is_described);
                page.metadata = described.map(|family| (family.name, family.metadata)).collect();
            }
            Err(error) => {
                self.families(&error.before, time, (job, target), &mut page);
                page.error.get_or_insert_with(|| error.to_string());
            }
        }
        if page.error.is_some() {
            page.lines.clear();
            page.metadata.clear();
            self.finish(time, &mut page.lines);
            return page;
        }
        self.finish(time, &mut page.lines);
        let last = self.scrape;
        self.known.retain(|_, seen| seen.last == last);
        self.n_of_last_page = self.known.len();
        page
    }

    /// Writes stale markers for all series, as there is no page.
    pub(super) fn end(&mut self, time: i64, lines: &mut String) {
        self.begin();
        self.finish(time, lines);
    }

    fn begin(&mut self) {
        self.scrape += 1;
        if self.known.len() > 2 * self.n_of_last_page + SERIES_MORE_MAX {
            let before = self.scrape - 1;
            self.known.retain(|_, seen| seen.last == before);
        }
    }

    /// Writes stale markers for the series that the scrape before had and this one does not.
    fn finish(&self, time: i64, lines: &mut String) {
        let before = self.scrape - 1;
        let mut ended: Vec<&str> = self
            .known
            .iter()
            .filter(|(_, seen)| seen.tracked == before && before > 0)
            .map(|(text, _)| &**text)
            .collect();
        ended.sort_unstable();
        ended.into_iter().for_each(|text| push_line(lines, text, STALE, time));
    }

    /// Adds samples until one breaks a limit.
    fn families(&mut self, families: &[Family], time: i64, of: (&Job, &LabelSet), page: &mut PageSamples) {
        let mut limit_error = None;
        for family in families {
            for sample in &family.samples {
                page.n_scraped += 1;
                match self.sample(sample, family.metadata.kind, time, of, page) {
                    Ok(()) => {}
                    Err(SampleProblem::TooMany(error)) => limit_error = Some(error),
                    Err(SampleProblem::Bad(error)) => {
                        page.error = Some(error);
                        return;
                    }
                }
            }
        }
        page.error = limit_error;
    }

    fn sample(
        &mut self,
        sample: &Sample,
        kind: &str,
        time: i64,
        (job, target): (&Job, &LabelSet),
        page: &mut PageSamples,
    ) -> Result<(), SampleProblem> {
        let mut labels = labels_of(sample, kind);
        add_target(&mut labels, target, job.honors_labels);
        if !relabel(&job.metric_relabel, &mut labels) || labels.is_empty() {
            return Ok(());
        }
        check_labels(&labels, &job.limits).map_err(SampleProblem::Bad)?;
        let own_time = sample.time.filter(|_| job.honors_times);
        let text = text_of(&labels);
        let (scrape, is_tracked) = (self.scrape, own_time.is_none() || job.tracks_times);
        page.n_kept += 1;
        match self.known.get_mut(&*text) {
            // Of two samples of a series without times of their own the first counts.
            Some(seen) if seen.last == scrape && own_time.is_none() => return Ok(()),
            Some(seen) if page.n_kept <= job.limits.samples => {
                seen.last = scrape;
                seen.tracked = if is_tracked { scrape } else { seen.tracked };
            }
            None if page.n_kept <= job.limits.samples => {
                let seen = Seen { last: scrape, tracked: if is_tracked { scrape } else { 0 }, exemplar: 0 };
                self.known.insert(text.clone().into(), seen);
                page.n_added += 1;
            }
            _ => {
                let limit = job.limits.samples;
                return Err(SampleProblem::TooMany(format!("more than {limit} samples (sample_limit)")));
            }
        }
        push_line(&mut page.lines, &text, &number(sample.value), own_time.unwrap_or(time));
        self.exemplar(sample, time, &text, page);
        Ok(())
    }

    /// Writes the exemplar of a sample, unless it is the last one of its series; as in Prometheus, its time is part of it only
    /// where the page has one.
    fn exemplar(&mut self, sample: &Sample, time: i64, series: &str, page: &mut PageSamples) {
        let Some(exemplar) = sample.exemplar.as_deref().filter(|exemplar| exemplar_fits(exemplar)) else { return };
        let Some(seen) = self.known.get_mut(series) else { return };
        let spelled = format!("{:?} {:x} {:?}", exemplar.labels, exemplar.value.to_bits(), exemplar.time);
        let hash = xxh3_64(spelled.as_bytes()).max(1);
        if seen.exemplar != hash {
            seen.exemplar = hash;
            push_exemplar(&mut page.lines, series, exemplar, time);
        }
    }
}

/// Reports whether a page says something of a metric.
fn is_described(family: &Family) -> bool {
    let Metadata { kind, help, unit } = &family.metadata;
    *kind != exposition::KINDS[0] || !help.is_empty() || !unit.is_empty()
}

/// Why a page fails.
enum SampleProblem {
    /// Samples are counted to the end of the page.
    TooMany(String),
    Bad(String),
}

/// Returns the labels of a sample as they are on the page, also empty ones. Bounds of buckets and quantiles are written as in OpenMetrics.
fn labels_of(sample: &Sample, kind: &str) -> LabelSet {
    let mut labels: LabelSet = sample.labels.iter().cloned().collect();
    let bound = match kind {
        "histogram" if sample.name.ends_with("_bucket") => Some("le"),
        "summary" => Some("quantile"),
        _ => None,
    };
    if let Some(value) = bound.and_then(|name| labels.get_mut(name))
        && let Some(number) = exposition::number_of(value)
    {
        *value = openmetrics_number(number);
    }
    labels.insert(METRIC_NAME.to_owned(), sample.name.clone());
    labels
}

fn check_labels(labels: &LabelSet, limits: &ScrapeLimits) -> Result<(), String> {
    let name = get(labels, METRIC_NAME);
    types::ensure!(!name.is_empty(), format!("relabelling left a sample without a name: {}", text_of(labels)));
    if labels.len() > limits.labels {
        let (n, most) = (labels.len(), limits.labels);
        return Err(format!("a sample of {name:?} has {n} labels, more than {most} (label_limit)"));
    }
    for (label, value) in labels {
        if label.len() > limits.name_bytes {
            let most = limits.name_bytes;
            return Err(format!(
                "{name:?} has a label whose name is longer than {most} bytes (label_name_length_limit)"
            ));
        }
        if value.len() > limits.value_bytes {
            let most = limits.value_bytes;
            return Err(format!(
                "the label {label:?} of {name:?} is longer than {most} bytes (label_value_length_limit)"
            ));
        }
    }
    Ok(())
}

/// Returns the line of a sample without labels of its own, such as `up`; `None` is a stale marker.
pub(super) fn push_report(lines: &mut String, name: &str, target: &LabelSet, value: Option<f64>, time: i64) {
    let mut labels = target.clone();
    labels.insert(METRIC_NAME.to_owned(), name.to_owned());
    push_line(lines, &text_of(&labels), &value.map_or_else(|| STALE.to_owned(), number), time);
}

/// Returns a number as OpenMetrics has bounds: `1` is `1.0`, a million is `1e+06`.
fn openmetrics_number(value: f64) -> String {
    if !value.is_finite() {
        return number(value);
    }
    let shortest = format!("{value:e}");
    let Some((digits, exponent)) = shortest.split_once('e') else { return shortest };
    match exponent.parse::<i32>() {
        Ok(exponent) if value != 0.0 && !(-4..6).contains(&exponent) => {
            format!("{digits}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs())
        }
        _ if value.fract() == 0.0 => format!("{value:.1}"),
        _ => value.to_string(),
    }
}

#[cfg(test)]
mod tests;
