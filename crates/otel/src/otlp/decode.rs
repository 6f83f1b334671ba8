//! OTLP logs: the request that OpenTelemetry's exporters and collectors send, as protobuf and as JSON.
//!
//! The body of a record is the message; a body that is an object gives its keys as fields too. Attributes of resource,
//! scope and record are fields under their own names (those of the record win), nested ones under dotted paths.
//! Beside them stand `severity_text`, `severity_number`, `trace_id` and `span_id` in lower-case hex, `flags`,
//! `event_name`, `observed_timestamp`, `dropped_attributes_count`, `scope.name` and `scope.version`, each where it is
//! there. The group is the resource's `service.name`, else `otlp`; the stream its `service.instance.id` or `host.name`.
//!
//! A message that cannot be read is refused whole; a record that its group may not or would not keep is rejected by its
//! number in the request. Records are read one at a time: memory beside the body is that of the events.

mod body;
mod fields;
mod json;
mod records;
mod wire;

use self::records::Records;
use ingest::{Encoding, IngestAnswer, IngestError, Intake, Sender, decode, lossy};

/// How a request is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtlpForm {
    /// As a protobuf message.
    Protobuf,
    /// As protobuf's JSON, with ids in hex.
    Json,
}

/// Stores the records of an OTLP logs request and returns when they are durable. Blocks.
///
/// Rejected records have their number in the request, from 1, as line.
pub fn ingest_otlp(
    intake: &Intake,
    body: &[u8],
    encoding: Encoding,
    form: OtlpForm,
    sender: &Sender<'_>,
) -> Result<IngestAnswer, IngestError> {
    let body = decode(body, encoding, intake.limits().body_bytes_max)?;
    let mut collector = intake.collect(sender);
    let mut rejected = IngestAnswer::default();
    let mut records = Records::new(&mut collector, intake.limits(), &mut rejected);
    match form {
        OtlpForm::Protobuf => wire::read(&body, &mut records)?,
        OtlpForm::Json => json::read(&lossy(&body, intake.limits().body_bytes_max)?, &mut records)?,
    }
    records.finish()?;
    let accepted = intake.accept(collector, &body, sender)?;
    rejected.add(accepted.clone());
    Ok(IngestAnswer { duplicate: accepted.duplicate, ..rejected })
}

#[cfg(test)]
mod tests;
