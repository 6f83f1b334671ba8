//! The file that holds accepted deliveries in the bucket.
//!
//! ```text
//!    0  u32  magic "ctWO"
//!    4  u16  version: 4 if a delivery has samples by their series (2: with whole streams), else 1, which nodes of earlier
//!            versions read; one changed bit makes no version another
//!    6  u16  0
//!    8  u32  n: deliveries
//!   12  n × delivery
//! delivery
//!    0  u32  length of the body
//!    4  u64  xxh3 of the body
//!   12  body of a WAL record (`wal/record.rs`)
//! ```
//!
//! Numbers are little-endian. What is decided about the deliveries, and their sequences, is in the catalog.

use xxhash_rust::xxh3::xxh3_64;

use crate::wal::record::Body;

const MAGIC: [u8; 4] = *b"ctWO";
const VERSION: u16 = 1;
const VERSION_OF_STREAMS: u16 = 2;
const VERSION_OF_SERIES: u16 = 4;
const HEAD_BYTES: usize = 12;

/// Bytes of a delivery besides its body.
pub(crate) const DELIVERY_BYTES: usize = 12;

/// Returns the object of some bodies.
pub(crate) fn encode<'b>(bodies: impl ExactSizeIterator<Item = &'b Body> + Clone) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend_from_slice(&MAGIC);
    let version = if bodies.clone().any(|body| body.has_series) { VERSION_OF_SERIES } else { VERSION };
    out.extend_from_slice(&version.to_le_bytes());
    out.extend_from_slice(&[0; 2]);
    out.extend_from_slice(&(bodies.len() as u32).to_le_bytes());
    for body in bodies {
        out.extend_from_slice(&(body.bytes.len() as u32).to_le_bytes());
        out.extend_from_slice(&body.hash.to_le_bytes());
        out.extend_from_slice(&body.bytes);
    }
    out
}

/// Returns the bodies in an object; the error says what is wrong with its bytes, and where.
pub(crate) fn bodies(bytes: &[u8]) -> Result<Vec<&[u8]>, (u64, &'static str)> {
    let head = bytes.get(..HEAD_BYTES).ok_or((0, "it is cut off"))?;
    types::ensure!(head[..4] == MAGIC, (0, "it holds no events"));
    if ![VERSION, VERSION_OF_STREAMS, VERSION_OF_SERIES].contains(&u16::from_le_bytes([head[4], head[5]])) {
        return Err((4, "a later version of catat wrote it"));
    }
    let n_bodies = u32::from_le_bytes([head[8], head[9], head[10], head[11]]) as usize;
    let mut at = HEAD_BYTES;
    let mut bodies = Vec::with_capacity(n_bodies.min(bytes.len() / DELIVERY_BYTES));
    for _ in 0..n_bodies {
        let cut_off = (at as u64, "it is cut off");
        let head = bytes.get(at..at + DELIVERY_BYTES).ok_or(cut_off)?;
        let (length, hash) = head.split_at(4);
        let length = u32::from_le_bytes(length.try_into().map_err(|_| cut_off)?) as usize;
        let hash = u64::from_le_bytes(hash.try_into().map_err(|_| cut_off)?);
        let body = bytes[at + DELIVERY_BYTES..].get(..length).ok_or(cut_off)?;
        types::ensure!(xxh3_64(body) == hash, (at as u64, "the checksum does not fit"));
        bodies.push(body);
        at += DELIVERY_BYTES + length;
    }
    if at == bytes.len() { Ok(bodies) } else { Err((at as u64, "bytes follow")) }
}

#[cfg(test)]
mod tests;
