//! Units of durations.

use super::*;

#[test]
fn lengths_of_time_have_short_and_long_units() {
    let check = |written: &str, expected: Option<Length>| assert_eq!(length(written).ok(), expected, "{written}");
    check("5m", Some(Length::Nanoseconds(5 * Timestamp::MINUTE)));
    check("500ms", Some(Length::Nanoseconds(500_000_000)));
    check("2hrs", Some(Length::Nanoseconds(2 * Timestamp::HOUR)));
    check("3weeks", Some(Length::Nanoseconds(21 * Timestamp::DAY)));
    check("1.5h", Some(Length::Nanoseconds(90 * Timestamp::MINUTE)));
    check("1quarter", Some(Length::Months(3)));
    check("1y", Some(Length::Months(12)));
    check("0s", None);
    check("5x", None);
    check("99999999999999w", None);
    check("9999999999mo", None);
}
