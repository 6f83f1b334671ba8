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
    match node.value() {
        Json::String(text) => Ok(text.clone()),
        Json::Number(_) | Json::Bool(_) => Ok(node.value().to_string()),
        Json::Null => Ok(String::new()),
        _ => Err(node.error("must be a text")),
    }
}

/// Returns the texts of a list.
pub(super) fn scalars(node: &Node<'_>) -> Result<Vec<String>, DefinitionError> {
    if node.value().is_null() {
        return Ok(Vec::new());
    }
    node.items()?.iter().map(scalar).collect()
}

/// Returns true or false under a key.
pub(super) fn flag(node: &Node<'_>, key: &str, default: bool) -> Result<bool, DefinitionError> {
    node.get(key).map_or(Ok(default), |node| node.truth())
}

/// Returns a number under a key; 0 means no limit.
pub(super) fn limit(node: &Node<'_>, key: &str, default: usize) -> Result<usize, DefinitionError> {
    let Some(node) = node.get(key) else { return Ok(default) };
    let count = usize::try_from(node.count()?).unwrap_or(usize::MAX);
    Ok(if count == 0 { usize::MAX } else { count })
}

/// Returns a duration under a key, such as `1m30s`.
pub(super) fn duration(node: &Node<'_>, key: &str) -> Result<Option<Duration>, DefinitionError> {
    let Some(node) = node.get(key) else { return Ok(None) };
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
    let Some(node) = node.get(key) else { return Ok(default) };
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
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn durations_go_from_long_units_to_short_ones() {
        let ms = |text: &str| parse_duration(text).map(|duration| duration.as_millis());
        let good = ["15s", "1m30s", "1h", "500ms", "1d12h", "0", "1m500ms"].map(ms);
        assert_eq!(good, [15_000, 90_000, 3_600_000, 500, 129_600_000, 0, 60_500].map(Some));
        assert_eq!(["", "15", "s", "1s1m", "1s1s", "1.5s", "-1s", "1 s"].map(ms), [None; 8]);
    }

    #[test]
    fn sizes_are_powers_of_1024() {
        let check = |value: Json, expected: Result<u64, &str>| {
            let definition = json!({"body_size_limit": value});
            let found = size(&Node::root("job", &definition), "body_size_limit", 7).map_err(|error| error.to_string());
            assert_eq!(found, expected.map_err(str::to_owned));
        };
        check(json!("10MB"), Ok(10 << 20));
        check(json!("1KiB"), Ok(1 << 10));
        check(json!(0), Ok(7));
        check(json!("much"), Err("job.body_size_limit: \"much\" is not a size; write 10MB or 512KB"));
    }
}
