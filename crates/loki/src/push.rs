//! `push`: stores lines, sent as JSON or as protobuf compressed with Snappy.

pub mod decode;

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use ingest::Encoding;

pub use self::decode::InFlight;
use self::decode::PushWriter;
use crate::problem::LokiProblem;
use door::headers::{batch_id, content_encoding, encoding};
use door::intake_gates::Packing;
use door::problem::Problem;
use door::server::FamilyServer;

pub(crate) async fn post(
    server: FamilyServer<LokiState>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, LokiProblem> {
    let form = form(&headers)?;
    let batch_id = batch_id(&headers)?;
    let received = server.bodies.read(body, server.app.limits.body_bytes_max).await?;
    let of_thread = server.clone();
    let n_bytes = received.bytes().len();
    let work = move || {
        let (sender, body) = (of_thread.sender(batch_id.as_deref()), received.bytes());
        let in_flight = &of_thread.state.in_flight;
        let writer = PushWriter { intake: &of_thread.app.intake, store: of_thread.whole_store(), in_flight };
        match form {
            Form::Json(encoding) => writer.json(body, encoding, &sender),
            Form::Protobuf => writer.protobuf(body, &sender),
        }
    };
    let packing = match form {
        Form::Json(encoding) => encoding.into(),
        Form::Protobuf => Packing::Snappy,
    };
    server.intake.run(packing, n_bytes, work).await??;
    Ok(StatusCode::NO_CONTENT)
}

/// The state of this API.
#[derive(Debug, Default)]
pub struct LokiState {
    /// Streams whose lines are being stored.
    pub(crate) in_flight: InFlight,
}

/// The form of a push request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Json(Encoding),
    Protobuf,
}

/// Returns the form that the headers name, by default JSON.
fn form(headers: &HeaderMap) -> Result<Form, Problem> {
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
