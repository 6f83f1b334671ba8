//! Numbers and names of the segment format that writer and reader share.

use xxhash_rust::xxh3::xxh3_64;

pub(crate) const MAGIC: [u8; 8] = *b"CATATSEG";
/// Magics at the end of a file by format, from 1: the end alone is read to open a segment.
pub(crate) const END_MAGICS: [[u8; 8]; 4] = [*b"CATATEND", *b"CATATEN2", *b"CATATEN3", *b"CATATEN4"];
/// The format that is written. Format 2 stores the variables of messages by column, times in messages as differences
/// from those of events, and quoted texts; format 3 makes messages of fields and has filters over whole runs; format 4
/// stores columns by others that say them. Earlier formats are still read.
pub const FORMAT_VERSION: u16 = 4;
/// Length of the header.
pub const HEADER_BYTES: usize = 64;
pub(crate) const TRAILER_BYTES: usize = 32;

/// Rows of a block. Measured on the benchmark mix: 64 k rows are 1 % smaller, but a single event costs two to
/// three times as much to rebuild.
pub const BLOCK_ROWS: usize = 16 * 1024;

/// Returns the version that an intact header names.
pub fn version_of(header: &[u8]) -> Option<u64> {
    let header = header.first_chunk::<HEADER_BYTES>().filter(|header| header.starts_with(&MAGIC))?;
    let (content, checksum) = header.split_at(HEADER_BYTES - 8);
    let is_intact = xxh3_64(content).to_le_bytes() == checksum;
    is_intact.then(|| u16::from_le_bytes([header[8], header[9]]).into())
}
