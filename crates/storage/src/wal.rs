//! The write-ahead log: what is in a synced record of it was accepted, what is not was not.
//!
//! `wal/` holds files named by rising numbers, `0000000000000001.wal` and so on. One thread writes, always to
//! the last one; several records that wait go out with one write and one `fdatasync` (group commit). A file
//! ends when it is full or when a flush begins; a flush that is in the catalog releases all files before the
//! one that it began.
//!
//! ```text
//! file header, 128 bytes, little-endian
//!    0  8 bytes  magic "catatwal"
//!    8  u32      format version, 4
//!   12  u32      0
//!   16  16 bytes UUID of the store
//!   32  u64      number of the file
//!   40  u64      salt, random
//!   48  u64      sequence of the first event that the file may hold
//!   56  u64      number of the file before this one; 0: there was none
//!   64  u64      bytes of that file, all of them synced; 0: not known
//!   72  8 bytes  0
//!   80  24 bytes mark, written again in place:
//!       80  u64  bytes of this file that are known to be synced
//!       88  u64  number of the file that follows this one, 0 as long as there is none
//!       96  u64  xxh3 of both, seeded with the salt
//!  104  16 bytes 0
//!  120  u64      xxh3 of the bytes 0 to 79
//! then records, one after the other: see `record`
//! ```
//!
//! Format 3, which is still read, has the streams of series as whole texts (`batch_codec`); format 2 has no batches of series.
//! Format 1, which is still read as well, has a header of 64 bytes: the first 56 of these, then their xxh3. Every later
//! format keeps 128 bytes with the hash of the first 80 at 120, so that an older binary can tell a newer file from
//! a damaged one.
//!
//! * A file is made under another name and renamed once its header is synced; the directory is synced before the
//!   first record. So a file that is there has a header, and one that is empty was emptied.
//! * Writing: records are acknowledged after the sync that covers them. After a failed sync the file is never
//!   touched again. After a successful sync, before senders are answered, the mark is set to the length that is
//!   synced, so that damage to acknowledged records is distinguished from a torn tail, even after the process was
//!   killed. The mark itself is not synced: a mark in the file was written after the sync of the bytes that it covers.
//!   Only a power cut can lose it, and only that of the last commit.
//! * The files are a chain: each names the one before it and how long that one is, and, once there is a next one,
//!   the one that follows. The catalog names one file that was made (`wal_made`). A file that vanished, was cut off
//!   or was emptied before a flush released it is noticed by one of the three (`chain`).
//! * Reading: a record that is not intact ends the file, unless something tells that its bytes had been synced: a
//!   record of a later group commit, the mark, or the file that follows. Then acknowledged bytes are damaged. They
//!   are copied to `quarantine/` and reported, and reading continues after them. A torn tail is cut off and
//!   reported. What nothing tells to be synced is written and synced again before it counts: a sync that failed
//!   may have left it in the page cache alone.
//! * What it does not do: it never reuses the bytes of a file, preallocates, or knows what a batch means.

pub(crate) mod batch_codec;
pub(crate) mod chain;
pub(crate) mod reader;
pub(crate) mod record;
pub(crate) mod writer;

use std::io;
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

pub(crate) const MAGIC: [u8; 8] = *b"catatwal";
pub(crate) const VERSION: u32 = 4;

/// The version from which on headers have their present form.
const VERSION_MIN: u32 = 2;
pub(crate) const FILE_HEADER_BYTES: usize = 128;

/// Length of the header in format 1.
const FILE_HEADER_BYTES_1: usize = 64;

/// Position of the mark.
pub(crate) const MARK_OFFSET: usize = 80;
const MARK_BYTES: usize = 24;

/// The header at the start of a WAL file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileHeader {
    pub(crate) version: u32,
    pub(crate) store: [u8; 16],
    pub(crate) number: u64,
    pub(crate) salt: u64,
    pub(crate) first_sequence: u64,
    /// The file before this one.
    pub(crate) previous: Option<PreviousFile>,
}

/// The file that another one follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PreviousFile {
    pub(crate) number: u64,
    /// Its bytes, where they are known.
    pub(crate) n_bytes: Option<u64>,
}

/// The mark of a file: how far it is synced, and the number of the next file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Bytes that are known to be synced.
    pub(crate) synced: u64,
    /// Number of the file that follows, 0 if there is none.
    pub(crate) next: u64,
}

/// Why a WAL file cannot be read at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeaderError {
    /// Its header is cut off or does not fit its checksum.
    Damaged,
    /// It has a format of another version.
    Version(u32),
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

impl FileHeader {
    /// Returns where the records begin.
    pub(crate) fn n_bytes(&self) -> usize {
        if self.version == 1 { FILE_HEADER_BYTES_1 } else { FILE_HEADER_BYTES }
    }

