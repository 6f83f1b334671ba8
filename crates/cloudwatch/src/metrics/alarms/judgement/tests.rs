//! Amazon's tables of datapoints to alarm.

use super::Judgement::{Alarm, InsufficientData, Ok as Fine, Unchanged};
use super::*;

/// Judges periods as Amazon's tables write them, for each treatment of missing data in the order of the tables.
fn judged(to_alarm: usize, of: usize, text: &str) -> [Judgement; 4] {
    let periods: Vec<Option<bool>> = text
        .chars()
        .map(|period| match period {
            '0' => Some(false),
            'X' => Some(true),
            _ => None,
        })
        .collect();
    MissingData::ALL.map(|missing| Datapoints { of, to_alarm, missing }.judge(&periods))
}

#[test]
fn three_of_three_are_judged_as_in_amazons_table() {
    for (periods, expected) in [
        ("0-X-X", [Fine; 4]),
        ("0----", [Fine; 4]),
        ("-----", [InsufficientData, Unchanged, Alarm, Fine]),
        ("0XX-X", [Alarm; 4]),
        ("--X--", [Alarm, Unchanged, Alarm, Fine]),
    ] {
        assert_eq!(judged(3, 3, periods), expected, "{periods}");
    }
}

#[test]
fn two_of_three_are_judged_as_in_amazons_table() {
    for (periods, expected) in [
        ("0-X-X", [Alarm; 4]),
        ("00X0X", [Alarm; 4]),
        ("0-X--", [Fine, Fine, Alarm, Fine]),
        ("----0", [Fine, Fine, Alarm, Fine]),
        ("---X-", [Alarm, Unchanged, Alarm, Fine]),
    ] {
        assert_eq!(judged(2, 3, periods), expected, "{periods}");
    }
}

#[test]
fn a_single_recent_breach_is_no_early_alarm() {
    // Worked out by the text about premature alarms: the breach is not yet as old as three datapoints.
    for periods in ["----X", "---X-"] {
        assert_eq!(judged(3, 3, periods), [Fine, Unchanged, Alarm, Fine], "{periods}");
    }
    // One of one needs no more than one datapoint, even an older one.
    assert_eq!(judged(1, 1, "X--"), [Alarm; 4]);
    assert_eq!(judged(1, 1, "X-0"), [Fine; 4]);
    assert_eq!(judged(1, 1, "---"), [InsufficientData, Unchanged, Alarm, Fine]);
    // Four of five: two breaches and three missing ones, of seven periods.
    assert_eq!(judged(4, 5, "XX-----"), [Alarm, Unchanged, Alarm, Fine]);
    assert_eq!(judged(4, 5, "X0-----"), [Fine, Fine, Alarm, Fine]);
    // Amazon: all real datapoints count, also those beyond the evaluation periods.
    assert_eq!(judged(2, 2, "XX--"), [Alarm; 4]);
}
