//! What makes a file the file that was read before: device, inode, and a mark of its content.
//!
//! An inode alone is no identity: file systems hand the number of a deleted file to the next one. A [`Mark`] says
//! how far a file was read and what stood there: the hash of its first bytes and of the bytes right before that
//! place. A file that was truncated, replaced in place, or truncated and grown past the old place fails the test;
//! one that only grew passes it, be it one byte long or headed like five hundred others.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::UNIX_EPOCH;

use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

/// Bytes at the start of a file that a mark covers. 1 KiB holds the header lines that log files begin with and one
/// line of their own.
const HEAD_BYTES: usize = 1024;

/// Bytes right before the place read up to that a mark covers: a line or two, with its time.
const TAIL_BYTES: usize = 256;

/// So many equal bytes tell a file whatever it is called; fewer do so within a group.
pub(crate) const TELLING_BYTES: u64 = (HEAD_BYTES + TAIL_BYTES) as u64;

/// Where a file lies, as long as it exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct FileKey {
    /// The device.
    pub(crate) device: u64,
    /// The inode on it.
    pub(crate) inode: u64,
}

impl FileKey {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino() }
    }
}

/// Opens a file to read it. What took its place since it was looked for may be a pipe, which would not answer.
pub(crate) fn open_file(path: &Path) -> io::Result<File> {
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = File::options().read(true).custom_flags(flags.bits().cast_signed()).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("not a regular file")) }
}

/// Returns when a file was made, in nanoseconds since the Unix epoch, where the file system records it.
pub(crate) fn born_of(metadata: &Metadata) -> Option<i64> {
    let since = metadata.created().ok()?.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_nanos()).ok()
}

/// How far a file was read, and how to see that it is still the same content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Mark {
    /// Bytes read.
    pub(crate) offset: u64,
    /// Hash of the first bytes, as many as were read, 1 KiB at most.
    head_hash: u64,
    /// Hash of the last bytes before `offset`, 256 at most.
    tail_hash: u64,
}

/// Bytes that follow a mark, read from a file that still has the marked content.
#[derive(Debug)]
pub(crate) struct VerifiedBytes {
    /// The mark's offset.
    start: u64,
    head: Vec<u8>,
    tail: Vec<u8>,
    /// What follows it.
    pub(crate) bytes: Vec<u8>,
}

impl VerifiedBytes {
    /// Returns the mark after the first `n` of the bytes.
    pub(crate) fn mark_after(&self, n: usize) -> Mark {
        let offset = self.start + n as u64;
        let mut tail = self.tail.clone();
        tail.extend_from_slice(&self.bytes[n.saturating_sub(TAIL_BYTES)..n]);
        let tail = &tail[tail.len().saturating_sub(TAIL_BYTES)..];
        Mark::new(offset, &self.head, tail)
    }
}

impl Mark {
    fn new(offset: u64, head: &[u8], tail: &[u8]) -> Self {
        let n_head = head.len().min(usize::try_from(offset).unwrap_or(usize::MAX));
        Self { offset, head_hash: xxh3_64(&head[..n_head]), tail_hash: xxh3_64(tail) }
    }

    /// Returns the mark of a file that is taken as read up to `offset`.
    pub(crate) fn at(file: &File, offset: u64) -> io::Result<Self> {
        let (head, tail) = Self::read_surroundings(file, offset)?;
        Ok(Self::new(offset, &head, &tail))
    }

    /// Reads the first bytes of `file`, and those right before `offset`.
    fn read_surroundings(file: &File, offset: u64) -> io::Result<(Vec<u8>, Vec<u8>)> {
        let head = read_at_most(file, 0, HEAD_BYTES)?;
        let n_tail = offset.min(TAIL_BYTES as u64);
        let tail = read_at_most(file, offset - n_tail, n_tail as usize)?;
        Ok((head, tail))
    }

    /// Reports whether both are of files that begin with the same KiB.
    pub(crate) fn begins_like(&self, other: &Self) -> bool {
        self.offset.min(other.offset) >= HEAD_BYTES as u64 && self.head_hash == other.head_hash
    }

    /// Reports whether `file`, which has the marked content, has it with a time in its first or last KiB. A heading, which many
    /// files begin with, has none.
    pub(crate) fn has_time(&self, file: &File) -> io::Result<bool> {
        let start = self.offset.saturating_sub(TELLING_BYTES);
        let is_time = |bytes: &[u8]| {
            let is_clock = |(n, byte): (usize, &u8)| if n % 3 == 2 { *byte == b':' } else { byte.is_ascii_digit() };
            bytes[..8].iter().enumerate().all(is_clock) || bytes.iter().all(u8::is_ascii_digit)
        };
        let mut bytes = read_at_most(file, 0, HEAD_BYTES.min(self.offset as usize))?;
        bytes.push(b'\n');
        bytes.extend(read_at_most(file, start, (self.offset - start) as usize)?);
        // UTF-16 has a NUL in each of these characters.
        bytes.retain(|byte| *byte != 0);
        Ok(bytes.windows(10).any(is_time))
    }

    /// Reports whether `file` still has the marked content. A mark at 0 fits every file.
    pub(crate) fn fits(&self, file: &File) -> io::Result<bool> {
        Ok(self.surroundings_that_fit(file)?.is_some())
    }

    fn surroundings_that_fit(&self, file: &File) -> io::Result<Option<(Vec<u8>, Vec<u8>)>> {
        let (head, tail) = Self::read_surroundings(file, self.offset)?;
        let n_tail = self.offset.min(TAIL_BYTES as u64) as usize;
        let n_head = self.offset.min(HEAD_BYTES as u64) as usize;
        if head.len() < n_head || tail.len() < n_tail {
            return Ok(None);
        }
        let fits = self.offset == 0 || Self::new(self.offset, &head, &tail) == *self;
        Ok(fits.then_some((head, tail)))
    }

    /// Reads at most `n` bytes after the mark into `bytes`; `None` if the file no longer has the marked content.
    ///
    /// The bytes are read first and the mark is checked after: a truncation in between shows.
    pub(crate) fn read_on(&self, file: &File, n: usize, mut bytes: Vec<u8>) -> io::Result<Option<VerifiedBytes>> {
        read_into(&mut bytes, file, self.offset, n)?;
        let surroundings = self.surroundings_that_fit(file)?;
        Ok(surroundings.map(|(head, tail)| VerifiedBytes { start: self.offset, head, tail, bytes }))
    }
}

/// Reads up to `n` bytes from `offset`, fewer only at the end of the file.
pub(crate) fn read_at_most(file: &File, offset: u64, n: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    read_into(&mut bytes, file, offset, n)?;
    Ok(bytes)
}

/// Reads into `bytes`, replacing its content.
fn read_into(bytes: &mut Vec<u8>, file: &File, offset: u64, n: usize) -> io::Result<()> {
    bytes.resize(n, 0);
    let mut filled = 0;
    while filled < n {
        match file.read_at(&mut bytes[filled..], offset.saturating_add(filled as u64)) {
            Ok(0) => break,
            Ok(n_read) => filled += n_read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(filled);
    Ok(())
}

#[cfg(test)]
mod tests;
