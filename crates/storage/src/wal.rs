//! The write-ahead log: what is in a synced record of it was accepted, what is not was not.
//!
//! `wal/` holds files named by rising numbers, `0000000000000001.wal` and so on. One thread writes, always to
//! the last one; several records that wait go out with one write and one `fdatasync` (group commit). A file
//! ends when it is full or when a flush begins; a flush that is in the catalog releases all files before the
//! one that it began. A start never appends to a file of an earlier one.
//!
//! ```text
//! file header, 64 bytes, little-endian
//!    0  8 bytes  magic "catatwal"
//!    8  u32      format version, 1
//!   12  u32      0
//!   16  16 bytes UUID of the store
//!   32  u64      number of the file
//!   40  u64      salt, random
//!   48  u64      sequence of the first event that the file may hold
//!   56  u64      xxh3 of the bytes before this
//! then records, one behind the other: see `record`
//! ```
//!
//! * Writing: the header is synced with the file's name before the first record; records are acknowledged
//!   after the sync that covers them. After a failed write or sync the file is never touched again.
//! * Reading: a record that is not intact ends the file, unless a record that was committed after it follows:
//!   then acknowledged bytes are damaged. They are copied to `quarantine/` and reported, and reading goes on
//!   behind them. A torn tail is cut off and reported.
//! * What it does not do: it never reuses a file, preallocates, or knows what a batch means.

pub(crate) mod batch_codec;
pub(crate) mod reader;
pub(crate) mod record;
pub(crate) mod writer;

use std::io;
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::xxh3_64;

pub(crate) const MAGIC: [u8; 8] = *b"catatwal";
pub(crate) const VERSION: u32 = 1;
pub(crate) const FILE_HEADER_BYTES: usize = 64;

/// What stands at the start of a WAL file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileHeader {
    pub(crate) store: [u8; 16],
    pub(crate) number: u64,
    pub(crate) salt: u64,
    pub(crate) first_sequence: u64,
}

/// Why a WAL file cannot be read at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeaderError {
    /// Its header is cut off or does not fit its checksum.
    Damaged,
    /// It has a format of another version.
    Version(u32),
}

impl FileHeader {
    pub(crate) fn encode(&self) -> [u8; FILE_HEADER_BYTES] {
        let mut bytes = [0; FILE_HEADER_BYTES];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
        bytes[16..32].copy_from_slice(&self.store);
        bytes[32..40].copy_from_slice(&self.number.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.salt.to_le_bytes());
        bytes[48..56].copy_from_slice(&self.first_sequence.to_le_bytes());
        let hash = xxh3_64(&bytes[..56]);
        bytes[56..].copy_from_slice(&hash.to_le_bytes());
        bytes
    }

    /// Reads a header, or says what is wrong with it.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, HeaderError> {
        let bytes: &[u8; FILE_HEADER_BYTES] = bytes.first_chunk().ok_or(HeaderError::Damaged)?;
        let u64_at = |at: usize| bytes[at..].first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        if bytes[..8] != MAGIC || xxh3_64(&bytes[..56]) != u64_at(56) {
            return Err(HeaderError::Damaged);
        }
        let version = bytes[8..].first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes));
        if version != VERSION {
            return Err(HeaderError::Version(version));
        }
        let mut store = [0; 16];
        store.copy_from_slice(&bytes[16..32]);
        Ok(Self { store, number: u64_at(32), salt: u64_at(40), first_sequence: u64_at(48) })
    }
}

/// The path of a WAL file.
pub(crate) fn path_of(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{number:016x}.wal"))
}

/// Numbers of the WAL files in `dir`, rising. Other files are left alone.
pub(crate) fn list(dir: &Path) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(".wal")).filter(|stem| stem.len() == 16);
        numbers.extend(number.and_then(|stem| u64::from_str_radix(stem, 16).ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

#[cfg(test)]
mod tests;
