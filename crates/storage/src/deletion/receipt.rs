//! The receipt of a deletion of events: who requested it, what it removed, and when nothing of it was left.
//!
//! `tombstones/<id, 16 hex digits>.receipt` is text, one `key value` per line, the last one the xxh3 of the lines
//! before; it is written again when the deletion gets on, and stays when its tombstone goes. Of the query it holds a
//! digest: a text that looks for someone's data is itself such data. Who has the text can still show that it is the
//! one, with the id of the deletion: SHA-256 of the id, 16 hex digits, a line feed, and the text.

use std::io::{self, Read};
use std::path::Path;

use types::{GroupName, TimeRange, Timestamp, ensure};
use xxhash_rust::xxh3::xxh3_64;

use files::disk;

/// Segments that a receipt names; of further ones it has the number.
const SEGMENTS_MAX: usize = 1000;

/// Longest receipt that is read.
const RECEIPT_BYTES_MAX: u64 = 1 << 20;

/// The version of the text.
pub(crate) const FORMAT: u64 = 1;

/// A deletion of events and how far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeletionReceipt {
    /// Its number.
    pub id: u64,
    /// The group.
    pub group: GroupName,
    /// When it was asked for.
    pub created: Timestamp,
    /// The range that was looked at.
    pub range: TimeRange,
    /// Who asked for it.
    pub requested_by: String,
    /// The reason they gave.
    pub reason: String,
    /// Digest of the query, with the id as its salt.
    pub query_digest: [u8; 32],
    /// Events that the query found.
    pub n_matched: u64,
    /// Events deleted.
    pub n_deleted: u64,
    /// Segments written again without deleted events, or removed with them; the first thousand.
    pub segments: Vec<u128>,
    /// How many those are.
    pub n_segments: u64,
    /// Bytes of those segments.
    pub bytes_rewritten: u64,
    /// When the last byte of the events was gone from the data directory, where it is.
    pub reclaimed: Option<Timestamp>,
}

impl DeletionReceipt {
    pub(crate) fn new(id: u64, group: GroupName, created: Timestamp) -> Self {
        Self {
            id,
            group,
            created,
            range: TimeRange::ALL,
            requested_by: String::new(),
            reason: String::new(),
            query_digest: [0; 32],
            n_matched: 0,
            n_deleted: 0,
            segments: Vec::new(),
            n_segments: 0,
            bytes_rewritten: 0,
            reclaimed: None,
        }
    }

    /// Notes that a segment with deleted events no longer exists.
    pub(crate) fn note_segment(&mut self, segment: u128, n_bytes: u64) {
        self.n_segments += 1;
        self.bytes_rewritten = self.bytes_rewritten.saturating_add(n_bytes);
        if self.segments.len() < SEGMENTS_MAX {
            self.segments.push(segment);
        }
    }

    /// Writes the receipt, whole and durable.
    pub(crate) fn write(&self, dir: &Path) -> io::Result<()> {
        disk::write_whole(&dir.join(format!("{:016x}.receipt", self.id)), self.text().as_bytes())
    }

    /// Returns the text of the receipt.
    pub(crate) fn text(&self) -> String {
        let digest = types::hexadecimal(&self.query_digest);
        let mut text = format!("catat receipt\nformat {FORMAT}\nid {:016x}\ngroup {}\n", self.id, self.group);
        text += &format!("created {}\nfrom {}\nto {}\n", self.created.0, self.range.from.0, self.range.to.0);
        text += &format!("requested_by {}\nreason {}\n", one_line(&self.requested_by), one_line(&self.reason));
        text += &format!("query_digest {digest}\nmatched {}\ndeleted {}\n", self.n_matched, self.n_deleted);
        text += &format!("segments {}\nbytes_rewritten {}\n", self.n_segments, self.bytes_rewritten);
        self.segments.iter().for_each(|segment| text += &format!("segment {segment:032x}\n"));
        if let Some(reclaimed) = self.reclaimed {
            text += &format!("reclaimed {}\n", reclaimed.0);
        }
        let checksum = xxh3_64(text.as_bytes());
        text + &format!("checksum {checksum:016x}\n")
    }

