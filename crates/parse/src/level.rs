//! The canonical level of an event, from its fields or its text.

use types::{Level, Value};

/// Words of a text among which a level word counts.
const WORDS_MAX: usize = 8;

/// Bytes of a text in which the key `level=` and the level word are looked for.
const HEAD_BYTES_MAX: usize = 1024;

/// What kind of level a field of some name holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LevelField {
    /// Names and the numbers 10 to 60.
    Named,
    /// The same, and syslog's numbers 0 to 7.
    Severity,
    /// OTLP's numbers 1 to 24.
    OtlpNumber,
}

/// Tells whether a field of this name holds a level, whatever the case of its letters.
pub(crate) fn level_field(name: &str) -> Option<LevelField> {
    let last = *name.as_bytes().last()?;
    // The journal's; in lower case it says anything.
    if name == "PRIORITY" {
        return Some(LevelField::Severity);
    }
    if !matches!(last | 0x20, b'l' | b'y' | b'e' | b't' | b'r') || name.len() > 15 {
        return None;
    }
    let is = |known: &[&str]| known.iter().any(|known| name.eq_ignore_ascii_case(known));
    if is(&["level", "lvl", "loglevel", "log_level", "log.level", "levelname", "level_name"]) {
        Some(LevelField::Named)
    } else if is(&["severity", "severity_text", "severitytext", "log.severity"]) {
        Some(LevelField::Severity)
    } else if is(&["severity_number", "severitynumber"]) {
        Some(LevelField::OtlpNumber)
    } else {
        None
    }
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
    let word = text.trim();
    match word.parse() {
        Ok(number) => level_of_number(kind, number),
        Err(_) => Level::parse(word),
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

/// The level that a text says by its form: a known prefix, a key `level=`, or a level word among the first
/// eight words that is bracketed or in upper case. Never a word of prose.
pub fn level_of_text(text: &str) -> Option<Level> {
    let head = &text.as_bytes()[..text.len().min(HEAD_BYTES_MAX)];
    let head = head.split(|b| *b == b'\n').next().unwrap_or(head);
    of_prefix(head).or_else(|| of_key(head)).or_else(|| of_access_log(head)).or_else(|| of_words(head))
}

/// klog `E1120 …`, syslog `<34>…`, logcat `11-20 06:47:13.811 1702 2395 D …`, `date time, Info  …`.
fn of_prefix(head: &[u8]) -> Option<Level> {
    match head.first()? {
        letter @ (b'I' | b'W' | b'E' | b'F') if head.len() > 5 && head[1..5].iter().all(u8::is_ascii_digit) => {
            (head[5] == b' ' && head.get(6).is_none_or(|b| b.is_ascii_digit() || *b == b' '))
                .then(|| of_letter(*letter))?
        }
        b'<' => {
            let n_digits = head[1..].iter().take(4).take_while(|b| b.is_ascii_digit()).count();
            let is_priority = (1..=3).contains(&n_digits) && head.get(1 + n_digits) == Some(&b'>');
            let priority = head[1..1 + n_digits].iter().fold(0u16, |sum, b| sum * 10 + u16::from(b - b'0'));
            if is_priority && priority <= 191 { Level::of_syslog((priority % 8) as u8) } else { None }
        }
        b'0'..=b'9' if head.get(5) == Some(&b' ') && head.get(2) == Some(&b'-') => {
            let mut words = head.split(|b| *b == b' ').filter(|word| !word.is_empty()).skip(2);
            let is_number = |word: Option<&[u8]>| word.is_some_and(|word| word.iter().all(u8::is_ascii_digit));
            if !is_number(words.next()) || !is_number(words.next()) {
                return None;
            }
            let letter = words.next().filter(|word| word.len() == 1)?;
            of_letter(letter[0])
        }
        b'0'..=b'9' if head.get(19..21) == Some(b", ") => {
            let word = head[21..].split(|b| *b == b' ').next()?;
            let is_column = head.get(21 + word.len()..23 + word.len()) == Some(b"  ");
            if is_column { level_word(word) } else { None }
        }
        _ => None,
    }
}

fn of_letter(letter: u8) -> Option<Level> {
    Some(match letter {
        b'V' => Level::Trace,
        b'D' => Level::Debug,
        b'I' => Level::Info,
        b'W' => Level::Warn,
        b'E' => Level::Error,
        b'F' => Level::Fatal,
        _ => return None,
    })
}

/// `level=warn`, `severity="error"`, where the key is not the end of a longer word.
fn of_key(head: &[u8]) -> Option<Level> {
    for equals in memchr::memchr_iter(b'=', head) {
        let Some(key) = ["level", "severity"].iter().find(|key| {
            let start = equals.wrapping_sub(key.len());
            head.get(start..equals).is_some_and(|found| found.eq_ignore_ascii_case(key.as_bytes()))
        }) else {
            continue;
        };
        let before = equals.checked_sub(key.len() + 1).map(|at| head[at]);
        if before.is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.')) {
            continue;
        }
        let value = &head[equals + 1..];
        let value = value.strip_prefix(b"\"").or_else(|| value.strip_prefix(b"'")).unwrap_or(value);
        let end = value.iter().position(|b| !b.is_ascii_alphanumeric() && *b != b'-').unwrap_or(value.len());
        let level = std::str::from_utf8(&value[..end]).ok().and_then(|word| level_of_word(LevelField::Severity, word));
        if level.is_some() {
            return level;
        }
    }
    None
}

/// The status of `… [20/Nov/2026:06:47:13 +0000] "GET /path HTTP/1.1" 503 …`.
fn of_access_log(head: &[u8]) -> Option<Level> {
    let after_time = memchr::memmem::find(head, b"] \"")? + 3;
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

fn of_words(head: &[u8]) -> Option<Level> {
    let words = head.split(|b| matches!(b, b' ' | b'\t' | b'|')).filter(|w| w.iter().any(u8::is_ascii_alphanumeric));
    for (i, word) in words.take(WORDS_MAX).enumerate() {
        let level = of_brackets(word).or_else(|| of_upper_case(word, i == 0));
        if level.is_some() {
            return level;
        }
    }
    None
}

/// `[error]`, `(warn)`, `<notice>`, `[core:error]`, also with the bracket at a neighbouring word: `[WARN`.
fn of_brackets(word: &[u8]) -> Option<Level> {
    let open = word.iter().position(|b| matches!(b, b'[' | b'(' | b'<'))?;
    let inside = &word[open + 1..];
    let close = inside.iter().position(|b| matches!(b, b']' | b')' | b'>'))?;
    let inside = &inside[..close];
    let last = inside.rsplit(|b| *b == b':').next().unwrap_or(inside);
    level_word(last)
}

/// `ERROR`, `WARN:`, `"INFO",`; as the very first word also `ERROR:module:text`.
fn of_upper_case(word: &[u8], is_first: bool) -> Option<Level> {
    let is_edge = |b: &u8| !b.is_ascii_alphanumeric() && !matches!(b, b'/' | b'=' | b'\\' | b'.' | b'-' | b'_' | b'?');
    let start = word.iter().position(|b| !is_edge(b))?;
    let end = word.iter().rposition(|b| !is_edge(b))? + 1;
    let mut core = &word[start..end];
    if is_first && let Some(colon) = core.iter().position(|b| *b == b':') {
        core = &core[..colon];
    }
    let is_upper = core.iter().all(u8::is_ascii_uppercase);
    if is_upper { level_word(core) } else { None }
}

/// A level spelled with letters; numbers are levels only in fields.
fn level_word(word: &[u8]) -> Option<Level> {
    if !word.iter().all(u8::is_ascii_alphabetic) {
        return None;
    }
    Level::parse(std::str::from_utf8(word).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<Level>) {
        assert_eq!(level_of_text(text), expected, "{text}");
    }

    #[test]
    fn a_text_says_its_level_by_its_form() {
        check("2026-11-20 06:47:13,123 WARN  [main] slow", Some(Level::Warn));
        check("[Fri Nov 20 06:47:13 2026] [error] [client 9.9.9.9] x", Some(Level::Error));
        check("[Fri Nov 20 06:47:13.25 2026] [core:notice] x", Some(Level::Info));
        check("2026/11/20 06:47:13 [crit] 7#7: x", Some(Level::Fatal));
        check("ERROR:root:it broke", Some(Level::Error));
        check("E1120 06:47:13.123456 12 file.go:7] x", Some(Level::Error));
        check("I1120 06:47:13.123456 12 file.go:7] ERROR x", Some(Level::Info));
        check("<34>Nov 20 06:47:13 host app: x", Some(Level::Fatal));
        check("11-20 06:47:13.811  1702  2395 D Tag: x", Some(Level::Debug));
        check("2026-11-20 06:47:13, Info                  CBS    x", Some(Level::Info));
        check("time=x level=warning msg=y", Some(Level::Warn));
        check("ts=1 severity=\"ERROR\" msg=y", Some(Level::Error));
        check("a b c d e f g level=30 x", Some(Level::Info));
        check("- 1117838570 2026.06.03 R02 2026-06-03-15.42.50 R02 RAS KERNEL FATAL x", Some(Level::Fatal));
        check("20261120-06:47:03:606|WARN|1|x", Some(Level::Warn));
    }

    #[test]
    fn an_access_log_has_the_level_of_its_status() {
        let line =
            |status: &str| format!("9.9.9.9 - - [20/Nov/2026:06:47:13 +0000] \"GET /ERROR HTTP/1.1\" {status} 5");
        check(&line("200"), Some(Level::Info));
        check(&line("404"), Some(Level::Warn));
        check(&line("503"), Some(Level::Error));
    }

    #[test]
    fn prose_has_no_level() {
        check("0 errors found", None);
        check("GET /error.html", None);
        check("an error occurred", None);
        check("Info about things", None);
        check("one two three four five six seven eight ERROR", None);
        check("zlevel=error", None);
        check("compression_level=50", None);
        check("loaded /var/ERROR/x ERROR-7", None);
        check("", None);
        check("<999>x", None);
        check("<", None);
    }

    #[test]
    fn fields_say_levels_by_name_and_number() {
        let check = |name: &str, value: Value, expected| assert_eq!(level_of_field(name, &value), expected, "{name}");
        check("level", Value::text("Warning"), Some(Level::Warn));
        check("LogLevel", Value::text(" err "), Some(Level::Error));
        check("level", Value::Integer(20), Some(Level::Debug));
        check("level", Value::Integer(3), None);
        check("severity", Value::Integer(3), Some(Level::Error));
        check("severity", Value::text("NOTICE"), Some(Level::Info));
        check("SeverityNumber", Value::Integer(17), Some(Level::Error));
        check("severity_number", Value::Integer(1), Some(Level::Trace));
        check("levels", Value::text("error"), None);
        check("message", Value::text("error"), None);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_looked_at_without_panic(text in "\\PC{0,60}", form in "[<\\[(]?[A-Za-z0-9=:,\" -]{0,40}") {
            let _ = level_of_text(&text);
            let _ = level_of_text(&form);
        }
    }
}
