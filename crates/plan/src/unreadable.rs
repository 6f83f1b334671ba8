//! Why the text of a label is no number, no duration or no size, in the words of Go that Loki's clients read.

use gotemplate::escape::quoted;
use gotemplate::parse_float;

/// Returns why a text is no number.
pub fn number(text: &str) -> String {
    let is_too_large = parse_float(text).is_none() && text.parse::<f64>().is_ok_and(f64::is_infinite);
    let problem = if is_too_large { "value out of range" } else { "invalid syntax" };
    format!("strconv.ParseFloat: parsing {}: {problem}", quoted(text))
}

/// Returns a text in quotes as Go's package `time` does: bytes instead of letters beyond ASCII.
fn byte_quoted(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'"' | b'\\' => format!("\\{}", char::from(byte)),
        b' '..=0x7f => char::from(byte).to_string(),
        _ => format!("\\x{byte:02x}"),
    };
    format!("\"{}\"", text.bytes().map(byte).collect::<String>())
}

/// Returns why a text is no duration.
pub fn duration(text: &str) -> String {
    let mut rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    let invalid = || format!("time: invalid duration {}", byte_quoted(text));
    if rest.is_empty() {
        return invalid();
    }
    while !rest.is_empty() {
        let n_number = rest.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
        let (number, after) = rest.split_at(n_number);
        if !number.bytes().any(|byte| byte.is_ascii_digit()) || number.bytes().filter(|byte| *byte == b'.').count() > 1
        {
            return invalid();
        }
        let n_unit = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, next) = after.split_at(n_unit);
        match unit {
            "" => return format!("time: missing unit in duration {}", byte_quoted(text)),
            "ns" | "us" | "µs" | "μs" | "ms" | "s" | "m" | "h" => rest = next,
            unit => return format!("time: unknown unit {} in duration {}", byte_quoted(unit), byte_quoted(text)),
        }
    }
    invalid()
}

/// Returns why a text is no size in bytes.
pub fn size(text: &str) -> String {
    let n_number = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | ','))).unwrap_or(text.len());
    let digits = text[..n_number].replace(',', "");
    if digits.parse::<f64>().is_err() {
        return number(&digits);
    }
    let unit = text[n_number..].trim().to_lowercase();
    const UNITS: [&str; 6] = ["k", "m", "g", "t", "p", "e"];
    let letter = unit.strip_suffix("ib").or_else(|| unit.strip_suffix('i')).or_else(|| unit.strip_suffix('b'));
    let is_known = matches!(&*unit, "" | "b") || UNITS.contains(&letter.unwrap_or(&unit));
    if is_known { format!("too large: {text}") } else { format!("unhandled size name: {unit}") }
}

#[cfg(test)]
mod tests;
