//! Texts that several functions make. Go's texts are bytes: where one is cut inside a character, the rest of it is U+FFFD.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use regex::Regex;

use crate::value::Value;

/// Longest text that a function may make.
pub const TEXT_BYTES_MAX: usize = 1 << 20;

/// What is escaped in the query of an address, where a space becomes a plus.
const ESCAPED_IN_QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b' ');

/// Returns the error of a text that is too long.
pub fn too_long() -> String {
    format!("text of more than {TEXT_BYTES_MAX} bytes")
}

/// Returns bytes as a text.
pub fn of_bytes(bytes: &[u8]) -> Value {
    String::from_utf8_lossy(bytes).as_ref().into()
}

/// Returns each word with its first letter as a capital.
pub fn title(text: &str) -> String {
    let mut before = ' ';
    let capital = |c: char| {
        let is_start = !(before.is_alphanumeric() || before == '_') && (before.is_ascii() || before.is_whitespace());
        before = c;
        if is_start { c.to_uppercase().next().unwrap_or(c) } else { c }
    };
    text.chars().map(capital).collect()
}

/// Returns a text as part of the query of an address.
pub fn url_encoded(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED_IN_QUERY).to_string().replace(' ', "+")
}

/// Returns a text for HTML.
pub(crate) fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\0' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// Returns a text inside a string of JavaScript.
pub(crate) fn js(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '\'' | '"' => out.extend(['\\', c]),
            '<' | '>' | '&' | '=' => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c if c.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

/// Replaces all matches by what `replacement` adds for each.
///
/// # Errors
/// The text becomes too long.
pub fn replaced(
    regex: &Regex,
    text: &str,
    replacement: impl Fn(&regex::Captures<'_>, &mut String),
) -> Result<Value, String> {
    let (mut out, mut last) = (String::new(), 0);
    for found in regex.captures_iter(text) {
        let whole = found.get_match();
        out.push_str(&text[last..whole.start()]);
        replacement(&found, &mut out);
        last = whole.end();
        if out.len() > TEXT_BYTES_MAX {
            return Err(too_long());
        }
    }
    out.push_str(&text[last..]);
    Ok(out.into())
}
