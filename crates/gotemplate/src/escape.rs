//! Escapes of texts in Go's syntax.

use std::fmt::Write;

/// Returns the character that an escape means, and how long the escape is without its backslash.
pub fn escaped(escape: &str) -> Option<(char, usize)> {
    let kind = escape.chars().next()?;
    let n_digits = match kind {
        'n' => return Some(('\n', 1)),
        't' => return Some(('\t', 1)),
        'r' => return Some(('\r', 1)),
        'a' => return Some(('\u{7}', 1)),
        'b' => return Some(('\u{8}', 1)),
        'f' => return Some(('\u{c}', 1)),
        'v' => return Some(('\u{b}', 1)),
        '\\' | '"' | '\'' => return Some((kind, 1)),
        '0'..='7' => {
            let code = u8::from_str_radix(escape.get(..3)?, 8).ok()?;
            return Some((char::from(code), 3));
        }
        'x' => 2,
        'u' => 4,
        'U' => 8,
        _ => return None,
    };
    let code = u32::from_str_radix(escape.get(1..=n_digits)?, 16).ok()?;
    Some((char::from_u32(code)?, n_digits + 1))
}

/// Returns a text in quotes with Go's escapes.
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\u{b}' => out.push_str("\\v"),
            c if c < ' ' || c == '\u{7f}' => _ = write!(out, "\\x{:02x}", u32::from(c)),
            c if c.is_control() => _ = write!(out, "\\u{:04x}", u32::from(c)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
