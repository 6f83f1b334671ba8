//! Values as people read them on a terminal: times to the millisecond, numbers to six digits, bytes and shares with a unit.
//! Programs get every digit.

use types::ByteSize;

use super::column::{Column, Kind};

/// Digits of a number that people compare.
const DIGITS: usize = 6;

/// Digits of a fraction of a second.
const FRACTION_DIGITS: usize = 3;

/// Returns a JSON cell of a column for people.
pub(super) fn readable(cell: String, column: &Column) -> String {
    let shown = match column.kind {
        Kind::Time => without_nanoseconds(&cell),
        Kind::Bytes => cell.parse().ok().map(|bytes| format!("\"{}\"", ByteSize(bytes))),
        Kind::Share => cell.parse().ok().map(|share: f64| format!("\"{} %\"", rounded(share * 100.0, 3))),
        Kind::Other => {
            let is_decimal = cell.starts_with(|c: char| c.is_ascii_digit() || c == '-') && cell.contains(['.', 'e']);
            cell.parse().ok().filter(|_| is_decimal).map(|number| rounded(number, DIGITS))
        }
    };
    shown.unwrap_or(cell)
}

/// Cuts the fraction of a second off behind the milliseconds: `"2026-11-20T06:47:13.123456789Z"`.
fn without_nanoseconds(cell: &str) -> Option<String> {
    let point = cell.find('.')?;
    let fraction = &cell[point + 1..];
    let length = fraction.find(|c: char| !c.is_ascii_digit()).unwrap_or(fraction.len());
    let end = point + 1 + FRACTION_DIGITS;
    (length > FRACTION_DIGITS).then(|| format!("{}{}", &cell[..end], &cell[point + 1 + length..]))
}

/// Rounds a number to so many digits, and never one that is whole.
fn rounded(number: f64, digits: usize) -> String {
    let n_whole = if number.abs() < 1.0 { 1 } else { number.abs().log10() as usize + 1 };
    if number != 0.0 && number.abs() < 0.001 {
        return format!("{number:.*e}", digits - 1);
    }
    let text = format!("{number:.*}", digits.saturating_sub(n_whole));
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests;
