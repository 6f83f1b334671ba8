//! Tests of `distinct`.

use super::*;

#[test]
fn counts_are_exact_while_small_and_within_two_percent_beyond() {
    let mut distinct = Distinct::default();
    for number in 0..1_000_000i64 {
        distinct.add(Cell::Integer(number));
        let seen = number as u64 + 1;
        if seen == EXACT_MAX as u64 {
            assert_eq!((distinct.estimate(), distinct.is_approximate()), (seen, false));
        }
        if [16_385, 20_000, 50_000, 100_000, 1_000_000].contains(&seen) {
            let error = (distinct.estimate() as f64 / seen as f64 - 1.0).abs();
            assert!(error < 0.02 && distinct.is_approximate(), "{seen}: {}", distinct.estimate());
        }
    }
}
