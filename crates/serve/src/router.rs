//! The table of routes, and what every request passes on its way to one.
//!
//! Each route is written down once, with the role it needs; the API description is checked against this table.

use std::any::Any;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::handler::Handler;
use axum::http::{Method, StatusCode, Uri, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, on};
use tower_http::CompressionLevel;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate};
use tower_http::compression::{CompressionLayer, DefaultPredicate};
use tracing::{debug, error};

use crate::access::{Caller, Ended, Role, Watched, require};
use crate::foreign::Voice;
use crate::parameters::Parameters;
use crate::problem::Problem;
use crate::server::{Server, Shared};
use crate::{cloudwatch, docs, elastic, journal, loki, otlp, page, routes, splunk};

/// Routes of the page.
const PAGE_ROUTES: [&str; 6] = ["/", "/alerts", "/groups", "/sources", "/settings", "/start"];

/// What answers while the store is locked: whether the server lives, why it is locked, the manual, and the page.
const OPEN_WHILE_LOCKED: [&str; 8] = [
    "/-/healthy",
    "/-/ready",
    "/ready",
    "/api/openapi.json",
    "/docs",
    "/docs/{page}",
    "/docs/{folder}/{page}",
    "other",
];

/// One operation: what the API description lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// `get`, `post`, `delete`.
    pub(crate) method: &'static str,
    /// The path with its `{variables}`.
    pub(crate) path: &'static str,
    /// Who may ask.
    pub(crate) role: Role,
}

/// Routes and their entries, grown together.
pub(crate) struct Table {
    router: Router<Arc<Server>>,
    entries: Vec<Entry>,
}

impl Table {
    fn new() -> Self {
        Self { router: Router::new(), entries: Vec::new() }
    }

