//! What was found of an onset.

use cause::{Concurrent, Onset, PatternOnsets};
use execute::PartialReason;

/// An onset, and what began with it.
pub(in crate::routes) struct FoundOnset {
    pub(in crate::routes) onset: Onset,
    pub(in crate::routes) also: Vec<Concurrent>,
    pub(in crate::routes) partial_reasons: Vec<PartialReason>,
}

/// The onsets of patterns, and what else there is on their axis of time.
pub(super) struct FoundPatterns {
    pub(super) onsets: PatternOnsets,
    pub(super) also: Vec<Concurrent>,
    pub(super) partial_reasons: Vec<PartialReason>,
}
