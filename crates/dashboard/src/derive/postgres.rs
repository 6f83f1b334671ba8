//! PostgreSQL's own log, in its default format.

use super::board::{Board, lines, present};
use super::general::ERRORS;
use crate::document::PanelKind;

/// What its lines have after the process: a severity and two spaces.
const LINES: &str =
    r"@message like /\[\d+(-\d+)?\] (\S+@\S+ )?(LOG|WARNING|ERROR|FATAL|PANIC|STATEMENT|DETAIL|HINT):  /";
const SEVERITY: &str = r"/ (?<severity>LOG|WARNING|ERROR|FATAL|PANIC|STATEMENT|DETAIL|HINT|CONTEXT):  /";
const DURATION: &str = r"/duration: (?<took>[\d.]+) ms/";
const STATEMENT: &str =
    r"/duration: (?<took>[\d.]+) ms +(statement|execute [^:]*|parse [^:]*|bind [^:]*): (?<statement>.*)/";

pub(super) fn add(board: &mut Board<'_>) {
    // Its lines have the number of their process, and nothing else has it with these words.
    if !board.lines().has("pid") {
        return;
    }
    board.section("PostgreSQL");
    let of_lines = |more: &str| format!("{LINES} and {more}");
    for (title, more) in [
        ("Deadlocks", r#"@message like "deadlock detected""#),
        ("Temporary files", r#"@message like "temporary file: path""#),
        ("Checkpoints", r#"@message like "checkpoint complete""#),
        ("Connections", r#"@message like "connection authorized""#),
    ] {
        board.add(lines(PanelKind::Number, title, &of_lines(more), "stats count(*) as n").unit("count"));
    }
    let query = format!("parse @message {SEVERITY} | stats count(*) as lines by bin($__interval), severity");
    board.add(lines(PanelKind::Area, "Lines by severity", LINES, query).unit("count").stacked());
    for (title, name) in [("Errors by database", "database"), ("Errors by user", "user")] {
        if board.lines().has(name) {
            let condition = of_lines(&format!("{ERRORS} and {}", present(name)));
            let query = format!("stats count(*) as errors by {name} as name | sort errors desc | limit 10");
            board.add(lines(PanelKind::Bar, title, &condition, query).unit("count"));
        }
    }
    let timed = of_lines(r"@message like /duration: [\d.]+ ms/");
    let query = format!(
        "parse @message {DURATION} | stats pct(took, 50) as p50, pct(took, 95) as p95, max(took) as longest by bin($__interval)"
    );
    board.add(lines(PanelKind::Line, "Durations of statements", &timed, query).unit("ms"));
    let logged = of_lines(r"@message like /duration: [\d.]+ ms +(statement|execute [^:]*|parse [^:]*|bind [^:]*): /");
    let query = format!(
        "parse @message {STATEMENT} | fields @timestamp, tonumber(took) as ms, statement | sort ms desc | limit 20 \
         | display @timestamp, ms, statement"
    );
    board.add(lines(PanelKind::Table, "Slowest statements", &logged, query));
}
