//! Parts of a time.

use types::Timestamp;

use super::*;

/// Checks `YEAR MONTH DATE HOUR MINUTE`, then `DAY`, then `EPOCH`.
fn check(time: &str, expected: [f64; 7]) {
    let at = Timestamp::parse_rfc3339(time).expect(time).0.div_euclid(Timestamp::MILLISECOND);
    let functions = ["YEAR", "MONTH", "DATE", "HOUR", "MINUTE", "DAY", "EPOCH"];
    let found = functions.map(|name| TimePart::named(name).expect(name).at(at));
    assert_eq!(found, expected, "{time}");
}

#[test]
fn parts_are_those_of_utc() {
    check("1970-01-01T00:00:00Z", [1970.0, 1.0, 1.0, 0.0, 0.0, 4.0, 0.0]);
    check("1969-12-31T23:59:59.999Z", [1969.0, 12.0, 31.0, 23.0, 59.0, 3.0, -1.0]);
    check("2024-02-29T09:05:00Z", [2024.0, 2.0, 29.0, 9.0, 5.0, 4.0, 1_709_197_500.0]);
    check("2026-11-29T23:59:59Z", [2026.0, 11.0, 29.0, 23.0, 59.0, 7.0, 1_795_996_799.0]);
    check("2026-11-30T00:00:00Z", [2026.0, 11.0, 30.0, 0.0, 0.0, 1.0, 1_795_996_800.0]);
    check("2026-12-01T01:30:00+02:00", [2026.0, 11.0, 30.0, 23.0, 30.0, 1.0, 1_796_081_400.0]);
}