    /// Reads the text of a receipt.
    pub(crate) fn parse(text: &str) -> Result<Self, ReceiptError> {
        let (content, checksum) = text.split_at(text.rfind("checksum ").unwrap_or(text.len()));
        let mut lines = content.lines();
        ensure!(lines.next() == Some("catat receipt"), ReceiptError::Damaged);
        let format = lines.next().and_then(|line| line.strip_prefix("format ")?.parse().ok());
        match format {
            Some(FORMAT) if checksum.trim_end() == format!("checksum {:016x}", xxh3_64(content.as_bytes())) => {}
            Some(format) if format > FORMAT => return Err(ReceiptError::Newer(format)),
            _ => return Err(ReceiptError::Damaged),
        }
        Self::of_lines(lines).ok_or(ReceiptError::Damaged)
    }

    fn of_lines<'a>(lines: impl Iterator<Item = &'a str>) -> Option<Self> {
        let (mut id, mut group) = (None, None);
        let nowhere = GroupName::new("unknown")?;
        let mut receipt = Self::new(0, nowhere, Timestamp(0));
        for line in lines {
            let (key, value) = line.split_once(' ')?;
            let time = || value.parse().ok().map(Timestamp);
            match key {
                "id" => id = u64::from_str_radix(value, 16).ok(),
                "group" => group = GroupName::new(value),
                "created" => receipt.created = time()?,
                "from" => receipt.range.from = time()?,
                "to" => receipt.range.to = time()?,
                "requested_by" => receipt.requested_by = value.to_owned(),
                "reason" => receipt.reason = value.to_owned(),
                "query_digest" => receipt.query_digest = digest_of(value)?,
                "matched" => receipt.n_matched = value.parse().ok()?,
                "deleted" => receipt.n_deleted = value.parse().ok()?,
                "segments" => receipt.n_segments = value.parse().ok()?,
                "bytes_rewritten" => receipt.bytes_rewritten = value.parse().ok()?,
                "segment" if receipt.segments.len() < SEGMENTS_MAX => {
                    receipt.segments.push(u128::from_str_radix(value, 16).ok()?);
                }
                "reclaimed" => receipt.reclaimed = Some(time()?),
                _ => {}
            }
        }
        (receipt.id, receipt.group) = (id?, group?);
        Some(receipt)
    }
}

/// Why a receipt cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReceiptError {
    Damaged,
    Newer(u64),
}

/// Returns a text without line breaks and other signs that are not shown.
fn one_line(text: &str) -> String {
    text.chars().map(|sign| if sign.is_control() { ' ' } else { sign }).collect()
}

fn digest_of(hex: &str) -> Option<[u8; 32]> {
    let mut digest = [0; 32];
    for (at, byte) in digest.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hex.get(at * 2..at * 2 + 2)?, 16).ok()?;
    }
    (hex.len() == 64).then_some(digest)
}

/// Reads all receipts in a directory, with what is wrong with those that cannot be read, by file name.
pub(crate) fn read(dir: &Path) -> io::Result<Vec<(String, Result<DeletionReceipt, ReceiptError>)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let Some(name) = entry.file_name().to_str().filter(|name| name.ends_with(".receipt")).map(str::to_owned) else {
            continue;
        };
        let text = match std::fs::File::open(entry.path()) {
            Ok(file) => {
                let mut text = String::new();
                // What is longer, or no text, is no receipt.
                let read = file.take(RECEIPT_BYTES_MAX).read_to_string(&mut text);
                read.map(|_| text).unwrap_or_default()
            }
            // An old receipt that went since the directory was listed.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        found.push((name, DeletionReceipt::parse(&text)));
    }
    Ok(found)
}

/// Removes a receipt.
pub(crate) fn remove(dir: &Path, id: u64) -> io::Result<()> {
    std::fs::remove_file(dir.join(format!("{id:016x}.receipt")))
}

#[cfg(test)]
mod tests;
