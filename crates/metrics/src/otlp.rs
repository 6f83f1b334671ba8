//! OTLP: metrics from OpenTelemetry's exporters and collectors, over HTTP as protobuf and JSON, and over gRPC.
//!
//! Metrics become series as Prometheus' own receiver makes them by default (`UnderscoreEscapingWithSuffixes`): names with units
//! and `_total` (`name`), attributes as labels (`attributes`), points as samples (`points`), exponential histograms as native ones
//! (`exponential`). What is not stored — delta temporality, points of the future — is rejected by its number among the points of the
//! request.

mod attributes;
mod body;
mod exponential;
mod message;
mod name;
mod points;

use std::borrow::Cow;

use door::{Outcome, Server};
use ingest::otlp_json::{METRICS, to_protobuf};
use ingest::{Encoding, IngestAnswer, Result, Sender, decode, lossy};
use otel::otlp::{AnswerNames, OtlpForm, export_with, post_with};
use points::Points;

use crate::metadata::{Call, MetricsState};

/// What answers call a point.
const NAMES: AnswerNames = AnswerNames { noun: "data point", rejected: "rejectedDataPoints" };

/// Answers a request over HTTP.
pub(crate) fn post(Call { server, parts, .. }: Call) -> Outcome {
    let state = server.state.clone();
    post_with(&server, NAMES, &parts.headers, move |server, body, form, sender| {
        ingest(server, &state, body, form, sender)
    })
}

/// Answers an export by gRPC.
pub(crate) fn export(Call { server, parts, .. }: Call) -> Outcome {
    let state = server.state.clone();
    export_with(&server, NAMES, &parts.headers, move |server, body, form, sender| {
        ingest(server, &state, body, form, sender)
    })
}

/// Stores the points of a request and returns when they are durable. Blocks.
fn ingest(
    server: &Server,
    state: &MetricsState,
    (body, encoding): (&[u8], Encoding),
    form: OtlpForm,
    sender: &Sender<'_>,
) -> Result<IngestAnswer> {
    let intake = &server.app.intake;
    let body = decode(body, encoding, intake.limits.body_bytes_max)?;
    let message = match form {
        OtlpForm::Protobuf => Cow::Borrowed(&*body),
        OtlpForm::Json => {
            let text = lossy(&body, intake.limits.body_bytes_max)?;
            Cow::Owned(to_protobuf(&text, &METRICS).map_err(body::bad)?)
        }
    };
    let mut collector = intake.collect(sender);
    let mut points = Points::new(&mut collector, server.now(), &intake.limits, state, message.len());
    message::read(&message, &mut points)?;
    let (rejected, exemplars) = points.end()?;
    let accepted = intake.accept(collector, &body, sender)?;
    state.recent_exemplars().note(&exemplars.seen);
    let mut answer = rejected;
    answer.duplicate = accepted.duplicate;
    Ok(answer)
}
