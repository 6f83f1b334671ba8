//! Requests of OTLP with records of logs or spans, as protobuf and as JSON.
//!
//! Attributes of resource, scope and record are fields under their own names, nested ones under dotted paths; those of the
//! record take precedence. The stream is the resource's `service.instance.id` or `host.name`.
//!
//! The body of a log record is the message; the keys of a body that is an object are also fields. Further fields, if present,
//! are `severity_text`, `severity_number`, `trace_id` and `span_id` in lower-case hex, `flags`, `event_name`,
//! `observed_timestamp`, `dropped_attributes_count`, `scope.name` and `scope.version`. The group is the resource's
//! `service.name`, else `otlp`. A span is an event as `ingest::span` describes it.
//!
//! JSON is rewritten as the message that it stands for. A malformed message is refused whole; a span with invalid ids and a record outside the sender's scope or the retention of
//! its group are rejected by their number in the request. Records are read one at a time, without memory besides the body
//! and the events.

mod attributes;
mod body;
mod fields;
mod id;
mod log_record;
mod records;
mod signal;
mod span_record;
mod wire;

use std::borrow::Cow;

use self::body::bad;
use self::records::Records;
pub use self::signal::Signal;
use crate::bodies::LogTarget;
use ingest::otlp_json::to_protobuf;
use ingest::{DecodeBudget, Encoding, IngestAnswer, IngestError, Intake, Sender, decode, lossy};

/// The encoding of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtlpForm {
    /// A protobuf message.
    Protobuf,
    /// Protobuf's JSON form, with ids in hex.
    Json,
}

/// Stores the records of an OTLP request and returns when they are durable. Blocks.
///
/// The line of a rejected record is its number in the request, from 1.
pub fn ingest_otlp(
    intake: &Intake,
    body: &[u8],
    encoding: Encoding,
    kind: (Signal, OtlpForm),
    sender: &Sender<'_>,
) -> Result<IngestAnswer, IngestError> {
    ingest_otlp_into(intake, body, encoding, kind, sender, None)
}

/// Does the same with records that all go to `target`, if there is one.
pub(crate) fn ingest_otlp_into(
    intake: &Intake,
    body: &[u8],
    encoding: Encoding,
    (signal, form): (Signal, OtlpForm),
    sender: &Sender<'_>,
    target: Option<&LogTarget>,
) -> Result<IngestAnswer, IngestError> {
    let body = decode(body, encoding, intake.limits.body_bytes_max)?;
    let message = match form {
        OtlpForm::Protobuf => Cow::Borrowed(&*body),
        OtlpForm::Json => {
            let text = lossy(&body, intake.limits.body_bytes_max)?;
            Cow::Owned(to_protobuf(&text, signal.request()).map_err(bad)?)
        }
    };
    let mut collector = intake.collect(sender);
    let mut rejected = IngestAnswer::default();
    let mut records =
        Records::new(signal, &mut collector, &intake.limits, &mut rejected, DecodeBudget::of_body(body.len()));
    records.target = target;
    wire::read(&message, &mut records)?;
    records.finish()?;
    let accepted = intake.accept(collector, &body, sender)?;
    rejected.add(accepted.clone());
    Ok(IngestAnswer { duplicate: accepted.duplicate, ..rejected })
}

#[cfg(test)]
mod tests;
