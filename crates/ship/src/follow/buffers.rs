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
mod tests {
    use super::*;

    #[test]
    fn what_was_given_back_is_used_again_unless_it_is_small_or_large_or_too_many() {
        let buffers = Buffers::new(2, 1 << 20);
        let kept = Vec::with_capacity(1 << 20);
        let place = kept.as_ptr();
        buffers.give(Vec::with_capacity(100));
        buffers.give(Vec::with_capacity(3 << 20));
        buffers.give(kept);
        assert_eq!(buffers.take(100).capacity(), 0);
        let again = buffers.take(1 << 20);
        assert_eq!(again.as_ptr(), place);
        assert_eq!(buffers.take(1 << 20).capacity(), 0);
        (0..3).for_each(|_| buffers.give(Vec::with_capacity(1 << 20)));
        assert_eq!(buffers.free.borrow().len(), 2);
    }
}
