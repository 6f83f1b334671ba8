//! Blocks of Snappy, in which agents of Loki and Prometheus send their messages.

use std::cell::Cell;

use crate::{IngestError, Result};

/// Limit on the bytes that one byte of a Snappy block can produce: an element of three bytes copies up to 64.
const SNAPPY_RATIO_MAX: usize = 22;

/// Most bytes of room that a thread keeps for its next block.
const ROOM_BYTES_MAX: usize = 1 << 20;

thread_local! {
    static ROOM: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Decompresses a block of at most `bytes_max` bytes, and allocates no more than the block can produce.
///
/// # Errors
/// If it is not one block, or has more bytes.
pub fn unpack(body: &[u8], bytes_max: usize) -> Result<Vec<u8>> {
    unpacked_len(body, bytes_max)?;
    snap::raw::Decoder::new().decompress_vec(body).map_err(broken)
}

/// Decompresses a block of at most `bytes_max` bytes and gives it to `read`; for who reads one after the other. Fresh room would have to
/// be cleared for each, and fetched from the system once the last was given back.
///
/// # Errors
/// If it is not one block, or has more bytes.
pub fn with_unpacked<T>(body: &[u8], bytes_max: usize, read: impl FnOnce(&[u8]) -> T) -> Result<T> {
    let n_bytes = unpacked_len(body, bytes_max)?;
    let mut room = ROOM.take();
    room.resize(n_bytes.max(room.len()), 0);
    let unpacked = snap::raw::Decoder::new().decompress(body, &mut room).map_err(broken);
    let outcome = unpacked.map(|n_bytes| read(&room[..n_bytes]));
    if room.len() <= ROOM_BYTES_MAX {
        ROOM.set(room);
    }
    outcome
}

/// Returns how many bytes a block says that it has.
fn unpacked_len(body: &[u8], bytes_max: usize) -> Result<usize> {
    let n_bytes = snap::raw::decompress_len(body).map_err(broken)?;
    types::ensure!(n_bytes <= bytes_max, IngestError::TooLarge { bytes_max });
    if n_bytes > body.len().saturating_mul(SNAPPY_RATIO_MAX) {
        return Err(broken("the block is too short for the length that it names"));
    }
    Ok(n_bytes)
}

fn broken(problem: impl ToString) -> IngestError {
    IngestError::BadEncoding { encoding: "snappy", problem: problem.to_string() }
}

/// Compresses a message into one block.
///
/// # Errors
/// If it is larger than a block may be.
pub fn pack(message: &[u8]) -> Result<Vec<u8>> {
    snap::raw::Encoder::new().compress_vec(message).map_err(broken)
}

#[cfg(test)]
mod tests;
