//! Handlers as functions: a request goes in, and out comes an answer, or the work that leads to one.
//!
//! A handler never waits. If its answer takes a body, a place among the queries or a thread that may block, it returns a
//! [`Reply`] with the next step, and the door runs that step where it belongs. So everything asynchronous is compiled here, once, and a
//! family is compiled without futures.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use axum::body::{Body, Bytes};
use axum::extract::{Form, FromRequest, FromRequestParts, RawPathParams, Request};
use axum::handler::Handler;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value;
use tokio::time::timeout_at;

use crate::access::require_json;
use crate::body::RequestBody;
use crate::intake_gates::Packing;
use crate::parameters::Parameters;
use crate::problem::{Problem, Result};
use crate::queries::Ticket;
use crate::query_run::{QueryRun, read_with};
use crate::server::{FamilyServer, Server, Shared};

/// A request without its body, as a handler of a family with the state `T` gets it.
pub struct Call<T> {
    /// The server as the caller sees it.
    pub server: FamilyServer<T>,
    /// The parameters of the form, if the route takes one, then those of the address.
    pub parameters: Parameters,
    /// The first two variable parts of the path, decoded; empty where the path has none.
    pub path: [String; 2],
    /// Method, address, headers, and what the guard has found.
    pub parts: Parts,
}

impl<T: Send + Sync + 'static> Call<T> {
    /// Takes the first variable part of the path.
    pub fn variable(&mut self) -> String {
        std::mem::take(&mut self.path[0])
    }

    /// Runs a handler that reads no events on a thread where it may block.
    pub fn look_up(self, handler: fn(&Self) -> Outcome) -> Outcome {
        let server = self.server.clone();
        Ok(Reply::look_up(&server, move || handler(&self)))
    }

    /// Continues with the body, at most `bytes_max` of it.
    pub fn read(self, bytes_max: usize, handler: fn(Self, RequestBody) -> Outcome) -> Outcome {
        Ok(Reply::body(bytes_max, move |body| handler(self, body)))
    }

    /// Continues with the body on a thread where the handler may block; it reads no events.
    pub fn look_up_with(self, bytes_max: usize, handler: fn(&Self, &RequestBody) -> Outcome) -> Outcome {
        Ok(Reply::body(bytes_max, move |body| {
            let server = self.server.clone();
            Ok(Reply::look_up(&server, move || handler(&self, &body)))
        }))
    }

    /// Refuses a body that is not declared as JSON: a form on another site's page cannot send that.
    pub fn json(self) -> Result<Self> {
        require_json(&self.parts.headers).map(|()| self)
    }

    /// Returns the step of a handler that reads the body itself, and has errors in a form of its own.
    pub fn answered_by<F, R>(self, handler: fn(FamilyServer<T>, Request) -> F) -> Outcome
    where
        F: Future<Output = R> + Send + 'static,
        R: IntoResponse,
    {
        Ok(Reply::Later(Box::new(move |body| {
            let answer = handler(self.server, Request::from_parts(self.parts, body));
            Box::pin(async move { Ok(Reply::Whole(answer.await.into_response())) })
        })))
    }
}

/// What a handler returns.
pub type Outcome = Result<Reply>;

/// A reply that is waited for.
pub type LaterReply = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// An answer, or the next step to it.
pub enum Reply {
    /// The answer.
    Whole(Response),
    /// Reads the body, at most so many bytes of it.
    Body(usize, Box<dyn FnOnce(Result<RequestBody>) -> Outcome + Send>),
    /// Runs as a query, which ends when the client goes away.
    Query(Shared, Ticket, Box<dyn FnOnce(&QueryRun<'_>) -> Outcome + Send>),
    /// Stores a body of so many bytes, on a thread that may block.
    Intake(Packing, usize, Box<dyn FnOnce() -> Outcome + Send>),
    /// Waits for something else, or reads the body itself.
    Later(Box<dyn FnOnce(Body) -> LaterReply + Send>),
    /// Takes the next step until a time, and answers with the problem after it.
    Until(Instant, Problem, Box<Reply>),
}

impl Reply {
    /// Returns an answer of JSON.
    pub fn json(value: &Value) -> Self {
        Self::content("application/json", value.to_string())
    }

    /// Returns an answer of JSON with the members of a value in its order.
    pub fn serialized(value: &impl Serialize) -> Self {
        Self::content("application/json", serde_json::to_string(value).expect("texts and numbers are JSON"))
    }

    /// Returns an answer with a content type.
    pub fn content(content_type: &'static str, body: impl Into<Body>) -> Self {
        let mut response = Response::new(body.into());
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        Self::Whole(response)
    }

    /// Returns an answer whose body is made piece by piece, while it is sent.
    pub fn pieces(content_type: &'static str, pieces: Box<dyn Iterator<Item = String> + Send>) -> Self {
        let pieces = pieces.map(|piece| Ok::<_, Infallible>(Bytes::from(piece)));
        Self::content(content_type, Body::from_stream(tokio_stream::iter(pieces)))
    }

    /// Returns the same answer with another status.
    pub fn with_status(mut self, status: StatusCode) -> Self {
        if let Self::Whole(response) = &mut self {
            *response.status_mut() = status;
        }
        self
    }

    /// Returns the same answer, which no cache may keep.
    pub fn not_stored(self) -> Self {
        self.with_header(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))
    }

    /// Returns the same answer with one more header.
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        if let Self::Whole(response) = &mut self {
            response.headers_mut().append(name, value);
        }
        self
    }

