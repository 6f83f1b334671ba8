//! Limits of what a template may produce.

/// Longest text that a function may make.
pub(super) const TEXT_BYTES_MAX: usize = 1 << 20;
