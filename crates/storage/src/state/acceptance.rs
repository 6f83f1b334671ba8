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
mod tests {
    use super::*;

    #[test]
    fn runs_accepted_nearest_to_others_are_taken_up_to_the_limits() {
        let wanted = Acceptance { sequences: (100, 200), n_events_max: 30, n_runs_max: 3 };
        let distances = [(150, 160), (0, 100), (0, 99), (201, 300), (0, 40), (260, 270)];
        assert_eq!(distances.map(|(first, last)| wanted.distance(first, last)), [0, 0, 1, 1, 60, 60]);
        let max = |runs: &[(u64, u64)]| wanted.distance_max(runs.to_vec());
        assert_eq!(max(&[]), 0);
        assert_eq!(max(&[(60, 10), (1, 10), (7, 10)]), 60);
        assert_eq!(max(&[(60, 10), (1, 10), (7, 10), (70, 1)]), 60, "three runs");
        assert_eq!(max(&[(60, 11), (1, 10), (7, 10)]), 7, "thirty events");
        assert_eq!(max(&[(0, 100), (60, 10)]), 0);
    }
}
