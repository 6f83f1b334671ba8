//! Amazon CloudWatch Logs, the side that sends: agents and SDKs need this server's URL as their endpoint and a pair of
//! keys, nothing else.
//!
//! JSON 1.1 with the operation in `X-Amz-Target`, at `/cloudwatch`, with and without its last slash, and at `/` for
//! clients that drop the path of an endpoint. Requests are signed with a pair of `catat keys create`, or carry a key in
//! any other form; before there is a key, whoever is on loopback may sign with anything. What may be asked: who sends
//! makes groups and streams, tags them, fills them and sees their names; retention and deletion are for admins.
//! Operations that read events belong to the other side and are unknown here.

mod answer;
mod book;
mod describe;
mod groups;
mod input;
mod put;
#[cfg(not(test))]
mod signature;
#[cfg(test)]
pub(crate) mod signature;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::Response;
use ingest::decode;

use self::answer::answer;
use self::input::Input;
use self::signature::Signature;
use crate::access::{Caller, Ended, Role, Watched};
use crate::problem::Problem;
use crate::router::{Delivered, Refused, Table};
use crate::routes::ingest::encoding;
use crate::server::Shared;

pub(crate) use self::answer::CloudWatchProblem;
pub(crate) use self::book::Book;

/// What stands before an operation's name in `X-Amz-Target`.
const TARGET: &str = "Logs_20140328.";

/// Largest body of an operation that brings no events.
const BODY_BYTES_MAX: usize = 1 << 20;

/// Where a client that did not sign believes to be.
const DEFAULT_REGION: &str = "us-east-1";

/// Adds the routes of this door. Anybody may knock: only the handler can check a signature, which covers the body.
pub(crate) fn add(table: Table) -> Table {
    table.post("/cloudwatch", Role::None, post).post("/cloudwatch/", Role::None, post)
}

/// Whether a request that is for no route is for this door.
pub(crate) fn is_meant(method: &Method, uri: &Uri, headers: &HeaderMap) -> bool {
    *method == Method::POST && uri.path() == "/" && target(headers).is_some()
}

/// Whether a request is for this door, by one of its routes or by none.
pub(crate) fn is_spoken<B>(request: &Request<B>) -> bool {
    let is_route = matches!(request.uri().path(), "/cloudwatch" | "/cloudwatch/");
    is_route || is_meant(request.method(), request.uri(), request.headers())
}

/// The operation that is asked for.
fn target(headers: &HeaderMap) -> Option<&str> {
    headers.get("x-amz-target")?.to_str().ok()?.strip_prefix(TARGET)
}

/// An operation, and who asks for it.
struct Asked {
    server: Shared,
    region: String,
    operation: String,
}

