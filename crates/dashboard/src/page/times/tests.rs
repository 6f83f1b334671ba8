//! Times in a zone.

use super::*;

#[test]
fn times_are_those_of_the_zone() {
    let jakarta = Times { zone: Tz::Asia__Jakarta };
    let at = Timestamp::parse_rfc3339("2026-11-24T17:00:00.25Z").expect("a time");
    assert_eq!(jakarta.minute(at), "2026-11-25 00:00");
    assert_eq!(jakarta.whole(at), "2026-11-25 00:00:00.25");
}
