//! What a decoder may make of one body.
//!
//! A few bytes can stand for many: a reference to a long symbol, an empty label, an element of a list. Whatever a decoder keeps, copies,
//! hashes or compares is counted as it goes along, so that the memory and the work of a request are bounded by the bytes that it sent.

use crate::{IngestError, Result};

/// Bytes that a label, an attribute or an element takes besides its text: a pair of texts, or a value.
pub const PAIR_BYTES: usize = 64;

/// Bytes of memory that any body may take, and those for each of its own. A short attribute takes seven times its bytes.
const MEMORY: (usize, usize) = (16 << 20, 8);

/// Bytes that may be copied and hashed for any body, and for each byte of it. Remote write 2.0 spells each label once and refers to it
/// from then on: labels of Prometheus' own senders have some twenty times the bytes of their references. A histogram repeats its labels
/// for each bucket, which takes 16 bytes.
const WORK: (usize, usize) = (64 << 20, 64);

/// Bytes of metric data that the lines of any request may stand for, and those for each byte of a line: a line has the
/// product of its metrics and its sets of dimensions. Data of AWS' own packages take up to thirteen times their lines.
const EMBEDDED: (usize, usize) = (4 << 20, 16);

/// What is left for one body.
#[derive(Debug)]
pub struct DecodeBudget {
    memory: Allowance,
    work: Allowance,
}

/// What is left for the metric data within the lines of one request.
#[derive(Debug)]
pub(crate) struct EmbeddedBudget(Allowance);

#[derive(Debug)]
struct Allowance {
    left: usize,
    bytes_max: usize,
}

impl Allowance {
    fn of_body(n_bytes: usize, (base, per_byte): (usize, usize)) -> Self {
        let bytes_max = n_bytes.saturating_mul(per_byte).saturating_add(base);
        Self { left: bytes_max, bytes_max }
    }

    #[inline]
    fn take(&mut self, n_bytes: usize) -> Result<()> {
        let left = self.left.checked_sub(n_bytes);
        self.left = left.ok_or(IngestError::TooManyFields { bytes_max: self.bytes_max })?;
        Ok(())
    }
}

impl DecodeBudget {
    /// Returns the budget of a body of `n_bytes` after decompression.
    pub fn of_body(n_bytes: usize) -> Self {
        Self { memory: Allowance::of_body(n_bytes, MEMORY), work: Allowance::of_body(n_bytes, WORK) }
    }

    /// Counts bytes that are kept, at least for a while.
    ///
    /// # Errors
    /// The body would take too much memory.
    #[inline]
    pub fn hold(&mut self, n_bytes: usize) -> Result<()> {
        self.memory.take(n_bytes)
    }

    /// Counts bytes that are copied, hashed or compared.
    ///
    /// # Errors
    /// The body would take too much work.
    #[inline]
    pub fn spend(&mut self, n_bytes: usize) -> Result<()> {
        self.work.take(n_bytes)
    }
}

impl Default for EmbeddedBudget {
    fn default() -> Self {
        Self(Allowance::of_body(0, EMBEDDED))
    }
}

impl EmbeddedBudget {
    /// Adds what the data of a line of `n_bytes` may take.
    pub(crate) fn add_line(&mut self, n_bytes: usize) {
        let more = n_bytes.saturating_mul(EMBEDDED.1);
        self.0.left = self.0.left.saturating_add(more);
        self.0.bytes_max = self.0.bytes_max.saturating_add(more);
    }

    /// Counts bytes of data.
    ///
    /// # Errors
    /// If the data would take far more than their lines.
    pub(crate) fn hold(&mut self, n_bytes: usize) -> Result<()> {
        self.0.take(n_bytes)
    }
}

#[cfg(test)]
mod tests;
