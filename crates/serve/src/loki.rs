//! The Loki API, as Grafana's data source, logcli and Loki's senders speak it.
//!
//! LogQL becomes the same plans as any other dialect; what is Loki's own lives below here: spellings of times,
//! label sets, the shapes of streams, vectors and matrices, and errors as plain text. Labels of a stream are
//! `group`, `stream`, `level`, `service_name`, `host` and those that a Loki sender pushed; every other field is
//! structured metadata (DESIGN.md §15).

mod detected;
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

use axum::extract::{Form, FromRequest, Query, Request};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::access::Role;
use crate::parameters::Parameters;
use crate::problem::Problem;
use crate::router::Table;

/// What all addresses of this door begin with.
pub(crate) const PREFIX: &str = "/loki/";

/// Adds the routes of this door.
pub(crate) fn add(table: Table) -> Table {
    table
        .get("/loki/api/v1/query", Role::Read, select::instant)
        .post("/loki/api/v1/query", Role::Read, select::instant)
        .get("/loki/api/v1/query_range", Role::Read, select::range)
        .post("/loki/api/v1/query_range", Role::Read, select::range)
        .get("/loki/api/v1/labels", Role::Read, labels::names)
        .post("/loki/api/v1/labels", Role::Read, labels::names)
        .get("/loki/api/v1/label", Role::Read, labels::names)
        .get("/loki/api/v1/label/{name}/values", Role::Read, labels::values)
        .get("/loki/api/v1/series", Role::Read, labels::series)
        .get("/loki/api/v1/patterns", Role::Read, patterns::get)
        .post("/loki/api/v1/series", Role::Read, labels::series)
        .get("/loki/api/v1/tail", Role::Read, tail::get)
        .get("/loki/api/v1/index/stats", Role::Read, status::index_stats)
        .get("/loki/api/v1/index/volume", Role::Read, volume::whole)
        .get("/loki/api/v1/index/volume_range", Role::Read, volume::over_range)
        .get("/loki/api/v1/detected_labels", Role::Read, detected::labels)
        .get("/loki/api/v1/detected_fields", Role::Read, detected::fields)
        .get("/loki/api/v1/detected_field/{name}/values", Role::Read, detected::values)
        .get("/loki/api/v1/rules", Role::Read, rules::all)
        .get("/loki/api/v1/rules/{file}", Role::Read, rules::of_file)
        .get("/loki/api/v1/rules/{file}/{group}", Role::Read, rules::of_group)
        .get("/prometheus/api/v1/rules", Role::Read, rules::shown)
        .get("/prometheus/api/v1/alerts", Role::Read, rules::alerts)
        .get("/loki/api/v1/format_query", Role::Read, status::format_query)
        .get("/loki/api/v1/status/buildinfo", Role::Read, status::buildinfo)
        .post("/loki/api/v1/push", Role::Ingest, push::post)
}

/// A problem as Loki says it: plain text.
#[derive(Debug)]
pub(crate) struct LokiProblem(Problem);

impl<E: Into<Problem>> From<E> for LokiProblem {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for LokiProblem {
    fn into_response(self) -> Response {
        let Problem { status, message, places, .. } = &self.0;
        let text = match places.first() {
            Some(place) => {
                let hint = place.hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
                format!("parse error at line {}, col {}: {}{hint}\n", place.line, place.column, place.message)
            }
            None => format!("{message}\n"),
        };
        let plain = [(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"))];
        // Loki's senders drop a batch on statuses that they do not know, and repeat it on 503.
        let status =
            if *status == StatusCode::INSUFFICIENT_STORAGE { StatusCode::SERVICE_UNAVAILABLE } else { *status };
        self.0.mark((status, plain, text).into_response())
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
