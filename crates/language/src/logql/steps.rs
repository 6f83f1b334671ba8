//! The instants at which a metric query is evaluated.

use types::Timestamp;

/// The instants at which a metric query is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Steps {
    /// First instant.
    pub start: Timestamp,
    /// Last possible instant.
    pub end: Timestamp,
    /// Nanoseconds between two instants, above 0.
    pub step_ns: i64,
}

impl Steps {
    /// Returns one instant.
    pub fn instant(at: Timestamp) -> Self {
        Self { start: at, end: at, step_ns: Timestamp::SECOND }
    }

    pub(super) fn count(&self) -> i64 {
        let span = self.end.0.saturating_sub(self.start.0);
        if span < 0 { 0 } else { (span / self.step_ns.max(1)).saturating_add(1) }
    }

    pub(super) fn at(&self, step: i64) -> Timestamp {
        Timestamp(self.start.0.saturating_add(step.saturating_mul(self.step_ns)))
    }
}
