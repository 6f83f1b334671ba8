//! What Grafana asks about the server before it asks for logs: limits, configuration, modules, shards of an index.

use axum::Json;
use axum::http::header;
use axum::response::IntoResponse;
use serde_json::{Value, json};

use super::{select, status};
use crate::parameters::LokiParameters;
use crate::problem::LokiProblem;
use door::problem::Problem;
use door::server::Shared;

/// Series of one volume query at most, as `volume.rs` has it.
const VOLUME_SERIES_MAX: usize = super::volume::MOST;

/// Answers `drilldown-limits`: what Logs Drilldown decides its panels by.
pub(crate) async fn limits(server: Shared) -> Json<Value> {
    let timeout_s = server.app.limits.query_timeout_ns / types::Timestamp::SECOND;
    Json(json!({
        "limits": {
            "discover_log_levels": true,
            "max_entries_limit_per_query": select::LINES_MAX,
            "max_query_length": "0s", "max_query_lookback": "0s", "max_query_range": "0s",
            "query_timeout": format!("{timeout_s}s"),
            "retention_period": "0s",
            "volume_enabled": true, "volume_max_series": VOLUME_SERIES_MAX,
        },
        "pattern_ingester_enabled": true,
        "version": status::LOKI_VERSION,
    }))
}

/// `/config`: the settings of Loki that clients look for, as YAML.
pub(crate) async fn config(server: Shared) -> impl IntoResponse {
    let timeout_s = server.app.limits.query_timeout_ns / types::Timestamp::SECOND;
    let text = format!(
        "target: all\nauth_enabled: false\nlimits_config:\n    discover_log_levels: true\n    \
         allow_structured_metadata: true\n    max_entries_limit_per_query: {}\n    query_timeout: {timeout_s}s\n    \
         volume_enabled: true\n    volume_max_series: {VOLUME_SERIES_MAX}\npattern_ingester:\n    enabled: true\n",
        select::LINES_MAX
    );
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text)
}

/// `/services`: the modules that run. There is one.
pub(crate) async fn services(_: Shared) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], "server => Running\n")
}

/// `/ring`: there is none to show.
pub(crate) async fn ring(_: Shared) -> LokiProblem {
    Problem::not_found("this server has no ring: it is a single process").into()
}

/// Answers `index/shards`: one shard, which holds everything that the selector finds.
pub(crate) async fn shards(
    server: Shared,
    LokiParameters(parameters): LokiParameters,
) -> Result<Json<Value>, LokiProblem> {
    if parameters.get("targetBytesPerShard").is_none_or(|target| target.starts_with(['0', '-'])) {
        return Err(Problem::bad_request("bad-parameter", "targetBytesPerShard must be a positive value").into());
    }
    let stats = status::stats_of(&server, &parameters).await?;
    let shard = json!({"bounds": {"min": 0, "max": u64::MAX}, "stats": stats});
    Ok(Json(json!({"shards": [shard], "chunkGroups": null})))
}
