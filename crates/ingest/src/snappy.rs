//! Blocks of Snappy, in which agents of Loki and Prometheus send their messages.

use crate::IngestError;

/// Limit on the bytes that one byte of a Snappy block can produce: an element of three bytes copies up to 64.
const SNAPPY_RATIO_MAX: usize = 22;

/// Decompresses a block of at most `bytes_max` bytes, and allocates no more than the block can produce.
///
/// # Errors
/// If it is not one block, or has more bytes.
pub fn unpack(body: &[u8], bytes_max: usize) -> Result<Vec<u8>, IngestError> {
    let broken = |problem: String| IngestError::BadEncoding { encoding: "snappy", problem };
    let n_bytes = snap::raw::decompress_len(body).map_err(|error| broken(error.to_string()))?;
    if n_bytes > bytes_max {
        return Err(IngestError::TooLarge { bytes_max });
    }
    if n_bytes > body.len().saturating_mul(SNAPPY_RATIO_MAX) {
        return Err(broken("the block is too short for the length that it names".into()));
    }
    snap::raw::Decoder::new().decompress_vec(body).map_err(|error| broken(error.to_string()))
}

/// Compresses a message into one block.
///
/// # Errors
/// If it is larger than a block may be.
pub fn pack(message: &[u8]) -> Result<Vec<u8>, IngestError> {
    let broken = |error: snap::Error| IngestError::BadEncoding { encoding: "snappy", problem: error.to_string() };
    snap::raw::Encoder::new().compress_vec(message).map_err(broken)
}
