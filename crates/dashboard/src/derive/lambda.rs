//! AWS Lambda: what its `REPORT` lines say of each invocation.

use super::board::{Board, lines};
use super::facts::EventFacts;
use super::insights::{percent_if, percentiles};
use crate::document::PanelKind;

const REPORTS: &str = "@type = \"REPORT\"";

pub(super) fn is_recognised(facts: &EventFacts) -> bool {
    facts.has("@type") && facts.has("@duration")
}

pub(super) fn add(board: &mut Board<'_>) {
    if !is_recognised(board.lines()) {
        return;
    }
    board.section("Invocations");
    board.add(lines(PanelKind::Number, "Invocations", REPORTS, "stats count(*) as invocations").unit("count"));
    let failed = format!("stats {} as percent", percent_if("@level >= \"error\""));
    board.add(lines(PanelKind::Number, "Failed invocations", REPORTS, failed).unit("percent").grades(1.0, 5.0));
    let duration = format!("{REPORTS} and @duration >= 0");
    board.add(lines(PanelKind::Number, "Duration, p95", &duration, "stats pct(@duration, 95) as p95").unit("ms"));
    if board.lines().has("@initDuration") {
        let cold = format!("stats {} as percent", percent_if("ispresent(@initDuration)"));
        board.add(lines(PanelKind::Number, "Cold starts", REPORTS, cold).unit("percent"));
    }
    if board.lines().has("@billedDuration") {
        let billed = "stats sum(@billedDuration) / 1000 as seconds";
        board.add(lines(PanelKind::Number, "Billed", &format!("{REPORTS} and @billedDuration > 0"), billed).unit("s"));
    }
    let course = "stats count(*) as invocations by bin($__interval)";
    board.add(lines(PanelKind::Bar, "Invocations over time", REPORTS, course).unit("count").without_legend());
    let timeouts = format!("{REPORTS} and @level >= \"error\"");
    board.add(lines(PanelKind::Bar, "Timeouts and errors", &timeouts, course).unit("count").without_legend());
    let query = format!("stats {} by bin($__interval)", percentiles("@duration"));
    board.add(lines(PanelKind::Line, "Durations", &duration, query).unit("ms"));
    if board.lines().has("@maxMemoryUsed") {
        let memory = "stats max(@maxMemoryUsed) as used, max(@memorySize) as available by bin($__interval)";
        board.add(lines(PanelKind::Line, "Memory", &format!("{REPORTS} and @maxMemoryUsed > 0"), memory).unit("bytes"));
    }
    let query = "stats count(*) as invocations, pct(@duration, 95) as p95, max(@duration) as longest by @log as function \
                 | sort invocations desc | limit 20";
    board.add(lines(PanelKind::Table, "Functions", &duration, query));
    let query = "fields @timestamp, @duration, @requestId | sort @duration desc | limit 10";
    board.add(lines(PanelKind::Table, "Longest invocations", &duration, query));
}
