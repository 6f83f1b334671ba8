//! Sizes in bytes and durations as people write them.

use std::fmt;
use std::str::FromStr;

use crate::Timestamp;

/// A number of bytes. `kB MB GB TB` are powers of 1000, `KiB MiB GiB TiB` of 1024.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(pub u64);

/// Why a size or duration could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is no {what}; write {example}")]
pub struct UnitError {
    /// What was written.
    pub text: String,
    /// What was wanted: `size` or `duration`.
    pub what: &'static str,
    /// A form that works.
    pub example: &'static str,
}

fn split_number(text: &str) -> Option<(f64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number: f64 = text[..end].parse().ok()?;
    Some((number, text[end..].trim_start()))
}

impl FromStr for ByteSize {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let error = || UnitError { text: text.into(), what: "size", example: "64MiB, 1.5GB or 4096" };
        let (number, unit) = split_number(text.trim()).ok_or_else(error)?;
        let factor: u64 = match unit {
            "" | "B" => 1,
            "kB" | "KB" => 1_000,
            "MB" => 1_000_000,
            "GB" => 1_000_000_000,
            "TB" => 1_000_000_000_000,
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "GiB" => 1 << 30,
            "TiB" => 1 << 40,
            _ => return Err(error()),
        };
        let bytes = number * factor as f64;
        if bytes >= 9e18 { Err(error()) } else { Ok(Self(bytes as u64)) }
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
        if self.0 < 1024 {
            return write!(f, "{} B", self.0);
        }
        let mut size = self.0 as f64 / 1024.0;
        let mut unit = 0;
        while size >= 1024.0 && unit + 1 < UNITS.len() {
            size /= 1024.0;
            unit += 1;
        }
        write!(f, "{size:.1} {}", UNITS[unit])
    }
}

/// Reads durations such as `500ms`, `5m`, `1h30m` or `15d` as nanoseconds.
///
/// Units: `ns us ms s m h d w`; several may follow each other. No calendar units: a month has no length.
pub fn parse_duration_ns(text: &str) -> Result<i64, UnitError> {
    let error = || UnitError { text: text.into(), what: "duration", example: "500ms, 5m, 1h30m or 15d" };
    let mut rest = text.trim();
    crate::ensure!(!rest.is_empty(), error());
    let mut total = 0f64;
    while !rest.is_empty() {
        let (number, tail) = split_number(rest).ok_or_else(error)?;
        let end = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        let unit = match &tail[..end] {
            "ns" => 1,
            "us" | "µs" => 1_000,
            "ms" => 1_000_000,
            "s" | "sec" => Timestamp::SECOND,
            "m" | "min" => Timestamp::MINUTE,
            "h" => Timestamp::HOUR,
            "d" => Timestamp::DAY,
            "w" => 7 * Timestamp::DAY,
            _ => return Err(error()),
        };
        total += number * unit as f64;
        rest = tail[end..].trim_start();
    }
    if total > 9e18 { Err(error()) } else { Ok(total as i64) }
}

/// Writes a length of time in the largest units that give it exactly, from days to nanoseconds: `1h30m`, `-500ms`.
pub fn format_duration_ns(ns: i64) -> String {
    const UNITS: [(u64, &str); 7] = [
        (Timestamp::DAY.unsigned_abs(), "d"),
        (Timestamp::HOUR.unsigned_abs(), "h"),
        (Timestamp::MINUTE.unsigned_abs(), "m"),
        (Timestamp::SECOND.unsigned_abs(), "s"),
        (1_000_000, "ms"),
        (1_000, "us"),
        (1, "ns"),
    ];
    if ns == 0 {
        return "0s".into();
    }
    let mut text = String::from(if ns < 0 { "-" } else { "" });
    let mut rest = ns.unsigned_abs();
    for (length, unit) in UNITS {
        if rest >= length {
            text.push_str(&format!("{}{unit}", rest / length));
            rest %= length;
        }
    }
    text
}

#[cfg(test)]
mod tests;
