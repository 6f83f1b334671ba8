//! Messages of `application/vnd.amazon.eventstream`, the form of Amazon's streamed answers.
//!
//! ```text
//! length of all: u32 | length of headers: u32 | CRC-32 of these eight bytes | headers | payload | CRC-32 of all before
//! header: length of name: u8 | name | 7 (a text) | length: u16 | text
//! ```
//! Numbers are big-endian.

use flate2::Crc;

pub(super) const CONTENT_TYPE: &str = "application/vnd.amazon.eventstream";

/// The kind of a header whose value is a text.
const TEXT: u8 = 7;

/// Bytes of a message besides headers and payload.
const FRAME_BYTES: usize = 16;

/// Returns an event of a name with a payload of JSON.
pub(super) fn event(name: &str, payload: &str) -> Vec<u8> {
    message(&[(":message-type", "event"), (":event-type", name)], payload)
}

/// Returns the end of a stream that went wrong, with Amazon's name for it.
pub(super) fn exception(name: &str, payload: &str) -> Vec<u8> {
    message(&[(":message-type", "exception"), (":exception-type", name)], payload)
}

fn message(headers: &[(&str, &str)], payload: &str) -> Vec<u8> {
    let mut of_headers = Vec::new();
    for (name, value) in headers.iter().chain(&[(":content-type", "application/json")]) {
        // Names and values are the literals of this module's callers, far below what their lengths can say.
        of_headers.push(name.len() as u8);
        of_headers.extend(name.as_bytes());
        of_headers.push(TEXT);
        of_headers.extend((value.len() as u16).to_be_bytes());
        of_headers.extend(value.as_bytes());
    }
    let n_bytes = FRAME_BYTES + of_headers.len() + payload.len();
    let mut out = Vec::with_capacity(n_bytes);
    out.extend((n_bytes as u32).to_be_bytes());
    out.extend((of_headers.len() as u32).to_be_bytes());
    put_checksum(&mut out);
    out.extend(of_headers);
    out.extend(payload.as_bytes());
    put_checksum(&mut out);
    out
}

/// Adds the checksum of everything so far.
fn put_checksum(out: &mut Vec<u8>) {
    let mut checksum = Crc::new();
    checksum.update(out);
    out.extend(checksum.sum().to_be_bytes());
}

#[cfg(test)]
mod tests;
