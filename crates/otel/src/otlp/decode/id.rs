//! Ids of traces and spans.

use std::borrow::Cow;

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use ingest::FieldWriter;

/// The id of a trace or span.
pub(super) enum Id<'a> {
    Bytes(Cow<'a, [u8]>),
    /// Digits in hex, two for each byte.
    Hex(Cow<'a, str>),
}

impl Default for Id<'_> {
    fn default() -> Self {
        Self::Bytes(Cow::default())
    }
}

impl Id<'_> {
    /// Writes the id in lower-case hex; an id of zeros is absent.
    pub(super) fn write(&self, name: &str, fields: &mut FieldWriter<'_>) {
        match self {
            Self::Hex(hex) if hex.bytes().all(|digit| digit == b'0') => {}
            Self::Hex(hex) if hex.bytes().any(|digit| digit.is_ascii_uppercase()) => {
                fields.text(name, &hex.to_ascii_lowercase());
            }
            Self::Hex(hex) => fields.text(name, hex),
            Self::Bytes(id) if id.iter().all(|byte| *byte == 0) => {}
            Self::Bytes(id) => {
                let mut room = [0; 64];
                match room.get_mut(..id.len() * 2) {
                    Some(hex) => fields.text(name, HEXLOWER.encode_mut_str(id, hex)),
                    None => fields.text(name, &HEXLOWER.encode(id)),
                }
            }
        }
    }

    /// Returns the bytes of an id; `None` if it is empty or zero.
    ///
    /// # Errors
    /// A description of the problem if the id has another length or invalid digits.
    pub(super) fn bytes<const N: usize>(&self) -> Result<Option<[u8; N]>, String> {
        let decoded;
        let bytes = match self {
            Self::Bytes(bytes) => &**bytes,
            Self::Hex(digits) => {
                let found = HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).ok();
                decoded = found.filter(|id: &Vec<u8>| id.is_empty() || id.len() == N);
                let shown: String = digits.chars().take(40).collect();
                decoded.as_deref().ok_or_else(|| format!("{shown:?} is not {} hexadecimal digits", 2 * N))?
            }
        };
        if bytes.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        let id = <[u8; N]>::try_from(bytes).map_err(|_| format!("has {} bytes instead of {N}", bytes.len()))?;
        Ok(Some(id))
    }
}
