//! `key=value` pairs, values in quotes where they have blanks.

use super::parts::PartSink;

/// Reads the pairs of a text and passes over words that are none; a text without a pair is of another form.
pub(crate) fn read<'t>(line: &'t str, found: &mut PartSink<'t, '_>) -> Option<()> {
    let mut n_pairs = 0;
    each(line, |pair| {
        if let Some((key, value, is_escaped)) = pair {
            found.pair(key, value, is_escaped);
            n_pairs += 1;
        }
        true
    });
    (n_pairs > 0).then_some(())
}

/// Whether a line is pairs from end to end, one of which has a name that lines of logs have.
pub(super) fn is_all_pairs(line: &str) -> bool {
    const USUAL: [&str; 8] = ["level", "lvl", "msg", "message", "time", "ts", "severity", "t"];
    let (mut n_pairs, mut is_usual) = (0, false);
    each(line, |pair| {
        let is_pair = pair.is_some_and(|(key, ..)| is_key(key));
        is_usual |= pair.is_some_and(|(key, ..)| USUAL.contains(&key));
        n_pairs = if is_pair { n_pairs + 1 } else { 0 };
        is_pair
    }) && n_pairs >= 2
        && is_usual
}

fn is_key(key: &str) -> bool {
    key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'@' | b'/'))
}

/// Gives `take` each pair, or `None` for a word that is none, until it says that it has enough; returns whether it
/// never did.
fn each<'t>(line: &'t str, mut take: impl FnMut(Option<(&'t str, &'t str, bool)>) -> bool) -> bool {
    let mut rest = line.trim_start();
    while !rest.is_empty() {
        let end = rest.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(rest.len());
        let key = &rest[..end];
        let Some(after) = rest[end..].strip_prefix('=') else {
            if !take(None) {
                return false;
            }
            rest = rest[end..].trim_start();
            continue;
        };
        let (value, is_escaped, tail) = match after.strip_prefix('"') {
            Some(quoted) => quoted_value(quoted),
            None => {
                let end = after.find(char::is_whitespace).unwrap_or(after.len());
                (&after[..end], false, &after[end..])
            }
        };
        if !take((!key.is_empty()).then_some((key, value, is_escaped))) {
            return false;
        }
        rest = tail.trim_start();
    }
    true
}

/// The text up to the closing quote, whether it has escapes, and what comes after it.
fn quoted_value(quoted: &str) -> (&str, bool, &str) {
    let bytes = quoted.as_bytes();
    let (mut at, mut is_escaped) = (0, false);
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        at += found;
        if bytes[at] == b'"' {
            return (&quoted[..at], is_escaped, &quoted[at + 1..]);
        }
        is_escaped = true;
        at += 2;
    }
    (quoted, is_escaped, "")
}
