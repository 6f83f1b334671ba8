//! Columns with commas between them, by their position: PostgreSQL's `csvlog`.

use types::Level;

use super::parts::PartSink;

/// What the columns hold, as the other formats of PostgreSQL name it.
const POSTGRES: [&str; 26] = [
    "time", "user", "database", "pid", "client", "session_id", "line_num", "ps", "session_start", "vxid", "txid",
    "error_severity", "state_code", "message", "detail", "hint", "internal_query", "internal_position", "context",
    "statement", "cursor_position", "location", "application_name", "backend_type", "leader_pid", "query_id",
];

/// Columns of the oldest version that has a program's name.
const POSTGRES_COLUMNS_MIN: usize = 23;

/// `2026-11-20 06:47:13.123 UTC,"ann","shop",77,"192.0.2.1:5",6b0ab511.4d,1,"INSERT",…,ERROR,23505,"text",…`.
pub(super) fn postgres<'t>(text: &'t str, found: &mut PartSink<'t, '_>) -> Option<()> {
    let mut rest = text;
    let mut level = None;
    let mut n_columns = 0;
    for name in POSTGRES {
        let Some((value, behind)) = column(rest) else { break };
        n_columns += 1;
        match name {
            "time" => found.time(value),
            "pid" => found.whole(name, value).then_some(())?,
            "message" | "session_start" => found.again(name, value),
            "error_severity" => {
                level = Some(match value {
                    "LOG" => Level::Info,
                    _ if value.starts_with("DEBUG") => Level::Debug,
                    _ => Level::parse(value)?,
                });
                found.text(name, value);
            }
            "line_num" | "leader_pid" | "query_id" | "txid" | "cursor_position" => _ = found.whole(name, value),
            _ => found.doubled(name, value),
        }
        let Some(next) = behind.strip_prefix(',') else { break };
        rest = next;
    }
    found.level(level);
    (n_columns >= POSTGRES_COLUMNS_MIN && level.is_some()).then_some(())
}

/// A column, and what follows it; in quotes two quotes stand for one. A text that was cut ends its column.
fn column(rest: &str) -> Option<(&str, &str)> {
    let Some(quoted) = rest.strip_prefix('"') else {
        return Some(rest.split_at(rest.find(',').unwrap_or(rest.len())));
    };
    let bytes = quoted.as_bytes();
    let mut at = 0;
    loop {
        let Some(quote) = memchr::memchr(b'"', &bytes[at..]) else { return Some((quoted, "")) };
        at += quote;
        if bytes.get(at + 1) != Some(&b'"') {
            return Some((&quoted[..at], &quoted[at + 1..]));
        }
        at += 2;
    }
}
