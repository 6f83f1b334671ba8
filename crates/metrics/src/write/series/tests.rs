//! The earliest time of a write.

use super::*;

#[test]
fn the_earliest_time_is_named() {
    assert_eq!(instant(EARLIEST).0, EARLIEST * Timestamp::MILLISECOND);
    assert!(EARLIEST.checked_sub(1).and_then(|time| time.checked_mul(Timestamp::MILLISECOND)).is_none());
    let text = too_early(-12_000_000_000_000);
    assert!(text.starts_with("-12000000000000 ms from 1970 is before 1677-09-21T"), "{text}");
}
