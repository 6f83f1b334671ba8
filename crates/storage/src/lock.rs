//! Ownership of a data directory: `STORE` identifies it, `LOCK` admits one process only.
//!
//! `STORE` is text, one `key value` per line: `catat store`, `format 1`, `uuid` with 32 hex digits, `checksum`
//! with the xxh3 of the lines before in 16 hex digits. It is the first file made and is never changed. `LOCK`
//! holds the process id of the last user; the lock itself is the kernel's and ends with the process.

use std::fs::{File, TryLockError};
use std::io::{Read, Write};
use std::path::Path;

use xxhash_rust::xxh3::xxh3_64;

use crate::OpenError;
use files::disk;

/// Format of the data directory as a whole.
pub(crate) const FORMAT: u64 = 1;

/// The lock on a data directory, held until it is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    pub(crate) fn take(dir: &Path) -> Result<Self, OpenError> {
        let path = dir.join("LOCK");
        let file = disk::writing().create(true).truncate(false).read(true).open(&path);
        let mut file = file.map_err(OpenError::io(&path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                let known = file.take(20).read_to_string(&mut pid).is_ok() && !pid.trim().is_empty();
                let pid = if known { pid.trim().to_owned() } else { "?".to_owned() };
                return Err(OpenError::Locked { dir: dir.to_owned(), pid });
            }
            Err(TryLockError::Error(source)) => return Err(OpenError::Io { path, source }),
        }
        let written = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
        written.map_err(OpenError::io(&path))?;
        Ok(Self { _file: file })
    }
}

/// Reads the UUID of the store in `dir`, which must hold one.
pub(crate) fn store_in(dir: &Path) -> Result<[u8; 16], OpenError> {
    let not_a_store = || OpenError::NotAStore { dir: dir.to_owned(), problem: "there is no STORE file".into() };
    read_store(dir)?.ok_or_else(not_a_store)
}

/// Reads the UUID of the store in `dir`; `None` if the directory is absent or holds no store.
pub(crate) fn read_store(dir: &Path) -> Result<Option<[u8; 16]>, OpenError> {
    let path = dir.join("STORE");
    let mut text = String::new();
    match File::open(&path).and_then(|file| file.take(4096).read_to_string(&mut text)) {
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(OpenError::Io { path, source: error }),
    }
    let not_a_store = |problem: &str| OpenError::NotAStore { dir: dir.to_owned(), problem: problem.into() };
    let value = |key: &str| text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' '));
    types::ensure!(value("catat") == Some("store"), not_a_store("its STORE file was not written by catat"));
    // Before the checksum: a later format may have another.
    let found: u64 = value("format").and_then(|text| text.parse().ok()).unwrap_or(0);
    types::ensure!(found <= FORMAT, OpenError::NewerFormat { file: path, found, known: FORMAT });
    let content = text.rfind("checksum ").map(|at| &text[..at]).unwrap_or_default();
    let checksum = value("checksum").and_then(|text| u64::from_str_radix(text, 16).ok());
    let uuid = value("uuid").filter(|text| text.len() == 32).and_then(|text| u128::from_str_radix(text, 16).ok());
    match uuid {
        Some(uuid) if checksum == Some(xxh3_64(content.as_bytes())) => Ok(Some(uuid.to_be_bytes())),
        _ => Err(not_a_store("its STORE file is damaged; restore it from a backup")),
    }
}

/// Makes the `STORE` file of a new store and returns its UUID.
pub(crate) fn create_store(dir: &Path) -> Result<[u8; 16], OpenError> {
    let mut uuid = [0; 16];
    getrandom::fill(&mut uuid).map_err(|error| OpenError::Io { path: dir.join("STORE"), source: error.into() })?;
    create_store_as(dir, uuid)?;
    Ok(uuid)
}

/// Makes the `STORE` file of a store with a UUID.
pub(crate) fn create_store_as(dir: &Path, uuid: [u8; 16]) -> Result<(), OpenError> {
    for (name, what) in
        [("catalog.sqlite", "a catalog"), ("catalog.postgres", "a catalog"), ("wal", "a wal"), ("segments", "segments")]
    {
        if dir.join(name).exists() {
            let problem = format!("it has {what} but no STORE file; restore the file from a backup");
            return Err(OpenError::NotAStore { dir: dir.to_owned(), problem });
        }
    }
    let path = dir.join("STORE");
    disk::write_whole(&path, store_text(uuid).as_bytes()).map_err(OpenError::io(&path))
}

/// Returns what the `STORE` file of a store contains.
pub(crate) fn store_text(uuid: [u8; 16]) -> String {
    let mut text = format!("catat store\nformat {FORMAT}\nuuid {:032x}\n", u128::from_be_bytes(uuid));
    text.push_str(&format!("checksum {:016x}\n", xxh3_64(text.as_bytes())));
    text
}

#[cfg(test)]
mod tests;
