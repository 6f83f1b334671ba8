//! One accepted delivery as a record of a WAL file.
//!
//! ```text
//! header, written by the one writer
//!    0  u32   magic "ctRC"
//!    4  u16   record version, 1
//!    6  u16   n: parts
//!    8  u32   length of the header
//!   12  u32   length of the body
//!   16  u64   offset in the file at which the group commit of this record began
//!   24  u64   sequence of the first event
//!   32  i64   time of ingestion, nanoseconds since the Unix epoch
//!   40  u64   xxh3 of the body
//!   48  n × u32  group ids
//!    …  u64   xxh3 of the header before this, seeded with the file's salt
//! body, encoded by the sender's thread
//!    0  u8    bits: 1 batch key, 2 source position
//!    …  16 + 16 bytes   id and digest of the batch key
//!    …  text source, text file, varint generation, varint start, varint end
//!    …  n times: text group, varint bytes as sent, varint length, a batch (see `batch_codec`)
//! ```
//!
//! Numbers are little-endian. The salt is another random number in every file, so that nothing that stood on
//! the disk before, nor anything inside an event, is ever taken for a record. The offset of the group commit
//! tells a torn write from damage: bytes at or after it were never acknowledged before this record.

use segment::bytes::{Cursor, Damage, Decoded, put_text, put_varint};
use types::{GroupName, Timestamp, ensure};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::batch_codec::{self, Encoder};
use crate::{BatchKey, Delivery, SourcePosition};

pub(crate) const MAGIC: [u8; 4] = *b"ctRC";
const VERSION: u16 = 1;
const FIXED_BYTES: usize = 48;

/// Longest body: what a record may make the reader hold at once.
pub(crate) const BODY_BYTES_MAX: usize = 512 << 20;

/// Longest text that names a source or a file.
const NAME_BYTES_MAX: usize = 4 << 10;

/// What the writer decides about a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// Offset at which its group commit began.
    pub(crate) commit_offset: u64,
    /// Sequence of its first event.
    pub(crate) first_sequence: u64,
    /// When it was accepted.
    pub(crate) ingestion_time: Timestamp,
    /// Ids of its groups, in the order of its parts.
    pub(crate) group_ids: Vec<u32>,
    /// Length of the body.
    pub(crate) body_bytes: usize,
    /// Hash of the body.
    pub(crate) body_hash: u64,
}

/// Returns the length of a header with `n_parts` group ids.
fn header_bytes(n_parts: usize) -> usize {
    FIXED_BYTES + n_parts * 4 + 8
}

impl Header {
    pub(crate) fn n_bytes(&self) -> usize {
        header_bytes(self.group_ids.len()) + self.body_bytes
    }

    /// Appends the header to `out`.
    pub(crate) fn put(&self, salt: u64, out: &mut Vec<u8>) {
        let start = out.len();
        let n_parts = self.group_ids.len();
        debug_assert!(n_parts <= usize::from(u16::MAX) && self.body_bytes <= BODY_BYTES_MAX);
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&(n_parts as u16).to_le_bytes());
        out.extend_from_slice(&(header_bytes(n_parts) as u32).to_le_bytes());
        out.extend_from_slice(&(self.body_bytes as u32).to_le_bytes());
        out.extend_from_slice(&self.commit_offset.to_le_bytes());
        out.extend_from_slice(&self.first_sequence.to_le_bytes());
        out.extend_from_slice(&self.ingestion_time.0.to_le_bytes());
        out.extend_from_slice(&self.body_hash.to_le_bytes());
        self.group_ids.iter().for_each(|id| out.extend_from_slice(&id.to_le_bytes()));
        let hash = xxh3_64_with_seed(&out[start..], salt);
        out.extend_from_slice(&hash.to_le_bytes());
    }

    /// Reads the header at the start of `bytes`; `None` if there is no intact one.
    pub(crate) fn read(bytes: &[u8], salt: u64) -> Option<Self> {
        let fixed = bytes.get(..FIXED_BYTES)?;
        let u16_at = |at: usize| Some(u16::from_le_bytes(fixed.get(at..at + 2)?.try_into().ok()?));
        let u32_at = |at: usize| Some(u32::from_le_bytes(fixed.get(at..at + 4)?.try_into().ok()?));
        let u64_at = |at: usize| Some(u64::from_le_bytes(fixed.get(at..at + 8)?.try_into().ok()?));
        let n_parts = usize::from(u16_at(6)?);
        let length = header_bytes(n_parts);
        if fixed[..4] != MAGIC || u16_at(4)? != VERSION || u32_at(8)? as usize != length {
            return None;
        }
        let (content, hash) = bytes.get(..length)?.split_last_chunk::<8>()?;
        if xxh3_64_with_seed(content, salt) != u64::from_le_bytes(*hash) {
            return None;
        }
        let (ids, _) = content[FIXED_BYTES..].as_chunks::<4>();
        Some(Self {
            commit_offset: u64_at(16)?,
            first_sequence: u64_at(24)?,
            ingestion_time: Timestamp(u64_at(32)? as i64),
            group_ids: ids.iter().map(|id| u32::from_le_bytes(*id)).collect(),
            body_bytes: u32_at(12)? as usize,
            body_hash: u64_at(40)?,
        })
    }

    /// Returns the body after the header at the start of `bytes`; `None` if it is cut off or does not fit its hash.
    pub(crate) fn body<'a>(&self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        let from = header_bytes(self.group_ids.len());
        let body = bytes.get(from..from.checked_add(self.body_bytes)?)?;
        (xxh3_64(body) == self.body_hash).then_some(body)
    }
}

