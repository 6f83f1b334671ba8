//! JSON texts as values and back.
//!
//! A parser of our own, because numbers must keep what the sender wrote: whole numbers beyond `i64` stay text
//! with their digits, as they do in events.

use std::collections::HashMap;
use std::sync::Arc;

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
    let mut parser = Parser { text, at: 0 };
    let value = parser.value(0)?;
    parser.skip_space();
    if parser.at == text.len() { value } else { None }
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

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, wanted: u8) -> Option<()> {
        self.skip_space();
        (self.peek()? == wanted).then(|| self.at += 1)
    }

    fn word(&mut self, word: &str) -> Option<()> {
        self.text[self.at..].starts_with(word).then(|| self.at += word.len())
    }

    /// Returns the next value; the inner `None` is `null`, the outer one that there is none.
    fn value(&mut self, depth: usize) -> Option<Option<Value>> {
        self.skip_space();
        Some(Some(match self.peek()? {
            b'{' | b'[' if depth >= DEPTH_MAX => return None,
            b'{' => self.object(depth)?,
            b'[' => self.list(depth)?,
            b'"' => Value::text(self.string()?),
            b't' => self.word("true").map(|()| Value::Boolean(true))?,
            b'f' => self.word("false").map(|()| Value::Boolean(false))?,
            b'n' => return self.word("null").map(|()| None),
            _ => self.number()?,
        }))
    }

    fn list(&mut self, depth: usize) -> Option<Value> {
        self.take(b'[')?;
        let mut items = Vec::new();
        if self.take(b']').is_some() {
            return Some(Value::List(items.into()));
        }
        loop {
            items.push(self.value(depth + 1)?);
            if self.take(b',').is_none() {
                self.take(b']')?;
                return Some(Value::List(items.into()));
            }
        }
    }

    /// Of equal names the last wins, in the place of the first.
    fn object(&mut self, depth: usize) -> Option<Value> {
        self.take(b'{')?;
        let mut members: Vec<(Arc<str>, Option<Value>)> = Vec::new();
        let mut places: HashMap<Arc<str>, usize> = HashMap::new();
        if self.take(b'}').is_some() {
            return Some(Value::Object(members.into()));
        }
        loop {
            self.skip_space();
            let name: Arc<str> = self.string()?.into();
            self.take(b':')?;
            let value = self.value(depth + 1)?;
            match places.get(&name) {
                Some(place) => members[*place].1 = value,
                None => {
                    places.insert(name.clone(), members.len());
                    members.push((name, value));
                }
            }
            if self.take(b',').is_none() {
                self.take(b'}')?;
                return Some(Value::Object(members.into()));
            }
        }
    }

    fn string(&mut self) -> Option<String> {
        let start = self.at;
        if self.peek()? != b'"' {
            return None;
        }
        self.at += 1;
        let mut is_plain = true;
        loop {
            match self.peek()? {
                b'"' => break,
                b'\\' => {
                    is_plain = false;
                    self.at += 2;
                }
                0..0x20 => return None,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        if is_plain {
            return Some(self.text[start + 1..self.at - 1].to_owned());
        }
        serde_json::from_str(self.text.get(start..self.at)?).ok()
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        self.at - start
    }

    fn number(&mut self) -> Option<Value> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let has_zero = self.peek() == Some(b'0');
        let n_digits = self.digits();
        if n_digits == 0 || (has_zero && n_digits > 1) {
            return None;
        }
        let mut is_whole = true;
        if self.peek() == Some(b'.') {
            self.at += 1;
            is_whole = false;
            (self.digits() > 0).then_some(())?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            is_whole = false;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            (self.digits() > 0).then_some(())?;
        }
        let digits = &self.text[start..self.at];
        if is_whole {
            return Some(digits.parse().map_or_else(|_| Value::text(digits), Value::Integer));
        }
        let number: f64 = digits.parse().ok()?;
        Some(if number.is_finite() { Value::Float(number) } else { Value::text(digits) })
    }
}

#[cfg(test)]
mod tests;
