//! Numbers as Go reads and prints them.

/// The exponent from which on the shortest form of a number has one.
pub(super) const SHORTEST_LIMIT: i32 = 6;

/// Returns a whole number as Go writes them in source: decimal, `0x`, `0o`, `0b`, or octal after a zero.
pub(super) fn parse_integer(text: &str) -> Option<i64> {
    let (is_negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let lower = digits.to_ascii_lowercase();
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

/// Returns a number as Go's `ParseFloat` reads it.
pub fn parse_float(text: &str) -> Option<f64> {
    let is_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | '+' | '-' | 'e' | 'E');
    let lower = text.trim_start_matches(['+', '-']).to_ascii_lowercase();
    let is_special = matches!(&*lower, "inf" | "infinity" | "nan");
    if text.is_empty() || !(is_special || text.chars().all(is_number)) {
        return None;
    }
    text.parse::<f64>().ok().filter(|number| is_special || number.is_finite())
}

/// Returns a number as Go prints it: its shortest form, with an exponent from 1e+06 on and below 0.0001.
pub(super) fn float_text(number: f64) -> String {
    general(number, None, SHORTEST_LIMIT)
}

/// `%g`: with an exponent below 0.0001, and from ten to the power of the precision on.
pub(super) fn general(number: f64, precision: Option<usize>, threshold: i32) -> String {
    if let Some(text) = special(number) {
        return text.to_owned();
    }
    let exponential = match precision {
        Some(precision) => format!("{number:.*e}", precision.max(1) - 1),
        None => format!("{number:e}"),
    };
    let Some((mantissa, exponent)) = exponential.split_once('e') else { return exponential };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let n_digits = mantissa.bytes().filter(u8::is_ascii_digit).count() as i32;
    let limit = match precision {
        Some(precision) => (precision.max(1)) as i32,
        None => threshold,
    };
    let trimmed = |text: &str| match text.contains('.') && precision.is_some() {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    };
    if exponent < -4 || exponent >= limit {
        return format!("{}{}", trimmed(mantissa), exponent_text(exponent));
    }
    match precision {
        Some(_) => trimmed(&format!("{number:.*}", (n_digits - 1 - exponent).max(0) as usize)),
        None => format!("{number}"),
    }
}

/// `%e`.
pub(super) fn scientific(number: f64, precision: usize) -> String {
    if let Some(text) = special(number) {
        return text.to_owned();
    }
    let exponential = format!("{number:.precision$e}");
    let Some((mantissa, exponent)) = exponential.split_once('e') else { return exponential };
    format!("{mantissa}{}", exponent_text(exponent.parse().unwrap_or(0)))
}

fn exponent_text(exponent: i32) -> String {
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("e{sign}{:02}", exponent.unsigned_abs())
}

/// Numbers that are none.
pub(super) fn special(number: f64) -> Option<&'static str> {
    match number {
        number if number.is_nan() => Some("NaN"),
        f64::INFINITY => Some("+Inf"),
        f64::NEG_INFINITY => Some("-Inf"),
        _ => None,
    }
}
