//! Entries of the journal out of what `journalctl` prints: a line each, and the one field of them that matters here.

use std::io::{self, BufRead};

use parse::journal_value;

/// Longest entry taken: the last one is looked for in the last 4 MiB of what was kept. Core dumps are longer.
pub(super) const ENTRY_BYTES_MAX: usize = 3 << 20;

/// Bytes in which a field that says a place has room, with its name.
const PLACE_BYTES_MAX: usize = 1 << 10;

/// What was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// The schedule is stopped. A half line at the end is nothing: it comes again.
    None,
    /// A line.
    Whole,
    /// A line that is too long, and what it says of its place.
    TooLong { n_bytes: usize, cursor: Option<String>, time: Option<String> },
}

/// Reads the next entry into `line`, without the line's end.
pub(super) fn next_entry(output: &mut dyn BufRead, line: &mut Vec<u8>) -> io::Result<Entry> {
    line.clear();
    let (mut n_bytes, mut cursor, mut time) = (0, None, None);
    loop {
        let chunk = output.fill_buf()?;
        if chunk.is_empty() {
            return Ok(Entry::None);
        }
        let end = chunk.iter().position(|byte| *byte == b'\n');
        let piece = chunk.get(..end.unwrap_or(chunk.len())).unwrap_or_default();
        line.extend_from_slice(piece);
        n_bytes += piece.len();
        let n_read = piece.len() + usize::from(end.is_some());
        output.consume(n_read);
        if n_bytes > ENTRY_BYTES_MAX {
            cursor = cursor.or_else(|| field_of(line, CURSOR).map(str::to_owned));
            time = time.or_else(|| field_of(line, TIME).map(str::to_owned));
            // What began at the end of this piece continues in the next.
            line.drain(..line.len().saturating_sub(PLACE_BYTES_MAX));
        }
        if end.is_some() {
            let is_long = n_bytes > ENTRY_BYTES_MAX;
            return Ok(if is_long { Entry::TooLong { n_bytes, cursor, time } } else { Entry::Whole });
        }
    }
}

/// Returns an entry whose message and unit are called as elsewhere.
pub(super) fn with_usual_names(line: &[u8]) -> Vec<u8> {
    let mut named = Vec::with_capacity(line.len() + 64);
    named.push(b'{');
    if let Some(unit) = field_of(line, "_SYSTEMD_UNIT") {
        named.extend_from_slice(format!("\"unit\":\"{unit}\",").as_bytes());
    }
    let message = journal_value(line, "MESSAGE").filter(|value| value.starts_with(b"\""));
    let Some(value) = message else {
        named.extend_from_slice(line.get(1..).unwrap_or_default());
        return named;
    };
    // The name stands right before its value, perhaps with blanks around the colon.
    let (before, _) = line.split_at(line.len() - value.len());
    let end = before.iter().rposition(|byte| *byte == b'"').unwrap_or_default();
    named.extend_from_slice(before.get(1..end.saturating_sub("MESSAGE".len())).unwrap_or_default());
    named.extend_from_slice(b"message");
    named.extend_from_slice(line.get(end..).unwrap_or_default());
    named
}

/// Returns the text of a field in a line of JSON, or in a part of one.
pub(super) fn field_of<'l>(line: &'l [u8], name: &str) -> Option<&'l str> {
    let text = journal_value(line, name)?.strip_prefix(b"\"")?;
    let end = text.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
    std::str::from_utf8(text.get(..end)?).ok()
}

/// Fields that say where an entry is.
pub(crate) const CURSOR: &str = "__CURSOR";

pub(crate) const TIME: &str = "__REALTIME_TIMESTAMP";
