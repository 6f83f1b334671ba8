//! Durations as messages spell them: three significant digits, in µs, ms or s.
//!
//! The message of a span ends in its duration, which is also one of its fields. Here is what the digits of such a message are likely to
//! be; what they really are is stored as the difference. Segments are read with it, so it never changes.

use types::Column;

/// The field with the duration that messages of spans repeat, in milliseconds.
pub(crate) const FIELD: &str = "duration_ms";

const NS_PER_MS: f64 = 1e6;

/// Largest number of nanoseconds that a float tells exactly.
const NS_MAX: f64 = 9_007_199_254_740_992.0;

/// Returns the durations of all rows in nanoseconds; 0 where there is none.
pub(crate) fn of_column(column: &Column) -> Vec<i64> {
    let present = column.presence();
    let mut durations = vec![0; column.n_rows()];
    let ns_of = |ms: f64| {
        let ns = (ms * NS_PER_MS).round();
        if (0.0..NS_MAX).contains(&ns) { ns as i64 } else { 0 }
    };
    match column {
        Column::Floats { values, .. } => present.iter().for_each(|row| durations[row] = ns_of(values[row])),
        Column::Integers { values, .. } => present.iter().for_each(|row| durations[row] = ns_of(values[row] as f64)),
        _ => {}
    }
    durations
}

/// Returns the numbers before and after the point of a duration spelled with three significant digits and without zeros at the end.
pub(crate) fn digits(ns: i64) -> (i64, i64) {
    let unit = match ns {
        ..999_500 => 1_000,
        999_500..999_500_000 => 1_000_000,
        _ => 1_000_000_000,
    };
    let hundredth = unit / 100;
    let scale = match ns / (unit / 1_000) {
        ..9_995 => 100,
        9_995..99_950 => 10,
        _ => 1,
    };
    let step = hundredth * 100 / scale;
    let (steps, rest) = (ns / step, ns % step);
    // To the nearest, halves to the even one.
    let steps = steps + i64::from(2 * rest + steps % 2 > step);
    let (whole, mut rest) = (steps / scale, steps % scale);
    if scale == 100 && rest % 10 == 0 {
        rest /= 10;
    }
    (whole, rest)
}

#[cfg(test)]
mod tests;
