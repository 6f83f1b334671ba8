//! AWS X-Ray: `PutTraceSegments` of its SDKs, over HTTP, and the documents that they send to the daemon, over UDP. The
//! operations that read are in the crate `traces`; they use the check of requests here ([`carry_out`]) and the form of
//! answers.
//!
//! The SDKs speak REST with JSON: `POST /xray/TraceSegments` for an endpoint `/xray`, signed for the service `xray`. It is
//! here since these requests are signed like those of CloudWatch Logs, with the same keys, and errors have the same form.
//! Documents that are not stored are listed in the answer; the others are durable. Operations without a route are refused by
//! name.

pub mod decode;
mod documents;
mod segment;
pub mod udp;

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use door::{Call, DeliveryMark, FamilyServer, Outcome, Problem, Reply, Role};
use ingest::decode as decompressed;
use serde_json::json;

use self::decode::ingest_segments;
use crate::answer::{CloudWatchProblem, Result, answer};
use crate::authentication::{AuthenticatedRequest, admit};
use crate::request::BODY_BYTES_MAX;
pub use crate::request::Step;
use crate::state::{Routes, Shared};

/// The service that signatures are for.
const SERVICE: &str = "xray";

const ROUTE: &str = "/xray/TraceSegments";

/// Adds the routes of this API. They need no role: only the handler can check a signature, which covers the body.
pub(crate) fn add(routes: Routes) -> Routes {
    routes.post(ROUTE, Role::None, |call| call.answered_by(put))
}

/// Reports whether a path is one of X-Ray's.
pub fn is_address(path: &str) -> bool {
    path == "/xray" || path.starts_with("/xray/")
}

/// Refuses an operation without a route.
pub fn refusal(path: &str) -> CloudWatchProblem {
    let message = format!("The operation at {path} is not supported here; send segments to {ROUTE}.");
    CloudWatchProblem::new("UnknownOperationException", message)
}

/// Returns an error in the form of the service.
pub fn problem(problem: impl Into<Problem>) -> CloudWatchProblem {
    CloudWatchProblem::from(problem).of_xray()
}

/// Answers an operation without segments, which `begin` begins with the body. The caller, known by a key or a signature, needs one
/// of `roles`; a refusal is an answer in the form of the service.
pub fn carry_out<S: Send + Sync + 'static>(
    call: Call<S>,
    operation: &'static str,
    roles: &'static [Role],
    begin: fn(&FamilyServer<S>, &[u8]) -> Result<Step, Problem>,
) -> Outcome {
    let Call { server, parts, .. } = call;
    Ok(Reply::Later(Box::new(move |body| {
        let answered = async move {
            let admitted = admit(server, &parts, body, SERVICE, BODY_BYTES_MAX).await;
            let AuthenticatedRequest { server, received, encoding, .. } =
                admitted.map_err(CloudWatchProblem::of_xray)?;
            CloudWatchProblem::unless(&server.caller, &format!("xray:{operation}"), roles)?;
            let body = decompressed(received.bytes(), encoding, BODY_BYTES_MAX).map_err(problem)?;
            let step = begin(&server, &body).map_err(problem)?;
            step.answer(&server).await.map_err(CloudWatchProblem::of_xray)
        };
        Box::pin(async move {
            Ok(Reply::Whole(answered.await.map_or_else(IntoResponse::into_response, |value| answer(&value))))
        })
    })))
}

/// Stores the segment documents of a request.
///
/// # Errors
/// The reason for a refusal, in the form of the service.
async fn put(server: Shared, request: Request) -> Result<Response> {
    let (parts, body) = request.into_parts();
    let bytes_max = server.app.limits.body_bytes_max;
    let admitted = admit(server, &parts, body, SERVICE, bytes_max).await.map_err(CloudWatchProblem::of_xray)?;
    let AuthenticatedRequest { server, received, encoding, .. } = admitted;
    CloudWatchProblem::unless(&server.caller, "xray:PutTraceSegments", &[Role::Ingest])?;
    let of_thread = server.clone();
    let n_bytes = received.bytes().len();
    let work = move || {
        let sender = of_thread.sender(None);
        ingest_segments(&of_thread.app.intake, received.bytes(), encoding, &sender)
    };
    let refused = server.intake.run(encoding, n_bytes, work).await.map_err(problem)?.map_err(problem)?;
    let unprocessed: Vec<_> = refused
        .iter()
        .map(|refused| json!({ "Id": refused.id, "ErrorCode": refused.code, "Message": refused.message }))
        .collect();
    Ok(DeliveryMark::mark(answer(&json!({ "UnprocessedTraceSegments": unprocessed }))))
}
