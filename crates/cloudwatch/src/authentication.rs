//! Authenticates requests: by the caller that the guard has identified, or by a signature, and reads the body.
//!
//! Only the handler can check a signature, since it covers the body. Therefore all requests of this API pass here.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use ingest::Encoding;

use super::answer::{CloudWatchProblem, Result};
use super::signature::Signature;
use door::access::{KeyError, KeyRevoked, RevocableBody};
use door::headers::encoding;
use door::table::AccessRefusal;
use door::{Caller, FamilyServer, Problem, RequestBody, Role, Shared};

/// The region of a client that did not sign.
const DEFAULT_REGION: &str = "us-east-1";

/// A request of an authenticated caller.
pub(super) struct AuthenticatedRequest<S> {
    /// The server as the caller sees it, with the state of the routes' family.
    pub(super) server: FamilyServer<S>,
    /// The region in the client's configuration.
    pub(super) region: String,
    pub(super) received: RequestBody,
    pub(super) encoding: Encoding,
}

/// Authenticates a request for a service of Amazon's and reads its body of at most `bytes_max`.
pub(super) async fn admit<S>(
    server: FamilyServer<S>,
    parts: &Parts,
    body: Body,
    service: &'static str,
    bytes_max: usize,
) -> Result<AuthenticatedRequest<S>> {
    if let Some(AccessRefusal(problem)) = parts.extensions.get() {
        return Err(problem.clone().into());
    }
    let signature = Signature::of(&parts.headers, service, server.now());
    let is_known = server.caller.may(Role::Ingest) || server.caller.may(Role::Read);
    // A caller identified by a key may sign with anything.
    let pair = if is_known { None } else { Some(pair_of(&server, signature.as_ref(), parts)?) };
    let received = match &pair {
        None => server.bodies.read(body, bytes_max).await,
        Some((caller, _)) => {
            // The guard did not know whose time to look after while the body comes in.
            let body = RevocableBody::unproved(body, caller.clone(), server.app.clock.clone());
            let received = server.bodies.read(body, bytes_max).await;
            if caller.validity.is_valid_at(server.now()) { received } else { Err(KeyRevoked.into()) }
        }
    }?;
    let signature = signature.ok().flatten();
    let region = signature.as_ref().map_or(DEFAULT_REGION, |signature| &signature.region).to_owned();
    let server = match (pair, signature) {
        (None, _) => server,
        (Some((caller, secret)), Some(signature)) => {
            let checked = signature.check(&secret, &parts.method, &parts.uri, &parts.headers, received.bytes());
            checked.map_err(|problem| refuse(&server, parts, problem))?;
            server.app.keys.signed(&signature.access_key_id, server.now());
            if let Some(bucket) = &caller.bucket {
                // What the guard does for callers that it knows.
                bucket.check(server.now())?;
                bucket.take(received.bytes().len() as u64);
            }
            server.as_caller(caller)
        }
        (Some(_), None) => return Err(missing()),
    };
    let encoding = encoding(&parts.headers)?;
    Ok(AuthenticatedRequest { server, region, received, encoding })
}

/// Returns the caller that a signature names, and the secret to check it with.
fn pair_of(
    server: &Shared,
    signature: Result<&Option<Signature>, &CloudWatchProblem>,
    parts: &Parts,
) -> Result<(Arc<Caller>, String)> {
    let signature = signature.map_err(Clone::clone)?.as_ref().ok_or_else(missing)?;
    let pair = server.app.keys.signing_key(&signature.access_key_id, server.now()).map_err(|expired| {
        // Not by its name: the signature was not checked.
        let KeyError::Expired { id, at, .. } = expired else { return Problem::from(expired).into() };
        let message = format!("The security token included in the request is expired: the key {id} expired at {at}.");
        CloudWatchProblem::new("ExpiredTokenException", message)
    });
    pair?.ok_or_else(|| {
        let message = "The security token included in the request is invalid: no key has this access key id.";
        refuse(server, parts, CloudWatchProblem::new("UnrecognizedClientException", message))
    })
}

/// Counts a failed attempt. Returns `wrong`, or the error for too many attempts.
fn refuse(server: &Shared, parts: &Parts, wrong: CloudWatchProblem) -> CloudWatchProblem {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
    let tried = parts.headers.get(header::AUTHORIZATION).map(|value| value.as_bytes()).unwrap_or_default();
    let problem: Problem = server.attempts.refuse(peer, tried, server.now());
    server.whole().audit_refusal(peer, problem.code);
    if problem.status == StatusCode::TOO_MANY_REQUESTS { problem.into() } else { wrong }
}

fn missing() -> CloudWatchProblem {
    let message = "Missing Authentication Token: sign the request with a pair of catat keys create.";
    CloudWatchProblem::new("MissingAuthenticationTokenException", message)
}
