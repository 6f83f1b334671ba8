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
use crate::{Collector, IngestError};

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
pub(super) fn add(
    collector: &mut Collector<'_>,
    line: &[u8],
    notes: &mut SampleNotes,
) -> Result<Result<(), String>, IngestError> {
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
fn add_exemplar(collector: &mut Collector<'_>, comment: &CommentExemplar) -> Result<bool, IngestError> {
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
mod tests {
    use std::sync::Arc;

    use storage::{Options, Store};
    use types::{GroupScope, VALUE_FIELD, Value};

    use super::*;
    use crate::sample::{METRIC_NAME, STALE_BITS, SampleWriter};
    use crate::{Intake, Sender};

    #[test]
    fn a_line_is_labels_a_value_and_a_time() {
        let check = |line: &str| parsed(line.as_bytes(), &Limits::default());
        let (labels, (value, time)) = check(r#"{"job":"a b","__name__":"up"} 0.5 1795210709000"#).expect("a sample");
        assert_eq!((labels.text(), value, time), (r#"{"__name__":"up","job":"a b"}"#, 0.5, 1_795_210_709_000));
        assert_eq!(labels.group().as_str(), "metrics/a_b");
        let (_, (value, _)) = check(r#"{"__name__":"up"} stale 1"#).expect("a sample");
        assert_eq!(value.to_bits(), STALE_BITS);
        for bad in [
            "",
            "up 1 1",
            r#"{"__name__":"up"} 1"#,
            r#"{"__name__":"up"} one 1"#,
            r#"{"__name__":"up"} inf 1"#,
            r#"{"__name__":"up"} 1 1.5"#,
            r#"{"__name__":1} 1 1"#,
            r#"{"job":"x"} 1 1"#,
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_series_is_one_however_many_requests_have_it() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, _) = Store::open(Options::new(dir.path().join("data"))).expect("a store");
        let intake = Intake::new(store, Limits::default(), 0);
        let sender = Sender { name: "", within: &GroupScope::All, batch_id: None, now: Timestamp(1_000_000_000) };
        let ship = |lines: &[&str]| {
            let mut collector = intake.collect(&sender);
            for line in lines {
                let added = add(&mut collector, line.as_bytes(), &mut SampleNotes::default());
                assert_eq!(added.expect("room"), Ok(()), "{line}");
            }
            let batch = collector.into_parts().remove(0).batch;
            let of_row = |row| {
                let [Some(Value::String(stream)), value] =
                    [batch.streams.value(row), batch.field(VALUE_FIELD).value(row)]
                else {
                    panic!("row {row} has no stream")
                };
                (stream.to_string(), value, Timestamp(batch.timestamps.get(row)))
            };
            (batch.series.clone().expect("samples"), (0..batch.len()).map(of_row).collect::<Vec<_>>())
        };
        let texts = ["b", "a", "ab"].map(|job| format!(r#"{{"__name__":"up","job":"x","n":"{job} 1 2"}}"#));
        let lines = |value: i32| texts.each_ref().map(|text| format!("{text} {value}.5 {}", 100 + value));
        let rows = |value: i32| {
            let row = |text: &String| {
                let time = Timestamp(i64::from(100 + value) * Timestamp::MILLISECOND);
                (text.clone(), Some(Value::Float(f64::from(value) + 0.5)), time)
            };
            texts.iter().map(row).collect::<Vec<_>>()
        };
        let send = |lines: [String; 3]| ship(&lines.each_ref().map(String::as_str));
        let ((first, of_first), (second, of_second)) = (send(lines(1)), send(lines(2)));
        assert_eq!((of_first, of_second), (rows(1), rows(2)));
        // From the third time on the next line is expected.
        let (expected, of_expected) = send(lines(3));
        assert_eq!(of_expected, rows(3));
        assert!(first.iter().zip(expected.iter()).all(|(a, b)| Arc::ptr_eq(a, b)));
        // In another order, and spelled in another way.
        let [b, a, _] = lines(3);
        let (third, _) = ship(&[&a, &b.replace(r#""job":"x","n""#, r#""job" : "x", "n""#)]);
        // Other doors have the labels apart.
        let pairs = [(METRIC_NAME, "up"), ("n", "b 1 2"), ("job", "x")];
        let pairs = pairs.map(|(name, value)| (Cow::from(name), Cow::from(value)));
        let labels = SeriesLabels::new(pairs, &Limits::default()).expect("labels");
        let mut collector = intake.collect(&sender);
        let added = SampleWriter::new(&mut collector, &labels).and_then(|mut writer| writer.add(1, 1.0));
        added.expect("room").expect("a sample");
        let fourth = collector.into_parts().remove(0).batch.series.expect("samples");
        let [b, a, ab] = [0, 1, 2].map(|place| &first[place]);
        for (expected, series) in [(b, &second[0]), (a, &second[1]), (ab, &second[2]), (a, &third[0]), (b, &third[1])] {
            assert!(Arc::ptr_eq(expected, series), "{}", series.stream());
        }
        assert!(Arc::ptr_eq(b, &fourth[0]));
        // What follows labels that are expected is read as after others.
        let mut collector = intake.collect(&sender);
        let mut added = |line: String| {
            let added = add(&mut collector, line.as_bytes(), &mut SampleNotes::default());
            added.expect("room")
        };
        let [b, a, ab] = &texts;
        assert_eq!(added(format!("{b} 1 2")), Ok(()));
        assert_eq!(added(format!("{a} 1")), Err(bad()));
        assert_eq!(added(format!("{b} 1 2")), Ok(()));
        assert_eq!((added(format!("{a}  1 2")), added(format!("{ab}\t 1 2"))), (Ok(()), Ok(())));
    }
}
