//! JSON in lines of logs, read member by member as far as it goes.
//!
//! A line may be cut off, hold control characters or numbers that are none. What precedes a mistake is read all the same, and
//! the mistake is named. Which mistakes there are, and how they are called, is what clients of Loki expect. The text of a
//! string is left to `serde_json`; here is only found where it ends.

use std::borrow::Cow;

/// A mistake in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonMistake {
    /// A key, a colon or a value is missing.
    Malformed,
    /// An object does not end, or is none.
    Object,
    /// An array does not end, or what should separate members is missing.
    Array,
    /// A string does not end.
    String,
    /// A key has an escape that is none.
    Escape,
    /// A value is no string, number, boolean, `null`, array or object.
    Value,
}

impl JsonMistake {
    /// The mistake in the words of Loki's label `__error_details__`.
    pub fn details(self) -> &'static str {
        match self {
            Self::Malformed => "Malformed JSON error",
            Self::Object => "Value looks like object, but can't find closing '}' symbol",
            Self::Array => "Value is array, but can't find closing ']' symbol",
            Self::String => "Value is string, but can't find closing '\"' symbol",
            Self::Escape => "Encountered an invalid escape sequence in a string",
            Self::Value => "Unknown value type",
        }
    }
}

/// A value of JSON as it is spelt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonToken<'a> {
    /// A string without its quotes, its escapes as they are.
    Text(&'a str),
    /// A number, `true` or `false`.
    Plain(&'a str),
    /// `null`.
    Null,
    /// An array, with its brackets.
    Array(&'a str),
    /// An object, with its brackets.
    Object(&'a str),
}

const SPACES: [char; 4] = [' ', '\n', '\r', '\t'];

/// The text without spaces at its start.
pub fn json_trimmed(text: &str) -> &str {
    text.trim_start_matches(SPACES)
}

/// Reads a value at the start of `text`; returns it and the number of bytes it takes.
///
/// Errors: the mistake that keeps it from being a value.
pub fn json_value(text: &str) -> Result<(JsonToken<'_>, usize), JsonMistake> {
    let rest = json_trimmed(text);
    let start = text.len() - rest.len();
    match rest.as_bytes().first() {
        None => Err(JsonMistake::Malformed),
        Some(b'"') => {
            let end = json_text_end(&rest[1..]).ok_or(JsonMistake::String)?;
            Ok((JsonToken::Text(&rest[1..=end]), start + end + 2))
        }
        Some(b'[') => {
            let end = block_end(rest, b'[', b']').ok_or(JsonMistake::Array)?;
            Ok((JsonToken::Array(&rest[..end]), start + end))
        }
        Some(b'{') => {
            let end = block_end(rest, b'{', b'}').ok_or(JsonMistake::Object)?;
            Ok((JsonToken::Object(&rest[..end]), start + end))
        }
        Some(first) => {
            let end = rest.find([' ', '\n', '\r', '\t', ',', '}', ']']).unwrap_or(rest.len());
            let spelt = &rest[..end];
            match spelt {
                "null" => Ok((JsonToken::Null, start + end)),
                "true" | "false" => Ok((JsonToken::Plain(spelt), start + end)),
                _ if first.is_ascii_digit() || *first == b'-' => Ok((JsonToken::Plain(spelt), start + end)),
                _ => Err(JsonMistake::Value),
            }
        }
    }
}

/// Where a string ends, given what follows its first quote.
pub fn json_text_end(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    text.bytes().position(|byte| {
        let is_end = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        is_end
    })
}

/// The number of bytes of a value in brackets.
fn block_end(text: &str, open: u8, close: u8) -> Option<usize> {
    let (mut at, mut depth, bytes) = (0, 0_usize, text.as_bytes());
    while let Some(byte) = bytes.get(at) {
        if *byte == b'"' {
            at += json_text_end(&text[at + 1..])? + 1;
        } else if *byte == open {
            depth += 1;
        } else if *byte == close {
            depth -= 1;
            if depth == 0 {
                return Some(at + 1);
            }
        }
        at += 1;
    }
    None
}

/// The text of a string without its escapes; `None` if one of them is none. Control characters and
/// quotes may be there as they are.
pub fn json_text(inner: &str) -> Option<Cow<'_, str>> {
    if !inner.contains('\\') {
        return Some(Cow::Borrowed(inner));
    }
    let mut quoted = String::with_capacity(inner.len() + 2);
    quoted.push('"');
    let mut is_escaped = false;
    for c in inner.chars() {
        match c {
            c if c < ' ' => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
            '"' if !is_escaped => quoted.push_str("\\\""),
            c => quoted.push(c),
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    quoted.push('"');
    serde_json::from_str(&quoted).ok().map(Cow::Owned)
}

/// Reads a key and the colon after it; returns the key, and what follows.
///
/// Errors: what stands there instead.
pub fn json_key(text: &str) -> Result<(Cow<'_, str>, &str), JsonMistake> {
    let key = text.strip_prefix('"').ok_or(JsonMistake::Object)?;
    let end = json_text_end(key).ok_or(JsonMistake::Malformed)?;
    let name = json_text(&key[..end]).ok_or(JsonMistake::Escape)?;
    let rest = json_trimmed(&key[end + 1..]).strip_prefix(':').ok_or(JsonMistake::Malformed)?;
    Ok((name, rest))
}

/// What separates a member from the next one: its rest, or `None` where the object ends.
///
/// Errors: what stands there instead.
pub fn json_next(text: &str) -> Result<Option<&str>, JsonMistake> {
    let rest = json_trimmed(text);
    match rest.as_bytes().first() {
        Some(b'}') => Ok(None),
        Some(b',') => match json_trimmed(&rest[1..]) {
            "" => Err(JsonMistake::Array),
            next if next.starts_with('}') => Ok(None),
            next => Ok(Some(next)),
        },
        Some(_) => Err(JsonMistake::Object),
        None => Err(JsonMistake::Array),
    }
}

/// Hands over the members of the object that `text` begins with, until one is a mistake or `each` wants no more.
///
/// Errors: the mistake, or what `each` gives.
pub fn json_members<'a, E: From<JsonMistake>>(
    text: &'a str,
    each: &mut dyn FnMut(Cow<'a, str>, JsonToken<'a>) -> Result<(), E>,
) -> Result<(), E> {
    let mut rest = json_trimmed(json_trimmed(text).strip_prefix('{').ok_or(JsonMistake::Object)?);
    types::ensure!(!rest.is_empty(), JsonMistake::Malformed.into());
    while !rest.starts_with('}') {
        let (name, value) = json_key(rest)?;
        let (token, n_bytes) = json_value(value)?;
        each(name, token)?;
        match json_next(&value[n_bytes..])? {
            Some(next) => rest = next,
            None => break,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
