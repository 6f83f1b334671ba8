//! The canonical level of an event, from its fields or its text.

mod head;
mod signs;
mod words;

pub(crate) use signs::letter;
pub(crate) use words::{any_level, upper_level, word_before_colon};

use types::{Level, Value};

/// Bytes of a line in which the key `level=` is looked for.
const KEYS_BYTES_MAX: usize = 1024;

/// Bytes of a line in which a level is looked for that is no value of a key: long prefixes name user, database and client.
const HEAD_BYTES_MAX: usize = 384;

/// What kind of level a field of some name holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LevelField {
    /// Names and the numbers 10 to 60.
    Named,
    /// The same, and syslog's numbers 0 to 7.
    Severity,
    /// OTLP's numbers 1 to 24.
    OtlpNumber,
    /// Names, where no key of the record itself has one.
    Nested,
}

/// Names of fields that hold a level, in lower case; but the last, the journal's, says anything in lower case.
const LEVEL_FIELDS: [(&str, LevelField); 34] = {
    use LevelField::*;
    [
        ("level", Named),
        ("severity", Severity),
        ("lvl", Named),
        ("loglevel", Named),
        ("log_level", Named),
        ("_loglevel", Named),
        ("log.level", Named),
        ("levelname", Named),
        ("level_name", Named),
        ("error_severity", Named),
        ("prio", Named),
        ("@l", Named),
        ("severity_text", Severity),
        ("severitytext", Severity),
        ("severity_label", Severity),
        ("severity_name", Severity),
        ("syslog_severity", Severity),
        ("syslogseverity", Severity),
        ("syslogseverity-text", Severity),
        ("log.severity", Severity),
        ("log.syslog.severity.name", Severity),
        ("severity_number", OtlpNumber),
        ("severitynumber", OtlpNumber),
        ("logfire.level_num", OtlpNumber),
        ("record.level.name", Nested),
        ("level.name", Nested),
        ("level.levelstr", Nested),
        ("fields.level", Nested),
        ("@fields.level", Nested),
        ("@fields.levelname", Nested),
        ("context.loglevel", Nested),
        ("_meta.loglevelname", Nested),
        ("log.loglevel", Nested),
        ("priority", Severity),
    ]
};

/// Lengths of the names that begin with each letter, one bit each: most names are told apart by them.
const LEVEL_FIELD_LENGTHS: [u32; 256] = {
    let mut lengths = [0; 256];
    let mut n_done = 0;
    while n_done < LEVEL_FIELDS.len() {
        let name = LEVEL_FIELDS[n_done].0.as_bytes();
        lengths[(name[0] | 0x20) as usize] |= 1 << name.len();
        n_done += 1;
    }
    lengths
};

/// Tells whether a field of this name holds a level, whatever the case of its letters.
pub(crate) fn level_field(name: &str) -> Option<LevelField> {
    let (first, last) = (name.bytes().next()?, name.bytes().next_back()?);
    let is_likely = matches!(last | 0x20, b'e' | b'l' | b'm' | b'o' | b'r' | b't' | b'y');
    if !is_likely || name.len() > 31 || LEVEL_FIELD_LENGTHS[usize::from(first | 0x20)] & (1 << name.len()) == 0 {
        return None;
    }
    let (known, kind) = LEVEL_FIELDS.iter().find(|(known, _)| name.eq_ignore_ascii_case(known))?;
    (*known != "priority" || name == "PRIORITY").then_some(*kind)
}

/// The level that a field says; `None` where its name or its value is of no level.
pub fn level_of_field(name: &str, value: &Value) -> Option<Level> {
    let kind = level_field(name)?;
    match value {
        Value::String(text) => level_of_word(kind, text),
        Value::Integer(number) => level_of_number(kind, *number),
        Value::Float(number) if number.fract() == 0.0 && number.abs() < 1e6 => level_of_number(kind, *number as i64),
        _ => None,
    }
}

pub(crate) fn level_of_word(kind: LevelField, text: &str) -> Option<Level> {
    let mut word = text.trim();
    if let Some((_, coloured)) = word.strip_prefix('\u{1b}').and_then(|colour| colour.split_once('m')) {
        word = coloured.split('\u{1b}').next().unwrap_or(coloured).trim();
    }
    match word.parse() {
        Ok(number) => level_of_number(kind, number),
        // npm's libraries write it so, and have it above `debug`.
        Err(_) if word == "verbose" => Some(Level::Debug),
        Err(_) => Level::parse(word).or_else(|| of_distance(word)),
    }
}

