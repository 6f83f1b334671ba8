//! Durations as texts.

use std::fmt::Write;

/// Returns a duration with three significant digits.
pub(super) fn duration(ns: u64) -> String {
    let mut text = String::new();
    write_duration(ns, &mut text);
    text
}

/// Writes a duration with three significant digits, in µs, ms or s: `285 ms`, `1.5 s`.
pub(super) fn write_duration(ns: u64, out: &mut String) {
    let (unit, ns_of_unit) = match ns {
        0..999_500 => ("µs", 1e3),
        999_500..999_500_000 => ("ms", 1e6),
        _ => ("s", 1e9),
    };
    let number = ns as f64 / ns_of_unit;
    let n_digits = match number {
        ..9.995 => 2,
        ..99.95 => 1,
        _ => 0,
    };
    let start = out.len();
    // Writing to a text succeeds.
    let _ = write!(out, "{number:.n_digits$}");
    if n_digits > 0 {
        let n_kept = out[start..].trim_end_matches('0').trim_end_matches('.').len();
        out.truncate(start + n_kept);
    }
    out.extend([" ", unit]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_three_digits_and_a_unit() {
        let check = |ns, expected: &str| assert_eq!(duration(ns), expected);
        check(0, "0 µs");
        check(1, "0 µs");
        check(12, "0.01 µs");
        check(999, "1 µs");
        check(1_000, "1 µs");
        check(41_250, "41.2 µs");
        check(999_499, "999 µs");
        check(999_500, "1 ms");
        check(285_000_000, "285 ms");
        check(999_499_999, "999 ms");
        check(999_500_000, "1 s");
        check(1_500_000_000, "1.5 s");
        check(90_000_000_000, "90 s");
        check(u64::MAX, "18446744074 s");
    }
}
