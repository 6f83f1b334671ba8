//! Samples in the shipper's form: a line is `LABELS VALUE TIME`, the labels as a JSON object of texts, the value a number, `NaN`,
//! `+Inf`, `-Inf` or `stale`, the time in ms since the epoch. A line that begins with `#` and a blank is an exemplar of a series, or
//! what a page says of a metric.
//!
//! ```text
//! {"__name__":"up","instance":"db1:9100","job":"node"} 1 1795210709000
//! # {"exemplar":{"series":{"__name__":"…"},"labels":{"trace_id":"4b"},"value":"0.5","time":1795210709000}}
//! # {"metadata":{"metric":"up","type":"gauge","help":"…","unit":""}}
//! ```
//!
//! The labels say which group a sample belongs to; that of the file is not used. An exemplar that cannot be stored is left out and
//! counted: refused lines are set aside by shippers, and a key for samples alone is usual.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use types::{Limits, Timestamp};

use crate::sample::{
    Exemplar, MetricDescription, SampleSeries, SampleWriter, SeriesLabels, label_pairs, number_of_text,
};
use crate::{Collector, IngestError, Result};

/// What lines have besides samples.
#[derive(Debug, Default)]
pub(super) struct SampleNotes {
    /// What pages say of metrics.
    pub(super) descriptions: Vec<MetricDescription>,
    /// Exemplars that cannot be stored.
    pub(super) exemplars_left_out: u64,
}

/// What follows `# `.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Comment {
    Exemplar(CommentExemplar),
    Metadata(MetricDescription),
}

#[derive(Debug, Deserialize)]
struct CommentExemplar {
    series: BTreeMap<String, String>,
    labels: BTreeMap<String, String>,
    value: String,
    time: i64,
}

/// The series of a line.
enum LineSeries {
    Known(SampleSeries),
    Read(SeriesLabels),
}

/// Adds the sample or exemplar of a line; returns why it is refused.
///
/// # Errors
/// If the samples collected need more memory than a request may hold.
pub(super) fn add(collector: &mut Collector<'_>, line: &[u8], notes: &mut SampleNotes) -> Result<Result<(), String>> {
    let received = collector.received();
    let latest = received.at.0.saturating_add(received.limits.future_ns_max) / Timestamp::MILLISECOND;
    if let Some(comment) = line.strip_prefix(b"# ") {
        match serde_json::from_slice(comment) {
            Ok(Comment::Metadata(description)) => notes.descriptions.push(description),
            Ok(Comment::Exemplar(exemplar)) => {
                let is_stored = exemplar.time <= latest && add_exemplar(collector, &exemplar)?;
                notes.exemplars_left_out += u64::from(!is_stored);
            }
            Err(error) => return Ok(Err(format!("neither an exemplar nor metadata of a metric: {error}"))),
        }
        return Ok(Ok(()));
    }
    let limits = received.limits;
    let known = collector.series_of_line(line);
    let known = known.and_then(|(series, numbers)| Some((LineSeries::Known(series), value_and_time(numbers).ok()?)));
    let parsed = match known {
        Some(parsed) => Ok(parsed),
        None => parsed(line, limits).map(|(labels, numbers)| (LineSeries::Read(labels), numbers)),
    };
    let (series, (value, time)) = match parsed {
        Ok(parsed) => parsed,
        Err(problem) => return Ok(Err(problem)),
    };
    if time > latest {
        let time = Timestamp(time.saturating_mul(Timestamp::MILLISECOND));
        return Ok(Err(format!("the sample is of the future, {time}; check the clock of its sender")));
    }
    let writer = match &series {
        LineSeries::Known(series) => SampleWriter::of_series(collector, series),
        LineSeries::Read(labels) => SampleWriter::new(collector, labels),
    };
    let mut writer = match writer {
        Ok(writer) => writer,
        // A job outside of a key's scope keeps no other job's samples out.
        Err(error @ IngestError::OutOfScope(_)) => return Ok(Err(error.to_string())),
        Err(error) => return Err(error),
    };
    Ok(writer.add(time, value)?.map_err(|refusal| refusal.to_string()))
}

/// Adds an exemplar; reports whether it can be stored.
fn add_exemplar(collector: &mut Collector<'_>, comment: &CommentExemplar) -> Result<bool> {
    fn pairs(labels: &BTreeMap<String, String>) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
        labels.iter().map(|(name, value)| (Cow::from(&**name), Cow::from(&**value)))
    }
    let limits = collector.received().limits;
    let (Some(value), Ok(labels)) = (value_of(&comment.value), SeriesLabels::new(pairs(&comment.series), limits))
    else {
        return Ok(false);
    };
    let exemplar = Exemplar { labels: pairs(&comment.labels).collect(), value, time: comment.time };
    let Ok(text) = exemplar.text() else { return Ok(false) };
    let series = collector.series(&labels);
    Ok(exemplar.add(collector, &series, &text)?.is_ok())
}

fn bad() -> String {
    "not a sample: LABELS VALUE TIME is expected".to_owned()
}

fn parsed(line: &[u8], limits: &Limits) -> Result<(SeriesLabels, (f64, i64)), String> {
    let text = std::str::from_utf8(line).map_err(|_| bad())?;
    let end = text.rmatch_indices(' ').nth(1).map(|(at, _)| at).ok_or_else(bad)?;
    let (labels, numbers) = text.split_at(end);
    let numbers = value_and_time(numbers.as_bytes())?;
    let pairs = label_pairs(labels).ok_or_else(bad)?;
    let labels = SeriesLabels::new(pairs.into_iter().map(|(name, value)| (name.into(), value.into())), limits)?;
    Ok((labels, numbers))
}

/// Reads what follows the labels: ` VALUE TIME`.
fn value_and_time(numbers: &[u8]) -> Result<(f64, i64), String> {
    let text = numbers.strip_prefix(b" ").and_then(|text| std::str::from_utf8(text).ok()).ok_or_else(bad)?;
    let (value, time) = text.split_once(' ').ok_or_else(bad)?;
    Ok((value_of(value).ok_or_else(bad)?, time.parse().map_err(|_| bad())?))
}

fn value_of(text: &str) -> Option<f64> {
    number_of_text(text).or_else(|| text.parse().ok().filter(|value: &f64| value.is_finite()))
}

#[cfg(test)]
mod tests;
