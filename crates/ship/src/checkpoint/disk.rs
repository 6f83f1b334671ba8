//! Writing checkpoint files: atomically, with checksums.

use crate::checkpoint::entry::CheckpointError;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use xxhash_rust::xxh3::xxh3_64_with_seed;

pub(crate) fn at(path: &Path) -> impl Fn(io::Error) -> CheckpointError {
    let path = path.to_path_buf();
    move |error| CheckpointError::Io { path: path.clone(), error }
}

/// Returns the checksum of an id.
pub(crate) fn checksum(body: &[u8], seed: u64) -> String {
    format!("{:016x}", xxh3_64_with_seed(body, seed))
}

/// Writes next to the place, syncs, renames, syncs the directory.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<File> {
    let temporary = path.with_extension("tmp");
    // What is left of a write that was interrupted goes first; a link that an attacker planted is not followed.
    types::ok_if_missing(fs::remove_file(&temporary))?;
    let mut file = File::create_new(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()?;
    Ok(file)
}
