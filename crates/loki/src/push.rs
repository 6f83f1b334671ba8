//! `push`: stores lines, sent as JSON or as protobuf compressed with Snappy.

pub mod decode;

use axum::http::{HeaderMap, StatusCode, header};
use ingest::Encoding;

pub use self::decode::InFlight;
use self::decode::PushWriter;
use crate::state::Call;
use door::headers::{batch_id, content_encoding, encoding};
use door::{Outcome, Packing, Problem, Reply, Result};

pub(crate) fn post(Call { server, parts, .. }: Call) -> Outcome {
    let form = form(&parts.headers)?;
    let batch_id = batch_id(&parts.headers)?;
    let packing = match form {
        Form::Json(encoding) => encoding.into(),
        Form::Protobuf => Packing::Snappy,
    };
    Ok(Reply::body(server.app.limits.body_bytes_max, move |received| {
        let store = move |body: &[u8]| {
            let (sender, in_flight) = (server.sender(batch_id.as_deref()), &server.state.in_flight);
            let writer = PushWriter { intake: &server.app.intake, store: server.whole_store(), in_flight };
            match form {
                Form::Json(encoding) => writer.json(body, encoding, &sender),
                Form::Protobuf => writer.protobuf(body, &sender),
            }?;
            Ok(StatusCode::NO_CONTENT.into())
        };
        Ok(Reply::intake(packing, received, store))
    }))
}

/// The form of a push request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Json(Encoding),
    Protobuf,
}

/// Returns the form that the headers name, by default JSON.
fn form(headers: &HeaderMap) -> Result<Form> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().trim();
    if !text(header::CONTENT_TYPE).starts_with("application/x-protobuf") {
        return encoding(headers).map(Form::Json);
    }
    match &*content_encoding(headers) {
        // Snappy is part of the form, and most agents do not name it.
        "" | "snappy" | "identity" => Ok(Form::Protobuf),
        other => {
            let message = format!("content encoding {other:?} is not supported for protobuf");
            let problem = Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-encoding", message);
            Err(problem.hint("send it as one block of Snappy"))
        }
    }
}

#[cfg(test)]
mod tests;
