//! JSON texts as values and back.
//!
//! Not by serde's, because numbers must keep what the sender wrote: whole numbers beyond `i64` stay text with their
//! digits, as they do in events.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use parse::JsonCursor;
use types::Value;

use crate::columns::cell::Cell;
use plan::Function;
use plan::function::SELECTOR_ANY;

/// Deepest nesting that is read; a deeper text is no value.
const DEPTH_MAX: usize = 128;

/// Returns the value of a function of one value.
pub(super) fn scalar(function: Function, cell: Cell<'_>) -> Option<Value> {
    match function {
        Function::JsonStringify => {
            let mut text = String::new();
            cell.to_value()?.write_json(&mut text);
            Some(Value::text(text))
        }
        Function::ArrayLength => match cell {
            Cell::Nested(Value::List(items)) => Some(Value::Integer(items.len() as i64)),
            _ => None,
        },
        _ => None,
    }
}

/// Reads a JSON text (RFC 8259); `None` for `null` and for what is no JSON.
pub fn parse(text: &str) -> Option<Value> {
    let mut cursor = JsonCursor::new(text);
    let value = next(&mut cursor, 0)?;
    if cursor.peek().is_none() { value } else { None }
}

/// Reports whether a JSON text holds `null` at `path` (`a.0.b`); never for what is no JSON.
pub(super) fn is_null(text: &str, path: &str) -> bool {
    // Most texts need no reading: `null` stands nowhere in them.
    text.contains("null") && parse(text).is_some_and(|value| is_null_at(&value, path))
}

/// Adds to `found` the values that are neither list nor object at the end of a path in a JSON text; none where the text
/// is no JSON.
pub fn select(text: &str, path: &[&str], found: &mut Vec<Option<Value>>) {
    if text.trim_start().starts_with(['{', '['])
        && let Some(value) = parse(text)
    {
        select_at(&value, path, found);
    }
}

fn select_at(value: &Value, path: &[&str], found: &mut Vec<Option<Value>>) {
    let Some((step, rest)) = path.split_first() else {
        if !matches!(value, Value::List(_) | Value::Object(_)) {
            found.push(Some(value.clone()));
        }
        return;
    };
    match value {
        Value::List(items) if *step == SELECTOR_ANY => {
            items.iter().flatten().for_each(|item| select_at(item, rest, found));
        }
        Value::List(items) => {
            let item = step.parse().ok().and_then(|index: usize| items.get(index));
            item.into_iter().flatten().for_each(|item| select_at(item, rest, found));
        }
        Value::Object(members) if *step == SELECTOR_ANY => {
            members.iter().filter_map(|(_, member)| member.as_ref()).for_each(|member| select_at(member, rest, found));
        }
        // The last of equal names wins.
        Value::Object(members) => {
            let member = members.iter().rev().find(|(name, _)| **name == **step);
            member
                .and_then(|(_, member)| member.as_ref())
                .into_iter()
                .for_each(|member| select_at(member, rest, found));
        }
        _ => {}
    }
}

fn is_null_at(value: &Value, path: &str) -> bool {
    let (step, rest) = path.split_once('.').map_or((path, None), |(step, rest)| (step, Some(rest)));
    let below = |inner: Option<&Value>| match (inner, rest) {
        (None, None) => true,
        (Some(inner), Some(rest)) => is_null_at(inner, rest),
        _ => false,
    };
    match value {
        Value::List(items) => {
            step.parse().ok().and_then(|index: usize| items.get(index)).is_some_and(|item| below(item.as_ref()))
        }
        // A name may hold dots itself. The last of equal names wins.
        Value::Object(members) => {
            let whole = members.iter().rev().find(|(name, _)| **name == *path);
            let first = members.iter().rev().find(|(name, _)| **name == *step);
            whole.is_some_and(|(_, member)| member.is_none()) || first.is_some_and(|(_, member)| below(member.as_ref()))
        }
        _ => false,
    }
}

/// Returns the next value; the inner `None` is `null`, the outer one that there is none.
fn next(cursor: &mut JsonCursor<'_>, depth: usize) -> Option<Option<Value>> {
    Some(Some(match cursor.peek()? {
        b'{' | b'[' if depth >= DEPTH_MAX => return None,
        b'{' => object(cursor, depth)?,
        b'[' => list(cursor, depth)?,
        b'"' => Value::text(string(cursor)?),
        _ => match cursor.scalar().ok()? {
            "true" => Value::Boolean(true),
            "false" => Value::Boolean(false),
            "null" => return Some(None),
            digits => number(digits)?,
        },
    }))
}

fn list(cursor: &mut JsonCursor<'_>, depth: usize) -> Option<Value> {
    cursor.take(b'[');
    let mut items = Vec::new();
    while cursor.has_next(items.is_empty(), b']').ok()? {
        items.push(next(cursor, depth + 1)?);
    }
    Some(Value::List(items.into()))
}

/// Of equal names the last wins, in the place of the first.
fn object(cursor: &mut JsonCursor<'_>, depth: usize) -> Option<Value> {
    cursor.take(b'{');
    let mut members: Vec<(Arc<str>, Option<Value>)> = Vec::new();
    let mut places: HashMap<Arc<str>, usize> = HashMap::new();
    while cursor.has_next(members.is_empty(), b'}').ok()? {
        let name: Arc<str> = string(cursor)?.into();
        cursor.expect(b':', "").ok()?;
        let value = next(cursor, depth + 1)?;
        match places.get(&name) {
            Some(place) => members[*place].1 = value,
            None => {
                places.insert(name.clone(), members.len());
                members.push((name, value));
            }
        }
    }
    Some(Value::Object(members.into()))
}

/// A text in quotes, by the letter of RFC 8259: without control characters and halves of surrogate pairs.
fn string<'t>(cursor: &mut JsonCursor<'t>) -> Option<Cow<'t, str>> {
    if cursor.peek() != Some(b'"') {
        return None;
    }
    let written = cursor.skip().ok()?;
    match written.bytes().any(|byte| byte < 0x20 || byte == b'\\') {
        true => serde_json::from_str(written).ok().map(Cow::Owned),
        false => Some(Cow::Borrowed(&written[1..written.len() - 1])),
    }
}

fn number(digits: &str) -> Option<Value> {
    // More than these are numbers to Rust's own reading.
    let unsigned = digits.strip_prefix('-').unwrap_or(digits).as_bytes();
    if !matches!(unsigned, [b'0'] | [b'0', b'.' | b'e' | b'E', ..] | [b'1'..=b'9', ..]) {
        return None;
    }
    if unsigned.iter().all(u8::is_ascii_digit) {
        return Some(digits.parse().map_or_else(|_| Value::text(digits), Value::Integer));
    }
    if digits.split_once('.').is_some_and(|(_, after)| !after.starts_with(|c: char| c.is_ascii_digit())) {
        return None;
    }
    let number: f64 = digits.parse().ok()?;
    Some(if number.is_finite() { Value::Float(number) } else { Value::text(digits) })
}

#[cfg(test)]
mod tests;
