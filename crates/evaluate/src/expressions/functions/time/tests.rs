//! Tests of `time`.

use super::*;

fn check(function: Function, arguments: &[Cell<'_>], zone: Tz, expected: Option<&str>) {
    let shown = scalar(function, arguments, zone).map(|value| value.to_string());
    assert_eq!(shown.as_deref(), expected, "{function:?} {arguments:?}");
}

#[test]
fn times_are_formatted_and_read_in_the_zone() {
    let six = Cell::Time(1_795_154_400_000_000_000);
    check(Function::FormatDate, &[six, Cell::Text("%d.%m.%Y %H:%M")], Tz::UTC, Some("20.11.2026 06:00"));
    check(Function::FormatDate, &[six, Cell::Text("%H:%M")], Tz::Asia__Jakarta, Some("13:00"));
    check(Function::FormatDate, &[six, Cell::Text("%")], Tz::UTC, None);
    check(Function::Hour, &[six], Tz::Asia__Jakarta, Some("13"));
    check(Function::Weekday, &[six], Tz::UTC, Some("5"));
    let letters = Cell::Text("%Y-%m-%d %H:%M");
    check(Function::ParseDate, &[Cell::Text("2015-11-20 06:30"), letters], Tz::UTC, Some("2015-11-20T06:30:00Z"));
    check(
        Function::ParseDate,
        &[Cell::Text("2015-11-20"), Cell::Text("%Y-%m-%d")],
        Tz::UTC,
        Some("2015-11-20T00:00:00Z"),
    );
    check(Function::ParseDate, &[Cell::Text("nonsense"), letters], Tz::UTC, None);
    check(Function::ToMillis, &[Cell::Time(1_500_000)], Tz::UTC, Some("1"));
    check(Function::FromMillis, &[Cell::Integer(i64::MAX)], Tz::UTC, None);
}
