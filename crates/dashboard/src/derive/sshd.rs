//! sshd: who came in, and who tried.

use super::board::{Board, lines};
use super::insights::field;
use crate::document::PanelKind;

/// Fields that name the program of a line.
pub(super) const PROGRAM: [&str; 5] = ["appname", "program", "SYSLOG_IDENTIFIER", "ident", "tag"];

const FAILED: &str = r"@message like /Failed \S+ for /";
const FAILED_PARTS: &str = r"/Failed (?<way>\S+) for (invalid user )?(?<user>\S*) from (?<address>\S+)/";
const ACCEPTED: &str = r"@message like /Accepted \S+ for /";
const ACCEPTED_PARTS: &str = r"/Accepted (?<way>\S+) for (?<user>\S+) from (?<address>\S+)/";
const INVALID: &str = r"@message like /[Ii]nvalid user \S+ from /";
const INVALID_PARTS: &str = r"/[Ii]nvalid user (?<user>\S+) from (?<address>\S+)/";

/// Writes the condition that lines are those of a program; none where no field names programs.
pub(super) fn of_program(board: &Board<'_>, names: &[&str]) -> Option<String> {
    let name = board.lines().first_of(&PROGRAM)?;
    let names: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    Some(format!("{} in [{}]", field(name), names.join(", ")))
}

pub(super) fn add(board: &mut Board<'_>) {
    let Some(sshd) = of_program(board, &["sshd", "sshd-session"]) else { return };
    board.section("Logins by SSH");
    let (failed, accepted) = (format!("{sshd} and {FAILED}"), format!("{sshd} and {ACCEPTED}"));
    let invalid = format!("{sshd} and {INVALID}");
    let addresses = |parts: &str| format!("parse @message {parts} | stats count_distinct(address) as addresses");
    board.add(lines(PanelKind::Number, "Logins", &accepted, "stats count(*) as logins").unit("count"));
    board.add(lines(PanelKind::Number, "Failed attempts", &failed, "stats count(*) as attempts").unit("count"));
    board.add(lines(PanelKind::Number, "Addresses that failed", &failed, addresses(FAILED_PARTS)).unit("count"));
    board.add(lines(PanelKind::Number, "Unknown users", &invalid, "stats count(*) as attempts").unit("count"));
    let course = "stats count(*) as attempts by bin($__interval)";
    board.add(lines(PanelKind::Bar, "Failed attempts over time", &failed, course).unit("count").without_legend());
    let query = format!("parse @message {ACCEPTED_PARTS} | stats count(*) as logins by bin($__interval), user");
    board.add(lines(PanelKind::Bar, "Logins over time", &accepted, query).unit("count").stacked());
    for (title, condition, parts, by) in [
        ("Addresses that failed most", &failed, FAILED_PARTS, "address"),
        ("Users that were tried most", &failed, FAILED_PARTS, "user"),
        ("Unknown users that were tried most", &invalid, INVALID_PARTS, "user"),
        ("Who came in", &accepted, ACCEPTED_PARTS, "user, address, way"),
    ] {
        let query = format!(
            "parse @message {parts} | stats count(*) as n, max(@timestamp) as newest by {by} | sort n desc | limit 10"
        );
        board.add(lines(PanelKind::Table, title, condition, query));
    }
}
