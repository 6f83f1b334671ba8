//! Tests of `dates`.

use super::*;

fn time(text: &str) -> Cell<'static> {
    Cell::Time(Timestamp::parse_rfc3339(text).expect("a time").0)
}

#[test]
fn months_are_those_of_the_calendar() {
    let check = |a: &str, b: &str, months: i64| {
        let function = TypedFunction::DateDifference(DateUnit::Months(1));
        assert_eq!(scalar(function, &[time(a), time(b)]), Some(Value::Integer(months)), "{a} {b}");
    };
    check("2023-12-31T23:59:59.999Z", "2024-01-01T00:00:00Z", 0);
    check("2023-12-02T11:00:00Z", "2024-01-02T11:00:00Z", 1);
    check("2024-01-02T11:00:00Z", "2023-12-02T11:00:00Z", -1);
    check("2024-01-02T11:00:00Z", "2023-12-02T11:00:00.001Z", 0);
    let later = later_by_months(Timestamp::parse_rfc3339("2026-01-31T00:00:00Z").expect("a time"), 1);
    assert_eq!(later.map(|time| time.to_string()).as_deref(), Some("2026-02-28T00:00:00Z"));
}
