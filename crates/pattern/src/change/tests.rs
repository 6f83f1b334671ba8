//! Spikes, daily rhythms and short series.

use super::*;

#[test]
fn changes_are_named() {
    let check = |now: f64, before: f64, expected: &str| assert_eq!(change(now, before, true), expected);
    check(5.0, 0.0, "new");
    check(0.0, 5.0, "gone");
    check(8.0, 1.0, "up 8×");
    check(1000.0, 300.0, "up 3.3×");
    check(10.0, 250.0, "down 25×");
    check(3.0, 2.0, "unchanged");
    check(1_000_000.0, 990_000.0, "unchanged");
    check(0.0, 0.0, "unchanged");
    assert_eq!(change(3.0, 2.0, false), "up 1.5×");
    assert_eq!(change(-3.0, 2.0, false), "down");
    assert_eq!(change(0.0, 2.0, false), "down");
}

#[test]
fn a_spike_is_outside_its_band_and_says_so() {
    let mut values = vec![10.0; 50];
    values[30] = 100.0;
    let bands = band(&values, None, true);
    assert!(bands.iter().enumerate().all(|(place, band)| band.is_outside() == (place == 30)));
    assert_eq!(bands[30].reason(100.0).as_deref(), Some("100 is 10× above the usual 10"));
    assert_eq!(bands[29].reason(10.0), None);
}

#[test]
fn what_comes_back_every_day_is_usual_at_its_hour_and_unusual_at_another() {
    let of_day = |hour: usize| if hour == 3 { 500.0 } else { 20.0 };
    let mut values: Vec<f64> = (0..24 * 7).map(|hour| of_day(hour % 24)).collect();
    assert!(band(&values, Some(24), true).iter().all(|band| !band.is_outside()));
    values[24 * 4 + 3] = 20.0;
    values[24 * 5 + 9] = 500.0;
    let outside: Vec<usize> = (band(&values, Some(24), true).iter().enumerate())
        .filter(|(_, band)| band.is_outside())
        .map(|(place, _)| place)
        .collect();
    assert_eq!(outside, [24 * 4 + 3, 24 * 5 + 9]);
}

#[test]
fn a_stray_among_the_values_hardly_changes_what_is_usual() {
    let found = usual(&[10.0, 11.0, 9.0, 10.0, 900.0], false).unwrap();
    assert_eq!(found.usual, 10.0);
    assert!((1.0..2.0).contains(&found.deviation), "{found:?}");
    assert_eq!(usual(&[100.0; 7], true).map(|found| found.deviation), Some(10.0));
    assert_eq!(usual(&[], true), None);
}

#[test]
fn a_short_series_has_no_opinion() {
    assert!(band(&[], None, true).is_empty());
    assert_eq!(band(&[7.0], None, true)[0].score, 0.0);
}
