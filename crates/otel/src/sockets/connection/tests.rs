//! How long a frame may take.

use super::*;

#[test]
fn a_frame_that_trickles_is_not_waited_for_for_ever() {
    let seconds = Duration::from_secs;
    assert_eq!(patience(0, seconds(0)), FRAME_TIME_MAX);
    assert_eq!(patience(59, seconds(59)), seconds(1));
    assert_eq!(patience(60, seconds(61)), Duration::ZERO);
    assert_eq!(patience(1 << 20, seconds(1_000)), seconds(84));
}