/// A body with what the writer needs to know of it.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) bytes: Vec<u8>,
    pub(crate) hash: u64,
    /// Whether it has samples by their series.
    pub(crate) has_series: bool,
}

/// Encodes a delivery, whose parts' own shares of the bytes sent are `raw_shares`; the error is why it is too large.
pub(crate) fn encode_body(delivery: &Delivery, raw_shares: &[u64], encoder: &Encoder) -> Result<Body, String> {
    let Delivery { key, position, parts, .. } = delivery;
    ensure!(parts.len() <= usize::from(u16::MAX), format!("it has {} groups; the limit is {}", parts.len(), u16::MAX));
    let mut out = vec![u8::from(key.is_some()) | u8::from(position.is_some()) << 1];
    if let Some(key) = key {
        out.extend_from_slice(&key.id);
        out.extend_from_slice(&key.digest);
    }
    if let Some(position) = position {
        if position.source.len().max(position.file.len()) > NAME_BYTES_MAX {
            return Err(format!("the name of its source or file is longer than {NAME_BYTES_MAX} bytes"));
        }
        put_text(&mut out, &position.source);
        put_text(&mut out, &position.file);
        put_varint(&mut out, position.generation);
        put_varint(&mut out, position.range.start);
        put_varint(&mut out, position.range.end);
    }
    for (part, raw_share) in parts.iter().zip(raw_shares) {
        let batch = encoder.encode(&part.batch)?;
        put_text(&mut out, part.group.as_str());
        put_varint(&mut out, *raw_share);
        put_varint(&mut out, batch.len() as u64);
        out.extend_from_slice(&batch);
    }
    ensure!(out.len() <= BODY_BYTES_MAX, format!("it has {} bytes; the limit is {BODY_BYTES_MAX}", out.len()));
    let hash = xxh3_64(&out);
    let has_series = parts.iter().any(|part| batch_codec::is_of_series(&part.batch));
    Ok(Body { bytes: out, hash, has_series })
}

/// The content of a body.
#[derive(Debug)]
pub(crate) struct Contents {
    pub(crate) key: Option<BatchKey>,
    pub(crate) position: Option<SourcePosition>,
    pub(crate) parts: Vec<StoredPart>,
}

/// Events of one group as they come back from a record.
#[derive(Debug)]
pub(crate) struct StoredPart {
    pub(crate) group: GroupName,
    pub(crate) group_id: u32,
    pub(crate) raw_bytes: u64,
    pub(crate) batch: types::Batch,
}

/// Decodes the body of a record.
pub(crate) fn decode_body(header: &Header, body: &[u8]) -> Decoded<Contents> {
    let mut cursor = Cursor::new(body);
    let bits = cursor.byte()?;
    let key = if bits & 1 == 0 { None } else { Some(BatchKey { id: cursor.array()?, digest: cursor.array()? }) };
    let position = if bits & 2 == 0 { None } else { Some(source_position(&mut cursor)?) };
    let mut parts = Vec::new();
    let mut sequence = header.first_sequence;
    for group_id in &header.group_ids {
        let group = GroupName::new(cursor.text()?).ok_or(Damage("a group name is invalid"))?;
        let raw_bytes = cursor.varint()?;
        let length = cursor.count(1)?;
        let batch = batch_codec::decode(cursor.take(length)?, sequence, header.ingestion_time)?;
        sequence = sequence.checked_add(batch.len() as u64).ok_or(Damage("a sequence is out of range"))?;
        parts.push(StoredPart { group, group_id: *group_id, raw_bytes, batch });
    }
    if cursor.is_at_end() { Ok(Contents { key, position, parts }) } else { Err(Damage("bytes follow")) }
}

fn source_position(cursor: &mut Cursor<'_>) -> Decoded<SourcePosition> {
    let (source, file) = (cursor.text()?.to_owned(), cursor.text()?.to_owned());
    let generation = cursor.varint()?;
    let range = cursor.varint()?..cursor.varint()?;
    Ok(SourcePosition { source, file, generation, range })
}
