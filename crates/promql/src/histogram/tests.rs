//! Bounds of buckets to the last digit.

use super::*;

#[test]
fn bounds_are_those_of_prometheus_to_the_last_digit() {
    let bounds = [(1, 1), (3, 2), (5, 3), (194, 8), (255, 8), (-1, 1), (257, 8), (3, 0), (-2, -1)];
    let found = bounds.map(|(index, schema)| bound(index, schema).to_string());
    let expected = [
        "1.414213562373095", "1.6817928305074288", "1.5422108254079407", "1.6909247992693046", "1.9945921121709396",
        "0.7071067811865475", "2.005422550100405", "8", "0.0625",
    ];
    assert_eq!(found, expected);
    assert_eq!([bound(1024, 0), bound(1025, 0)], [f64::MAX, f64::INFINITY]);
}
