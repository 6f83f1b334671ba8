//! Puts the protocol families together: their states, their routes, and what answers where there is no route.

use std::sync::Arc;

use api::{Api, FamilyMetrics};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use cloudwatch::xray::udp::XRayCounts;
use cloudwatch::{CloudWatchState, xray};
use door::guard::guarded;
use door::{FamilyServer, Parameters, Problem, Server, Shared, Table};
use loki::LokiState;
use mcp::McpState;
use metrics::MetricsState;
use otel::otlp;
use otel::sockets::DoorCounts;
use otel::zipkin;
use tables::{Tables, TablesState};
use traces::TracesState;

use crate::foreign_boards::NativeBoards;
use crate::formats::format_of;
use crate::openapi;
use elastic::ElasticState;

/// Routes of the page.
const PAGE_ROUTES: [&str; 13] = [
    "/", "/alerts", "/dashboards", "/first-look", "/groups", "/incidents", "/issues", "/ledger", "/map", "/settings",
    "/sources", "/start", "/traces",
];

/// Routes of the page that end with an id.
const PAGE_ROUTES_OF_ONE: [&str; 4] = ["/dashboards/", "/for/", "/incidents/", "/trace/"];

/// The server, and the states of all protocol families.
#[derive(Clone)]
pub(crate) struct Families {
    pub(crate) server: Arc<Server>,
    pub(crate) api: Arc<Api>,
    pub(crate) cloudwatch: Arc<CloudWatchState>,
    pub(crate) elastic: Arc<ElasticState>,
    pub(crate) loki: Arc<LokiState>,
    pub(crate) mcp: Arc<McpState>,
    pub(crate) metrics: Arc<MetricsState>,
    pub(crate) doors: DoorCounts,
    pub(crate) xray: Arc<XRayCounts>,
    pub(crate) traces: Arc<TracesState>,
    pub(crate) tables: Arc<TablesState>,
}

impl Families {
    /// Starts all families of a server. Blocks.
    pub(crate) fn start(server: &Arc<Server>, tables: Option<Arc<Tables>>) -> Self {
        let cloudwatch = CloudWatchState::start(server);
        cloudwatch::start_alarms(server);
        let (doors, xray) = (DoorCounts::default(), Arc::new(XRayCounts::default()));
        let (of_cloudwatch, of_doors, of_xray) = (Arc::downgrade(&cloudwatch), doors.clone(), xray.clone());
        let traces = Arc::new(TracesState::new(server));
        let of_traces = traces.clone();
        let of_families = FamilyMetrics {
            doors: Box::new(move || of_doors.numbers()),
            writers: vec![
                Box::new(move |server, page| {
                    of_cloudwatch.upgrade().iter().for_each(|state| state.write_metrics(server, page));
                }),
                Box::new(move |_, page| of_xray.write_metrics(page)),
            ],
            filters: Box::new(|server| cloudwatch::saved_filters(server.settings())),
            calls: Box::new(move |run, ranges, groups| traces::count_calls_of(run, &of_traces, ranges, groups)),
        };
        let api = api::start(server, of_families);
        cloudwatch.keep_dashboards(Box::new(NativeBoards(api.clone())));
        let native = api::routes().with(server, &api).merge(traces::routes().with(server, &traces));
        Self {
            server: server.clone(),
            mcp: McpState::start(server, native),
            api,
            cloudwatch,
            elastic: Arc::default(),
            loki: Arc::default(),
            metrics: metrics::start(server),
            doors,
            xray,
            traces,
            tables: Arc::new(TablesState(tables)),
        }
    }

    /// Returns all routes with their states.
    fn table(&self) -> Table {
        let api = api::routes().with(&self.server, &self.api);
        let elastic = elastic::routes().with(&self.server, &self.elastic);
        let cloudwatch = cloudwatch::routes().with(&self.server, &self.cloudwatch);
        let loki = loki::routes().with(&self.server, &self.loki);
        let metrics = metrics::routes().with(&self.server, &self.metrics);
        let otel = otel::routes().with(&self.server, &Arc::default());
        let traces = traces::routes().with(&self.server, &self.traces);
        let mcp = mcp::routes().with(&self.server, &self.mcp);
        let tables = tables::routes().with(&self.server, &self.tables);
        let api = api.merge(tables);
        let all = api.merge(mcp).merge(loki).merge(elastic).merge(otel).merge(cloudwatch).merge(traces).merge(metrics);
        openapi::route_of(all.entries(), &self.server).merge(all)
    }
}

/// Returns the whole service.
pub(crate) fn build(families: &Families) -> Router {
    let elsewhere = Router::new().fallback(fallback).with_state(families.clone());
    let router = families.table().into_router();
    let router = router.fallback_service(elsewhere).method_not_allowed_fallback(method_not_allowed);
    elastic::at_the_root(guarded(router, families.server.clone(), format_of))
}

async fn fallback(State(families): State<Families>, request: Request) -> Response {
    let (method, uri, headers) = (request.method(), request.uri(), request.headers());
    if cloudwatch::is_meant(method, uri, headers) {
        let shared = Shared::of_request(&families.server, request.extensions());
        let server = FamilyServer::new(shared, families.cloudwatch);
        return cloudwatch::post(server, request).await.into_response();
    }
    let path = uri.path();
    if xray::is_address(path) {
        return xray::refusal(path).into_response();
    }
    if loki::is_address(path) {
        return loki::nothing_here(path).into_response();
    }
    if elastic::is_address(path) {
        return elastic::nothing_at(method, path).into_response();
    }
    if otlp::is_address(path) {
        return otlp::nothing_here(path).into_response();
    }
    if let Some(problem) = zipkin::refusal(path).filter(|_| *method == Method::POST) {
        return problem.into_response();
    }
    if !matches!(*method, Method::GET | Method::HEAD) {
        return Problem::not_found(format!("there is nothing at {path}")).into_response();
    }
    if path.starts_with("/docs/") {
        return api::docs_page(path, headers);
    }
    if path == "/reference" {
        return api::reference_page(&families.api, headers);
    }
    let accepts_html = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let wants_page = accepts_html.into_iter().any(|accept| accept.contains("text/html") || accept.contains("*/*"));
    let is_page = PAGE_ROUTES.contains(&path)
        || PAGE_ROUTES_OF_ONE.iter().any(|start| path.strip_prefix(start).is_some_and(|id| !id.contains('/')));
    if is_page && (wants_page || !headers.contains_key(header::ACCEPT)) {
        return api::index(headers);
    }
    let parameters = Parameters::of_address(uri).unwrap_or_default();
    let mut response = api::asset(path, parameters.get("v"), headers);
    // A person who mistyped an address sees a page that says so; a program that did gets its error.
    let is_read = headers.get_all(header::ACCEPT).iter().any(|accept| accept.as_bytes().starts_with(b"text/html"));
    if response.status() == StatusCode::NOT_FOUND && is_read && !path.starts_with("/api/") {
        response = api::index(headers);
        *response.status_mut() = StatusCode::NOT_FOUND;
    }
    response
}

async fn method_not_allowed(method: Method, uri: Uri) -> Problem {
    if let Some(problem) = elastic::refused(&method, uri.path()) {
        return problem;
    }
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", format!("{} does not take {method}", uri.path()))
}
