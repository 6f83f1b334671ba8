//! Units and separators of numbers.

use super::*;

#[test]
fn numbers_have_their_units_and_the_signs_of_their_language() {
    let text = |n: f64, unit: &str, locale| Numbers { locale, unit, decimals: None }.text(n);
    for (n, unit, expected) in [
        (0.0, "", "0"),
        (12_345.0, "", "12,345"),
        (1_234_567.0, "", "1.235 M"),
        (0.034_2, "none", "0.0342"),
        (-0.000_01, "", "-1.00e-5"),
        (12.5, "percent", "12.5 %"),
        (0.125, "ratio", "12.5 %"),
        (1_234_000.0, "bytes", "1.234 MB"),
        (999_600.0, "bytes", "0.9996 MB"),
        (0.35, "ms", "350 µs"),
        (90.0, "s", "1.5 min"),
        (3.0, "per_second", "3/s"),
        (3.0, "pods", "3 pods"),
        (f64::NAN, "", "–"),
        (f64::NEG_INFINITY, "", "−∞"),
    ] {
        assert_eq!(text(n, unit, Locale::English), expected, "{n} {unit}");
    }
    assert_eq!(text(12_345.0, "", Locale::Indonesian), "12.345");
    assert_eq!(text(1.5, "s", Locale::Indonesian), "1,5 dtk");
    let fixed = Numbers { locale: Locale::English, unit: "", decimals: Some(2) };
    assert_eq!([fixed.text(3.0), fixed.text(-0.001)], ["3.00", "0.00"]);
    let close = Numbers { locale: Locale::English, unit: "bytes", decimals: None };
    assert_eq!(close.marks(&[10_000_100.0, 10_000_200.0]), ["10.0001 MB", "10.0002 MB"]);
}
