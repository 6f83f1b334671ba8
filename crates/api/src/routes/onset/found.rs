//! What was found of an onset.

use cause::{Concurrent, Onset, PatternOnsets};
use execute::PartialReason;

/// An onset, and what began with it.
pub(crate) struct FoundOnset {
    pub(crate) onset: Onset,
    pub(crate) also: Vec<Concurrent>,
    pub(crate) partial_reasons: Vec<PartialReason>,
}

/// The onsets of patterns, and what else there is on their axis of time.
pub(super) struct FoundPatterns {
    pub(super) onsets: PatternOnsets,
    pub(super) also: Vec<Concurrent>,
    pub(super) partial_reasons: Vec<PartialReason>,
}
