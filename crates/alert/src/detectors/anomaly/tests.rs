//! Values against those of earlier seasons.

use super::*;

fn anomaly(direction: Direction) -> Anomaly {
    Anomaly { season_ns: Timestamp::DAY, history_ns: 5 * Timestamp::DAY, band: 3.0, direction }
}

/// Judges `value` of one label set against those of five days, the last one first; `None` if a day has no row.
fn check(direction: Direction, is_count: bool, value: Option<i64>, days: [Option<i64>; 5], expected: &str) {
    let table = |value: Option<i64>| {
        let row = |value| vec![Some(Value::text("api")), Some(Value::Integer(value))];
        Table { rows: value.map(row).into_iter().collect(), ..Table::default() }
    };
    let past: Vec<Table> = days.into_iter().map(table).collect();
    let anomaly = anomaly(direction);
    let judging = Scorer { anomaly: &anomaly, labels: &[0], value_at: 1, is_count };
    let rows = judging.rows(&table(value), &past);
    let shown: Vec<String> = rows
        .iter()
        .map(|row| match (&row[1], row.last()) {
            (None, _) => "unknown".to_owned(),
            (Some(value), Some(Some(Value::Boolean(true)))) => format!("{value} outside"),
            (Some(value), _) => format!("{value} usual"),
        })
        .collect();
    assert_eq!(shown.join(", "), expected);
}

#[test]
fn values_outside_of_the_band_are_unusual_on_the_side_that_is_asked_for() {
    let days = [Some(100), Some(104), Some(96), Some(101), Some(900)];
    check(Direction::Both, true, Some(102), days, "102 usual");
    check(Direction::Both, true, Some(200), days, "200 outside");
    check(Direction::Both, true, Some(20), days, "20 outside");
    check(Direction::Up, true, Some(20), days, "20 usual");
    check(Direction::Down, true, Some(20), days, "20 outside");
    check(Direction::Down, true, Some(200), days, "200 usual");
}

#[test]
fn a_count_that_is_missing_is_zero_and_another_value_is_unknown() {
    let days = [Some(100); 5];
    check(Direction::Both, true, None, days, "0 outside");
    check(Direction::Both, false, None, days, "");
    // A day without events in the middle was a day without events; days before the first event are not.
    check(Direction::Both, true, Some(100), [Some(100), None, Some(100), Some(100), Some(100)], "100 usual");
    check(Direction::Both, true, Some(100), [Some(100), Some(100), None, None, None], "unknown");
    check(Direction::Both, false, Some(100), [Some(100), None, Some(100), None, None], "unknown");
    check(Direction::Both, false, Some(100), [Some(100), None, Some(100), None, Some(100)], "100 usual");
}

#[test]
fn windows_of_earlier_seasons_lie_at_the_same_time() {
    let range =
        TimeRange { from: Timestamp(10 * Timestamp::DAY), to: Timestamp(10 * Timestamp::DAY + Timestamp::HOUR) };
    let found = ranges(&anomaly(Direction::Both), range);
    assert_eq!(found.len(), 5);
    assert_eq!(found[0].from.0, 9 * Timestamp::DAY);
    assert_eq!(found[4].from.0, 5 * Timestamp::DAY);
}
