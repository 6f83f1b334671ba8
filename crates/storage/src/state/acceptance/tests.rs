//! Which runs are near in acceptance.

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
