//! Reads a WAL file back after a start: every intact record, and what is wrong with the rest.
//!
//! A file is read whole; its size is bounded by `wal_segment_bytes` and one record. See the parent for what
//! is a torn tail and what is damage.

use std::ops::Range;

use memchr::memmem;

use super::record::{Header, MAGIC};
use super::{FILE_HEADER_BYTES, FileHeader, HeaderError};

/// What a WAL file holds.
#[derive(Debug)]
pub(crate) struct Contents {
    /// What stands at its start.
    pub(crate) header: FileHeader,
    /// Intact records in order: header and place of the record in the file.
    pub(crate) records: Vec<(Header, Range<usize>)>,
    /// Acknowledged bytes that are no intact record.
    pub(crate) damaged: Vec<Range<usize>>,
    /// Where a torn tail begins; it was never acknowledged.
    pub(crate) torn_from: Option<usize>,
}

/// Takes the bytes of a file apart, or says why not even its header can be read.
///
/// A file that another one follows is `sealed`: all of it was synced, so that it has no torn tail.
pub(crate) fn read(bytes: &[u8], sealed: bool) -> Result<Contents, HeaderError> {
    let header = FileHeader::decode(bytes)?;
    let mut contents = Contents { header, records: Vec::new(), damaged: Vec::new(), torn_from: None };
    let mut at = FILE_HEADER_BYTES;
    let mut gaps: Vec<Range<usize>> = Vec::new();
    while at < bytes.len() {
        let next = next_record(bytes, at, header.salt);
        let found = next.as_ref().map_or(bytes.len(), |(_, range)| range.start);
        if found > at {
            gaps.push(at..found);
        }
        let Some((record, range)) = next else { break };
        at = range.end;
        contents.records.push((record, range));
    }
    // Bytes before the beginning of some later group commit had been synced when it was written.
    let last_commit = contents.records.iter().map(|(record, _)| record.commit_offset).max().unwrap_or(0);
    let synced = if sealed { u64::MAX } else { last_commit };
    for gap in gaps {
        if (gap.start as u64) < synced {
            contents.damaged.push(gap);
        } else {
            contents.torn_from.get_or_insert(gap.start);
        }
    }
    if let Some(torn_from) = contents.torn_from {
        contents.records.retain(|(_, range)| range.start < torn_from);
    }
    Ok(contents)
}

/// The first intact record at or behind `from`.
fn next_record(bytes: &[u8], from: usize, salt: u64) -> Option<(Header, Range<usize>)> {
    let mut at = from;
    loop {
        let rest = bytes.get(at..)?;
        if let Some(header) = Header::read(rest, salt) {
            if header.body(rest).is_some() {
                let end = at + header.n_bytes();
                return Some((header, at..end));
            }
            // An intact header tells how long its broken body is, so that no text inside is searched.
            let behind = at + header.n_bytes();
            if behind <= bytes.len() {
                at = behind;
                continue;
            }
        }
        at += 1 + memmem::find(rest.get(1..)?, &MAGIC)?;
    }
}

/// The body of an intact record.
pub(crate) fn body<'a>(bytes: &'a [u8], header: &Header, range: &Range<usize>) -> &'a [u8] {
    let from = range.end.saturating_sub(header.body_bytes);
    bytes.get(from..range.end).unwrap_or_default()
}
