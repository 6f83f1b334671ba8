//! Reads a WAL file back after a start: every intact record, and what is wrong with the rest.
//!
//! A file is read whole; its size is bounded by `wal_segment_bytes` and one record. See the parent for what
//! is a torn tail and what is damage.

use std::ops::Range;

use memchr::memmem;

use super::record::{Header, MAGIC};
use super::{FileHeader, HeaderError, Mark};

/// What is known of a file from outside it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum FileContext {
    /// No file follows: the writer may have been cut off while it wrote.
    Last,
    /// Another file follows: all of this one was synced. That one may say how many bytes these were.
    Followed(Option<u64>),
}

/// A record's header and its place in the file.
pub(crate) type LocatedHeader = (Header, Range<usize>);

/// What a WAL file holds.
#[derive(Debug)]
pub(crate) struct Contents {
    /// The header.
    pub(crate) header: FileHeader,
    /// Tells whether what the writer noted at its start is damaged. Then the end of the file may be missing unnoticed.
    pub(crate) is_mark_damaged: bool,
    /// Intact records in order: header and place of the record in the file.
    pub(crate) records: Vec<LocatedHeader>,
    /// Acknowledged bytes that are no intact record.
    pub(crate) damaged: Vec<Range<usize>>,
    /// Acknowledged bytes that are not there: the file was cut off.
    pub(crate) missing: Option<Range<u64>>,
    /// Where a torn tail begins; it was never acknowledged.
    pub(crate) torn_from: Option<usize>,
    /// Bytes from here on may be in the page cache only.
    pub(crate) unproven_from: usize,
}

impl Contents {
    /// Returns the length of this file that the next file records, given that `n_bytes` of it are intact. Missing bytes
    /// are included, so that every start reports them. `None` if the length is not known.
    pub(crate) fn n_bytes_named(&self, n_bytes: u64) -> Option<u64> {
        (!self.is_mark_damaged).then(|| self.missing.as_ref().map_or(n_bytes, |missing| missing.end))
    }
}

/// Parses the bytes of a file; the error is why not even its header can be read.
pub(crate) fn read(bytes: &[u8], place: FileContext) -> Result<Contents, HeaderError> {
    let header = FileHeader::decode(bytes)?;
    let mark = Mark::decode(bytes, &header);
    let (records, gaps) = take_apart(bytes, &header);
    // Bytes before the beginning of some later group commit had been synced when it was written.
    let last_commit = records.iter().map(|(record, _)| record.commit_offset).max().unwrap_or(0);
    let known = mark.unwrap_or_default();
    let told = match place {
        FileContext::Followed(Some(n_bytes)) => known.synced.max(n_bytes),
        FileContext::Last | FileContext::Followed(None) => known.synced,
    };
    let is_all_synced = matches!(place, FileContext::Followed(None)) && known.next == 0;
    let synced = if is_all_synced { u64::MAX } else { told.max(last_commit) };
    let missing = (told > bytes.len() as u64).then_some(bytes.len() as u64..told);
    let unproven_from = usize::try_from(synced).unwrap_or(usize::MAX).min(bytes.len());
    let mut contents = Contents {
        header,
        is_mark_damaged: mark.is_none(),
        records,
        damaged: Vec::new(),
        missing,
        torn_from: None,
        unproven_from,
    };
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

/// Records with their places, and the places in which there is none.
fn take_apart(bytes: &[u8], header: &FileHeader) -> (Vec<LocatedHeader>, Vec<Range<usize>>) {
    let (mut records, mut gaps) = (Vec::new(), Vec::new());
    let mut at = header.n_bytes();
    while at < bytes.len() {
        let next = next_record(bytes, at, header.salt);
        let found = next.as_ref().map_or(bytes.len(), |(_, range)| range.start);
        if found > at {
            gaps.push(at..found);
        }
        let Some((record, range)) = next else { break };
        at = range.end;
        records.push((record, range));
    }
    (records, gaps)
}

/// Returns the first intact record at or after `from`.
fn next_record(bytes: &[u8], from: usize, salt: u64) -> Option<LocatedHeader> {
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

/// Returns the body of an intact record.
pub(crate) fn body<'a>(bytes: &'a [u8], header: &Header, range: &Range<usize>) -> &'a [u8] {
    let from = range.end.saturating_sub(header.body_bytes);
    bytes.get(from..range.end).unwrap_or_default()
}
