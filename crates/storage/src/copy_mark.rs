//! The mark of a copy: `COPY` in the data directory of a backup, and of whatever is restored from one.
//!
//! A copy holds the rules, channels and filters of its original, so both would notify the same people. Until the mark is
//! removed (`catat promote`), a store that has it sends nothing to anyone: every sender asks
//! [`Store::copy_taken`] each time, so that removing the file is enough, whether or not a server runs.
//!
//! Text, one `key value` per line: `catat copy`, `format 1`, `taken` with the time of the backup.

use std::io;
use std::path::{Path, PathBuf};

use types::Timestamp;

use files::disk;

/// The version of the text.
pub(crate) const FORMAT: u64 = 1;

/// The name of the file, and its first line.
pub(crate) const FILE: &str = "COPY";
pub(crate) const KIND: &str = "catat copy";

pub(crate) fn path_of(dir: &Path) -> PathBuf {
    dir.join(FILE)
}

/// Marks a directory as a copy that was taken at `taken`; a mark that is there stays.
pub(crate) fn mark(dir: &Path, taken: Timestamp) -> io::Result<()> {
    let path = path_of(dir);
    if path.exists() {
        return Ok(());
    }
    disk::write_whole(&path, format!("{KIND}\nformat {FORMAT}\ntaken {taken}\n").as_bytes())
}

/// Returns when the copy in `dir` was taken, as text; `None` if it is no copy. A mark that cannot be read is a mark.
pub fn copy_taken(dir: &Path) -> Option<String> {
    match std::fs::read_to_string(path_of(dir)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(_) => Some("at an unknown time".into()),
        Ok(text) => {
            let taken = text.lines().find_map(|line| line.strip_prefix("taken "));
            Some(taken.unwrap_or("at an unknown time").to_owned())
        }
    }
}