pub(crate) async fn post(server: Shared, request: Request) -> Result<Response, CloudWatchProblem> {
    // Requests for `/` come by the way of those for no route, which a locked store does not stop.
    if let Some(reason) = server.app.store.locked() {
        return Err(Problem::locked(reason).into());
    }
    let (parts, body) = request.into_parts();
    let unknown = || CloudWatchProblem::new("UnknownOperationException", "X-Amz-Target names no operation.");
    let operation = target(&parts.headers).ok_or_else(unknown)?.to_owned();
    if let Some(Refused(problem)) = parts.extensions.get() {
        return Err(problem.clone().into());
    }
    let signature = Signature::of(&parts.headers, server.now());
    let is_known = server.caller.may(Role::Ingest) || server.caller.may(Role::Read);
    // Who is known already may sign with anything.
    let pair = if is_known { None } else { Some(pair_of(&server, signature.as_ref(), &parts)?) };
    let is_put = operation == "PutLogEvents";
    let bytes_max = if is_put { server.app.limits.body_bytes_max } else { BODY_BYTES_MAX };
    let received = match &pair {
        None => server.bodies.read(body, bytes_max).await,
        Some((caller, _)) => {
            // The guard did not know whose time to look after while the body comes in.
            let body = Watched::unproved(body, caller.clone(), server.app.clock.clone());
            let received = server.bodies.read(body, bytes_max).await;
            if caller.life.lasts(server.now()) { received } else { Err(Ended.into()) }
        }
    }?;
    let signature = signature.ok().flatten();
    let region = signature.as_ref().map_or(DEFAULT_REGION, |signature| &signature.region).to_owned();
    let server = match (pair, signature) {
        (None, _) => server,
        (Some((caller, secret)), Some(signature)) => {
            let checked = signature.check(&secret, &parts.method, &parts.uri, &parts.headers, received.bytes());
            checked.map_err(|problem| refuse(&server, &parts, problem))?;
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
    let asked = Asked { server, region, operation };
    if is_put {
        return put::put(&asked, received, encoding).await.map(Delivered::mark);
    }
    let input = Input::read(&decode(received.bytes(), encoding, bytes_max)?)?;
    drop(received);
    asked.carry_out(input).await
}

/// Who may have signed a request, and the secret that shows whether they did.
fn pair_of(
    server: &Shared,
    signature: Result<&Option<Signature>, &CloudWatchProblem>,
    parts: &Parts,
) -> Result<(Arc<Caller>, String), CloudWatchProblem> {
    let signature = signature.map_err(Clone::clone)?.as_ref().ok_or_else(missing)?;
    let pair = server.app.keys.signing_key(&signature.access_key_id, server.now());
    pair.ok_or_else(|| {
        let message = "The security token included in the request is invalid: no key has this access key id.";
        refuse(server, parts, CloudWatchProblem::new("UnrecognizedClientException", message))
    })
}

/// Counts a wrong signature like a wrong key; says `wrong`, or that there were too many.
fn refuse(server: &Shared, parts: &Parts, wrong: CloudWatchProblem) -> CloudWatchProblem {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
    let tried = parts.headers.get(header::AUTHORIZATION).map(|value| value.as_bytes()).unwrap_or_default();
    let problem = server.attempts.refuse(peer, tried, server.now());
    server.whole().audit_refusal(peer, problem.code);
    if problem.status == StatusCode::TOO_MANY_REQUESTS { problem.into() } else { wrong }
}

fn missing() -> CloudWatchProblem {
    let message = "Missing Authentication Token: sign the request with a pair of catat keys create.";
    CloudWatchProblem::new("MissingAuthenticationTokenException", message)
}

impl Asked {
    /// Does what is asked for.
    async fn carry_out(&self, input: Input) -> Result<Response, CloudWatchProblem> {
        let done = match &*self.operation {
            "CreateLogGroup" => self.create_group(input).await,
            "DeleteLogGroup" => self.delete_group(input).await,
            "CreateLogStream" => self.create_stream(input).await,
            "DeleteLogStream" => self.delete_stream(input).await,
            "DescribeLogGroups" => self.describe_groups(input).await,
            "ListLogGroups" => self.list_groups(input).await,
            "DescribeLogStreams" => self.describe_streams(input).await,
            "PutRetentionPolicy" => self.put_retention(input).await,
            "DeleteRetentionPolicy" => self.delete_retention(input).await,
            "TagResource" | "TagLogGroup" => self.tag(input).await,
            "UntagResource" | "UntagLogGroup" => self.untag(input).await,
            "ListTagsForResource" | "ListTagsLogGroup" => self.list_tags(input).await,
            other => {
                let message = format!("The operation {other:?} is not supported here.");
                Err(CloudWatchProblem::new("UnknownOperationException", message))
            }
        };
        done.map(|value| answer(&value))
    }

    /// Refuses who may not do what needs one of `roles`.
    fn require(&self, roles: &[Role]) -> Result<(), CloudWatchProblem> {
        let caller = &self.server.caller;
        if roles.iter().any(|role| caller.may(*role)) {
            return Ok(());
        }
        let needed = roles.iter().map(|role| role.name()).collect::<Vec<_>>().join(" or ");
        let message = format!(
            "User: {} is not authorized to perform: logs:{}: it needs a key with the role {needed}",
            caller.name, self.operation
        );
        Err(CloudWatchProblem::denied(message))
    }

    /// Refuses to change a group that is the server's own, or out of the caller's reach.
    fn change(&self, group: &types::GroupName) -> Result<(), CloudWatchProblem> {
        if group.as_str().starts_with(ingest::OWN_GROUPS) {
            return Err(CloudWatchProblem::denied(format!("The log group {group} is the server's own.")));
        }
        self.reach(group)
    }

    /// Refuses who may not reach a group.
    fn reach(&self, group: &types::GroupName) -> Result<(), CloudWatchProblem> {
        if self.server.caller.scope.admits(group.as_str()) {
            return Ok(());
        }
        let message = format!(
            "User: {} is not authorized to perform: logs:{} on resource: {group}",
            self.server.caller.name, self.operation
        );
        Err(CloudWatchProblem::denied(message))
    }

    /// The name of a group as Amazon spells names of everything.
    fn arn(&self, group: &str) -> String {
        format!("arn:aws:logs:{}:000000000000:log-group:{group}", self.region)
    }
}
