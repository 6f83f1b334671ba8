//! Numbers as Go's `strconv` writes them.

/// Digits of a number and the power of ten of the first one.
struct Digits {
    is_negative: bool,
    digits: String,
    exponent: i32,
}

/// Returns the shortest digits that stand for a number, or so many significant ones.
fn digits_of(number: f64, n: Option<usize>) -> Digits {
    let magnitude = number.abs();
    let text = match n {
        None => format!("{magnitude:e}"),
        Some(n) => format!("{magnitude:.*e}", n.max(1) - 1),
    };
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let trimmed = digits.trim_end_matches('0');
    let digits = if trimmed.is_empty() { "0".to_owned() } else { trimmed.to_owned() };
    Digits { is_negative: number.is_sign_negative(), digits, exponent: exponent.parse().unwrap_or(0) }
}

/// Returns what is no number of digits.
fn special(number: f64) -> Option<String> {
    let text = match number {
        _ if number.is_nan() => "NaN",
        _ if number > 0.0 => "+Inf",
        _ => "-Inf",
    };
    (!number.is_finite()).then(|| text.to_owned())
}

/// Returns a number as Go's `%g` does: with `n` significant digits, or with the fewest that stand for it.
pub fn general(number: f64, n: Option<usize>) -> String {
    if let Some(text) = special(number) {
        return text;
    }
    let of = digits_of(number, n);
    // Go takes 6 for the comparison where it writes the fewest digits.
    let exponent_max = i32::try_from(n.map_or(6, |n| n.max(1))).unwrap_or(i32::MAX);
    if of.exponent < -4 || of.exponent >= exponent_max {
        return of.scientific(of.digits.len() - 1);
    }
    let n_after = i32::try_from(of.digits.len()).unwrap_or(i32::MAX) - 1 - of.exponent;
    of.plain(usize::try_from(n_after).unwrap_or(0))
}

/// Returns a number as `%f` does, with so many decimals.
pub(crate) fn fixed(number: f64, n_decimals: usize) -> String {
    special(number).unwrap_or_else(|| format!("{number:.n_decimals$}"))
}

/// Returns a number as `%e` does, with so many decimals.
pub(crate) fn scientific(number: f64, n_decimals: usize) -> String {
    special(number).unwrap_or_else(|| digits_of(number, Some(n_decimals + 1)).scientific(n_decimals))
}

impl Digits {
    fn sign(&self) -> &'static str {
        if self.is_negative { "-" } else { "" }
    }

    fn scientific(&self, n_decimals: usize) -> String {
        let (first, rest) = self.digits.split_at(1);
        let point = if n_decimals > 0 { "." } else { "" };
        let sign = if self.exponent < 0 { '-' } else { '+' };
        format!("{}{first}{point}{rest:0<n_decimals$}e{sign}{:02}", self.sign(), self.exponent.abs())
    }

    fn plain(&self, n_after: usize) -> String {
        let exponent = self.exponent;
        let digit = |power: i32| {
            let at = usize::try_from(exponent - power).ok();
            at.and_then(|at| self.digits.as_bytes().get(at)).map_or('0', |digit| char::from(*digit))
        };
        let mut text = self.sign().to_owned();
        text.extend((0..=exponent.max(0)).rev().map(digit));
        if n_after > 0 {
            text.push('.');
            text.extend((1..=i32::try_from(n_after).unwrap_or(0)).map(|at| digit(-at)));
        }
        text
    }
}
