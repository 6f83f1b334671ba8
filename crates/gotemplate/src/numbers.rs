//! Numbers as Go reads and prints them.

/// Returns a whole number as Go writes them in source: decimal, `0x`, `0o`, `0b`, or octal after a zero, and `_`
/// between digits.
pub fn parse_integer(text: &str) -> Option<i64> {
    let (is_negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if digits.split('_').any(str::is_empty) {
        return None;
    }
    let lower = digits.replace('_', "").to_ascii_lowercase();
    let (digits, radix) = match lower.get(..2) {
        Some("0x") => (&lower[2..], 16),
        Some("0b") => (&lower[2..], 2),
        Some("0o") => (&lower[2..], 8),
        _ if lower.len() > 1 && lower.starts_with('0') => (&lower[1..], 8),
        _ => (&lower[..], 10),
    };
    if !digits.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return None;
    }
    let number = i128::from_str_radix(digits, radix).ok()?;
    i64::try_from(if is_negative { -number } else { number }).ok()
}

/// Returns a number as Go's `ParseFloat` reads it, but for hexadecimal ones.
pub fn parse_float(text: &str) -> Option<f64> {
    let (bytes, unsigned) = (text.as_bytes(), text.strip_prefix(['+', '-']).unwrap_or(text).to_ascii_lowercase());
    let is_special = matches!(&*unsigned, "inf" | "infinity") || text.eq_ignore_ascii_case("nan");
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let is_number = |(at, byte): (usize, &u8)| match byte {
        b'_' => at > 0 && is_digit(at - 1) && is_digit(at + 1),
        byte => byte.is_ascii_digit() || matches!(byte, b'.' | b'+' | b'-' | b'e' | b'E'),
    };
    if text.is_empty() || !(is_special || bytes.iter().enumerate().all(is_number)) {
        return None;
    }
    text.replace('_', "").parse::<f64>().ok().filter(|number| is_special || number.is_finite())
}

/// Returns a number as `%g` does: with so many significant digits, or the fewest that stand for it. It has an exponent
/// below 0.0001, and from ten to the power of the digits on, of 6 where it has the fewest.
pub fn general(number: f64, precision: Option<usize>) -> String {
    if let Some(text) = special(number) {
        return text.to_owned();
    }
    let precision = precision.map(|precision| precision.max(1));
    let exponential = match precision {
        Some(precision) => format!("{number:.*e}", precision - 1),
        None => format!("{number:e}"),
    };
    let Some((mantissa, exponent)) = exponential.split_once('e') else { return exponential };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let limit = precision.map_or(6, |precision| i32::try_from(precision).unwrap_or(i32::MAX));
    let trimmed = |text: &str| match text.contains('.') && precision.is_some() {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    };
    match precision {
        _ if exponent < -4 || exponent >= limit => trimmed(mantissa) + &exponent_text(exponent),
        Some(_) => trimmed(&format!("{number:.*}", usize::try_from(limit - 1 - exponent).unwrap_or(0))),
        None => format!("{number}"),
    }
}

/// Returns a number as `%e` does.
pub(crate) fn scientific(number: f64, precision: usize) -> String {
    if let Some(text) = special(number) {
        return text.to_owned();
    }
    let exponential = format!("{number:.precision$e}");
    let Some((mantissa, exponent)) = exponential.split_once('e') else { return exponential };
    format!("{mantissa}{}", exponent_text(exponent.parse().unwrap_or(0)))
}

/// Returns a number as `%f` does.
pub(crate) fn fixed(number: f64, precision: usize) -> String {
    special(number).map_or_else(|| format!("{number:.precision$}"), str::to_owned)
}

fn exponent_text(exponent: i32) -> String {
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("e{sign}{:02}", exponent.unsigned_abs())
}

/// Numbers that have no digits.
fn special(number: f64) -> Option<&'static str> {
    match number {
        number if number.is_nan() => Some("NaN"),
        f64::INFINITY => Some("+Inf"),
        f64::NEG_INFINITY => Some("-Inf"),
        _ => None,
    }
}
