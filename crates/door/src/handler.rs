//! Handlers that are plain functions: the arguments are read from the request first, then the function runs on a thread
//! where it may block.

use std::pin::Pin;
use std::sync::Arc;

use axum::extract::{FromRef, FromRequest, Request};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;

use crate::access::require_json;
use crate::body::RequestBody;
use crate::problem::Problem;
use crate::server::{FamilyServer, Server, Shared};

/// The server as a handler gets it: that of all families, or that of one.
pub trait HandlerServer: Clone + Send + Sync + 'static {
    /// Returns the server as the caller sees it.
    fn shared(&self) -> &Shared;

    /// Runs work that reads no events on a thread where it may block.
    fn look_up<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> impl Future<Output = Result<T, Problem>> + Send {
        let of_thread = self.clone();
        self.shared().lookups.run(move || work(&of_thread))
    }
}

impl HandlerServer for Shared {
    fn shared(&self) -> &Shared {
        self
    }
}

impl<T: Send + Sync + 'static> HandlerServer for FamilyServer<T> {
    fn shared(&self) -> &Shared {
        self
    }
}

/// A function that answers requests, with the arguments `A` after the server. It reads no events.
pub trait BlockingHandler<S, A>: Copy + Send + Sync + 'static {
    /// Answers a request. Blocks.
    fn answer(self, server: &S, arguments: A) -> Result<Response, Problem>;
}

impl<F, S, T> BlockingHandler<S, ()> for F
where
    F: Fn(&S) -> Result<T, Problem> + Copy + Send + Sync + 'static,
    T: IntoResponse,
{
    fn answer(self, server: &S, (): ()) -> Result<Response, Problem> {
        self(server).map(T::into_response)
    }
}

impl<F, S, T, A> BlockingHandler<S, (A,)> for F
where
    F: Fn(&S, A) -> Result<T, Problem> + Copy + Send + Sync + 'static,
    T: IntoResponse,
{
    fn answer(self, server: &S, arguments: (A,)) -> Result<Response, Problem> {
        self(server, arguments.0).map(T::into_response)
    }
}

impl<F, S, T, A, B> BlockingHandler<S, (A, B)> for F
where
    F: Fn(&S, A, B) -> Result<T, Problem> + Copy + Send + Sync + 'static,
    T: IntoResponse,
{
    fn answer(self, server: &S, arguments: (A, B)) -> Result<Response, Problem> {
        self(server, arguments.0, arguments.1).map(T::into_response)
    }
}

/// The answer of a handler, boxed so that routes are compiled once for all of them.
type Answer = Pin<Box<dyn Future<Output = Result<Response, Problem>> + Send>>;

/// Turns a function into the handler of a route.
pub fn blocking<S: HandlerServer, A: Send + 'static>(
    handler: impl BlockingHandler<S, A>,
) -> impl Fn(S, A) -> Answer + Clone + Send + Sync + 'static {
    move |server, arguments| {
        let of_thread = server.clone();
        run(server, Box::new(move || handler.answer(&of_thread, arguments)))
    }
}

fn run<S: HandlerServer>(server: S, work: Box<dyn FnOnce() -> Result<Response, Problem> + Send>) -> Answer {
    Box::pin(async move { server.shared().lookups.run(work).await? })
}

/// A request's body of at most so many bytes.
#[derive(Debug)]
pub struct Sent<const BYTES_MAX: usize>(pub RequestBody);

impl<S: Send + Sync, const BYTES_MAX: usize> FromRequest<S> for Sent<BYTES_MAX>
where
    Arc<Server>: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let server = Arc::<Server>::from_ref(state);
        server.bodies.read(request.into_body(), BYTES_MAX).await.map(Self)
    }
}

/// A request's body of JSON of at most so many bytes. The content type must be JSON: a form on another site's page
/// cannot send that.
#[derive(Debug)]
pub struct SentJson<const BYTES_MAX: usize>(RequestBody);

impl<S: Send + Sync, const BYTES_MAX: usize> FromRequest<S> for SentJson<BYTES_MAX>
where
    Arc<Server>: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        require_json(request.headers())?;
        Sent::<BYTES_MAX>::from_request(request, state).await.map(|Sent(body)| Self(body))
    }
}

impl<const BYTES_MAX: usize> SentJson<BYTES_MAX> {
    /// Reads the body. Errors have only the place: the text of one may quote a value, which may be a password.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        self.read_or(|error| {
            let message = format!("the body is not what is wanted here, at column {}", error.column());
            Problem::bad_request("bad-body", message).hint("the fields are listed in /api/openapi.json")
        })
    }

    /// Reads the body; `bad` says what is wrong with it, and may quote it where it holds no secret.
    pub fn read_or<T: DeserializeOwned>(&self, bad: impl FnOnce(serde_json::Error) -> Problem) -> Result<T, Problem> {
        serde_json::from_slice(self.0.bytes()).map_err(bad)
    }
}
