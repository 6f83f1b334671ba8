//! AWS X-Ray: `PutTraceSegments` of its SDKs, over HTTP, and the documents that they send to the daemon, over UDP.
//!
//! The SDKs speak REST with JSON: `POST /xray/TraceSegments` for an endpoint `/xray`, signed for the service `xray`. It is
//! here since these requests are signed as those of CloudWatch Logs are, with the same keys, and errors have the same form.
//! Documents that are not stored are listed in the answer; the others are durable. Other operations are refused by name.

pub mod decode;
mod documents;
mod segment;
pub mod udp;

use axum::extract::Request;
use axum::response::Response;
use door::access::Role;
use door::server::FamilyState;
use door::table::{DeliveryMark, Table};
use serde_json::json;

use self::decode::ingest_segments;
use crate::answer::{CloudWatchProblem, answer};
use crate::authentication::{AuthenticatedRequest, admit};
use crate::state::{CloudWatchState, Shared};

/// The service that signatures are for.
const SERVICE: &str = "xray";

const ROUTE: &str = "/xray/TraceSegments";

/// Adds the routes of this API. They need no role: only the handler can check a signature, which covers the body.
pub(crate) fn add(table: Table<FamilyState<CloudWatchState>>) -> Table<FamilyState<CloudWatchState>> {
    table.post(ROUTE, Role::None, put)
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

/// Stores the segment documents of a request.
///
/// # Errors
/// The reason for a refusal, in the form of the service.
async fn put(server: Shared, request: Request) -> Result<Response, CloudWatchProblem> {
    let (parts, body) = request.into_parts();
    let bytes_max = server.app.limits.body_bytes_max;
    let AuthenticatedRequest { server, received, encoding, .. } =
        admit(server, &parts, body, SERVICE, bytes_max).await?;
    if !server.caller.may(Role::Ingest) {
        let message = format!(
            "User: {} is not authorized to perform: xray:PutTraceSegments: it needs a key with the role ingest",
            server.caller.name
        );
        return Err(CloudWatchProblem::denied(message));
    }
    let of_thread = server.clone();
    let n_bytes = received.bytes().len();
    let work = move || {
        let sender = of_thread.sender(None);
        ingest_segments(&of_thread.app.intake, received.bytes(), encoding, &sender)
    };
    let refused = server.intake.run(encoding, n_bytes, work).await??;
    let unprocessed: Vec<_> = refused
        .iter()
        .map(|refused| json!({ "Id": refused.id, "ErrorCode": refused.code, "Message": refused.message }))
        .collect();
    Ok(DeliveryMark::mark(answer(&json!({ "UnprocessedTraceSegments": unprocessed }))))
}
