//! Prometheus' remote read: the samples of selected series as a protobuf message in one block of Snappy.
//!
//! Answers are samples, which every client accepts; a client that accepts nothing but streamed chunks is refused. The samples that a
//! request may read are limited as those of a query.
//! Source: Prometheus' specification of remote read.

mod message;

use std::sync::Mutex;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::IntoResponse;
use door::headers::content_encoding;
use door::{Outcome, Problem, QueryRun, Reply, Result};
use ingest::snappy;
use promql::{Selection, Source};
use series::SampleSource;
use types::Hold;

use self::message::{ReadQuery, ReadSeries, encode};
use crate::metadata::Call;

/// Largest body: queries are matchers.
const BODY_BYTES_MAX: usize = 1 << 20;

/// Bytes of memory per sample that is read: as a point, and in the message.
const SAMPLE_BYTES: usize = 80;

/// Answers `read`.
pub(crate) fn post(Call { server, parts, .. }: Call) -> Outcome {
    let encoding = content_encoding(&parts.headers);
    if !matches!(&*encoding, "" | "snappy") {
        let message = format!("content encoding {encoding:?} is not supported by remote read");
        let problem = Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-encoding", message);
        return Err(problem.hint("send the message as one block of Snappy"));
    }
    Ok(Reply::body(BODY_BYTES_MAX, move |received| {
        let message = snappy::unpack(received.bytes(), BODY_BYTES_MAX)?;
        let queries = message::queries(&message)?;
        Ok(Reply::query(&server, "remote read", move |run| answer(run, &queries)))
    }))
}

fn answer(run: &QueryRun<'_>, queries: &[ReadQuery]) -> Outcome {
    let samples_max = run.server.app.limits.query_memory_bytes / SAMPLE_BYTES;
    let (mut results, mut left) = (Vec::new(), samples_max);
    for query in queries {
        let source = SampleSource::new(run, left);
        let found = selected(&source, query)?;
        left = left.saturating_sub(found.iter().map(ReadSeries::n_samples).sum());
        if let Some(missing) = source.into_missing().into_iter().next() {
            // The message has no place for a warning, and a part must not pass for the whole.
            return Err(Problem::internal(missing));
        }
        results.push(found);
    }
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf")),
        (header::CONTENT_ENCODING, HeaderValue::from_static("snappy")),
    ];
    Ok(Reply::Whole((headers, snappy::pack(&encode(&results))?).into_response()))
}

/// Returns the series of a query in order of their labels.
fn selected(source: &SampleSource<&QueryRun<'_>>, query: &ReadQuery) -> Result<Vec<ReadSeries>> {
    let found: Mutex<Vec<ReadSeries>> = Mutex::default();
    let after = query.start.saturating_sub(1);
    let selection = Selection { matchers: &query.matchers, after, until: query.end };
    let selected = source.select(&selection, &|series| {
        let floats = series.times.iter().copied().zip(series.values.iter().copied()).collect();
        let histograms = series.histogram_times.iter().copied().zip(series.histograms.iter().cloned()).collect();
        let of_series = ReadSeries { labels: series.labels.clone(), floats, histograms };
        found.hold().push(of_series);
        Ok(())
    });
    selected.map_err(|error| Problem::unprocessable("execution", error.to_string()))?;
    let mut found = found.into_held();
    found.sort_by(|a, b| a.labels.cmp(&b.labels));
    Ok(found)
}
