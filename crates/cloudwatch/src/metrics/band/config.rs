//! How a model is trained.

use chrono_tz::Tz;

/// What a detector says of the training of its model.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::metrics) struct BandConfig {
    /// Ranges whose values do not count, from their start to before their end, in ms.
    pub(in crate::metrics) excluded: Vec<(i64, i64)>,
    /// The zone of hours and days.
    pub(in crate::metrics) zone: Tz,
    /// Whether spikes of the past are expected again.
    pub(in crate::metrics) has_spikes: bool,
}

impl Default for BandConfig {
    fn default() -> Self {
        Self { excluded: Vec::new(), zone: Tz::UTC, has_spikes: false }
    }
}
