//! `push`: lines in Loki's own form. JSON only; the snappy-compressed protobuf form is refused as unsupported.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};

use super::LokiProblem;
use crate::problem::Problem;
use crate::routes::ingest::{batch_id, encoding, gate};
use crate::server::Shared;

pub(crate) async fn post(State(server): Shared, headers: HeaderMap, body: Body) -> Result<StatusCode, LokiProblem> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if content_type.contains("protobuf") {
        let message = "push as protobuf is not supported; send application/json";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-format", message).into());
    }
    let (encoding, batch_id) = (encoding(&headers)?, batch_id(&headers)?);
    let mut received = server.bodies.read(body, server.app.limits.body_bytes_max).await?;
    let of_thread = server.clone();
    let work = move || {
        let intake = &of_thread.app.intake;
        intake.ingest_loki(received.take(), encoding, batch_id.as_deref(), "", of_thread.now())
    };
    gate(&server, encoding).run(work).await??;
    Ok(StatusCode::NO_CONTENT)
}
