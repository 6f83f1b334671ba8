//! Requests that a node does not answer itself: they go to one that has the role.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header};
use axum::response::{IntoResponse, Response};
use data_encoding::HEXLOWER;
use hyper::body::{Frame, SizeHint};
use storage::{NodeStatus, Store};
use types::{Hold, ensure};

use super::link::{CODE_HEADER, FleetLink, cause_of};
use crate::access::{Caller, HandedOver, Role, Standing};
use crate::problem::Problem;

/// Routes that every node answers itself: they are about the node.
const OWN_ROUTES: [&str; 8] = [
    "/metrics",
    "/api/v1/status",
    "/api/v1/status/flush",
    "/api/v1/status/reload",
    "/api/v1/status/confirm-clock",
    "/api/v1/fleet",
    "/api/v1/queries",
    "/api/v1/queries/{id}",
];

/// Headers that belong to one connection (RFC 9110, section 7.6.1), and those that the client writes itself.
const HOP_HEADERS: [HeaderName; 8] = [
    header::CONNECTION,
    header::HOST,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// The name of the host that the request was sent to.
const HOST_HEADER: HeaderName = HeaderName::from_static("catat-host");

/// What the caller is at the node that handed the request over.
const STANDING_HEADER: HeaderName = HeaderName::from_static("catat-standing");

/// Whose turn it is among the nodes that have a role.
static TURN: AtomicUsize = AtomicUsize::new(0);

/// Finds out whether a node has handed a request over, and gives it back the host that it was sent to and what its
/// caller is there.
pub(crate) fn receive(link: &FleetLink, request: &mut Request) {
    let standing = request.headers_mut().remove(STANDING_HEADER);
    let standing = standing.as_ref().and_then(|name| Standing::named(name.to_str().ok()?)).unwrap_or(Standing::Shown);
    let Some(host) = request.headers_mut().remove(HOST_HEADER) else { return };
    let code = said(request.method(), &target_of(request), &host, standing);
    if link.is_from_node(request.headers(), "forward", &code.iter().map(Vec::as_slice).collect::<Vec<_>>()) {
        request.headers_mut().insert(header::HOST, host);
        request.extensions_mut().insert(HandedOver(standing));
    }
}

/// Returns what the code of a request that is handed over covers; nodes of earlier versions know no standing.
fn said(method: &Method, target: &str, host: &HeaderValue, standing: Standing) -> Vec<Vec<u8>> {
    let mut parts = vec![method.as_str().as_bytes().to_vec(), target.as_bytes().to_vec(), host.as_bytes().to_vec()];
    parts.extend((standing != Standing::Shown).then(|| standing.name().as_bytes().to_vec()));
    parts
}

fn target_of(request: &Request) -> String {
    request.uri().path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string)
}

/// Hands a request on whose route needs `role`, if this node leaves such requests to others; gives it back where it does
/// not.
pub(crate) async fn forward(
    link: &FleetLink,
    store: &Store,
    role: Role,
    route: &str,
    request: Request,
) -> Result<Response, Request> {
    let needed = match role {
        Role::None | Role::Any => return Err(request),
        Role::Ingest => "ingest",
        Role::Read | Role::Operate | Role::Admin => "query",
    };
    ensure!(!link.options.does(needed) && !OWN_ROUTES.contains(&route), request);
    let nodes = link.others(store, needed);
    let is_forwarded = request.extensions().get::<HandedOver>().is_some();
    if is_forwarded || nodes.is_empty() {
        let message = format!("this node does not have the role {needed}, and no node that has it can be reached");
        return Ok(Problem::unavailable("no-node", message).retry_after(2).into_response());
    }
    let node = &nodes[TURN.fetch_add(1, Ordering::Relaxed) % nodes.len()];
    if request.headers().contains_key(header::UPGRADE) || request.version() == Version::HTTP_2 {
        let message = format!("this node does not have the role {needed}, and hands on neither websockets nor HTTP/2");
        let problem = Problem::new(StatusCode::MISDIRECTED_REQUEST, "wrong-node", message);
        return Ok(problem.hint(format!("ask {}, which has the role", node.address)).into_response());
    }
    Ok(send(link, node, request).await.unwrap_or_else(|problem| {
        link.suspect(&node.name, &problem);
        let message = format!("the node {} did not answer: {problem}", node.name);
        Problem::unavailable("node-away", message).retry_after(1).into_response()
    }))
}

async fn send(link: &FleetLink, node: &NodeStatus, request: Request) -> Result<Response, String> {
    let target = target_of(&request);
    let host = request.headers().get(header::HOST).cloned().unwrap_or(HeaderValue::from_static(""));
    let standing = request.extensions().get::<Arc<Caller>>().map_or(Standing::Shown, |caller| caller.standing());
    let (parts, body) = request.into_parts();
    let said = said(&parts.method, &target, &host, standing);
    let code = link.code("forward", &said.iter().map(Vec::as_slice).collect::<Vec<_>>());
    let mut headers = without_hops(&parts.headers);
    headers.insert(HOST_HEADER, host);
    headers.insert(STANDING_HEADER, HeaderValue::from_static(standing.name()));
    // Marks the request as proxied: it then needs a key, even where the other node is on this machine.
    headers.append(header::VIA, HeaderValue::from_static("1.1 catat"));
    let url = format!("{}{target}", node.address.trim_end_matches('/'));
    let request = link.client.request(parts.method, url).headers(headers).header(CODE_HEADER, HEXLOWER.encode(&code));
    let answered = request
        .body(reqwest::Body::wrap(SharedBody(Mutex::new(body))))
        .send()
        .await
        .map_err(|error| cause_of(&error))?;
    let (head, body) = axum::http::Response::from(answered).into_parts();
    let mut response = Response::new(Body::new(body));
    *response.status_mut() = head.status;
    *response.headers_mut() = without_hops(&head.headers);
    Ok(response)
}

/// A body that several threads may hold, as the client wants it. Only one ever does.
struct SharedBody(Mutex<Body>);

impl HttpBody for SharedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let body = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        Pin::new(body).poll_frame(context)
    }

    fn size_hint(&self) -> SizeHint {
        self.0.hold().size_hint()
    }
}

/// Returns headers without those of the connection.
fn without_hops(headers: &HeaderMap) -> HeaderMap {
    let mut kept = headers.clone();
    HOP_HEADERS.iter().for_each(|name| {
        kept.remove(name);
    });
    kept
}
