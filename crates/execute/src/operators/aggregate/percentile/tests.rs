//! Tests of `percentile`.

use super::*;

#[test]
fn a_sketch_stays_within_one_percent() {
    let mut percentile = Percentile::default();
    for number in 1..=100_000i64 {
        percentile.add(Cell::Integer(number - 20_000));
    }
    assert!(percentile.is_approximate());
    for (percent, exact) in [(10.0, -10_000.0), (50.0, 30_000.0), (99.0, 79_000.0), (100.0, 80_000.0)] {
        let found = percentile.clone().at(percent).expect("there are numbers");
        assert!((found / exact - 1.0f64).abs() < 0.0101, "{percent}: {found}");
    }
}

#[test]
fn numbers_of_any_size_find_their_bucket() {
    let sizes = [f64::MAX, f64::MIN_POSITIVE, 1.0, 1e-320, 1e300, f64::MIN, -1e-9, 0.0];
    let mut percentile = Percentile::default();
    for number in sizes.iter().cycle().take(10 * EXACT_MAX) {
        percentile.add_number(*number);
    }
    assert!(percentile.is_approximate());
    for (percent, exact) in [(0.0, f64::MIN), (100.0, f64::MAX), (70.0, 1.0)] {
        let found = percentile.clone().at(percent).expect("there are numbers");
        assert!((found / exact - 1.0f64).abs() < 0.0101, "{percent}: {found}");
    }
}

#[test]
fn few_numbers_are_interpolated_between_ranks() {
    let mut percentile = Percentile::default();
    for number in [1, 2, 3, 10] {
        percentile.add(Cell::Integer(number));
    }
    assert_eq!(percentile.clone().at(50.0), Some(2.5));
    assert_eq!(percentile.clone().at(90.0), Some(7.900000000000001));
    assert_eq!(percentile.at(100.0), Some(10.0));
    assert_eq!(Percentile::default().at(50.0), None);
}
