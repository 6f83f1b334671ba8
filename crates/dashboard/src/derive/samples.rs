//! Metrics: those of nginx's traffic status module, and any others by what their names say of them.

use super::board::{Board, samples};
use super::facts::Subject;
use crate::document::PanelKind::{self, Area, Line};

/// Most metrics that get panels of their own.
const METRICS_MAX: usize = 40;

/// Prefixes that have sections of their own.
const OTHERS: [&str; 3] = ["node_", "nginx_vts_", "catat_"];

/// Metrics of nginx-module-vts. It has sums of its own among its series, as the host `*` and the code `total`: with them,
/// everything would count twice.
const NGINX: [(&str, PanelKind, &str, &str, &str, &str); 8] = [
    ("nginx_vts_main_connections", Line, "Connections", "sum by (status) ($m{})", "{status}", "count"),
    (
        "nginx_vts_server_requests_total",
        Area,
        "Requests by class of status",
        "sum by (code) (rate($m{, host!=\"*\", code!=\"total\"}[$__rate_interval]))",
        "{code}",
        "per_second",
    ),
    (
        "nginx_vts_server_bytes_total",
        Area,
        "Traffic by direction",
        "sum by (direction) (rate($m{, host!=\"*\"}[$__rate_interval]))",
        "{direction}",
        "bytes/s",
    ),
    (
        "nginx_vts_server_request_seconds",
        Line,
        "Request time by site",
        "avg by (host) ($m{, host!=\"*\"})",
        "{host}",
        "s",
    ),
    (
        "nginx_vts_server_cache_total",
        Area,
        "Cache by answer",
        "sum by (status) (rate($m{, host!=\"*\"}[$__rate_interval]))",
        "{status}",
        "per_second",
    ),
    (
        "nginx_vts_upstream_requests_total",
        Area,
        "Requests by upstream",
        "sum by (upstream, backend) (rate($m{, code!=\"total\"}[$__rate_interval]))",
        "{upstream} {backend}",
        "per_second",
    ),
    (
        "nginx_vts_upstream_response_seconds",
        Line,
        "Response time by upstream",
        "avg by (upstream, backend) ($m{})",
        "{upstream} {backend}",
        "s",
    ),
    (
        "nginx_vts_upstream_bytes_total",
        Area,
        "Traffic of upstreams",
        "sum by (upstream, direction) (rate($m{}[$__rate_interval]))",
        "{upstream} {direction}",
        "bytes/s",
    ),
];

pub(super) fn add_nginx(board: &mut Board<'_>) {
    board.section("nginx");
    for (name, kind, title, query, label, unit) in NGINX {
        let panel = samples(kind, title, name, query).label(label).unit(unit);
        board.add(if kind == Area { panel.stacked() } else { panel });
    }
}

/// Adds the metrics that nothing else is known of: counters as rates, histograms as percentiles, others as they are.
pub(super) fn add_others(board: &mut Board<'_>) {
    board.section("Metrics");
    // Of a service, its own; a host's machine is told above, and what else runs on it has pages of its own.
    if matches!(board.facts.subject, Subject::Host(_)) {
        return;
    }
    let names = &board.facts.samples.names;
    let is_other = |name: &&String| is_name(name) && !OTHERS.iter().any(|prefix| name.starts_with(prefix));
    let has = |base: &str, suffix: &str| names.contains(&format!("{base}{suffix}"));
    let is_of_histogram = |name: &str| {
        let base = ["_bucket", "_sum", "_count"].iter().find_map(|suffix| name.strip_suffix(suffix));
        base.is_some_and(|base| has(base, "_bucket"))
    };
    // A gauge may be called `threads_count`.
    let is_counter = |name: &str| {
        let is_of_summary = |suffix, other| name.strip_suffix(suffix).is_some_and(|base| has(base, other));
        name.ends_with("_total") || is_of_summary("_count", "_sum") || is_of_summary("_sum", "_count")
    };
    let shown = names.iter().filter(is_other).filter(|name| !is_of_histogram(name) || name.ends_with("_bucket"));
    for name in shown.take(METRICS_MAX) {
        let title = name.trim_end_matches("_bucket");
        let unit = unit_of(title);
        if name.ends_with("_bucket") {
            let of =
                |share: &str| format!("histogram_quantile({share}, sum by (le) (rate({name}{{}}[$__rate_interval])))");
            let panel = samples(Line, title, name, &of("0.5")).label("p50");
            board.add(panel.and(&of("0.95"), "p95").and(&of("0.99"), "p99").unit(unit));
        } else if has(name, "_sum") && has(name, "_count") {
            // The mean of several quantiles is no number of anything.
            let query = format!("max by (quantile) ({name}{{}})");
            board.add(samples(Line, title, name, &query).label("{quantile}").unit(unit));
        } else if is_counter(name) {
            let query = format!("sum(rate({name}{{}}[$__rate_interval]))");
            let unit = if unit == "bytes" { "bytes/s" } else { "per_second" };
            board.add(samples(Line, title, name, &query).unit(unit).without_legend());
        } else {
            let panel = samples(Line, title, name, &format!("avg({name}{{}})")).label("mean");
            board.add(panel.and(&format!("max({name}{{}})"), "max").unit(unit));
        }
    }
}

/// Returns what the numbers of a metric are, as its name says.
fn unit_of(name: &str) -> &'static str {
    let base = name.trim_end_matches("_total").trim_end_matches("_sum").trim_end_matches("_count");
    match base.rsplit('_').next().unwrap_or_default() {
        "bytes" => "bytes",
        "seconds" => "s",
        "milliseconds" | "ms" => "ms",
        "ratio" => "ratio",
        "percent" => "percent",
        _ => "none",
    }
}

/// Reports whether a name can be written into a query as it is.
fn is_name(name: &str) -> bool {
    name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b':'))
        && !name.starts_with(|c: char| c.is_ascii_digit())
}
