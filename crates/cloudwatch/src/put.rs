//! `PutLogEvents`: stores events.

pub mod decode;

use axum::response::Response;
use ingest::{Encoding, lossy};
use serde_json::{Value, json};

use self::decode::{PutError, PutLogEvents, PutOutcome, ingest_cloudwatch};
use super::answer::{CloudWatchProblem, Result, answer};
use super::request::OperationRequest;
use door::{RequestBody, Role};

/// The sequence token in every answer. Older agents require one; it has no effect.
pub(super) const SEQUENCE_TOKEN: &str = "49000000000000000000000000000000000000000000000000000000";

pub(super) async fn put(asked: OperationRequest, received: RequestBody, encoding: Encoding) -> Result<Response> {
    asked.require(&[Role::Ingest])?;
    let (server, n_bytes) = (asked.server.clone(), received.bytes().len());
    let work = move || {
        let bytes_max = asked.server.app.limits.body_bytes_max;
        let body = ingest::decode(received.bytes(), encoding, bytes_max)?;
        let text = lossy(&body, bytes_max)?;
        let put = PutLogEvents::read(text.as_bytes()).map_err(refused)?;
        asked.change(&put.group)?;
        let app = &asked.server.app;
        asked.server.state.groups.check_stream(asked.server.whole_store(), &put.group, &put.stream)?;
        Ok(outcome_json(&ingest_cloudwatch(&app.intake, &put, &body, &asked.server.sender(None))?))
    };
    let done: Result<Value> = server.intake.run(encoding, n_bytes, work).await?;
    done.map(|value| answer(&value))
}

fn outcome_json(outcome: &PutOutcome) -> Value {
    let mut json = json!({"nextSequenceToken": SEQUENCE_TOKEN});
    let places =
        [("tooNewLogEventStartIndex", outcome.too_new_from), ("expiredLogEventEndIndex", outcome.expired_until)];
    for (name, place) in places {
        if let Some(place) = place {
            json["rejectedLogEventsInfo"][name] = place.into();
        }
    }
    json
}

pub(super) fn refused(error: PutError) -> CloudWatchProblem {
    match error {
        PutError::Form(message) => CloudWatchProblem::new("SerializationException", message),
        PutError::Rule(message) => CloudWatchProblem::parameter(message),
    }
}
