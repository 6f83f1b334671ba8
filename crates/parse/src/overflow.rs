//! Events that continue one which may not become longer, told by what stands before them.

use crate::multiline::{LINES_MAX, is_sure_head};
use crate::runtime::{content, fragment};

/// Most bytes of lines that a shipper joins to one event; a longer one continues as the next event.
pub const JOINED_BYTES_MAX: usize = 256 << 10;

/// Whether the event before could take no more.
#[derive(Clone, Copy, Debug)]
pub struct Overflow {
    bytes_max: usize,
    n_lines: usize,
    n_bytes: usize,
}

impl Overflow {
    /// Lines are joined to no more than `bytes_max`.
    pub fn new(bytes_max: usize) -> Self {
        Self { bytes_max, n_lines: 0, n_bytes: 0 }
    }

    /// Whether the last event may have been full.
    pub fn is_full(&self) -> bool {
        self.n_lines >= LINES_MAX || self.n_lines > 1 && self.n_bytes > self.bytes_max / 2
    }

    /// Notes the next event, and reports whether it continues the one before.
    pub fn continues(&mut self, event: &[u8]) -> bool {
        let is_further = self.n_lines > 1 && {
            let first = &event[..memchr::memchr(b'\n', event).unwrap_or(event.len())];
            (self.n_lines >= LINES_MAX || self.n_bytes + first.len() > self.bytes_max) && !has_head(first)
        };
        // Most events are too short to be full, whatever their lines are.
        let may_be_full = event.len() > 2 * LINES_MAX;
        self.n_lines = if may_be_full { memchr::memchr_iter(b'\n', event.trim_ascii_end()).count() + 1 } else { 0 };
        self.n_bytes = event.len();
        is_further
    }
}

/// Whether what a program wrote in a line begins an entry.
fn has_head(line: &[u8]) -> bool {
    let mut scratch = Vec::new();
    let content = content(line, fragment(line).as_ref(), &mut scratch).1;
    content.is_empty() || is_sure_head(content)
}

#[cfg(test)]
mod tests;