    /// Returns a header of the present format, with an empty mark.
    pub(crate) fn encode(&self) -> [u8; FILE_HEADER_BYTES] {
        let mut bytes = [0; FILE_HEADER_BYTES];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
        bytes[16..32].copy_from_slice(&self.store);
        bytes[32..40].copy_from_slice(&self.number.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.salt.to_le_bytes());
        bytes[48..56].copy_from_slice(&self.first_sequence.to_le_bytes());
        if let Some(PreviousFile { number, n_bytes }) = self.previous {
            bytes[56..64].copy_from_slice(&number.to_le_bytes());
            bytes[64..72].copy_from_slice(&n_bytes.unwrap_or(0).to_le_bytes());
        }
        let mark = Mark { synced: FILE_HEADER_BYTES as u64, next: 0 };
        bytes[MARK_OFFSET..MARK_OFFSET + MARK_BYTES].copy_from_slice(&mark.encode(self.salt));
        let hash = xxh3_64(&bytes[..MARK_OFFSET]);
        bytes[120..].copy_from_slice(&hash.to_le_bytes());
        bytes
    }

    /// Reads a header; the error is what is wrong with it.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, HeaderError> {
        let old = bytes.first_chunk::<FILE_HEADER_BYTES_1>().ok_or(HeaderError::Damaged)?;
        types::ensure!(old[..8] == MAGIC, HeaderError::Damaged);
        let version = old[8..].first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes));
        let mut store = [0; 16];
        store.copy_from_slice(&old[16..32]);
        let (number, salt, first_sequence) = (u64_at(old, 32), u64_at(old, 40), u64_at(old, 48));
        let header = Self { version, store, number, salt, first_sequence, previous: None };
        if version == 1 {
            return if xxh3_64(&old[..56]) == u64_at(old, 56) { Ok(header) } else { Err(HeaderError::Damaged) };
        }
        let bytes = bytes.first_chunk::<FILE_HEADER_BYTES>().ok_or(HeaderError::Damaged)?;
        types::ensure!(xxh3_64(&bytes[..MARK_OFFSET]) == u64_at(bytes, 120), HeaderError::Damaged);
        types::ensure!((VERSION_MIN..=VERSION).contains(&version), HeaderError::Version(version));
        let (number, n_bytes) = (u64_at(bytes, 56), u64_at(bytes, 64));
        let previous = (number > 0).then_some(PreviousFile { number, n_bytes: (n_bytes > 0).then_some(n_bytes) });
        Ok(Self { previous, ..header })
    }
}

impl Mark {
    fn encode(self, salt: u64) -> [u8; MARK_BYTES] {
        let mut bytes = [0; MARK_BYTES];
        bytes[..8].copy_from_slice(&self.synced.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.next.to_le_bytes());
        let hash = xxh3_64_with_seed(&bytes[..16], salt);
        bytes[16..].copy_from_slice(&hash.to_le_bytes());
        bytes
    }

    /// Reads the mark of a file that starts with `header`; `None` if it is damaged.
    pub(crate) fn decode(bytes: &[u8], header: &FileHeader) -> Option<Self> {
        if header.version == 1 {
            return Some(Self::default());
        }
        let bytes: &[u8; MARK_BYTES] = bytes.get(MARK_OFFSET..)?.first_chunk()?;
        let is_intact = xxh3_64_with_seed(&bytes[..16], header.salt) == u64_at(bytes, 16);
        is_intact.then(|| Self { synced: u64_at(bytes, 0), next: u64_at(bytes, 8) })
    }
}

/// Takes from a copy of a file which one follows it, so that it is the last one of the copy.
pub(crate) fn unseal(bytes: &mut [u8]) {
    let Ok(header) = FileHeader::decode(bytes) else { return };
    let mark = Mark::decode(bytes, &header).filter(|mark| mark.next > 0);
    if let (Some(mark), Some(place)) = (mark, bytes.get_mut(MARK_OFFSET..MARK_OFFSET + MARK_BYTES)) {
        place.copy_from_slice(&Mark { next: 0, ..mark }.encode(header.salt));
    }
}

/// Says in a file that it is synced up to `synced`.
#[cfg(test)]
pub(crate) fn mark(bytes: &mut [u8], synced: u64) {
    let header = FileHeader::decode(bytes).expect("an intact header");
    let mark = Mark { synced, next: 0 }.encode(header.salt);
    bytes[MARK_OFFSET..MARK_OFFSET + MARK_BYTES].copy_from_slice(&mark);
}

/// Returns the name of a WAL file relative to the data directory.
pub(crate) fn name_of(number: u64) -> String {
    format!("wal/{number:016x}.wal")
}

/// Returns the path of a WAL file.
pub(crate) fn path_of(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{number:016x}.wal"))
}

/// Returns numbers of the WAL files in `dir`, rising. Other files are left alone.
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

/// Returns the sequence from which on the WAL holds every event, and before which it holds none; `None` if unknown.
pub(crate) fn floor(dir: &Path) -> Option<u64> {
    let first = *list(dir).ok()?.first()?;
    let mut header = [0; FILE_HEADER_BYTES];
    let mut file = std::fs::File::open(path_of(dir, first)).ok()?;
    io::Read::read_exact(&mut file, &mut header).ok()?;
    FileHeader::decode(&header).ok().map(|header| header.first_sequence)
}

#[cfg(test)]
mod tests;
