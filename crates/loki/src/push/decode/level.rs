//! The level of a pushed line as Loki detects it, for the label `detected_level`.
//!
//! It differs from `@level`: labels take precedence, unknown spellings stay unchanged, and a line without a level is
//! `unknown`.

use std::borrow::Cow;

use parse::{JsonMistake, JsonToken, json_members, logfmt_pair};

use super::labels::{Labels, Metadata, Text};

/// Labels, metadata and keys of lines that contain the level.
const FIELDS: [&str; 14] = [
    "level", "LEVEL", "Level", "log.level", "severity", "SEVERITY", "Severity", "SeverityText", "lvl", "LVL", "Lvl",
    "severity_text", "Severity_Text", "SEVERITY_TEXT",
];

/// Metadata with the level as a number of OpenTelemetry.
const SEVERITY_NUMBER: &str = "severity_number";

/// Metadata that is the level itself.
pub(super) const DETECTED_LEVEL: &str = "detected_level";

const UNKNOWN: &str = "unknown";

/// Depth of the search for a level in JSON.
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

/// Words for levels in a line; the first one in the line counts.
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

/// Returns the level in the labels.
pub(super) fn of_labels(labels: &Labels<'_>) -> Option<String> {
    let found = FIELDS.iter().find_map(|name| labels.get(&Text(Cow::Borrowed(name))));
    found.filter(|level| !level.0.is_empty()).map(|level| normal(&level.0).to_owned())
}

/// Returns the level of a line, given that of the labels of its stream.
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

/// Returns a level in Loki's spelling; an unknown one stays unchanged.
pub(super) fn normal(level: &str) -> &str {
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
        json_level(trimmed).and_then(known)
    } else if line.contains('=') {
        logfmt_level(line)
    } else {
        None
    };
    of_key.unwrap_or_else(|| of_words(line))
}

/// The reason why the reading of an object ends.
enum End<'a> {
    Found(&'a str),
    Mistake,
}

impl From<JsonMistake> for End<'_> {
    fn from(_: JsonMistake) -> Self {
        Self::Mistake
    }
}

/// Returns the first text in JSON whose key is one of [`FIELDS`].
fn json_level(object: &str) -> Option<&str> {
    fn look<'a>(object: &'a str, depth: usize) -> Result<(), End<'a>> {
        json_members(object, &mut |key, token| match token {
            JsonToken::Text(level) if FIELDS.contains(&&*key) => Err(End::Found(level)),
            JsonToken::Object(inner) if depth < DEPTH_MAX => look(inner, depth + 1),
            _ => Ok(()),
        })
    }
    match look(object, 1) {
        Err(End::Found(level)) => Some(level),
        _ => None,
    }
}

/// Returns the value of the first of [`FIELDS`] in `key=value` pairs. Pairs after the first malformed one are ignored.
fn logfmt_level(line: &str) -> Option<&'static str> {
    let (mut at, mut best) = (0, None);
    while let Some(spaces) = line.bytes().skip(at).position(|byte| byte > b' ') {
        at += spaces;
        let Ok((key, value)) = logfmt_pair(line, &mut at) else { break };
        let rank = FIELDS.iter().position(|field| key.eq_ignore_ascii_case(field));
        if let Some(rank) = rank.filter(|rank| best.as_ref().is_none_or(|(known, _)| rank < known)) {
            best = Some((rank, value));
        }
    }
    best.and_then(|(_, value)| known(&value))
}

/// Returns the first word of a line that is a level, in any case.
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
mod tests;
