//! Offsets, names and summer time.

use super::*;

#[test]
fn zones_are_offsets_or_names() {
    assert_eq!("+07:00".parse(), Ok(Zone::Fixed(25_200)));
    assert_eq!("-0330".parse(), Ok(Zone::Fixed(-12_600)));
    assert_eq!("UTC".parse(), Ok(Zone::UTC));
    assert_eq!("Asia/Jakarta".parse(), Ok(Zone::Named(chrono_tz::Asia::Jakarta)));
    assert!("Atlantis/Capital".parse::<Zone>().is_err());
}

#[test]
fn summer_time_and_its_jumps_are_honoured() {
    let zone = Zone::Named(chrono_tz::Europe::Berlin);
    let check = |local: &str, utc: &str| {
        let seconds = |text: &str| types::Timestamp::parse_rfc3339(text).expect("a valid time").0 / 1_000_000_000;
        assert_eq!(zone.utc_seconds(seconds(local)), seconds(utc), "{local}");
    };
    check("2026-01-15T12:00:00Z", "2026-01-15T11:00:00Z");
    check("2026-07-15T12:00:00Z", "2026-07-15T10:00:00Z");
    check("2026-10-25T02:30:00Z", "2026-10-25T00:30:00Z");
    check("2026-03-29T02:30:00Z", "2026-03-29T01:30:00Z");
}
