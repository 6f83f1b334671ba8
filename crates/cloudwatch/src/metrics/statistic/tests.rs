//! Statistics of values, counts and sets.

use super::*;

fn single(value: f64, count: f64) -> Datum {
    Datum { count, sum: value * count, minimum: value, maximum: value }
}

fn of(text: &str, data: &[Datum]) -> Option<f64> {
    Statistic::read(text).expect("a statistic").of(data)
}

#[test]
fn statistics_are_those_of_all_values() {
    let hundred: Vec<Datum> = (1..=100).rev().map(|n| single(f64::from(n), 1.0)).collect();
    for (text, expected) in [
        ("SampleCount", 100.0),
        ("Sum", 5050.0),
        ("Average", 50.5),
        ("Minimum", 1.0),
        ("Maximum", 100.0),
        ("p0", 1.0),
        ("p0.0", 1.0),
        ("p7", 7.0),
        ("p99.5", 100.0),
        ("p100", 100.0),
        ("tm90", 45.5),
        ("TM(10%:90%)", 50.5),
        ("TM(90:)", 95.5),
        ("tc90", 90.0),
        ("TC(10:20)", 10.0),
        ("TS(98%:)", 199.0),
        ("wm98", 50.47),
        ("WM(:2)", 1.99),
        ("PR(:25)", 25.0),
        ("PR(25:75)", 50.0),
        ("IQM", 50.5),
    ] {
        let found = of(text, &hundred).expect("a value");
        assert!((found - expected).abs() < 1e-9, "{text}: {found}, not {expected}");
    }
}

#[test]
fn counts_weigh_and_sets_have_percentiles_only_where_all_values_are_equal() {
    let data = [single(1.0, 3.0), single(10.0, 1.0)];
    assert_eq!((of("p75", &data), of("p76", &data), of("Average", &data)), (Some(1.0), Some(10.0), Some(3.25)));
    assert_eq!(of("TM(10%:90%)", &[single(5.0, 1.0)]), Some(5.0));
    let set = Datum { count: 4.0, sum: 10.0, minimum: 1.0, maximum: 4.0 };
    assert_eq!((of("Average", &[set]), of("p50", &[set]), of("tm90", &[set])), (Some(2.5), None, None));
    assert_eq!(of("p50", &[]), None);
}

#[test]
fn what_is_no_statistic_is_refused() {
    for bad in [
        "", "p", "p101", "pp1", "tm", "TM()", "TM(:)", "TM(90%:10%)", "TM(1:2%)", "PR(1%:2%)", "pr90", "sum", "tmé",
        "TM(NaN:1)",
    ] {
        assert!(Statistic::read(bad).is_err(), "{bad}");
    }
}