    fn add<H, T>(mut self, method: (&'static str, MethodFilter), path: &'static str, role: Role, handler: H) -> Self
    where
        H: Handler<T, Arc<Server>>,
        T: 'static,
    {
        let check = from_fn(move |request: Request, next: Next| async move {
            let caller = request.extensions().get::<Arc<Caller>>().cloned().unwrap_or_default();
            let refused = request.extensions().get::<Refused>().filter(|_| role != Role::None);
            match refused.map_or_else(|| require(&caller, role), |refused| Err(refused.0.clone())) {
                Ok(()) if matches!(role, Role::Any | Role::Ingest) => Delivered::mark(next.run(request).await),
                Ok(()) => next.run(request).await,
                Err(problem) => problem.into_response(),
            }
        });
        self.router = self.router.route(path, on(method.1, handler).layer(check));
        self.entries.push(Entry { method: method.0, path, role });
        self
    }

    pub(crate) fn get<H, T>(self, path: &'static str, role: Role, handler: H) -> Self
    where
        H: Handler<T, Arc<Server>>,
        T: 'static,
    {
        self.add(("get", MethodFilter::GET), path, role, handler)
    }

    pub(crate) fn post<H, T>(self, path: &'static str, role: Role, handler: H) -> Self
    where
        H: Handler<T, Arc<Server>>,
        T: 'static,
    {
        self.add(("post", MethodFilter::POST), path, role, handler)
    }

    pub(crate) fn put<H, T>(self, path: &'static str, role: Role, handler: H) -> Self
    where
        H: Handler<T, Arc<Server>>,
        T: 'static,
    {
        self.add(("put", MethodFilter::PUT), path, role, handler)
    }

    pub(crate) fn patch<H, T>(self, path: &'static str, role: Role, handler: H) -> Self
    where
        H: Handler<T, Arc<Server>>,
        T: 'static,
    {
        self.add(("patch", MethodFilter::PATCH), path, role, handler)
    }

    pub(crate) fn delete<H, T>(self, path: &'static str, role: Role, handler: H) -> Self
    where
        H: Handler<T, Arc<Server>>,
        T: 'static,
    {
        self.add(("delete", MethodFilter::DELETE), path, role, handler)
    }

    pub(crate) fn options<H, T>(self, path: &'static str, role: Role, handler: H) -> Self
    where
        H: Handler<T, Arc<Server>>,
        T: 'static,
    {
        self.add(("options", MethodFilter::OPTIONS), path, role, handler)
    }

    /// All entries, in the order in which they were added.
    #[cfg(test)]
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

/// All routes.
pub(crate) fn table() -> Table {
    let table = Table::new()
        .post("/api/v1/ingest", Role::Ingest, routes::ingest::post)
        .get("/api/v1/query", Role::Read, routes::query::get)
        .post("/api/v1/query", Role::Read, routes::query::post)
        .get("/api/v1/queries", Role::Read, routes::queries::list)
        .delete("/api/v1/queries/{id}", Role::Read, routes::queries::cancel)
        .get("/api/v1/histogram", Role::Read, routes::histogram::get)
        .post("/api/v1/complete", Role::Read, routes::complete::post)
        .post("/api/v1/check", Role::Read, routes::language::check)
        .post("/api/v1/format", Role::Read, routes::language::format)
        .post("/api/v1/translate", Role::Read, routes::language::translate)
        .get("/api/v1/time", Role::Read, routes::time::get)
        .get("/api/v1/patterns", Role::Read, routes::patterns::get)
        .get("/api/v1/changes", Role::Read, routes::changes::get)
        .get("/api/v1/context", Role::Read, routes::context::get)
        .get("/api/v1/fields", Role::Read, routes::fields::list)
        .get("/api/v1/fields/{name}/values", Role::Read, routes::fields::values)
        .get("/api/v1/groups", Role::Read, routes::groups::list)
        .get("/api/v1/groups/{name}", Role::Read, routes::groups::get)
        .put("/api/v1/groups/{name}", Role::Admin, routes::groups::put)
        .delete("/api/v1/groups/{name}", Role::Admin, routes::groups::delete)
        .post("/api/v1/groups/{name}/delete-events", Role::Admin, routes::deletions::post)
        .get("/api/v1/groups/{name}/delete-events", Role::Admin, routes::deletions::list)
        .get("/api/v1/groups/{name}/delete-events/{id}", Role::Admin, routes::deletions::get)
        .get("/api/v1/lookups", Role::Read, routes::lookups::list)
        .get("/api/v1/lookups/{name}", Role::Read, routes::lookups::get)
        .put("/api/v1/lookups/{name}", Role::Operate, routes::lookups::put)
        .delete("/api/v1/lookups/{name}", Role::Operate, routes::lookups::delete)
        .get("/api/v1/sources", Role::Read, routes::sources::list)
        .post("/api/v1/sources/{source}", Role::Ingest, routes::sources::post)
        .post("/api/v1/sources/{source}/held", Role::Ingest, routes::sources::held)
        .get("/api/v1/keys", Role::Admin, routes::keys::list)
        .post("/api/v1/keys", Role::Admin, routes::keys::post)
        .delete("/api/v1/keys/{id}", Role::Admin, routes::keys::delete)
        .post("/api/v1/keys/{id}/rotate", Role::Admin, routes::keys::rotate)
        .get("/api/v1/tail", Role::Read, routes::tail::get)
        .get("/api/v1/metrics", Role::Read, routes::derived_metrics::list)
        .post("/api/v1/metrics", Role::Operate, routes::derived_metrics::post)
        .get("/api/v1/metrics/{name}", Role::Read, routes::derived_metrics::get)
        .put("/api/v1/metrics/{name}", Role::Operate, routes::derived_metrics::put)
        .delete("/api/v1/metrics/{name}", Role::Operate, routes::derived_metrics::delete)
        .get("/api/v1/session", Role::None, routes::session::get)
        .post("/api/v1/session", Role::None, routes::session::post)
        .delete("/api/v1/session", Role::None, routes::session::delete)
        .get("/api/v1/users", Role::Admin, routes::users::list)
        .post("/api/v1/users", Role::Admin, routes::users::post)
        .delete("/api/v1/users/{name}", Role::Admin, routes::users::delete)
        .put("/api/v1/users/{name}/password", Role::Read, routes::users::put_password)
        .get("/api/v1/views", Role::Read, routes::views::list)
        .post("/api/v1/views", Role::Read, routes::views::post)
        .put("/api/v1/views/{id}", Role::Read, routes::views::put)
        .delete("/api/v1/views/{id}", Role::Read, routes::views::delete)
        .get("/api/v1/status", Role::Read, routes::status::get)
        .post("/api/v1/status/flush", Role::Admin, routes::status::flush)
        .post("/api/v1/status/reload", Role::Admin, routes::status::reload)
        .get("/api/v1/pipelines", Role::Admin, routes::pipelines::list)
        .post("/api/v1/pipelines/test", Role::Admin, routes::pipelines::test)
        .post("/api/v1/status/confirm-clock", Role::Admin, routes::upkeep::confirm_clock)
        .get("/api/openapi.json", Role::None, routes::openapi::get)
        .get("/docs", Role::None, docs::index)
        .get("/docs/{page}", Role::None, docs::get)
        .get("/docs/{folder}/{page}", Role::None, docs::get)
        .get("/metrics", Role::Read, routes::metrics::get)
        .get("/-/healthy", Role::None, routes::health::healthy)
        .get("/-/ready", Role::None, routes::health::ready)
        .get("/ready", Role::None, routes::health::loki_ready);
    cloudwatch::add(splunk::add(otlp::add(elastic::add(loki::add(journal::add(routes::alerts::add(table)))))))
}

/// The whole service.
pub(crate) fn build(server: Arc<Server>) -> Router {
    let router = table()
        .router
        .fallback(fallback)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(server.clone(), guard))
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(is_worth_packing()))
        .with_state(server);
    elastic::at_the_root(router)
}

/// What is packed already is not packed again on its way, and what is live does not wait for being packed.
fn is_worth_packing() -> impl Predicate {
    let live = NotForContentType::const_new("application/vnd.amazon.eventstream");
    DefaultPredicate::new().and(NotForContentType::const_new("application/gzip")).and(live)
}

/// Lets in who may come in, counts the answer, and puts the headers on it that every answer carries.
async fn guard(State(server): State<Arc<Server>>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or("other", MatchedPath::as_str).to_owned();
    let voice = Voice::of(&request);
    let locked = server.app.store.locked().filter(|_| !OPEN_WHILE_LOCKED.contains(&&*route));
    let now = server.now();
    let session = server.sessions.caller_of(request.headers(), now);
    let admit = || server.app.access.admit(&server.app.keys, &server.attempts, session, &request, now);
    let admitted = locked.map_or_else(admit, |reason| Err(Problem::locked(reason)));
    let mut response = match admitted {
        Ok(caller) => {
            server.look_after_keys();
            run_for(&server, caller, request, next).await
        }
        Err(problem) if [StatusCode::UNAUTHORIZED, StatusCode::TOO_MANY_REQUESTS].contains(&problem.status) => {
            if problem.code == "bad-key" || problem.code == "too-many-failures" {
                let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
                server.audit_refusal(peer, problem.code);
            }
            request.extensions_mut().insert(Refused(problem));
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    };
    // Foreign forms may call a refusal by another number, and gRPC by none.
    let status = response.extensions().get::<Problem>().map_or(response.status(), |problem| problem.status).as_u16();
    response = voice.say(response);
    for (name, value) in page::SECURITY_HEADERS {
        response.headers_mut().entry(name).or_insert(value);
    }
    let elapsed = started.elapsed();
    server.traffic.note(&route, status, elapsed);
    if response.extensions().get::<Delivered>().is_none() {
        debug!(%method, route, status, elapsed_ms = elapsed.as_secs_f64() * 1e3, "request answered");
    }
    response
}

/// Marks the answer to a sender that was served. Such requests are counted and not logged: what was delivered may be the
/// log itself, and a line for each delivery of it would be the next one.
#[derive(Clone, Copy)]
pub(crate) struct Delivered;

impl Delivered {
    /// The answer, marked where it is a good one.
    pub(crate) fn mark(mut response: Response) -> Response {
        if response.status().is_success() {
            response.extensions_mut().insert(Self);
        }
        response
    }
}

/// Why a request may do no more than somebody without a key: what needs none it may do.
#[derive(Clone)]
pub(crate) struct Refused(pub(crate) Problem);

/// Runs a request of somebody whose right to it may end while it is under way.
async fn run_for(server: &Arc<Server>, caller: Arc<Caller>, mut request: Request, next: Next) -> Response {
    let clock = server.app.clock.clone();
    let may_send = caller.bucket.as_ref().filter(|_| !request.method().is_safe());
    if let Err(problem) = may_send.map_or(Ok(()), |bucket| bucket.check(clock.now())) {
        return problem.into_response();
    }
    request.extensions_mut().insert(caller.clone());
    let request = request.map(|body| Watched::upload(body, caller.clone(), clock.clone()));
    let response = next.run(request).await;
    if response.extensions().get::<routes::session::Parting>().is_some() {
        return response;
    }
    if !caller.life.lasts(clock.now()) {
        return Problem::from(Ended).into_response();
    }
    response.map(|body| Watched::answer(body, caller, clock))
}

/// A panic in a handler is a fault of ours; the next request notices nothing.
fn panicked(cause: Box<dyn Any + Send>) -> Response {
    // The text of a panic may hold contents of events: only its being one is logged, the hook has the place.
    drop(cause);
    error!("a request handler panicked");
    Problem::internal("a fault in the server ended this request").into_response()
}

async fn fallback(server: Shared, parameters: Parameters, request: Request) -> Response {
    let (method, uri, headers) = (request.method(), request.uri(), request.headers());
    if cloudwatch::is_meant(method, uri, headers) {
        return cloudwatch::post(server, request).await.into_response();
    }
    let path = uri.path();
    if loki::is_address(path) {
        return loki::nothing_here(path).into_response();
    }
    if elastic::is_address(path) {
        return elastic::nothing_at(method, path).into_response();
    }
    if otlp::is_address(path) {
        return otlp::nothing_here(path).into_response();
    }
    if !matches!(*method, Method::GET | Method::HEAD) {
        return Problem::not_found(format!("there is nothing at {path}")).into_response();
    }
    if path.starts_with("/docs/") {
        return docs::get(uri.clone(), headers.clone()).await;
    }
    if path == "/reference" {
        return page::reference(server.reference(), headers);
    }
    let accepts_html = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let wants_page = accepts_html.into_iter().any(|accept| accept.contains("text/html") || accept.contains("*/*"));
    if PAGE_ROUTES.contains(&path) && (wants_page || !headers.contains_key(header::ACCEPT)) {
        return page::index(headers);
    }
    page::asset(path, parameters.get("v"), headers)
}

async fn method_not_allowed(method: Method, uri: Uri) -> Problem {
    if let Some(problem) = elastic::refused(&method, uri.path()) {
        return problem;
    }
    let message = format!("{} does not take {method}", uri.path());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", message)
}
