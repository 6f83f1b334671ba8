//! Bodies as they are sent to bodies as they are meant, never more than a limit allows.

use std::borrow::Cow;
use std::io::{self, Read};

use flate2::bufread::{MultiGzDecoder, ZlibDecoder};

use crate::{IngestError, Result};

types::named! {
    /// How a body is compressed.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub enum Encoding {
        /// Not at all.
        #[default]
        Identity = "text",
        /// gzip, of one member or several.
        Gzip = "gzip",
        /// zlib's format, which HTTP calls deflate.
        Deflate = "deflate",
        /// Zstandard, of one frame or several.
        Zstd = "zstd",
    }
}

/// Largest window of a Zstandard frame, as a power of two: 64 MiB. Every level of `zstd` without `--ultra` and
/// `--long` stays below it; the decoder allocates it at once.
const ZSTD_WINDOW_LOG_MAX: u32 = 26;

/// Bytes that are unfolded before it is known that the whole body is within the limit. The rest of a larger one is counted
/// first, so that a bomb costs no more than this; what passes is unfolded a second time, into room of just its size.
const UNPROVEN_BYTES_MAX: usize = 8 << 20;

/// How many times its size a body may unfold to where that is more than [`UNPROVEN_BYTES_MAX`]. Logs shrink to a tenth or
/// so; who makes others hold far more than they send sends no logs, or the same line for ever.
const RATIO_MAX: usize = 200;

/// Decompresses `body` into at most `bytes_max` bytes, and allocates no more than that.
///
/// # Errors
/// If it is larger than that, unfolds to more than 200 times its size (beyond 8 MiB), or is damaged.
pub fn decode(body: &[u8], encoding: Encoding, bytes_max: usize) -> Result<Cow<'_, [u8]>> {
    if encoding != Encoding::Identity {
        return unfold(body, encoding, bytes_max, UNPROVEN_BYTES_MAX).map(Cow::Owned);
    }
    if body.len() > bytes_max { Err(IngestError::TooLarge { bytes_max }) } else { Ok(Cow::Borrowed(body)) }
}

/// A stream of zlib's that is all of a body.
struct WholeZlib<'b>(ZlibDecoder<&'b [u8]>);

impl Read for WholeZlib<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n_bytes = self.0.read(buffer)?;
        if n_bytes == 0 && !buffer.is_empty() && !self.0.get_ref().is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "bytes after the end"));
        }
        Ok(n_bytes)
    }
}

/// Returns what a body is as it is read.
fn reader<'b>(body: &'b [u8], encoding: Encoding) -> io::Result<Box<dyn Read + 'b>> {
    match encoding {
        Encoding::Identity => Ok(Box::new(body)),
        Encoding::Gzip => Ok(Box::new(MultiGzDecoder::new(body))),
        Encoding::Deflate => Ok(Box::new(WholeZlib(ZlibDecoder::new(body)))),
        Encoding::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(body)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
            Ok(Box::new(decoder))
        }
    }
}

/// `unproven_max` is [`UNPROVEN_BYTES_MAX`] outside of tests.
fn unfold(body: &[u8], encoding: Encoding, bytes_max: usize, unproven_max: usize) -> Result<Vec<u8>> {
    let bad = |error: io::Error| IngestError::BadEncoding { encoding: encoding.name(), problem: error.to_string() };
    let n_unproven = bytes_max.min(unproven_max);
    let mut unfolding = reader(body, encoding).map_err(bad)?;
    // Logs shrink to a tenth or so.
    let mut decoded = Vec::with_capacity(body.len().saturating_mul(8).max(4096).min(n_unproven));
    unfolding.by_ref().take(n_unproven as u64).read_to_end(&mut decoded).map_err(bad)?;
    let by_ratio = body.len().saturating_mul(RATIO_MAX).max(n_unproven);
    let n_left_max = bytes_max.min(by_ratio) - n_unproven;
    let n_left = io::copy(&mut unfolding.take(n_left_max as u64 + 1), &mut io::sink()).map_err(bad)?;
    if n_left > n_left_max as u64 {
        let is_ratio = by_ratio < bytes_max;
        return Err(if is_ratio {
            IngestError::Bomb { ratio_max: RATIO_MAX }
        } else {
            IngestError::TooLarge { bytes_max }
        });
    }
    if n_left > 0 {
        // No more than the limit, which is a `usize`.
        let n_bytes = decoded.len() + n_left as usize;
        drop(std::mem::replace(&mut decoded, Vec::with_capacity(n_bytes)));
        reader(body, encoding).and_then(|again| again.take(n_bytes as u64).read_to_end(&mut decoded)).map_err(bad)?;
    }
    Ok(decoded)
}

/// Returns a body as a text, with a replacement for what is no UTF-8: for protocols whose bodies are one JSON text, of which a
/// byte in one event is not to cost the others.
///
/// # Errors
/// If the text is longer than `bytes_max`: a replacement has three bytes.
pub fn lossy(body: &[u8], bytes_max: usize) -> Result<Cow<'_, str>> {
    if let Ok(text) = str::from_utf8(body) {
        return Ok(Cow::Borrowed(text));
    }
    let mut text = String::with_capacity(body.len());
    for chunk in body.utf8_chunks() {
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            text.push(char::REPLACEMENT_CHARACTER);
        }
        types::ensure!(text.len() <= bytes_max, IngestError::TooLarge { bytes_max });
    }
    Ok(Cow::Owned(text))
}

#[cfg(test)]
mod tests;
