//! catat itself: its audit log, its alarms, its metrics.

use super::board::{Board, RATE, SUM, lines, present, samples};
use super::general::ERRORS;
use crate::document::PanelKind;

pub(super) fn add_audit(board: &mut Board<'_>) {
    let groups = &board.lines().groups;
    if !groups.iter().any(|group| group == "catat/audit") {
        return;
    }
    board.section("Audit log");
    let done = "stats count(*) as n, max(@timestamp) as newest by action, caller | sort n desc | limit 20";
    board.add(lines(PanelKind::Table, "Who did what", &present("action"), done));
    let course = "stats count(*) as n by bin($__interval), action";
    board.add(lines(PanelKind::Bar, "Actions over time", &present("action"), course).unit("count").stacked());
    let refused = "action = \"key refused\"";
    let query = "stats count(*) as n by address | sort n desc | limit 10";
    board.add(lines(PanelKind::Table, "Addresses with wrong keys", refused, query));
    board.add(
        lines(PanelKind::Number, "Refusals", &format!("({refused} or {ERRORS})"), "stats count(*) as n").unit("count"),
    );
}

/// Metrics of a server, with how each is shown.
const METRICS: [(&str, &str, &str, &str); 12] = [
    ("catat_http_requests_total", "Requests", "sum by (route) (rate($m{}[$__rate_interval]))", "per_second"),
    (
        "catat_http_request_seconds_total",
        "Mean time of requests",
        "sum(rate($m{}[$__rate_interval])) / sum(rate(catat_http_requests_total{}[$__rate_interval]))",
        "s",
    ),
    ("catat_queries_total", "Queries", RATE, "per_second"),
    ("catat_queries_running", "Queries that run", SUM, "count"),
    ("catat_query_memory_bytes", "Memory of queries", SUM, "bytes"),
    ("catat_query_spill_bytes", "Disk space of queries", SUM, "bytes"),
    ("catat_query_cache_bytes", "Cache", SUM, "bytes"),
    ("catat_query_cache_hits_total", "Answers from the cache", RATE, "per_second"),
    ("catat_notifications_waiting", "Notifications that wait", SUM, "count"),
    ("catat_channel_failing", "Channels that fail", "sum by (channel) ($m{})", "count"),
    ("catat_events_overflowed_total", "Events put into other groups", RATE, "per_second"),
    ("catat_start_time_seconds", "Running since", "time() - $m{}", "s"),
];

pub(super) fn add_metrics(board: &mut Board<'_>) {
    board.section("catat");
    for (name, title, query, unit) in METRICS {
        board.add(samples(PanelKind::Line, title, name, query).unit(unit));
    }
}
