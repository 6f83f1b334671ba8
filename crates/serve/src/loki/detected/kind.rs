//! Types of values as `detected_fields` names them, and sizes in bytes as it spells them.

/// Prefixes of powers of 1000 and 1024, from the first power.
const PREFIXES: [char; 6] = ['k', 'm', 'g', 't', 'p', 'e'];

/// The type of a value: the first of int, float, boolean, duration and bytes that it can be read as, else string.
pub(super) fn kind(value: &str) -> &'static str {
    if value.parse::<i64>().is_ok() {
        "int"
    } else if value.parse::<f64>().is_ok() {
        "float"
    } else if matches!(value, "t" | "T" | "TRUE" | "true" | "True" | "f" | "F" | "FALSE" | "false" | "False") {
        "boolean"
    } else if is_duration(value) {
        "duration"
    } else if bytes(value).is_some() {
        "bytes"
    } else {
        "string"
    }
}

/// Whether Go reads a text as a duration: numbers with units, one after the other.
fn is_duration(text: &str) -> bool {
    let mut rest = text.strip_prefix(['+', '-']).unwrap_or(text);
    let mut has_part = false;
    while !rest.is_empty() {
        let number = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        if rest[..number].parse::<f64>().is_err() {
            return false;
        }
        rest = &rest[number..];
        let unit = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        if !matches!(&rest[..unit], "ns" | "us" | "µs" | "μs" | "ms" | "s" | "m" | "h") {
            return false;
        }
        rest = &rest[unit..];
        has_part = true;
    }
    has_part
}

/// Reads a size such as `117kb`, `1.5 MiB` or `10`.
fn bytes(text: &str) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.' && c != ',').unwrap_or(text.len());
    let number: f64 = text[..end].replace(',', "").parse().ok()?;
    let unit = text[end..].trim().to_lowercase();
    let factor = match unit.as_str() {
        "" | "b" => 1.0,
        unit => {
            let power = PREFIXES.iter().position(|prefix| unit.starts_with(*prefix))? as i32 + 1;
            match &unit[1..] {
                "" | "b" => 1000f64.powi(power),
                "i" | "ib" => 1024f64.powi(power),
                _ => return None,
            }
        }
    };
    let bytes = number * factor;
    (bytes < u64::MAX as f64).then_some(bytes as u64)
}

/// A value of a field as an answer lists it: sizes with a unit become `117kB`, so that a query can compare them.
pub(super) fn listed(value: &str) -> String {
    match bytes(value) {
        Some(size) if !value.ends_with(|c: char| c.is_ascii_digit() || c == '.' || c == ',') => spelled(size),
        _ => value.to_owned(),
    }
}

/// A size in the largest unit of 1000 that leaves a whole: `900B`, `1.5MB`, `117kB`.
fn spelled(bytes: u64) -> String {
    const UNITS: [&str; 7] = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
    if bytes < 10 {
        return format!("{bytes}B");
    }
    let (mut power, mut unit) = (0, 1u64);
    while power < 6 && bytes / unit >= 1000 {
        unit *= 1000;
        power += 1;
    }
    let value = (bytes as f64 / unit as f64 * 10.0 + 0.5).floor() / 10.0;
    if value < 10.0 { format!("{value:.1}{}", UNITS[power]) } else { format!("{value:.0}{}", UNITS[power]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_told_in_the_order_of_loki() {
        let check = |value: &str, expected: &str| assert_eq!(kind(value), expected, "{value}");
        ["5", "-7", "+1"].iter().for_each(|value| check(value, "int"));
        ["1.5", "1e21", "NaN", ".5", "99999999999999999999"].iter().for_each(|value| check(value, "float"));
        ["true", "F"].iter().for_each(|value| check(value, "boolean"));
        ["39ms", "1m30s", "1.5h", "-2s"].iter().for_each(|value| check(value, "duration"));
        ["117kb", "1.5 MiB", "900B", "3g", "1,000"].iter().for_each(|value| check(value, "bytes"));
        ["", "ann", "1x", "s", "1kbb", "tRuE", "1 s", "éb"].iter().for_each(|value| check(value, "string"));
    }

    #[test]
    fn sizes_are_listed_in_one_spelling() {
        let check = |value: &str, expected: &str| assert_eq!(listed(value), expected, "{value}");
        check("12KiB", "12kB");
        check("117kb", "117kB");
        check("1.5MB", "1.5MB");
        check("900B", "900B");
        check("5b", "5B");
        check("3.5gb", "3.5GB");
        check("117", "117");
        check("x", "x");
    }
}
