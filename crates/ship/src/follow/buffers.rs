//! Room for the bytes of batches, used again and again: memory that the system has to hand out again for each costs more than
//! cutting the events in it.

use std::cell::RefCell;

/// Fewer bytes than this are not worth being kept.
const BYTES_LEAST: usize = 64 << 10;

/// Buffers that no one uses now.
#[derive(Debug)]
pub(super) struct Buffers {
    free: RefCell<Vec<Vec<u8>>>,
    n_max: usize,
    /// Most bytes of one: what was needed for a long line is not kept for short ones.
    bytes_max: usize,
}

impl Buffers {
    pub(super) fn new(n_max: usize, batch_bytes: usize) -> Self {
        Self { free: RefCell::default(), n_max, bytes_max: batch_bytes.saturating_mul(2) }
    }

    /// Returns a buffer for `n` bytes, which holds something or other.
    pub(super) fn take(&self, n: usize) -> Vec<u8> {
        let kept = if n >= BYTES_LEAST { self.free.borrow_mut().pop() } else { None };
        kept.unwrap_or_default()
    }

    /// Takes back a buffer that is no longer needed.
    pub(super) fn give(&self, buffer: Vec<u8>) {
        let mut free = self.free.borrow_mut();
        if free.len() < self.n_max && (BYTES_LEAST..=self.bytes_max).contains(&buffer.capacity()) {
            free.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests;
