//! Samples of one time.

use super::*;

#[test]
fn of_samples_of_one_time_the_first_to_arrive_counts() {
    let point = |time, value, arrived| Point { time, value, arrived: (arrived, 0) };
    let mut points = vec![point(2, 5.0, 9), point(1, 1.0, 3), point(2, 4.0, 7), point(1, 1.0, 3)];
    in_order(&mut points);
    assert_eq!(points, [point(1, 1.0, 3), point(2, 4.0, 7)]);
    let of_request = |value: f64, place| Point { time: 1, value, arrived: (3, place) };
    let mut together = vec![of_request(1.0, 12), of_request(3.0, 10), of_request(2.0, 11)];
    in_order(&mut together);
    assert_eq!(together, [of_request(3.0, 10)]);
    let histograms = vec![point(1, 6.0, 2), point(2, 7.0, 8), point(3, 8.0, 1)];
    assert_eq!(apart(points, histograms), ((vec![2], vec![4.0]), (vec![1, 3], vec![6.0, 8.0])));
}
