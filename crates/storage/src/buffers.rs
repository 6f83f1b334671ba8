//! Byte buffers that are used again, for what every request needs for a moment.
//!
//! A body of three megabytes and what becomes of it are given back within milliseconds and asked for again by the
//! next request. An allocator that returns memory to the system pays for each of its pages again: before there were
//! these, that was 12 % of the CPU of ingesting. Few and not too large ones are kept, so that a burst still ends.

use std::sync::Mutex;

use types::Hold;

/// Buffers kept for the next to ask: about as many as requests are worked on at once on two cores.
const BUFFERS_MAX: usize = 3;

/// Largest buffer that is kept: a body of the usual size, grown by doubling.
const BUFFER_BYTES_MAX: usize = 6 << 20;

/// A few empty buffers, each with the room that it was given before.
#[derive(Debug, Default)]
pub struct Buffers(Mutex<Vec<Vec<u8>>>);

impl Buffers {
    /// Returns an empty buffer with room for `n_bytes`.
    pub fn take(&self, n_bytes: usize) -> Vec<u8> {
        let kept = if n_bytes > BUFFER_BYTES_MAX { None } else { self.0.hold().pop() };
        let mut buffer = kept.unwrap_or_default();
        buffer.reserve_exact(n_bytes);
        buffer
    }

    /// Gives a buffer back.
    pub fn give(&self, mut buffer: Vec<u8>) {
        if buffer.capacity() == 0 || buffer.capacity() > BUFFER_BYTES_MAX {
            return;
        }
        buffer.clear();
        let mut kept = self.0.hold();
        if kept.len() < BUFFERS_MAX {
            kept.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests;
