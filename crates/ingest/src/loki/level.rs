//! The level of a pushed line as Loki finds it, for the label `detected_level`.
//!
//! It differs from `@level`: what labels say counts first, spellings that are not known stay as they are, and a line without
//! a level is `unknown`.

use std::borrow::Cow;

use super::{Labels, Metadata, Text};

/// Labels, metadata and keys of lines that say the level.
const FIELDS: [&str; 14] = [
    "level",
    "LEVEL",
    "Level",
    "log.level",
    "severity",
    "SEVERITY",
    "Severity",
    "SeverityText",
    "lvl",
    "LVL",
    "Lvl",
    "severity_text",
    "Severity_Text",
    "SEVERITY_TEXT",
];

/// Metadata with the level as a number of OpenTelemetry.
const SEVERITY_NUMBER: &str = "severity_number";

/// Metadata that is the level itself.
const DETECTED_LEVEL: &str = "detected_level";

const UNKNOWN: &str = "unknown";

/// How deep a level is looked for in JSON.
const DEPTH_MAX: usize = 2;

/// Spellings of levels.
const SPELLINGS: [(&str, &str); 14] = [
    ("trace", "trace"),
    ("trc", "trace"),
    ("debug", "debug"),
    ("dbg", "debug"),
    ("info", "info"),
    ("inf", "info"),
    ("information", "info"),
    ("warn", "warn"),
    ("wrn", "warn"),
    ("warning", "warn"),
    ("error", "error"),
    ("err", "error"),
    ("critical", "critical"),
    ("fatal", "fatal"),
];

/// Words of a line that say its level; of several the first in the line.
const WORDS: [(&str, &str); 9] = [
    ("trace", "trace"),
    ("debug", "debug"),
    ("fatal", "fatal"),
    ("critical", "critical"),
    ("error", "error"),
    ("err", "error"),
    ("warning", "warn"),
    ("warn", "warn"),
    ("info", "info"),
];

/// The level that labels say.
pub(super) fn of_labels(labels: &Labels<'_>) -> Option<String> {
    let found = FIELDS.iter().find_map(|name| labels.get(&Text(Cow::Borrowed(name))));
    found.filter(|level| !level.0.is_empty()).map(|level| normal(&level.0).to_owned())
}

/// The level of a line, given what the labels of its stream say.
pub(super) fn of_entry<'e>(of_labels: Option<&'e str>, metadata: &'e Metadata<'_>, line: &str) -> &'e str {
    let said = |name: &str| metadata.iter().find(|(known, _)| known.0 == name).map(|(_, value)| &*value.0);
    if let Some(level) = said(DETECTED_LEVEL) {
        return normal(level);
    }
    if let Some(level) = of_labels {
        return level;
    }
    if metadata.is_empty() {
        return of_line(line);
    }
    if let Some(level) = FIELDS.iter().find_map(|name| said(name)) {
        return normal(level);
    }
    said(SEVERITY_NUMBER).map_or_else(|| of_line(line), of_severity_number)
}

fn known(level: &str) -> Option<&'static str> {
    SPELLINGS.iter().find(|(spelling, _)| level.eq_ignore_ascii_case(spelling)).map(|(_, level)| *level)
}

fn normal(level: &str) -> &str {
    known(level).unwrap_or(level)
}

fn of_severity_number(number: &str) -> &'static str {
    match number.parse::<i64>() {
        Err(_) => "info",
        Ok(0) => UNKNOWN,
        Ok(..=4) => "trace",
        Ok(..=8) => "debug",
        Ok(..=12) => "info",
        Ok(..=16) => "warn",
        Ok(..=20) => "error",
        Ok(..=24) => "fatal",
        Ok(_) => UNKNOWN,
    }
}

fn of_line(line: &str) -> &'static str {
    let trimmed = line.trim();
    let of_key = if trimmed.starts_with('{') && trimmed.ends_with('}') {
        json_level(trimmed, 0).and_then(known)
    } else if line.contains('=') {
        logfmt_level(line).and_then(known)
    } else {
        None
    };
    of_key.unwrap_or_else(|| of_words(line))
}

/// The first text in JSON whose key says a level.
fn json_level(object: &str, depth: usize) -> Option<&str> {
    if depth >= DEPTH_MAX {
        return None;
    }
    let mut rest = object.trim_start().strip_prefix('{')?;
    loop {
        let key = rest.trim_start().strip_prefix('"')?;
        let end = text_end(key)?;
        let value = key[end + 1..].trim_start().strip_prefix(':')?.trim_start();
        let n_bytes = value_end(value)?;
        if value.starts_with('"') && FIELDS.contains(&&key[..end]) {
            return value.get(1..n_bytes - 1);
        }
        if value.starts_with('{')
            && let Some(level) = json_level(&value[..n_bytes], depth + 1)
        {
            return Some(level);
        }
        rest = value[n_bytes..].trim_start().strip_prefix(',')?;
    }
}

