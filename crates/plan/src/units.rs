//! Durations and sizes as Loki reads them out of labels: Go's `time.ParseDuration`, and sizes such as `117kb` and `1.5
//! GiB`.

/// Nanoseconds of a duration such as `1h2m3.5s`; the empty text and numbers without a unit are none, but for 0.
pub fn duration_ns(text: &str) -> Option<i64> {
    let (is_negative, mut rest) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut sum = 0i128;
    while !rest.is_empty() {
        let n_whole = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (whole, mut after) = rest.split_at(n_whole);
        let mut fraction = "";
        if let Some(digits) = after.strip_prefix('.') {
            let n_digits = digits.bytes().take_while(u8::is_ascii_digit).count();
            (fraction, after) = digits.split_at(n_digits);
        }
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let n_unit = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let unit = unit_ns(&after[..n_unit])?;
        let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
        let part = format!("0.{fraction}0").parse::<f64>().ok()? * unit as f64;
        sum = sum.checked_add(whole.checked_mul(i128::from(unit))?)?.checked_add(part as i128)?;
        if sum > i128::from(i64::MAX) {
            return None;
        }
        rest = &after[n_unit..];
    }
    i64::try_from(if is_negative { -sum } else { sum }).ok()
}

fn unit_ns(unit: &str) -> Option<i64> {
    Some(match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    })
}

/// Returns bytes of a size: a number, with commas between digits if need be, and a unit in upper or lower case, or
/// none.
pub fn size_bytes(text: &str) -> Option<u64> {
    let n_number = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | ','))).unwrap_or(text.len());
    let number: f64 = text[..n_number].replace(',', "").parse().ok()?;
    let unit = text[n_number..].trim().to_lowercase();
    let (unit, base) = match unit.strip_suffix("ib").or_else(|| unit.strip_suffix('i')) {
        Some(unit) if !unit.is_empty() => (unit, 1024u64),
        Some(_) => return None,
        None if unit == "b" => ("", 1000),
        None => (unit.strip_suffix('b').unwrap_or(&unit), 1000),
    };
    let power = match unit {
        "" => 0,
        letter => 1 + ["k", "m", "g", "t", "p", "e"].iter().position(|known| *known == letter)? as u32,
    };
    let bytes = number * base.pow(power) as f64;
    (bytes < u64::MAX as f64).then_some(bytes as u64)
}

#[cfg(test)]
mod tests;
