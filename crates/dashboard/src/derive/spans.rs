//! Spans of a service: how many requests, how many fail, how long they take, by operation; what it calls.

use super::board::{Board, spans};
use super::facts::{Facts, Subject};
use super::insights::{percent_if, percentiles};
use crate::document::PanelKind;

/// Spans of requests that came in.
const SERVED: &str = "kind in [\"server\", \"consumer\"]";
/// Spans of requests that went out.
const CALLED: &str = "kind in [\"client\", \"producer\"]";
const FAILED: &str = "status = \"error\"";

pub(super) fn add(board: &mut Board<'_>) {
    let Facts { spans: facts, .. } = board.facts;
    if facts.n_events == 0 || !facts.has("duration_ms") {
        return;
    }
    // Where nothing comes in from elsewhere, as with jobs, every span counts.
    let is_served = board.is_asking || facts.found.contains(SERVED);
    let (title, all) = if is_served { ("Requests", SERVED) } else { ("Spans", "") };
    let is_error =
        |condition: &str| if condition.is_empty() { FAILED.to_owned() } else { format!("{condition} and {FAILED}") };
    board.section("Requests from spans");
    board.add(spans(PanelKind::Number, title, all, "stats count(*) as n").unit("count"));
    let share = format!("stats {} as percent", percent_if(FAILED));
    board.add(spans(PanelKind::Number, "Failed", all, share).unit("percent").grades(1.0, 5.0));
    board.add(spans(PanelKind::Number, "Duration, p95", all, "stats pct(duration_ms, 95) as p95").unit("ms"));
    let course = "stats count(*) as n by bin($__interval), name";
    board.add(spans(PanelKind::Area, "By operation", all, course).unit("count").stacked());
    let course = format!("stats {} as percent by bin($__interval)", percent_if(FAILED));
    board.add(
        spans(PanelKind::Line, "Failed over time", all, course)
            .if_found(is_error(all))
            .unit("percent")
            .without_legend()
            .grades(1.0, 5.0),
    );
    let course = format!("stats {} by bin($__interval)", percentiles("duration_ms"));
    board.add(spans(PanelKind::Line, "Durations", all, course).unit("ms"));
    let numbers = format!("count(*) as n, {} as failed_percent, {}", percent_if(FAILED), percentiles("duration_ms"));
    let query = format!("stats {numbers} by name as operation | sort n desc | limit 20");
    board.add(spans(PanelKind::Table, "Operations", all, query));
    let query = "stats count(*) as failures, max(@timestamp) as newest by name as operation, status_message as reason \
                 | sort failures desc | limit 10";
    board.add(spans(PanelKind::Table, "What failed most in operations", FAILED, query));
    let query = "fields @timestamp, name, duration_ms, status, trace_id | sort duration_ms desc | limit 10";
    board.add(spans(PanelKind::Table, "Slowest", all, query));
    let query = format!("stats {numbers} by name as call | sort n desc | limit 20");
    board.add(spans(PanelKind::Table, "Calls to others", CALLED, query));
    if matches!(board.facts.subject, Subject::Service(_) | Subject::Group(_)) {
        board.add(spans(PanelKind::Map, "Services that it talks to", CALLED, "").without_query());
    }
}
