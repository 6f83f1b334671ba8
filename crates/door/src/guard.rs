//! What every request passes on its way to a route, and every answer on its way back.
//!
//! Admission by key, session or address; the lock of a store without its control store; limits of a key; counting;
//! compression; headers that every answer carries; a panic of a handler as an answer.

use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use tower_http::CompressionLevel;
use tower_http::compression::predicate::{NotForContentType, Predicate};
use tower_http::compression::{CompressionLayer, DefaultPredicate};
use tracing::{debug, error};

use crate::access::{Caller, KeyRevoked, RevocableBody};
use crate::fleet::receive;
use crate::format::{FormatOf, formatted};
use crate::noted_request::NotedRequest;
use crate::problem::Problem;
use crate::server::{Server, SignIn};
use crate::table::{AccessRefusal, DeliveryMark, Handing};

/// Routes that answer while the store is locked: whether the server lives, why it is locked, the manual, and the page.
const OPEN_WHILE_LOCKED: [&str; 8] = [
    "/-/healthy", "/-/ready", "/ready", "/api/openapi.json", "/docs", "/docs/{page}", "/docs/{folder}/{page}", "other",
];

const POLICY: &str = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'self'; \
                      form-action 'self'; frame-ancestors 'none'";

/// Headers that every answer carries, page or not.
pub const SECURITY_HEADERS: [(HeaderName, HeaderValue); 4] = [
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
];

/// Refusals after which routes that need no key still answer.
const OPEN_AFTER: [StatusCode; 2] = [StatusCode::UNAUTHORIZED, StatusCode::TOO_MANY_REQUESTS];

/// Marks the answer to a caller who ended their own session: it is theirs all the same.
#[derive(Clone, Copy, Debug)]
pub struct SessionEnd;

/// What the guard knows.
#[derive(Clone)]
struct Guard {
    server: Arc<Server>,
    format_of: FormatOf,
}

/// Returns `router` with the guard before all of its routes.
pub fn guarded(router: Router, server: Arc<Server>, format_of: FormatOf) -> Router {
    router
        .layer(from_fn(catch_panic))
        .layer(from_fn_with_state(Guard { server, format_of }, guard))
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(is_worth_packing()))
}

/// Reports whether an answer is compressed: not if it already is, and not if it is live and would wait for it.
fn is_worth_packing() -> impl Predicate {
    let live = NotForContentType::const_new("application/vnd.amazon.eventstream");
    DefaultPredicate::new().and(NotForContentType::const_new("application/gzip")).and(live)
}

/// Admits a request, counts its answer, and adds the headers that every answer carries.
async fn guard(State(guard): State<Guard>, mut request: Request, next: Next) -> Response {
    let Guard { server, format_of } = guard;
    let started = Instant::now();
    if let Some(link) = &server.app.fleet {
        receive(link, &mut request);
        if let Err(problem) = link.check_listener(&request) {
            return problem.into_response();
        }
        request.extensions_mut().insert(Handing(server.clone()));
    }
    // By the peer of the connection, which the next line replaces.
    let SignIn { proxy, roles, .. } = &server.app.sign_in;
    let proxied = proxy.as_ref().map_or(Ok(None), |proxy| proxy.caller_of(roles, &mut request));
    server.app.access.proxies.name_sender(&mut request);
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or("other", MatchedPath::as_str).to_owned();
    let format = format_of(&request);
    let locked = server.whole_store().locked().filter(|_| !OPEN_WHILE_LOCKED.contains(&&*route));
    let now = server.now();
    let session = proxied.map(|user| user.or_else(|| server.sessions.caller_of(request.headers(), now)));
    let admit = || server.app.access.admit(&server.app.keys, &server.attempts, session?, &request, now);
    let admitted = locked.map_or_else(admit, |reason| Err(Problem::locked(reason)));
    let mut response = match admitted {
        Ok(caller) => {
            server.look_after_keys();
            let noted = caller.sends_unknown().then(|| NotedRequest::of(&mut request));
            let response = run_for(&server, caller, request, next).await;
            noted.into_iter().for_each(|noted| noted.finish(&server, &route, &response));
            response
        }
        // What needs no key, such as the page that says so, is open to everyone.
        Err(problem) if OPEN_AFTER.contains(&problem.status) || problem.code == "no-role" => {
            if ["bad-key", "key-expired", "too-many-failures"].contains(&problem.code) {
                let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
                server.audit_refusal(peer, problem.code);
            }
            request.extensions_mut().insert(AccessRefusal(problem));
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    };
    // Foreign formats may report a refusal with another status, and gRPC with none.
    let status = response.extensions().get::<Problem>().map_or(response.status(), |problem| problem.status).as_u16();
    response = formatted(format.as_deref(), response);
    for (name, value) in SECURITY_HEADERS {
        response.headers_mut().entry(name).or_insert(value);
    }
    let elapsed = started.elapsed();
    server.traffic.note(&route, status, elapsed);
    if response.extensions().get::<DeliveryMark>().is_none() {
        debug!(%method, route, status, elapsed_ms = elapsed.as_secs_f64() * 1e3, "request answered");
    }
    response
}

/// Runs a request of a caller whose right to it may end while it is under way.
async fn run_for(server: &Arc<Server>, caller: Arc<Caller>, mut request: Request, next: Next) -> Response {
    let clock = server.app.clock.clone();
    let may_send = caller.bucket.as_ref().filter(|_| !request.method().is_safe());
    if let Err(problem) = may_send.map_or(Ok(()), |bucket| bucket.check(clock.now())) {
        return problem.into_response();
    }
    request.extensions_mut().insert(caller.clone());
    let sender = server.app.keys.anonymous().sender_of(&caller);
    let request = request.map(|body| RevocableBody::upload(body, sender.clone(), clock.clone()));
    let response = next.run(request).await;
    if response.extensions().get::<SessionEnd>().is_some() {
        return response;
    }
    // What is being sent while the first key is made is taken if senders may go on.
    let caller = if response.extensions().get::<DeliveryMark>().is_some() { sender } else { caller };
    if !caller.validity.is_valid_at(clock.now()) {
        return Problem::from(KeyRevoked).into_response();
    }
    response.map(|body| RevocableBody::answer(body, caller, clock))
}

/// Answers a request whose handler panicked with an error; other requests are not affected.
async fn catch_panic(request: Request, next: Next) -> Response {
    AssertUnwindSafe(next.run(request)).catch_unwind().await.unwrap_or_else(|_| {
        // The text of a panic may hold contents of events: only its being one is logged, the hook has the place.
        error!("a request handler panicked");
        Problem::internal("a fault in the server ended this request").into_response()
    })
}
