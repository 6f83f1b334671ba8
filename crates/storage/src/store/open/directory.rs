//! The data directory: whose it is, and where damaged files go.

use std::path::Path;

use crate::lock::{self, Lock};
use crate::{Databases, OpenError, disk, formats};

/// Finds out whose directory it is and takes the lock. A directory of a later version is not touched.
pub(super) fn prepare_directory(dir: &Path, databases: &Databases) -> Result<([u8; 16], Lock, bool), OpenError> {
    if let Some(store) = lock::read_store(dir)? {
        formats::check(dir, &store)?;
        formats::check_databases(databases, store)?;
    }
    disk::create_directory(dir).map_err(OpenError::io(dir))?;
    let lock = Lock::take(dir)?;
    // Someone may have made the store between the first look and the lock.
    let (store, created) = match lock::read_store(dir)? {
        Some(store) => (store, false),
        None => (lock::create_store(dir)?, true),
    };
    for name in ["wal", "segments", "tombstones", "quarantine"] {
        let path = dir.join(name);
        disk::create_directory_synced(&path).map_err(OpenError::io(&path))?;
    }
    Ok((store, lock, created))
}

/// Moves a file to `quarantine/`, under a name that nothing there has. One that is not there is no error.
pub(super) fn set_aside(dir: &Path, file: &str) -> Result<(), OpenError> {
    let from = dir.join(file);
    let name = file.replace('/', "-");
    let mut to = dir.join("quarantine").join(&name);
    let mut n = 1u32;
    while to.exists() {
        n = n.saturating_add(1);
        to.set_file_name(format!("{name}.{n}"));
    }
    match std::fs::rename(&from, &to) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(OpenError::Io { path: from, source: error }),
        _ => Ok(()),
    }
}
