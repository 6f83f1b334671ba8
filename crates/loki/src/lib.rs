//! The Loki API, for Grafana's data source, logcli and Loki's agents.
//!
//! LogQL is translated into the same plans as any other language. This crate has the parts that are specific to Loki: formats
//! of times, label sets, the JSON of streams, vectors and matrices, and errors as plain text. Labels of a stream are those
//! that a Loki agent pushed, and the service that they name; other events have `group`, `filename`, `service_name` and
//! `host`, and their fields are structured metadata.

mod detected;
mod drilldown;
mod labels;
mod lines;
mod metric;
mod patterns;
mod problem;
pub mod push;
mod rules;
mod select;
mod state;
mod status;
mod tail;
mod times;
mod volume;

use door::{Problem, Role, Routes};

pub use self::problem::{LokiFormat, LokiProblem};
pub use self::state::LokiState;

/// The prefix of most paths of this API.
pub const PREFIX: &str = "/loki/";

/// The prefix of its older paths.
const OLD_PREFIX: &str = "/api/prom/";

/// Reports whether answers at a path have the form of this API.
pub fn is_address(path: &str) -> bool {
    path.starts_with(PREFIX) || path.starts_with(OLD_PREFIX) || path == "/ring"
}

/// Returns the routes of this API.
pub fn routes() -> Routes<LokiState> {
    Routes::default()
        .form("/loki/api/v1/query", Role::Read, select::instant)
        .form("/loki/api/v1/query_range", Role::Read, select::range)
        .form("/loki/api/v1/labels", Role::Read, labels::names)
        .form("/loki/api/v1/label", Role::Read, labels::names)
        .form("/loki/api/v1/label/{name}/values", Role::Read, labels::values)
        .form("/loki/api/v1/series", Role::Read, labels::series)
        .form("/loki/api/v1/patterns", Role::Read, patterns::get)
        .form("/loki/api/v1/index/stats", Role::Read, status::index_stats)
        .form("/loki/api/v1/index/shards", Role::Read, drilldown::shards)
        .form("/loki/api/v1/index/volume", Role::Read, volume::whole)
        .form("/loki/api/v1/index/volume_range", Role::Read, volume::over_range)
        .form("/loki/api/v1/detected_labels", Role::Read, detected::labels)
        .form("/loki/api/v1/detected_fields", Role::Read, detected::fields)
        .form("/loki/api/v1/detected_field/{name}/values", Role::Read, detected::values)
        .form("/loki/api/v1/format_query", Role::Read, status::format_query)
        .form("/api/prom/label", Role::Read, labels::names)
        .form("/api/prom/label/{name}/values", Role::Read, labels::values)
        .form("/api/prom/series", Role::Read, labels::series)
        .get("/loki/api/v1/tail", Role::Read, tail::get)
        .get("/api/prom/tail", Role::Read, tail::get)
        .get("/loki/api/v1/drilldown-limits", Role::Read, drilldown::limits)
        .get("/config", Role::Read, drilldown::config)
        .get("/services", Role::Read, drilldown::services)
        .get("/ring", Role::Read, drilldown::ring)
        .get("/loki/api/v1/rules", Role::Read, rules::all)
        .get("/loki/api/v1/rules/{file}", Role::Read, rules::all)
        .get("/loki/api/v1/rules/{file}/{group}", Role::Read, rules::all)
        .get("/prometheus/api/v1/rules", Role::Read, rules::prometheus::shown)
        .get("/prometheus/api/v1/alerts", Role::Read, rules::prometheus::alerts)
        .get("/loki/api/v1/status/buildinfo", Role::Read, status::buildinfo)
        .post("/loki/api/v1/push", Role::Ingest, push::post)
        .post("/api/prom/push", Role::Ingest, push::post)
}

/// Answers a path of Loki's that is not supported, in the form that its clients show.
pub fn nothing_here(path: &str) -> LokiProblem {
    Problem::not_found(format!("there is nothing at {path}")).into()
}
