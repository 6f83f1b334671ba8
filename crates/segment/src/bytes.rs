//! Little-endian building blocks of the segment format: those of [`types::codec`], after the bytes that they are appended to.

pub use types::codec::{Cursor, Damage, Decoded, Packed, put_codes, put_integers};

/// Appends a variable-length number.
pub fn put_varint(out: &mut Vec<u8>, number: u64) {
    types::codec::put_count(number, out);
}

/// Appends a signed number, small ones in few bytes.
pub fn put_zigzag(out: &mut Vec<u8>, number: i64) {
    types::codec::put_whole(number, out);
}

/// Appends a text after its length.
pub fn put_text(out: &mut Vec<u8>, text: &str) {
    types::codec::put_text(text, out);
}