    /// Returns the step that reads the body, at most `bytes_max` of it.
    pub fn body(bytes_max: usize, then: impl FnOnce(RequestBody) -> Outcome + Send + 'static) -> Self {
        Self::Body(bytes_max, Box::new(|body| then(body?)))
    }

    /// Returns the step that stores a body.
    pub fn intake(packing: Packing, body: RequestBody, store: impl FnOnce(&[u8]) -> Outcome + Send + 'static) -> Self {
        Self::Intake(packing, body.bytes().len(), Box::new(move || store(body.bytes())))
    }

    /// Returns the step that waits for `reply`.
    pub fn later(reply: impl Future<Output = Outcome> + Send + 'static) -> Self {
        Self::Later(Box::new(|_| Box::pin(reply)))
    }

    /// Returns the step of work that reads no events, on a thread where it may block.
    pub fn look_up(server: &Shared, work: impl FnOnce() -> Outcome + Send + 'static) -> Self {
        let (server, work): (_, Box<dyn FnOnce() -> Outcome + Send>) = (server.clone(), Box::new(work));
        Self::later(async move { server.lookups.run(work).await? })
    }

    /// Returns the step of a query of the caller, which is admitted by its text.
    pub fn query(server: &Shared, text: &str, work: impl FnOnce(&QueryRun<'_>) -> Outcome + Send + 'static) -> Self {
        Self::Query(server.clone(), server.start_query(text), Box::new(work))
    }
}

impl From<StatusCode> for Reply {
    fn from(status: StatusCode) -> Self {
        Self::Whole(status.into_response())
    }
}

/// The handler of a route, the same type for all of them.
#[derive(Clone)]
pub(crate) struct CallHandler {
    pub(crate) server: Arc<Server>,
    pub(crate) has_form: bool,
    pub(crate) run: Arc<dyn Fn(Shared, Parameters, [String; 2], Parts) -> Outcome + Send + Sync>,
}

impl Handler<(), ()> for CallHandler {
    type Future = Pin<Box<dyn Future<Output = Response> + Send>>;

    fn call(self, request: Request, (): ()) -> Self::Future {
        Box::pin(async move { self.answer(request).await.unwrap_or_else(Problem::into_response) })
    }
}

impl CallHandler {
    async fn answer(self, request: Request) -> Result<Response> {
        let (mut parts, mut body) = request.into_parts();
        let mut parameters = Parameters::default();
        if self.has_form && is_form(&parts) {
            let form = Request::from_parts(parts.clone(), std::mem::take(&mut body));
            let form = Form::<Vec<(String, String)>>::from_request(form, &()).await;
            parameters.0 = form.map_err(|_| Parameters::unreadable())?.0;
        }
        parameters.0.extend(Parameters::of_address(&parts.uri)?.0);
        let bad = |_| Problem::bad_request("bad-path", "the path is no UTF-8 once its percent signs are decoded");
        let variables = RawPathParams::from_request_parts(&mut parts, &()).await.map_err(bad)?;
        let mut variables = variables.iter().map(|(_, value)| value.to_owned());
        let path = std::array::from_fn(|_| variables.next().unwrap_or_default());
        let server = Shared::of_request(&self.server, &parts.extensions);
        let mut reply = (self.run)(server.clone(), parameters, path, parts)?;
        loop {
            reply = match reply {
                Reply::Whole(response) => return Ok(response),
                Reply::Until(end, problem, reply) => {
                    timeout_at(end.into(), step(&server, *reply, &mut body)).await.map_err(|_| problem)??
                }
                reply => step(&server, reply, &mut body).await?,
            }
        }
    }
}

/// Takes one step. If this is dropped, because the client went away or the time is over, so is the work.
async fn step(server: &Shared, reply: Reply, body: &mut Body) -> Outcome {
    match reply {
        Reply::Body(bytes_max, then) => then(server.bodies.read(std::mem::take(body), bytes_max).await),
        Reply::Query(server, ticket, work) => read_with(&server, ticket, work).await,
        Reply::Intake(packing, n_bytes, work) => server.intake.run(packing, n_bytes, work).await?,
        Reply::Later(later) => later(std::mem::take(body)).await,
        reply @ (Reply::Whole(_) | Reply::Until(..)) => Ok(reply),
    }
}

fn is_form(parts: &Parts) -> bool {
    let content_type = parts.headers.get(header::CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    parts.method == Method::POST && content_type.starts_with(b"application/x-www-form-urlencoded")
}
