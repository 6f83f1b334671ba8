//! Runs chosen by when their events were accepted.

/// Events by when they were accepted: those nearest to some sequences, up to limits.
#[derive(Clone, Copy, Debug)]
pub struct Acceptance {
    /// The first and the last sequence.
    pub sequences: (u64, u64),
    /// Limit on the events of the runs taken.
    pub n_events_max: u64,
    /// Limit on the runs.
    pub n_runs_max: usize,
}

impl Acceptance {
    /// Returns how far sequences are from those wanted; 0 if they overlap.
    pub(super) fn distance(&self, first: u64, last: u64) -> u64 {
        first.saturating_sub(self.sequences.1).max(self.sequences.0.saturating_sub(last))
    }

    /// Returns the largest distance of the runs taken, given distances and numbers of events of all.
    pub(super) fn distance_max(&self, mut runs: Vec<(u64, u64)>) -> u64 {
        runs.sort_unstable();
        let mut n_events = 0u64;
        let within = runs.iter().take(self.n_runs_max).take_while(|(_, n)| {
            n_events = n_events.saturating_add(*n);
            n_events <= self.n_events_max
        });
        within.last().map_or(0, |(distance, _)| *distance)
    }
}

#[cfg(test)]
mod tests;
