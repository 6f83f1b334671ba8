//! Sections of times in any unit.

use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn times_of_any_unit_round_trip(times in prop::collection::vec(any::<i64>(), 1..50), exponent in 0u32..10) {
        let unit = 10i64.pow(exponent);
        let times: Vec<i64> = times.into_iter().map(|time| time / unit * unit).collect();
        let mut out = Vec::new();
        put_times(&mut out, &times);
        let mut cursor = Cursor::new(&out);
        prop_assert_eq!(take_times(&mut cursor, times.len(), 2), Ok(times));
        prop_assert!(cursor.is_at_end());
    }
}

#[test]
fn whole_seconds_take_a_byte_each() {
    let times: Vec<i64> = (0..1000).map(|row| row * row % 100 * 1_000_000_000).collect();
    let mut out = Vec::new();
    put_times(&mut out, &times);
    assert!(out.len() < 1020, "{}", out.len());
}
