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
        0..999_500 => ("µs", 1_000),
        999_500..999_500_000 => ("ms", 1_000_000),
        _ => ("s", 1_000_000_000),
    };
    // The last digit counts this many of a unit.
    let scale = match ns / (ns_of_unit / 1_000) {
        ..9_995 => 100,
        9_995..99_950 => 10,
        _ => 1,
    };
    let step = ns_of_unit / scale;
    let (steps, rest) = (ns / step, ns % step);
    // To the nearest, halves to the even one.
    let steps = steps + u64::from(2 * rest + steps % 2 > step);
    let (whole, decimals) = (steps / scale, steps % scale);
    // Writing to a text succeeds.
    let _ = match (scale, decimals) {
        (_, 0) => write!(out, "{whole} {unit}"),
        (100, _) if decimals % 10 == 0 => write!(out, "{whole}.{} {unit}", decimals / 10),
        (100, _) => write!(out, "{whole}.{decimals:02} {unit}"),
        _ => write!(out, "{whole}.{decimals} {unit}"),
    };
}

#[cfg(test)]
mod tests;
