//! Insights tokens to values: names, texts with escapes, numbers, regular expressions.

use pest::iterators::Pair;
use types::Value;

use super::grammar::Rule;
use super::reader::Reader;
use super::syntax::{Name, Pattern};
use crate::grammar::span_of;
use plan::{Result, Span};

/// Returns a name without its backticks.
pub(crate) fn name(pair: &Pair<'_, Rule>) -> Name {
    let written = pair.as_str();
    let text = written.strip_prefix('`').and_then(|inner| inner.strip_suffix('`')).unwrap_or(written);
    Name { text: text.to_owned(), span: span_of(pair) }
}

/// Returns a text in quotes, with its escapes resolved.
pub(crate) fn string(reader: &Reader<'_>, pair: &Pair<'_, Rule>) -> Result<String> {
    let span = span_of(pair);
    let written = pair.as_str();
    let inner = written.get(1..written.len().saturating_sub(1)).unwrap_or_default();
    let mut text = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        let escape = &rest[at + 1..];
        let escape_start = span.start + 1 + (inner.len() - rest.len()) + at;
        if let Some(code) = escape.strip_prefix("u{") {
            let end = code.find('}').unwrap_or(code.len());
            let character = u32::from_str_radix(&code[..end], 16).ok().and_then(char::from_u32);
            let Some(character) = character.filter(|_| end < code.len()) else {
                let bad = Span { start: escape_start, end: escape_start + 3 + end };
                return Err(reader
                    .error("bad-escape", "this is no character", bad)
                    .with_hint("write \\u{…} with the hexadecimal number of a character, such as \\u{1F30B}"));
            };
            text.push(character);
            rest = &code[end + 1..];
            continue;
        }
        let Some(character) = escape.chars().next() else { break };
        match character {
            'n' => text.push('\n'),
            't' => text.push('\t'),
            'r' => text.push('\r'),
            '"' | '\'' | '\\' => text.push(character),
            // `"\d+"` is what people write for a regular expression in quotes: the backslash stays.
            other => text.extend(['\\', other]),
        }
        rest = &escape[character.len_utf8()..];
    }
    text.push_str(rest);
    Ok(text)
}

/// Returns a number: whole ones exactly, beyond i64 as text with their digits, which compares as a number.
pub(crate) fn number(reader: &Reader<'_>, pair: &Pair<'_, Rule>) -> Result<Value> {
    let written = pair.as_str();
    if written.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(whole_number(written));
    }
    match written.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(Value::Float(number)),
        _ => Err(reader.error("number-too-large", "this number is too large", span_of(pair))),
    }
}

/// Returns a whole number given by an optional `-` and digits.
pub(crate) fn whole_number(digits: &str) -> Value {
    digits.parse().map_or_else(|_| Value::text(digits), Value::Integer)
}

/// Returns what `like`, `=~`, `!~` and `parse` look for. A text in quotes is no regular expression yet.
pub(crate) fn pattern(reader: &Reader<'_>, pair: &Pair<'_, Rule>) -> Result<Pattern> {
    let span = span_of(pair);
    if pair.as_rule() == Rule::string {
        return Ok(Pattern {
            text: string(reader, pair)?,
            is_regex: false,
            is_phrase: false,
            ignores_case: false,
            span,
        });
    }
    let written = pair.as_str();
    let ignores_case = !written.ends_with('/');
    let end = if ignores_case { written.len() - 2 } else { written.len() - 1 };
    Ok(Pattern {
        text: without_escaped_slashes(&written[1..end]),
        is_regex: true,
        is_phrase: false,
        ignores_case,
        span,
    })
}

fn without_escaped_slashes(source: &str) -> String {
    let mut text = String::with_capacity(source.len());
    let mut characters = source.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some('/') => text.push('/'),
                Some(other) => text.extend(['\\', other]),
                None => text.push('\\'),
            },
            other => text.push(other),
        }
    }
    text
}