pub(crate) fn level_of_number(kind: LevelField, number: i64) -> Option<Level> {
    match (kind, number) {
        (LevelField::OtlpNumber, 1..=24) => Level::of_code(((number - 1) / 4 + 1) as u8),
        (LevelField::OtlpNumber, _) => None,
        (LevelField::Severity, 0..=7) => Level::of_syslog(number as u8),
        (_, 10) => Some(Level::Trace),
        (_, 20) => Some(Level::Debug),
        (_, 30) => Some(Level::Info),
        (_, 40) => Some(Level::Warn),
        (_, 50) => Some(Level::Error),
        (_, 60) => Some(Level::Fatal),
        _ => None,
    }
}

/// The level that a text says by its form: a sign of its program's, or a word at the place of a level. Never a word of prose.
pub fn level_of_text(text: &str) -> Option<Level> {
    let head = &text.as_bytes()[..text.len().min(KEYS_BYTES_MAX)];
    let head = &head[..memchr::memchr(b'\n', head).unwrap_or(head.len())];
    match head::level(&head[..head.len().min(HEAD_BYTES_MAX)]) {
        Some(found) => found,
        None => of_access_log(head).or_else(|| of_keys(head)),
    }
}

/// `level=warn`, `severity="error"`, where the key is not the end of a longer word. A word wins over a number: what a
/// number means differs from program to program.
fn of_keys(head: &[u8]) -> Option<Level> {
    const KEYS: [(&[u8], LevelField); 5] = [
        (b"level", LevelField::Named),
        (b"severity", LevelField::Severity),
        (b"prio", LevelField::Named),
        (b"pri", LevelField::Severity),
        (b"lvl", LevelField::Named),
    ];
    let mut of_number = None;
    for equals in memchr::memchr_iter(b'=', head) {
        let is_key = |(key, _): &&(&[u8], LevelField)| {
            let start = equals.wrapping_sub(key.len());
            head.get(start..equals).is_some_and(|found| found.eq_ignore_ascii_case(key))
                && start.checked_sub(1).is_none_or(|at| !is_part_of_key(head[at]))
        };
        let Some((_, kind)) = KEYS.iter().find(is_key) else { continue };
        let value = &head[equals + 1..];
        let value = value.strip_prefix(b"\"").or_else(|| value.strip_prefix(b"'")).unwrap_or(value);
        let end = value.iter().position(|b| !b.is_ascii_alphanumeric() && !matches!(b, b'-' | b'+'));
        let Ok(word) = std::str::from_utf8(&value[..end.unwrap_or(value.len())]) else { continue };
        match (level_of_word(*kind, word), word.as_bytes().first()) {
            (Some(level), Some(b'0'..=b'9')) => of_number = of_number.or(Some(level)),
            (Some(level), _) => return Some(level),
            (None, _) => {}
        }
    }
    of_number
}

fn is_part_of_key(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

/// The status of `… [20/Nov/2026:06:47:13 +0000] "GET /path HTTP/1.1" 503 …`.
fn of_access_log(head: &[u8]) -> Option<Level> {
    let after_time = memchr::memchr_iter(b'"', head).find(|quote| head[..*quote].ends_with(b"] "))? + 1;
    let is_time = head[..after_time].iter().filter(|b| **b == b':').count() >= 3;
    let quote = after_time + memchr::memchr(b'"', &head[after_time..])?;
    let status = head.get(quote + 2..quote + 5)?;
    let ends = head.get(quote + 5).is_none_or(|b| *b == b' ');
    if !is_time || !ends || head[quote + 1] != b' ' || !status.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let status = status.iter().fold(0i64, |sum, b| sum * 10 + i64::from(b - b'0'));
    Level::of_http_status(status)
}

/// `DEBUG-4`, `WARN+2`, `ERROR+4` of Go's slog, whose levels are four apart.
fn of_distance(word: &str) -> Option<Level> {
    let at = word.find(['+', '-'])?;
    let base = match &word[..at] {
        "DEBUG" => -4,
        "INFO" => 0,
        "WARN" => 4,
        "ERROR" => 8,
        _ => return None,
    };
    Some(match base + word[at..].parse::<i16>().ok()? {
        ..-4 => Level::Trace,
        -4..0 => Level::Debug,
        0..4 => Level::Info,
        4..8 => Level::Warn,
        8..12 => Level::Error,
        12.. => Level::Fatal,
    })
}

#[cfg(test)]
mod tests;
