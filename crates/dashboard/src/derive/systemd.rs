//! Units of systemd: what they write, and what systemd says of them.

use super::board::{Board, lines, present};
use super::general::ERRORS;
use super::insights::field;
use super::sshd::of_program;
use crate::document::PanelKind;

const UNIT: [&str; 2] = ["_SYSTEMD_UNIT", "unit"];

const FAILED: &str = r"@message like /\S+\.[a-z]+: (Failed with result|Main process exited)/";
const FAILED_PARTS: &str = r"/(?<unit_name>[^\s\x22]+\.[a-z]+): (?<what>Failed with result|Main process exited)/";
const STARTED: &str = r"@message like /(Started|Stopped) \S/";
const STARTED_PARTS: &str = r"/(?<what>Started|Stopped) (?<unit_name>[^\x22]+?)\.?(\x22|$)/";
const RESTARTED: &str = r#"@message like "Scheduled restart job""#;
const RESTARTED_PARTS: &str = r"/(?<unit_name>[^\s\x22]+\.[a-z]+): Scheduled restart job/";

pub(super) fn add(board: &mut Board<'_>) {
    board.section("Units");
    if let Some(unit) = board.lines().first_of(&UNIT) {
        let (name, is_there) = (field(unit), present(unit));
        let query = format!("stats count(*) as lines by {name} as name | sort lines desc | limit 15");
        board.add(lines(PanelKind::Bar, "Lines by unit", &is_there, query).unit("count"));
        let query = format!("stats count(*) as errors by {name} as name | sort errors desc | limit 15");
        board.add(lines(PanelKind::Bar, "Errors by unit", &format!("{is_there} and {ERRORS}"), query).unit("count"));
    }
    let Some(systemd) = of_program(board, &["systemd"]) else { return };
    let of_systemd = |condition: &str| format!("{systemd} and {condition}");
    let by_unit = "stats count(*) as n, max(@timestamp) as newest by unit_name, what | sort n desc | limit 15";
    let query = format!("parse @message {FAILED_PARTS} | {by_unit}");
    board.add(lines(PanelKind::Table, "Units that failed", &of_systemd(FAILED), query));
    let query = format!(
        "parse @message {RESTARTED_PARTS} | stats count(*) as restarts, max(@timestamp) as newest by unit_name \
         | sort restarts desc | limit 15"
    );
    board.add(lines(PanelKind::Table, "Units that were restarted", &of_systemd(RESTARTED), query));
    let query = format!("parse @message {STARTED_PARTS} | {by_unit}");
    board.add(lines(PanelKind::Table, "Started and stopped most often", &of_systemd(STARTED), query));
    let query = format!("parse @message {STARTED_PARTS} | stats count(*) as n by bin($__interval), what");
    board.add(lines(PanelKind::Bar, "Starts and stops over time", &of_systemd(STARTED), query).unit("count").stacked());
}
