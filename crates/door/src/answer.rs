//! Parts of JSON answers that several protocols share: statistics, reasons of partial answers, warnings, values.

use execute::{PartialReason, Stats};
use plan::Warning;
use serde_json::{Value as Json, json};
use types::{Timestamp, Value};

/// Bytes after which a piece of an answer is sent: large enough that a piece costs little, small enough to be
/// written in well under a millisecond on a connection's thread.
pub const PIECE_BYTES: usize = 64 << 10;

/// Statistics as every answer carries them.
pub fn stats_json(stats: &Stats) -> Json {
    json!({
        "events_scanned": stats.events_scanned, "events_matched": stats.events_matched,
        "events_cached": stats.events_cached, "events_skipped": stats.events_skipped,
        "events_shared": stats.events_shared,
        "bytes_read": stats.bytes_read, "segments_total": stats.segments_total,
        "segments_pruned": stats.segments_pruned, "segments_opened": stats.segments_opened,
        "segments_done": stats.segments_done,
        "elapsed_ms": (stats.elapsed_ms * 1000.0).round() / 1000.0,
    })
}

/// Why an answer is not whole.
///
/// What lies in an object store that does not answer is not damaged, only out of reach.
pub fn reason_json(reason: &PartialReason) -> Json {
    let is_out_of_reach = reason.code == "damaged" && storage::is_unreachable(&reason.message);
    let code = if is_out_of_reach { "unreachable" } else { reason.code };
    json!({"code": code, "message": reason.message})
}

/// Returns a warning in the form of answers.
pub fn warning_json(warning: &Warning) -> Json {
    let mut json = json!({"code": warning.code, "message": warning.message});
    if let (Some(line), Some(column)) = (warning.line, warning.column) {
        json["line"] = line.into();
        json["column"] = column.into();
    }
    if let Some(hint) = &warning.hint {
        json["hint"] = hint.clone().into();
    }
    json
}

/// A value as JSON, `null` where it is missing.
pub fn write_value(value: Option<&Value>, out: &mut String) {
    match value {
        Some(value) => value.write_json(out),
        None => out.push_str("null"),
    }
}

/// Returns a duration in the largest unit that writes it exactly, as it can be sent again.
pub fn duration_text(ns: i64) -> String {
    let units = [(Timestamp::DAY, "d"), (Timestamp::HOUR, "h"), (Timestamp::MINUTE, "m"), (Timestamp::SECOND, "s")];
    let fitting = units.iter().find(|(unit, _)| ns % unit == 0);
    fitting.map_or_else(|| format!("{ns}ns"), |(unit, name)| format!("{}{name}", ns / unit))
}
