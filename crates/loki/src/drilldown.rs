//! The requests that Grafana sends about the server before it queries logs: limits, configuration, modules, index shards.

use axum::Json;
use axum::http::header;
use axum::response::IntoResponse;
use serde_json::{Value, json};

use super::{select, status};
use crate::parameters::LokiParameters;
use crate::problem::LokiProblem;
use door::problem::Problem;
use door::server::Shared;

/// Limit on the series of one volume query, as in `volume.rs`.
const VOLUME_SERIES_MAX: usize = super::volume::MOST;

/// Answers `drilldown-limits`, by which Logs Drilldown selects its panels.
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

/// Answers `/config`: the settings of Loki that clients read, as YAML.
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

/// Answers `/services`: the only module that runs.
pub(crate) async fn services(_: Shared) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], "server => Running\n")
}

/// Answers `/ring`: there is none.
pub(crate) async fn ring(_: Shared) -> LokiProblem {
    Problem::not_found("this server has no ring: it is a single process").into()
}

/// Answers `index/shards`: one shard with everything that the selector matches.
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
