//! Numbers for people, as Prometheus' functions write them.

use gotemplate::general;

const LARGE: [&str; 8] = ["k", "M", "G", "T", "P", "E", "Z", "Y"];
const BINARY: [&str; 8] = ["ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"];
const SMALL: [&str; 8] = ["m", "u", "n", "p", "f", "a", "z", "y"];

/// Returns four significant digits.
fn short(number: f64) -> String {
    general(number, Some(4))
}

/// Divides a number until it is below `step`.
fn scaled_down(mut number: f64, step: f64, prefixes: [&'static str; 8]) -> (f64, &'static str) {
    let mut prefix = "";
    for next in prefixes {
        if number.abs() < step {
            break;
        }
        (prefix, number) = (next, number / step);
    }
    (number, prefix)
}

/// Multiplies a number until it is at least 1.
fn scaled_up(mut number: f64) -> (f64, &'static str) {
    let mut prefix = "";
    for next in SMALL {
        if number.abs() >= 1.0 {
            break;
        }
        (prefix, number) = (next, number * 1_000.0);
    }
    (number, prefix)
}

/// `humanize`: with metric prefixes.
pub(super) fn metric(number: f64) -> String {
    if number == 0.0 || !number.is_finite() {
        return short(number);
    }
    let (number, prefix) = if number.abs() >= 1.0 { scaled_down(number, 1_000.0, LARGE) } else { scaled_up(number) };
    short(number) + prefix
}

/// `humanize1024`: with binary prefixes.
pub(super) fn binary(number: f64) -> String {
    if number.abs() <= 1.0 || !number.is_finite() {
        return short(number);
    }
    let (number, prefix) = scaled_down(number, 1_024.0, BINARY);
    short(number) + prefix
}

/// `humanizePercentage`: of a ratio.
pub(super) fn percentage(number: f64) -> String {
    short(number * 100.0) + "%"
}

/// `humanizeDuration`: of seconds.
pub(super) fn duration(number: f64) -> String {
    if !number.is_finite() {
        return short(number);
    }
    if number == 0.0 {
        return short(number) + "s";
    }
    if number.abs() < 1.0 {
        let (number, prefix) = scaled_up(number);
        return short(number) + prefix + "s";
    }
    let sign = if number < 0.0 { "-" } else { "" };
    let whole = number.abs() as i64;
    let (seconds, minutes, hours, days) = (whole % 60, whole / 60 % 60, whole / 3_600 % 24, whole / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{sign}{}s", short(number.abs())),
        (0, 0, _) => format!("{sign}{minutes}m {seconds}s"),
        (0, _, _) => format!("{sign}{hours}h {minutes}m {seconds}s"),
        _ => format!("{sign}{days}d {hours}h {minutes}m {seconds}s"),
    }
}
