//! Numbers and names of the segment format that writer and reader share.

use types::GroupName;
use xxhash_rust::xxh3::xxh3_64;

pub(crate) const MAGIC: [u8; 8] = *b"CATATSEG";
/// Magics at the end of a file by format, from 1: the end alone is read to open a segment.
pub(crate) const END_MAGICS: [[u8; 8]; 7] =
    [*b"CATATEND", *b"CATATEN2", *b"CATATEN3", *b"CATATEN4", *b"CATATEN5", *b"CATATEN6", *b"CATATEN7"];
/// The latest format. Format 2 stores the variables of messages by column, times in messages as differences
/// from those of events, and quoted texts; format 3 makes messages of fields and has filters over whole runs; format 4
/// stores columns by others that say them; format 5 has runs of samples, in larger blocks and with numbers as differences
/// within their series; format 6 stores ids that several runs have once; format 7 has blocks of samples that are larger still. Earlier
/// formats are still read.
pub const FORMAT_VERSION: u16 = 7;
/// The earliest formats that have what a segment has, which servers of earlier versions on the same bucket can read: ids that are shared,
/// samples in blocks of at most [`SMALL_SERIES_BLOCK_ROWS`], and neither.
pub(crate) const FORMAT_OF_SHARED_IDS: u16 = 6;
pub(crate) const FORMAT_OF_SAMPLES: u16 = 5;
pub(crate) const FORMAT_OF_EVENTS: u16 = 4;
/// Length of the header.
pub const HEADER_BYTES: usize = 64;
pub(crate) const TRAILER_BYTES: usize = 32;

/// Rows of a block. Measured on the benchmark mix: 64 k rows are 1 % smaller, but a single event costs two to
/// three times as much to rebuild.
pub const BLOCK_ROWS: usize = 16 * 1024;
/// Rows of a block of samples: ten thousand series have fifty values each in it. Measured on 10,000 series, half as many rows take a
/// tenth more room and a tenth more time to ask; twice as many save half of that again, and take another 40 MB of memory to write.
pub(crate) const SERIES_BLOCK_ROWS: usize = 512 * 1024;
/// The same before format 7.
pub(crate) const SMALL_SERIES_BLOCK_ROWS: usize = 256 * 1024;

/// Returns the number of rows in a full block of a group.
pub fn block_rows(group: &GroupName) -> usize {
    if group.has_samples() { SERIES_BLOCK_ROWS } else { BLOCK_ROWS }
}

/// Returns the earliest format of a segment that has a run of so many rows.
pub(crate) fn of_run(group: &GroupName, n_rows: usize) -> u16 {
    match group.has_samples() {
        true if n_rows.min(block_rows(group)) > SMALL_SERIES_BLOCK_ROWS => FORMAT_VERSION,
        true => FORMAT_OF_SAMPLES,
        false => FORMAT_OF_EVENTS,
    }
}

/// Returns the version that an intact header names.
pub fn version_of(header: &[u8]) -> Option<u64> {
    let header = header.first_chunk::<HEADER_BYTES>().filter(|header| header.starts_with(&MAGIC))?;
    let (content, checksum) = header.split_at(HEADER_BYTES - 8);
    let is_intact = xxh3_64(content).to_le_bytes() == checksum;
    is_intact.then(|| u16::from_le_bytes([header[8], header[9]]).into())
}
