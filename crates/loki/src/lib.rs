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
mod parameters;
mod patterns;
mod problem;
pub mod push;
mod rules;
mod select;
mod status;
mod tail;
mod times;
mod volume;

use axum::handler::Handler;
use door::access::Role;
use door::problem::Problem;
use door::server::FamilyState;
use door::table::Table;

pub use self::problem::{LokiFormat, LokiProblem};
pub use self::push::LokiState;

/// The prefix of most paths of this API.
pub const PREFIX: &str = "/loki/";

/// The prefix of its older paths.
const OLD_PREFIX: &str = "/api/prom/";

/// Reports whether answers at a path have the form of this API.
pub fn is_address(path: &str) -> bool {
    path.starts_with(PREFIX) || path.starts_with(OLD_PREFIX) || path == "/ring"
}

/// Returns the routes of this API.
pub fn routes() -> Table<FamilyState<LokiState>> {
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
        .get("/prometheus/api/v1/rules", Role::Read, rules::prometheus::shown)
        .get("/prometheus/api/v1/alerts", Role::Read, rules::prometheus::alerts)
        .get("/loki/api/v1/status/buildinfo", Role::Read, status::buildinfo)
        .post("/loki/api/v1/push", Role::Ingest, push::post)
        .post("/api/prom/push", Role::Ingest, push::post)
}

/// Adds a route for readers, by GET and by POST with a form.
fn both<H, T>(table: Table<FamilyState<LokiState>>, path: &'static str, handler: H) -> Table<FamilyState<LokiState>>
where
    H: Handler<T, FamilyState<LokiState>>,
    T: 'static,
{
    table.get(path, Role::Read, handler.clone()).post(path, Role::Read, handler)
}

/// Answers a path of Loki's that is not supported, in the form that its clients show.
pub fn nothing_here(path: &str) -> LokiProblem {
    Problem::not_found(format!("there is nothing at {path}")).into()
}
