//! Two windows that must both burn too fast, and too few events.

use types::Timestamp;

use super::*;
use crate::kind::WindowPair;

/// `windows` are minutes, bad and total; shows the rate, `!` where it fires.
fn check(windows: &[(i64, i64, i64)], expected: &str) {
    let pair = |long: i64, short: i64, factor: f64| WindowPair {
        long_ns: long * Timestamp::MINUTE,
        short_ns: short * Timestamp::MINUTE,
        factor,
    };
    let burn_rate = BurnRate {
        objective: 0.999,
        bad: String::new(),
        by: vec!["service".into()],
        min_count: 10,
        windows: vec![pair(60, 5, 14.4), pair(360, 30, 6.0)],
    };
    let table = |bad: i64, total: i64| Table {
        rows: vec![vec![Some(Value::text("api")), Some(Value::Integer(bad)), Some(Value::Integer(total))]],
        ..Table::default()
    };
    let tables = windows.iter().map(|(minutes, bad, total)| (minutes * Timestamp::MINUTE, table(*bad, *total)));
    let made = rows(&burn_rate, &tables.collect());
    let sign = if made[0].last() == Some(&Some(Value::Boolean(true))) { "!" } else { "" };
    let rate = made[0][1].as_ref().map(ToString::to_string).unwrap_or_default();
    assert_eq!(format!("{rate}{sign}"), expected);
}

#[test]
fn both_windows_of_a_pair_must_burn_too_fast() {
    check(&[(5, 2, 100), (60, 20, 1000), (30, 2, 600), (360, 20, 6000)], "20!");
    // Over an hour ago it burned; now it does not.
    check(&[(5, 0, 100), (60, 20, 1000), (30, 0, 600), (360, 20, 6000)], "20");
    // A slow burn that the short pair does not see.
    check(&[(5, 1, 100), (60, 8, 1000), (30, 6, 600), (360, 48, 6000)], "8!");
    check(&[(5, 0, 100), (60, 1, 1000), (30, 0, 600), (360, 3, 6000)], "1");
}

#[test]
fn few_events_say_nothing_and_none_have_no_rate() {
    check(&[(5, 1, 1), (60, 1, 9), (30, 1, 9), (360, 1, 9)], "111.11");
    check(&[(5, 0, 0), (60, 0, 0), (30, 0, 0), (360, 0, 100)], "");
}
