//! The least that may be kept.

use super::percent_of;

#[test]
fn the_least_that_may_be_kept_does_not_exceed_the_disk() {
    let mib = |n: u64| n << 20;
    assert_eq!(percent_of(80, mib(10_000), mib(80)), mib(8_000));
    assert_eq!(percent_of(80, mib(300), mib(80)), mib(220), "the floor of 256 MiB does not fit");
    assert_eq!(percent_of(80, mib(140), mib(80)), mib(60));
    assert_eq!(percent_of(80, mib(85), mib(80)), mib(256), "others have filled the disk");
}
