//! Prometheus' remote write, versions 1.0 and 2.0: samples as a protobuf message in one block of Snappy.
//!
//! What a message has and cannot be kept — histograms that contradict themselves, samples of the future — is named in the answer,
//! with status 400, which tells the sender not to repeat it; everything else of the message is stored first.
//! Source: Prometheus' specification of remote write.

mod message;
mod series;

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::IntoResponse;
use door::headers::{batch_id, content_encoding};
use door::{ErrorFormat, Outcome, Packing, Problem, Reply, Result};
use ingest::{IngestAnswer, IngestError, snappy};
use xxhash_rust::xxh3::xxh3_128;

use crate::metadata::Call;
use crate::problem::PrometheusFormat;
use series::SeriesReader;

/// The message of version 2.0, as its content type names it.
const VERSION_2: &str = "io.prometheus.write.v2.Request";

/// Headers of answers to version 2.0: how much was stored.
const WRITTEN: [HeaderName; 3] = [
    HeaderName::from_static("x-prometheus-remote-write-samples-written"),
    HeaderName::from_static("x-prometheus-remote-write-histograms-written"),
    HeaderName::from_static("x-prometheus-remote-write-exemplars-written"),
];

/// Which message a request holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

pub(crate) fn post(Call { server, parts, .. }: Call) -> Outcome {
    let version = version(&parts.headers)?;
    let batch_id = batch_id(&parts.headers)?;
    let bytes_max = server.app.limits.body_bytes_max;
    let store = move |body: &[u8]| {
        let intake = &server.app.intake;
        // Senders repeat a request whose answer they missed: equal bodies are one batch.
        let own_id = format!("remote write {:032x}", xxh3_128(body));
        let sender = server.sender(batch_id.as_deref().or(Some(&own_id)));
        let key = sender.batch_key(body);
        let mut collector = intake.collect(&sender);
        let ((stored, refused), n_unpacked) = snappy::with_unpacked(body, intake.limits.body_bytes_max, |message| {
            let (shared, state) = (&intake.series, &server.state);
            let mut reader = SeriesReader::new(&mut collector, server.now(), &intake.limits, state);
            match version {
                Version::One => message::read_one(message, &mut reader, shared, state)?,
                Version::Two => message::read_two(message, &mut reader, shared, state)?,
            }
            Ok::<_, IngestError>((reader.end(), message.len() as u64))
        })??;
        if stored.n_samples + stored.n_histograms > 0 || stored.exemplars.n_new > 0 {
            intake.deliver(collector, key, n_unpacked, IngestAnswer::default())?;
            server.state.recent_exemplars().note(&stored.exemplars.seen);
        }
        Ok(reply([stored.n_samples, stored.n_histograms, stored.exemplars.n], refused))
    };
    Ok(Reply::body(bytes_max, |received| Ok(Reply::intake(Packing::Snappy, received, store))))
}

fn reply(written: [u64; 3], refused: Option<String>) -> Reply {
    let mut response = match refused {
        None => StatusCode::NO_CONTENT.into_response(),
        Some(message) => PrometheusFormat.refuse(&Problem::bad_request("not-stored", message)),
    };
    for (name, n) in WRITTEN.into_iter().zip(written) {
        response.headers_mut().insert(name, HeaderValue::from(n));
    }
    Reply::Whole(response)
}

/// Returns the message that the headers name, by default that of version 1.0.
fn version(headers: &HeaderMap) -> Result<Version> {
    let refuse = |message: String, hint: &'static str| {
        Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-encoding", message).hint(hint)
    };
    let encoding = content_encoding(headers);
    if !matches!(&*encoding, "" | "snappy") {
        let message = format!("content encoding {encoding:?} is not supported by remote write");
        return Err(refuse(message, "send the message as one block of Snappy"));
    }
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (name, parameters) = kind.split_once(';').unwrap_or((kind, ""));
    if !matches!(name.trim(), "" | "application/x-protobuf") {
        let message = format!("content type {:?} is not supported by remote write", name.trim());
        return Err(refuse(message, "send application/x-protobuf"));
    }
    match parameters.trim().strip_prefix("proto=").map(str::trim) {
        None | Some("prometheus.WriteRequest") => Ok(Version::One),
        Some(VERSION_2) => Ok(Version::Two),
        Some(other) => Err(refuse(
            format!("the message {other:?} is not known"),
            "send prometheus.WriteRequest or io.prometheus.write.v2.Request",
        )),
    }
}

#[cfg(test)]
mod tests;
