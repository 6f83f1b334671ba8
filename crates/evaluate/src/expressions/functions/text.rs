//! Functions of texts. Positions and lengths count code points.

use plan::Function;
use regex::Regex;
use types::Value;

use crate::columns::cell::Cell;
use crate::expressions::functions::output::TEXT_BYTES_MAX;
use pattern::mask;

/// Returns the value of a function whose arguments are all there.
pub(super) fn scalar(function: Function, cells: &[Cell<'_>]) -> Option<Value> {
    let text = cells[0].text()?;
    let argument = |index: usize| cells.get(index).and_then(|cell| cell.text());
    let whole = |index: usize| cells.get(index).and_then(|cell| cell.number()).map(|number| number.as_float());
    Some(match function {
        Function::ToString => Value::text(&*text),
        Function::TextLength => Value::Integer(text.chars().count() as i64),
        Function::ByteLength => Value::Integer(text.len() as i64),
        Function::Masked => Value::text(mask(&text)),
        Function::ToUpper => Value::text(text.to_uppercase()),
        Function::ToLower => Value::text(text.to_lowercase()),
        Function::Concat => {
            let parts: Vec<_> = cells.iter().filter_map(|cell| cell.text()).collect();
            let n_bytes = parts.iter().fold(0usize, |sum, part| sum.saturating_add(part.len()));
            return (n_bytes <= TEXT_BYTES_MAX).then(|| Value::text(parts.concat()));
        }
        Function::Trim | Function::TrimStart | Function::TrimEnd => {
            let characters = argument(1);
            let is_trimmed = |c: char| characters.as_ref().map_or(c.is_whitespace(), |set| set.contains(c));
            Value::text(match function {
                Function::TrimStart => text.trim_start_matches(is_trimmed),
                Function::TrimEnd => text.trim_end_matches(is_trimmed),
                _ => text.trim_matches(is_trimmed),
            })
        }
        Function::Substring => {
            let start = whole(1)?.max(0.0) as usize;
            let length = if cells.len() > 2 { whole(2)?.max(0.0) as usize } else { usize::MAX };
            Value::text(part(&text, start, length))
        }
        Function::Replace => return replace(&text, &argument(1)?, &argument(2)?),
        Function::Contains => Value::Boolean(text.contains(&*argument(1)?)),
        Function::StartsWith => Value::Boolean(text.starts_with(&*argument(1)?)),
        Function::EndsWith => Value::Boolean(text.ends_with(&*argument(1)?)),
        Function::Position => Value::Integer(text[..text.find(&*argument(1)?)?].chars().count() as i64),
        Function::Split => {
            let separator = argument(1)?;
            let items = if separator.is_empty() { vec![&*text] } else { text.split(&*separator).collect() };
            Value::List(items.into_iter().map(|item| Some(Value::text(item))).collect::<Vec<_>>().into())
        }
        _ => return None,
    })
}

/// `length` code points of `text` from the `start`-th on.
fn part(text: &str, start: usize, length: usize) -> &str {
    let from = text.char_indices().nth(start).map_or(text.len(), |(at, _)| at);
    let rest = &text[from..];
    &rest[..rest.char_indices().nth(length).map_or(rest.len(), |(at, _)| at)]
}

fn replace(text: &str, what: &str, with: &str) -> Option<Value> {
    if what.is_empty() {
        return Some(Value::text(text));
    }
    let n_hits = if with.len() > what.len() { text.matches(what).count() } else { 0 };
    let n_bytes = n_hits.saturating_mul(with.len()).saturating_add(text.len());
    (n_bytes <= TEXT_BYTES_MAX).then(|| Value::text(text.replace(what, with)))
}

/// Returns the words of a text, each once, as list.
pub(super) fn word_list(text: &str) -> Value {
    let words: std::collections::BTreeSet<String> = plan::words::words_of(text).into_iter().collect();
    Value::List(std::sync::Arc::new(words.into_iter().map(|word| Some(Value::text(word))).collect()))
}

/// Returns the first group of the first match, the whole match where the expression has no group.
pub(super) fn extract(text: &str, regex: &Regex) -> Option<Value> {
    if regex.captures_len() > 1 {
        return regex.captures(text)?.get(1).map(|group| Value::text(group.as_str()));
    }
    regex.find(text).map(|found| Value::text(found.as_str()))
}

/// Replaces every match; `$1` and `${name}` stand for groups.
pub(super) fn replace_matches(text: &str, regex: &Regex, with: &str) -> Option<Value> {
    let n_groups = with.matches('$').count();
    let mut replaced = String::new();
    let mut from = 0;
    for groups in regex.captures_iter(text) {
        let found = groups.get(0)?;
        replaced.push_str(&text[from..found.start()]);
        let grows = n_groups.saturating_mul(found.len()).saturating_add(with.len());
        if replaced.len().saturating_add(grows) > TEXT_BYTES_MAX {
            return None;
        }
        groups.expand(with, &mut replaced);
        from = found.end();
    }
    replaced.push_str(&text[from..]);
    Some(Value::text(replaced))
}

#[cfg(test)]
mod tests;
