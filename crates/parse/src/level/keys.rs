//! The level that a key in a text says.

use types::Level;

use super::field::{LevelField, level_of_word};

/// Keys whose value is a level.
pub(super) const KEYS: [(&[u8], LevelField); 6] = [
    (b"level", LevelField::Named),
    (b"severity", LevelField::Severity),
    (b"prio", LevelField::Named),
    (b"pri", LevelField::Severity),
    (b"lvl", LevelField::Named),
    // Heroku and Python's logfmter write the name of a level here, never a number.
    (b"at", LevelField::Nested),
];

/// `level=warn`, `severity="error"`, where the key is not the end of a longer word. A word wins over a number: what a
/// number means differs from program to program.
pub(super) fn of_keys(head: &[u8]) -> Option<Level> {
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
            (_, Some(b'0'..=b'9')) if *kind == LevelField::Nested => {}
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
