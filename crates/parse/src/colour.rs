//! Escape sequences that colour a terminal: `ESC [ 1 ; 31 m` (ECMA-48, SGR).

use std::borrow::Cow;

const ESCAPE: u8 = 0x1b;

/// Most bytes of parameters in a sequence.
const PARAMETERS_MAX: usize = 24;

/// Where the text goes on behind the sequence that begins at `at`; behind the escape where it begins none. A boundary of
/// characters, if `at` is one.
pub(crate) fn end(text: &[u8], at: usize) -> usize {
    if text.get(at + 1) != Some(&b'[') {
        return at + 1;
    }
    let parameters = text[at + 2..].iter().take(PARAMETERS_MAX);
    let end = at + 2 + parameters.take_while(|byte| matches!(byte, b'0'..=b'9' | b';' | b':' | b'?')).count();
    end + usize::from(text.get(end).is_some_and(u8::is_ascii_alphabetic))
}

/// A text without colours at its beginning.
pub(crate) fn without_leading(mut text: &[u8]) -> &[u8] {
    while text.starts_with(b"\x1b[") {
        text = &text[end(text, 0)..];
    }
    text
}

/// A text without any colours.
pub(crate) fn without(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let Some(mut at) = memchr::memchr(ESCAPE, bytes) else { return Cow::Borrowed(text) };
    let mut out = String::with_capacity(text.len());
    out.push_str(&text[..at]);
    loop {
        let start = end(bytes, at);
        at = memchr::memchr(ESCAPE, &bytes[start..]).map_or(text.len(), |found| start + found);
        out.push_str(&text[start..at]);
        if at == text.len() {
            return Cow::Owned(out);
        }
    }
}

#[cfg(test)]
mod tests;
