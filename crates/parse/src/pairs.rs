//! Pairs of keys and values as Loki reads them: `level=info msg="said \"hi\"" alone`.

use std::borrow::Cow;

use crate::lenient::{json_text, json_text_end};

/// Reads a pair, or a key alone; leaves `at` behind it, or at the mistake.
pub fn logfmt_pair<'a>(line: &'a str, at: &mut usize) -> Result<(&'a str, Cow<'a, str>), String> {
    let bytes = line.as_bytes();
    let until = |from: usize, is_end: fn(u8) -> bool| {
        bytes[from..].iter().position(|byte| is_end(*byte)).map_or(bytes.len(), |length| from + length)
    };
    let start = *at;
    let end = until(start, |byte| byte <= b' ' || byte == b'=' || byte == b'"');
    *at = end;
    let key = &line[start..end];
    match bytes.get(end) {
        Some(b'=' | ..=b' ') | None if key.contains('\u{fffd}') => return Err("invalid key".to_owned()),
        Some(b'"') => return Err("unexpected '\"'".to_owned()),
        Some(b'=') if key.is_empty() => return Err("unexpected '='".to_owned()),
        Some(b'=') => {}
        _ => return Ok((key, Cow::Borrowed(""))),
    }
    *at += 1;
    if bytes.get(*at) == Some(&b'"') {
        let inner = &line[*at + 1..];
        let Some(length) = json_text_end(inner) else {
            *at = bytes.len();
            return Err("unterminated quoted value".to_owned());
        };
        *at += length + 2;
        let inner = &inner[..length];
        return unquoted(inner).map(|value| (key, value)).ok_or_else(|| "invalid quoted value".to_owned());
    }
    let from = *at;
    let end = until(from, |byte| byte <= b' ' || byte == b'=' || byte == b'"');
    *at = end;
    match bytes.get(end) {
        Some(byte) if *byte > b' ' => Err(format!("unexpected {:?}", char::from(*byte))),
        _ => Ok((key, Cow::Borrowed(&line[from..end]))),
    }
}

/// A value without its escapes: those of JSON, and `\'`.
fn unquoted(inner: &str) -> Option<Cow<'_, str>> {
    if !inner.contains("\\'") {
        return json_text(inner);
    }
    let (mut text, mut is_escaped) = (String::with_capacity(inner.len()), false);
    for c in inner.chars() {
        if is_escaped && c == '\'' {
            text.pop();
        }
        is_escaped = c == '\\' && !is_escaped;
        text.push(c);
    }
    json_text(&text).map(|text| Cow::Owned(text.into_owned()))
}

#[cfg(test)]
mod tests;
