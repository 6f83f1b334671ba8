//! Times in a zone.

use super::*;

#[test]
fn times_are_those_of_the_zone() {
    let jakarta = Times { zone: Tz::Asia__Jakarta };
    let at = Timestamp::parse_rfc3339("2026-11-24T17:00:00.25Z").expect("a time");
    assert_eq!(jakarta.minute(at), "2026-11-25 00:00");
    assert_eq!(jakarta.whole(at), "2026-11-25 00:00:00.25");
    let from = at.0 / Timestamp::MILLISECOND - 250;
    let texts = |ms: i64| jakarta.marks(from, from + ms).into_iter().map(|(_, text)| text).collect::<Vec<_>>();
    assert_eq!(texts(86_400_000), ["00:00", "06:00", "12:00", "18:00", "00:00"]);
    assert_eq!(texts(20_000), ["00:00:00", "00:00:05", "00:00:10", "00:00:15", "00:00:20"]);
    assert!(texts(7 * 86_400_000).iter().all(|text| text.len() == 5));
}