/// Where a text ends, behind its first quote.
fn text_end(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    text.bytes().position(|byte| match byte {
        _ if is_escaped => {
            is_escaped = false;
            false
        }
        b'\\' => {
            is_escaped = true;
            false
        }
        byte => byte == b'"',
    })
}

/// How long a value of JSON is.
fn value_end(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    match bytes.first()? {
        b'"' => text_end(&text[1..]).map(|end| end + 2),
        b'{' | b'[' => {
            let (mut at, mut depth) = (0, 0_usize);
            while let Some(byte) = bytes.get(at) {
                match byte {
                    b'"' => at += text_end(&text[at + 1..])? + 1,
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' => depth = depth.checked_sub(1)?,
                    _ => {}
                }
                at += 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            None
        }
        _ => text.find([' ', '\n', '\r', '\t', ',', '}', ']']),
    }
}

/// The value of the key of `key=value` pairs that says a level; of several keys the first of [`FIELDS`].
fn logfmt_level(line: &str) -> Option<&str> {
    let mut best: Option<(usize, &str)> = None;
    for (at, _) in line.match_indices('=') {
        let start = line[..at].rfind(|c: char| c <= ' ' || c == '"' || c == '=').map_or(0, |before| before + 1);
        let Some(rank) = FIELDS.iter().position(|field| line[start..at].eq_ignore_ascii_case(field)) else { continue };
        let value = &line[at + 1..];
        let value = match value.strip_prefix('"') {
            Some(quoted) => quoted.split('"').next().unwrap_or_default(),
            None => value.split(|c: char| c <= ' ').next().unwrap_or_default(),
        };
        if best.is_none_or(|(known, _)| rank < known) {
            best = Some((rank, value));
        }
    }
    best.map(|(_, value)| value)
}

/// The first word of a line that is a level, whatever the case of its letters.
fn of_words(line: &str) -> &'static str {
    let bytes = line.as_bytes();
    let begins = |byte: u8| b" \t\n[({\"'=|".contains(&byte);
    let ends = |byte: u8| b" \t\n[](){}:,!\"'=|".contains(&byte);
    let mut at = 0;
    while at < bytes.len() {
        if at == 0 || begins(bytes[at - 1]) {
            let end = bytes[at..].iter().position(|byte| ends(*byte)).map_or(bytes.len(), |length| at + length);
            let word = &bytes[at..end];
            if let Some((_, level)) = WORDS.iter().find(|(known, _)| word.eq_ignore_ascii_case(known.as_bytes())) {
                return level;
            }
            at = end.max(at + 1);
        } else {
            at += 1;
        }
    }
    UNKNOWN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_found_where_loki_finds_them() {
        let check = |line: &str, expected: &str| assert_eq!(of_line(line), expected, "{line}");
        check(r#"{"a":[1,{"x":"}"}],"level":"Error"}"#, "error");
        check(r#"{"log":{"severity":"WRN"}}"#, "warn");
        check(r#"{"a":{"b":{"level":"info"}}}"#, "info");
        check(r#"{"level":"odd","msg":"an error here"}"#, "error");
        check("msg=x lvl=dbg level=\"CRITICAL\"", "critical");
        check("took=5 status=500", "unknown");
        check("[WARN] disk", "warn");
        check("ERROR: no", "error");
        check("no errors, misc:error, terror", "unknown");
        check("fatal or info", "fatal");
        check("10.0.0.1 - - \"GET / HTTP/1.1\" 503 12", "unknown");
        check("", "unknown");
    }

    #[test]
    fn what_labels_and_metadata_say_counts_first() {
        let pair = |name: &'static str, value: &'static str| (Text(Cow::Borrowed(name)), Text(Cow::Borrowed(value)));
        let labels = |pairs: Vec<(Text<'static>, Text<'static>)>| of_labels(&pairs.into_iter().collect());
        assert_eq!(labels(vec![pair("level", "WARNING")]).as_deref(), Some("warn"));
        assert_eq!(labels(vec![pair("severity", "Odd"), pair("app", "x")]).as_deref(), Some("Odd"));
        assert_eq!(labels(vec![pair("app", "error")]), None);
        let check = |of_labels, metadata: Vec<_>, expected: &str| {
            assert_eq!(of_entry(of_labels, &metadata, "an error"), expected);
        };
        check(Some("info"), vec![pair("level", "warn")], "info");
        check(None, vec![pair("lvl", "dbg")], "debug");
        check(Some("info"), vec![pair("detected_level", "ERR")], "error");
        check(None, vec![pair("severity_number", "17")], "error");
        check(None, vec![pair("severity_number", "9")], "info");
        check(None, vec![pair("pod", "p")], "error");
    }
}
