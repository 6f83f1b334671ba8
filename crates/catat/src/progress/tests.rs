//! What is said.

use super::*;

#[test]
fn the_time_that_is_left_follows_from_the_rate() {
    let at = |n_read, n_bytes, seconds| text(n_read, n_bytes, Duration::from_secs(seconds));
    assert_eq!(at(40 << 20, Some(100 << 20), 2), "40.0 MiB of 100.0 MiB read, 20.0 MiB/s, 3 s left");
    assert_eq!(at(1 << 20, Some(10 << 30), 1), "1.0 MiB of 10.0 GiB read, 1.0 MiB/s, 3 h left");
    assert_eq!(at(40 << 20, None, 2), "40.0 MiB read, 20.0 MiB/s");
    // What grows while it is read is never done for long.
    assert_eq!(at(100 << 20, Some(90 << 20), 2), "100.0 MiB of 90.0 MiB read, 50.0 MiB/s");
    assert_eq!(at(0, Some(100), 5), "0 B of 100 B read, 0 B/s");
}
