//! Fits answers into the room that an agent has: long texts are cut, then lists are shortened, and what is missing is counted.

use std::fmt::Write;

use serde_json::{Value as Json, json};

/// Characters of a text that are shown.
pub(crate) const TEXT_CHARS_MAX: usize = 500;

/// Tokens of an answer unless the caller asks for another number, and the most. Clients cut answers at 25,000.
const TOKENS_DEFAULT: u64 = 6_000;
const TOKENS_MAX: u64 = 24_000;

/// Bytes of JSON that surely are no more than a token: log lines have about three and a half for one.
const TOKEN_BYTES: u64 = 3;

/// The share of a list that remains when it is shortened once.
const SHORTENED: (usize, usize) = (3, 4);

/// Returns the bytes of an answer with at most so many tokens.
pub(crate) fn bytes_of(tokens: Option<u64>) -> usize {
    let tokens = tokens.unwrap_or(TOKENS_DEFAULT).clamp(500, TOKENS_MAX);
    usize::try_from(tokens * TOKEN_BYTES).unwrap_or(usize::MAX)
}

/// Shows control characters and cuts long texts, in every value.
pub(crate) fn clean(value: &mut Json) {
    match value {
        Json::String(text) if text.chars().any(is_hidden) || text.chars().count() > TEXT_CHARS_MAX => {
            *text = shown(text);
        }
        Json::Array(items) => items.iter_mut().for_each(clean),
        Json::Object(members) => {
            // Names of fields come from logs as well.
            let names: Vec<String> = members.keys().filter(|name| name.chars().any(is_hidden)).cloned().collect();
            for name in names {
                if let Some(value) = members.remove(&name) {
                    members.insert(shown(&name), value);
                }
            }
            members.values_mut().for_each(clean);
        }
        _ => {}
    }
}

/// Reports whether a character can hide or reorder text, or steer a terminal.
fn is_hidden(char: char) -> bool {
    let is_format = matches!(char, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}');
    char.is_control() && !matches!(char, '\n' | '\t') || is_format
}

fn shown(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    for char in chars.by_ref().take(TEXT_CHARS_MAX) {
        if is_hidden(char) {
            // Writing into a String cannot fail.
            let _ = write!(out, "\\u{{{:x}}}", u32::from(char));
        } else {
            out.push(char);
        }
    }
    let n_more = chars.count();
    if n_more > 0 {
        let _ = write!(out, "… (+{n_more} characters; context with the event's id has the whole line in the page)");
    }
    out
}

/// Shortens the lists at `lists`, JSON pointers, until an answer has at most so many bytes, and notes in `left_out` how
/// many elements each had. Lists are in order of importance, so their ends go.
pub(crate) fn shorten(answer: &mut Json, lists: &[&str], bytes_max: usize) {
    let n_before: Vec<usize> = lists.iter().map(|list| length(answer, list)).collect();
    while answer.to_string().len() > bytes_max {
        let size = |list: &&&str| answer.pointer(list).map_or(0, |value| value.to_string().len());
        let largest = lists.iter().filter(|list| length(answer, list) > 1).max_by_key(size);
        let Some(list) = largest.copied() else { break };
        if let Some(items) = answer.pointer_mut(list).and_then(Json::as_array_mut) {
            items.truncate((items.len() * SHORTENED.0 / SHORTENED.1).max(1));
        }
    }
    let shortened = lists.iter().zip(n_before).filter(|(list, before)| length(answer, list) < *before);
    let notes: serde_json::Map<String, Json> = shortened
        .map(|(list, before)| {
            let name = list.trim_start_matches('/').replace('/', ".");
            (name, json!({"shown": length(answer, list), "of": before}))
        })
        .collect();
    if !notes.is_empty() {
        answer["left_out"] = Json::Object(notes);
    }
}

fn length(answer: &Json, list: &str) -> usize {
    answer.pointer(list).and_then(Json::as_array).map_or(0, Vec::len)
}

#[cfg(test)]
mod tests;
