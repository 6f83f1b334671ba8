//! Values of Prometheus' configuration: texts that may be numbers, durations, sizes.

use std::time::Duration;

use definition::{DefinitionError, Node};
use serde_json::Value as Json;

/// Units of durations, the longest first, with their ms.
const UNITS: [(&str, u64); 7] = [
    ("y", 365 * 86_400_000),
    ("w", 7 * 86_400_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// Units of sizes: powers of 1024 in both spellings, as in Prometheus.
const SIZES: [(&str, u64); 11] = [
    ("KIB", 1 << 10),
    ("KB", 1 << 10),
    ("K", 1 << 10),
    ("MIB", 1 << 20),
    ("MB", 1 << 20),
    ("M", 1 << 20),
    ("GIB", 1 << 30),
    ("GB", 1 << 30),
    ("G", 1 << 30),
    ("TIB", 1 << 40),
    ("B", 1),
];

/// Returns a text; a number, true or false stands for how it is written.
pub(super) fn scalar(node: &Node<'_>) -> Result<String, DefinitionError> {
    match node.value {
        Json::String(text) => Ok(text.clone()),
        Json::Number(_) | Json::Bool(_) => Ok(node.value.to_string()),
        Json::Null => Ok(String::new()),
        _ => Err(node.error("must be a text")),
    }
}

/// Returns the texts of a list.
pub(super) fn scalars(node: &Node<'_>) -> Result<Vec<String>, DefinitionError> {
    if node.value.is_null() {
        return Ok(Vec::new());
    }
    node.items()?.iter().map(scalar).collect()
}

/// Returns the value under a key; a section with nothing in it is none.
pub(super) fn section<'v>(node: &Node<'v>, key: &str) -> Option<Node<'v>> {
    node.get(key).filter(|node| !node.value.is_null())
}

/// Returns true or false under a key, also in the words of YAML 1.1. As in Prometheus, null is false.
pub(super) fn flag(node: &Node<'_>, key: &str, default: bool) -> Result<bool, DefinitionError> {
    let Some(node) = node.get(key) else { return Ok(default) };
    match node.value {
        Json::Null => Ok(false),
        Json::String(text) => match &*text.to_ascii_lowercase() {
            "true" | "yes" | "on" | "y" => Ok(true),
            "false" | "no" | "off" | "n" => Ok(false),
            _ => Err(node.error("must be true or false")),
        },
        _ => node.truth(),
    }
}

/// Returns a number under a key; 0 means no limit.
pub(super) fn limit(node: &Node<'_>, key: &str, default: usize) -> Result<usize, DefinitionError> {
    let Some(node) = section(node, key) else { return Ok(default) };
    let count = usize::try_from(count(&node)?).unwrap_or(usize::MAX);
    Ok(if count == 0 { usize::MAX } else { count })
}

/// Returns a whole number that is not negative; a text is one as YAML 1.1 spells numbers.
pub(super) fn count(node: &Node<'_>) -> Result<u64, DefinitionError> {
    match node.value {
        Json::String(text) => parse_count(text).ok_or_else(|| node.error("must be a whole number")),
        _ => node.count(),
    }
}

/// Parses a number such as `1000`, `1_000`, `0x3e8`, `01750` or `1e3`.
fn parse_count(text: &str) -> Option<u64> {
    let digits = text.strip_prefix('+').unwrap_or(text).replace('_', "").to_ascii_lowercase();
    let bases = [("0x", 16), ("0o", 8), ("0b", 2), ("0", 8)];
    let based = bases.iter().find_map(|(prefix, base)| Some((digits.strip_prefix(prefix)?, *base)));
    let whole = match based.filter(|(rest, _)| !rest.is_empty()) {
        Some((rest, base)) => u64::from_str_radix(rest, base),
        None => digits.parse(),
    };
    // 2^53: whole numbers up to it are exact in a float.
    let of_float =
        || digits.parse::<f64>().ok().filter(|n| n.fract() == 0.0 && (0.0..=9_007_199_254_740_992.0).contains(n));
    whole.ok().or_else(|| of_float().map(|n| n as u64))
}

/// Returns a duration under a key, such as `1m30s`.
pub(super) fn duration(node: &Node<'_>, key: &str) -> Result<Option<Duration>, DefinitionError> {
    let Some(node) = section(node, key) else { return Ok(None) };
    let text = scalar(&node)?;
    let problem = || node.error(format!("{text:?} is not a duration; write 15s, 1m30s or 500ms"));
    parse_duration(&text).ok_or_else(problem).map(Some)
}

/// Parses a duration of Prometheus: units from long to short, each once.
pub(super) fn parse_duration(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let (mut rest, mut units, mut total) = (text, &UNITS[..], 0u64);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: u64 = rest[..digits].parse().ok()?;
        let after = &rest[digits..];
        let end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let at = units.iter().position(|(name, _)| *name == &after[..end])?;
        total = total.checked_add(number.checked_mul(units[at].1)?)?;
        (rest, units) = (&after[end..], &units[at + 1..]);
    }
    (!text.is_empty()).then(|| Duration::from_millis(total))
}

/// Returns a size under a key, such as `10MB`; 0 means no limit.
pub(super) fn size(node: &Node<'_>, key: &str, default: u64) -> Result<u64, DefinitionError> {
    let Some(node) = section(node, key) else { return Ok(default) };
    let text = scalar(&node)?;
    let problem = || node.error(format!("{text:?} is not a size; write 10MB or 512KB"));
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..digits].parse().map_err(|_| problem())?;
    let unit = text[digits..].trim().to_ascii_uppercase();
    let factor = SIZES.iter().find(|(name, _)| *name == unit).map(|(_, factor)| *factor);
    let factor = if unit.is_empty() { Some(1) } else { factor };
    let n_bytes = factor.and_then(|factor| number.checked_mul(factor)).ok_or_else(problem)?;
    Ok(if n_bytes == 0 { default } else { n_bytes })
}

#[cfg(test)]
mod tests;
