//! The Loki API, as Grafana's data source, logcli and Loki's senders speak it.
//!
//! LogQL becomes the same plans as any other dialect; what is Loki's own lives below here: spellings of times,
//! label sets, the shapes of streams, vectors and matrices, and errors as plain text. Labels of a stream are those that
//! a Loki sender pushed, and the service that they name; other events have `group`, `filename`, `service_name` and `host`,
//! and their fields are structured metadata.

mod detected;
mod drilldown;
mod labels;
mod lines;
mod metric;
mod patterns;
mod push;
mod rules;
mod select;
mod status;
mod tail;
mod times;
mod volume;

use std::sync::Arc;

use axum::extract::{Form, FromRequest, Query, Request};
use axum::handler::Handler;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use door::access::Role;
use door::format::ErrorFormat;
use door::parameters::Parameters;
use door::problem::Problem;
use door::server::Server;
use door::table::Table;

/// What most addresses of this door begin with.
pub(crate) const PREFIX: &str = "/loki/";

/// What its older addresses begin with.
const OLD_PREFIX: &str = "/api/prom/";

/// Whether answers at an address have this door's form.
pub(crate) fn is_address(path: &str) -> bool {
    path.starts_with(PREFIX) || path.starts_with(OLD_PREFIX) || path == "/ring"
}

/// Adds the routes of this door.
pub(crate) fn routes() -> Table<Arc<Server>> {
    let table = both(Table::default(), "/loki/api/v1/query", select::instant);
    let table = both(table, "/loki/api/v1/query_range", select::range);
    let table = both(table, "/loki/api/v1/labels", labels::names);
    let table = both(table, "/loki/api/v1/label", labels::names);
    let table = both(table, "/loki/api/v1/label/{name}/values", labels::values);
    let table = both(table, "/loki/api/v1/series", labels::series);
    let table = both(table, "/loki/api/v1/patterns", patterns::get);
    let table = both(table, "/loki/api/v1/index/stats", status::index_stats);
    let table = both(table, "/loki/api/v1/index/shards", drilldown::shards);
    let table = both(table, "/loki/api/v1/index/volume", volume::whole);
    let table = both(table, "/loki/api/v1/index/volume_range", volume::over_range);
    let table = both(table, "/loki/api/v1/detected_labels", detected::labels);
    let table = both(table, "/loki/api/v1/detected_fields", detected::fields);
    let table = both(table, "/loki/api/v1/detected_field/{name}/values", detected::values);
    let table = both(table, "/loki/api/v1/format_query", status::format_query);
    let table = both(table, "/api/prom/label", labels::names);
    let table = both(table, "/api/prom/label/{name}/values", labels::values);
    let table = both(table, "/api/prom/series", labels::series);
    table
        .get("/loki/api/v1/tail", Role::Read, tail::get)
        .get("/api/prom/tail", Role::Read, tail::get)
        .get("/loki/api/v1/drilldown-limits", Role::Read, drilldown::limits)
        .get("/config", Role::Read, drilldown::config)
        .get("/services", Role::Read, drilldown::services)
        .get("/ring", Role::Read, drilldown::ring)
        .get("/loki/api/v1/rules", Role::Read, rules::all)
        .get("/loki/api/v1/rules/{file}", Role::Read, rules::of_file)
        .get("/loki/api/v1/rules/{file}/{group}", Role::Read, rules::of_group)
        .get("/prometheus/api/v1/rules", Role::Read, rules::shown)
        .get("/prometheus/api/v1/alerts", Role::Read, rules::alerts)
        .get("/loki/api/v1/status/buildinfo", Role::Read, status::buildinfo)
        .post("/loki/api/v1/push", Role::Ingest, push::post)
        .post("/api/prom/push", Role::Ingest, push::post)
}

/// Adds a route that reads, by GET and by POST with a form.
fn both<H, T>(table: Table<Arc<Server>>, path: &'static str, handler: H) -> Table<Arc<Server>>
where
    H: Handler<T, Arc<Server>>,
    T: 'static,
{
    table.get(path, Role::Read, handler.clone()).post(path, Role::Read, handler)
}

/// A problem as Loki says it: plain text.
#[derive(Debug)]
pub(crate) struct LokiProblem(Problem);

impl<E: Into<Problem>> From<E> for LokiProblem {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl LokiProblem {
    /// What is wrong, and where in the query.
    pub(crate) fn text(&self) -> String {
        match self.0.places.first() {
            Some(place) => {
                let hint = place.hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
                format!("parse error at line {}, col {}: {}{hint}", place.line, place.column, place.message)
            }
            None => self.0.message.clone(),
        }
    }
}

impl IntoResponse for LokiProblem {
    fn into_response(self) -> Response {
        let (status, text) = (&self.0.status, format!("{}\n", self.text()));
        let plain = [(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"))];
        // Loki's senders drop a batch on statuses that they do not know, and repeat it on 503.
        let status =
            if *status == StatusCode::INSUFFICIENT_STORAGE { StatusCode::SERVICE_UNAVAILABLE } else { *status };
        self.0.mark((status, plain, text).into_response())
    }
}

/// Errors as Loki writes them.
pub(crate) struct LokiFormat;

impl ErrorFormat for LokiFormat {
    fn refuse(&self, problem: &Problem) -> Response {
        LokiProblem::from(problem.clone()).into_response()
    }
}

/// The answer to an address of Loki's that is none of ours, in the form that its clients show.
pub(crate) fn nothing_here(path: &str) -> LokiProblem {
    Problem::not_found(format!("there is nothing at {path}")).into()
}

/// Parameters from the form of a POST, and from the address: senders of either are known.
pub(crate) struct LokiParameters(Parameters);

impl<S: Send + Sync> FromRequest<S> for LokiParameters {
    type Rejection = LokiProblem;

    async fn from_request(request: Request, state: &S) -> Result<Self, LokiProblem> {
        let unreadable = || Problem::bad_request("bad-parameter", "the parameters cannot be read");
        let of_address = Query::<Vec<(String, String)>>::try_from_uri(request.uri()).map_err(|_| unreadable())?;
        let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let has_form = request.method() == Method::POST
            && content_type.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
        let mut pairs = Vec::new();
        if has_form {
            let form = Form::<Vec<(String, String)>>::from_request(request, state).await;
            pairs = form.map_err(|_| unreadable())?.0;
        }
        pairs.extend(of_address.0);
        Ok(Self(Parameters(pairs)))
    }
}
