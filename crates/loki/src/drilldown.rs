//! The requests that Grafana sends about the server before it queries logs: limits, configuration, modules, index shards.

use serde_json::json;

use super::{select, status};
use crate::state::Call;
use door::{Outcome, Problem, Reply};

/// The content type of answers that people read.
const PLAIN: &str = "text/plain; charset=utf-8";

/// Limit on the series of one volume query, as in `volume.rs`.
const VOLUME_SERIES_MAX: usize = super::volume::MOST;

/// Answers `drilldown-limits`, by which Logs Drilldown selects its panels.
pub(crate) fn limits(call: Call) -> Outcome {
    let timeout_s = call.server.app.limits.query_timeout_ns / types::Timestamp::SECOND;
    Ok(Reply::json(&json!({
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
    })))
}

/// Answers `/config`: the settings of Loki that clients read, as YAML.
pub(crate) fn config(call: Call) -> Outcome {
    let timeout_s = call.server.app.limits.query_timeout_ns / types::Timestamp::SECOND;
    let text = format!(
        "target: all\nauth_enabled: false\nlimits_config:\n    discover_log_levels: true\n    \
         allow_structured_metadata: true\n    max_entries_limit_per_query: {}\n    query_timeout: {timeout_s}s\n    \
         volume_enabled: true\n    volume_max_series: {VOLUME_SERIES_MAX}\npattern_ingester:\n    enabled: true\n",
        select::LINES_MAX
    );
    Ok(Reply::content(PLAIN, text))
}

/// Answers `/services`: the only module that runs.
pub(crate) fn services(_: Call) -> Outcome {
    Ok(Reply::content(PLAIN, "server => Running\n"))
}

/// Answers `/ring`: there is none.
pub(crate) fn ring(_: Call) -> Outcome {
    Err(Problem::not_found("this server has no ring: it is a single process"))
}

/// Answers `index/shards`: one shard with everything that the selector matches.
pub(crate) fn shards(call: Call) -> Outcome {
    if call.parameters.get("targetBytesPerShard").is_none_or(|target| target.starts_with(['0', '-'])) {
        return Err(Problem::bad_parameter("targetBytesPerShard must be a positive value"));
    }
    status::with_stats(
        &call,
        |stats| json!({"shards": [{"bounds": {"min": 0, "max": u64::MAX}, "stats": stats}], "chunkGroups": null}),
    )
}
