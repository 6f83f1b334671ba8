//! Times printed in a zone.

use super::*;

#[test]
fn times_are_shown_in_a_zone_with_every_digit() {
    let jakarta: Tz = "Asia/Jakarta".parse().expect("a zone");
    let check = |cell: &str, expected: Option<&str>| assert_eq!(in_zone(cell, jakarta).as_deref(), expected);
    check("\"2026-11-22T02:58:00Z\"", Some("\"2026-11-22T09:58:00+07:00\""));
    check("\"2026-11-22T02:58:00.000000001Z\"", Some("\"2026-11-22T09:58:00.000000001+07:00\""));
    check("\"soon\"", None);
    check("null", None);
    assert_eq!(in_zone("\"2026-11-22T02:58:00.5Z\"", Tz::UTC).as_deref(), Some("\"2026-11-22T02:58:00.500Z\""));
}

#[test]
fn a_zone_that_is_named_holds_for_everything_that_is_printed() {
    let named = |tz: Option<&str>, utc: bool| Zones::of(&Zone { tz: tz.map(str::to_owned), utc });
    let zones = named(Some("Asia/Jakarta"), false).expect("a zone");
    assert_eq!((zones.printed(true).name(), zones.printed(false).name()), ("Asia/Jakarta", "Asia/Jakarta"));
    assert_eq!(named(None, true).expect("a zone").spoken(), Tz::UTC);
    assert_eq!(named(None, false).expect("a zone").printed(false), Tz::UTC);
    assert!(named(Some("Mars"), false).is_err_and(|failure| failure.message.starts_with("--tz Mars: ")));
}
