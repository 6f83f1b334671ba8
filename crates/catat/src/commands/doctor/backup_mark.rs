//! `BACKUP` in a data directory: when `catat backup` copied it last.
//!
//! Text, one `key value` per line: `catat backup`, `format 1`, `taken` with the time.

use std::io;
use std::path::Path;

use types::Timestamp;

/// The name of the file.
pub(super) const FILE: &str = "BACKUP";

/// Notes that the store in `dir` was copied.
pub(in crate::commands) fn note_backup(dir: &Path, taken: Timestamp) -> io::Result<()> {
    storage::write_whole(&dir.join(FILE), format!("catat backup\nformat 1\ntaken {taken}\n").as_bytes())
}

/// Returns when the store in `dir` was copied last, as far as it is noted there.
pub(super) fn backup_taken(dir: &Path) -> Option<Timestamp> {
    let text = std::fs::read_to_string(dir.join(FILE)).ok()?;
    text.lines().find_map(|line| line.strip_prefix("taken ")).and_then(Timestamp::parse_rfc3339)
}
