//! Cumulative buckets as counts.

use super::*;

#[test]
fn cumulative_buckets_become_counts_of_each_from_the_bottom_up() {
    let of = |le: &str, value: f64| PanelSeries {
        name: le.to_owned(),
        labels: vec![("le".to_owned(), le.to_owned())],
        points: vec![(0, value)],
        ..PanelSeries::default()
    };
    let rows = rows_of(&[of("+Inf", 9.0), of("0.1", 2.0), of("1", 7.0)]);
    let shown: Vec<_> = rows.iter().map(|row| (row.name.as_str(), row.points[0].1)).collect();
    assert_eq!(shown, [("≤ +Inf", 2.0), ("≤ 1", 5.0), ("≤ 0.1", 2.0)]);
}
