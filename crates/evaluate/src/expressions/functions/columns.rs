//! Columns of a text whose words are between blanks, as access logs have them.
//!
//! What is in square brackets or in double quotes is one column, without them. A column that is opened and never
//! closed takes the rest of the text.

use std::collections::VecDeque;

use types::Value;

/// Columns of one text that are looked at, from the start or from the end; no log has more.
const COLUMNS_MAX: usize = 1_024;

/// Returns the columns as a list.
pub(super) fn list(text: &str, is_reversed: bool) -> Value {
    let mut kept: VecDeque<&str> = VecDeque::new();
    for column in columns(text) {
        if kept.len() == COLUMNS_MAX {
            if !is_reversed {
                break;
            }
            kept.pop_front();
        }
        kept.push_back(column);
    }
    let value = |column: &str| Some(Value::text(column));
    let list: Vec<Option<Value>> = match is_reversed {
        true => kept.into_iter().rev().map(value).collect(),
        false => kept.into_iter().map(value).collect(),
    };
    Value::List(list.into())
}

/// Returns the columns one after the other.
fn columns(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text.trim();
    let next = move || {
        if rest.is_empty() {
            return None;
        }
        let closing = match rest.as_bytes()[0] {
            b'[' => Some(']'),
            b'"' => Some('"'),
            _ => None,
        };
        let (column, behind) = match closing {
            Some(closing) => rest[1..].split_once(closing).unwrap_or((&rest[1..], "")),
            None => rest.split_once(char::is_whitespace).unwrap_or((rest, "")),
        };
        rest = behind.trim_start();
        Some(column)
    };
    std::iter::from_fn(next)
}

#[cfg(test)]
mod tests;
