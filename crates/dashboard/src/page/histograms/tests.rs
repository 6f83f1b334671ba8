//! Histograms and buckets that differ.

use types::Locale;

use super::*;

#[test]
fn histograms_are_read_as_they_are_written() {
    let (count, buckets) =
        histogram_in("{count:6, sum:1e-07, [-0.001,0.001]:2, (1,2]:1, (2,+Inf]:3}").expect("a histogram");
    let read: Vec<_> = buckets.iter().map(|one| (one.lower, one.upper, one.count)).collect();
    assert_eq!((count, read), (6.0, vec![(-0.001, 0.001, 2.0), (1.0, 2.0, 1.0), (2.0, f64::INFINITY, 3.0)]));
    assert!(histogram_in("{count:0, sum:0}").is_some_and(|(_, buckets)| buckets.is_empty()));
    for other in ["NaN", "{count:1}", "{count:1, sum:1, (0;1]:1}", ""] {
        assert!(histogram_in(other).is_none(), "{other}");
    }
}

#[test]
fn buckets_that_differ_share_rows() {
    let of = |text: &str| histogram_in(text).expect("a histogram").1;
    let points = [(0, of("{count:5, sum:9, [0,0]:1, (1,4]:4}")), (1, of("{count:3, sum:4, (1,2]:1, (2,4]:2}"))];
    let rows = rows_of(&points, Numbers { locale: Locale::English, unit: "", decimals: None });
    let shown: Vec<_> = rows.iter().map(|row| (row.name.as_str(), row.points[0].1, row.points[1].1)).collect();
    assert_eq!(shown, [("≤ 4", 2.0, 2.0), ("≤ 2", 2.0, 1.0), ("≤ 1", 0.0, 0.0), ("0", 1.0, 0.0)]);
}
