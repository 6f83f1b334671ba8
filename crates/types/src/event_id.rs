//! `@id`: where an event lies, in 32 characters that sort by time and acceptance within a group.
//!
//! Layout before encoding, big-endian: group id `u32`, timestamp `u64` with the sign bit flipped, sequence
//! `u64`. Encoded with lower-case base32hex (RFC 4648 §7), whose characters sort as the bytes do.

use data_encoding::BASE32HEX_NOPAD;

use crate::Timestamp;

/// The identity of an event, unique and stable for its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EventId {
    /// The group's number in this store.
    pub group_id: u32,
    /// When the event happened.
    pub timestamp: Timestamp,
    /// The event's place in the order of acceptance.
    pub sequence: u64,
}

const SIGN: u64 = 1 << 63;

impl EventId {
    /// Encodes the identity as 32 characters.
    pub fn encode(self) -> String {
        let mut bytes = [0u8; 20];
        bytes[..4].copy_from_slice(&self.group_id.to_be_bytes());
        bytes[4..12].copy_from_slice(&((self.timestamp.0 as u64) ^ SIGN).to_be_bytes());
        bytes[12..].copy_from_slice(&self.sequence.to_be_bytes());
        let mut text = BASE32HEX_NOPAD.encode(&bytes);
        text.make_ascii_lowercase();
        text
    }

    /// Reads what [`encode`](Self::encode) wrote; `None` for anything else.
    pub fn decode(text: &str) -> Option<Self> {
        if text.len() != 32 {
            return None;
        }
        let bytes = BASE32HEX_NOPAD.decode(text.to_ascii_uppercase().as_bytes()).ok()?;
        let timestamp = u64::from_be_bytes(bytes.get(4..12)?.try_into().ok()?) ^ SIGN;
        Some(Self {
            group_id: u32::from_be_bytes(bytes.get(..4)?.try_into().ok()?),
            timestamp: Timestamp(timestamp as i64),
            sequence: u64::from_be_bytes(bytes.get(12..20)?.try_into().ok()?),
        })
    }
}

#[cfg(test)]
mod tests;
