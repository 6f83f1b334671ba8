//! The data directory: whose it is, and where damaged files go.

use std::path::Path;

use crate::lock::{self, Lock};
use crate::{OpenError, formats};
use database::url::Databases;
use files::disk;
use types::ensure;

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

/// Makes sure that the directory is one of a node of the fleet whose store this is, and takes the lock. What a node left
/// there unfinished goes.
pub(super) fn prepare_node_directory(dir: &Path, store: [u8; 16]) -> Result<(Lock, bool), OpenError> {
    let found = lock::read_store(dir)?;
    let refuse = |problem: &str| OpenError::NotAStore { dir: dir.to_owned(), problem: problem.into() };
    if found.is_some_and(|found| found != store) {
        return Err(refuse("it has another store than the fleet's; use another directory"));
    }
    ensure!(!dir.join("catalog.sqlite").exists(), refuse("it has the store of one machine; use another directory"));
    disk::create_directory(dir).map_err(OpenError::io(dir))?;
    let lock = Lock::take(dir)?;
    if found.is_none() {
        lock::create_store_as(dir, store)?;
    }
    if std::fs::read_dir(dir.join("wal")).is_ok_and(|mut files| files.next().is_some()) {
        return Err(refuse("it has events of its own"));
    }
    for name in ["segments", "tombstones"] {
        let path = dir.join(name);
        if path.exists() {
            std::fs::remove_dir_all(&path).map_err(OpenError::io(&path))?;
        }
        disk::create_directory_synced(&path).map_err(OpenError::io(&path))?;
    }
    for name in ["wal", "quarantine"] {
        let path = dir.join(name);
        disk::create_directory_synced(&path).map_err(OpenError::io(&path))?;
    }
    Ok((lock, found.is_none()))
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
