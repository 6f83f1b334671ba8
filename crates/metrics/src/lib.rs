//! Samples: Prometheus' remote write, OTLP's metrics and Pushgateway's API, and Prometheus' HTTP API with PromQL.
//!
//! A sample is an event whose `@type` is `sample` (`ingest::sample`); this crate stores none otherwise. PromQL is evaluated by
//! `promql` over the samples that a plan selects within the caller's scope.

mod api;
mod cardinality;
mod exemplars;
mod fleet_scrapes;
mod format;
mod known_metrics;
mod metadata;
mod native_histogram;
mod otlp;
mod own;
mod problem;
mod push;
mod read;
mod targets;
mod times;
mod write;

use std::sync::Arc;

use door::fleet::SCRAPES_PATH;
use door::{ErrorFormat, Role, Routes, Server};

pub use self::metadata::{MetricsState, keep_metadata, save_metadata};
pub use self::own::store_own;
use self::problem::PrometheusFormat;
pub use self::push::{repeat, repeat_pushes};

/// The prefix of all paths of this API.
const PREFIX: &str = "/prometheus/";

/// The paths of pushed groups; what may be there is read by `push`.
const PUSHES: &str = "/metrics/{*group}";

/// Starts the state of this crate: reads metadata of metrics; pushed groups go with the log groups that hold their samples. Blocks.
pub fn start(server: &Server) -> Arc<MetricsState> {
    server.add_group_holder(push::forget);
    Arc::new(MetricsState::load(server.settings()))
}

/// Returns the routes of this crate.
pub fn routes() -> Routes<MetricsState> {
    Routes::default()
        .form("/prometheus/api/v1/query", Role::Read, api::instant)
        .form("/prometheus/api/v1/query_range", Role::Read, api::range)
        .form("/prometheus/api/v1/labels", Role::Read, api::names)
        .form("/prometheus/api/v1/series", Role::Read, api::series)
        .form("/prometheus/api/v1/query_exemplars", Role::Read, exemplars::get)
        .form("/prometheus/api/v1/format_query", Role::Read, api::formatted)
        .form("/prometheus/api/v1/parse_query", Role::Read, api::parsed)
        .get("/prometheus/api/v1/label/{name}/values", Role::Read, api::values)
        .get("/prometheus/api/v1/metadata", Role::Read, metadata::get)
        .get("/prometheus/api/v1/targets", Role::Read, targets::list)
        .get("/prometheus/api/v1/targets/metadata", Role::Read, targets::metadata)
        .get("/prometheus/api/v1/scrape_pools", Role::Read, targets::pools)
        .post(SCRAPES_PATH, Role::None, fleet_scrapes::post)
        .get("/prometheus/api/v1/status/buildinfo", Role::Read, api::buildinfo)
        .get("/prometheus/api/v1/status/tsdb", Role::Read, cardinality::get)
        .post("/prometheus/api/v1/write", Role::Ingest, write::post)
        .post("/prometheus/api/v1/read", Role::Read, read::post)
        .put(PUSHES, Role::Ingest, push::put)
        .post(PUSHES, Role::Ingest, push::post)
        .delete(PUSHES, Role::Ingest, push::delete)
        .post("/v1/metrics", Role::Ingest, otlp::post)
        .post("/otlp/v1/metrics", Role::Ingest, otlp::post)
        .post("/opentelemetry.proto.collector.metrics.v1.MetricsService/Export", Role::Ingest, otlp::export)
}

/// Returns the error format of a path of this API.
pub fn format_of(path: &str) -> Option<Box<dyn ErrorFormat>> {
    path.starts_with(PREFIX).then(|| Box::new(PrometheusFormat) as Box<dyn ErrorFormat>)
}
