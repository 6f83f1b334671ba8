//! Fields of one line: members of its JSON object, else its logfmt pairs, with the names that LogQL's parsers produce.

use std::collections::HashSet;

use parse::{JsonMistake, JsonToken, json_members, json_text, logfmt_pair};

use crate::lines::Labels;

/// Depth to which members of objects become fields.
const DEPTH_MAX: usize = 64;

/// A field found in a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) value: String,
    /// Keys from the outermost object to the value; empty for logfmt.
    pub(super) path: Vec<String>,
}

/// Reads the fields of `line` in their order, and returns the parser that read them.
///
/// A field with the name of one of the stream's `labels` is called `name_extracted`.
pub(super) fn fields(line: &str, labels: &Labels) -> (Vec<Field>, &'static str) {
    let mut found = Vec::new();
    if json(line, &mut Vec::new(), &mut found).is_ok() {
        return (named(found, labels), "json");
    }
    let pairs = logfmt(line).into_iter().filter(|(_, value)| !value.is_empty());
    let found = pairs.map(|(key, value)| Field { name: sanitized(&key), value, path: Vec::new() }).collect();
    (named(found, labels), "logfmt")
}

/// Renames fields that a label hides. Drops fields without a name, and all but the first with the same name.
fn named(fields: Vec<Field>, labels: &Labels) -> Vec<Field> {
    let mut fields: Vec<Field> = fields.into_iter().filter(|field| !field.name.is_empty()).collect();
    for field in &mut fields {
        if labels.contains_key(&field.name) {
            field.name.push_str("_extracted");
        }
    }
    let mut names: HashSet<String> = HashSet::new();
    fields.retain(|field| names.insert(field.name.clone()));
    fields
}

/// Returns a key as the name of a label: letters, digits and `_`, not beginning with a digit.
fn sanitized(key: &str) -> String {
    let key = key.trim();
    let digit = key.starts_with(|c: char| c.is_ascii_digit());
    let rest = key.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' });
    digit.then_some('_').into_iter().chain(rest).collect()
}

/// Collects the texts, numbers and booleans of an object and of the objects in it. Lists have no labels, and what follows
/// the object is not looked at.
///
/// Errors: what keeps `text` from being an object.
fn json(text: &str, path: &mut Vec<String>, found: &mut Vec<Field>) -> Result<(), JsonMistake> {
    json_members(text, &mut |key, token| {
        path.push(key.into_owned());
        let value = match token {
            JsonToken::Text(inner) => json_text(inner).map(|text| text.into_owned()).or(Some(String::new())),
            JsonToken::Plain(spelt) => Some(spelt.to_owned()),
            JsonToken::Object(inner) if path.len() < DEPTH_MAX => json(inner, path, found).map(|()| None)?,
            _ => None,
        };
        if let Some(value) = value {
            let parts: Vec<&str> = path.iter().map(|part| part.trim()).filter(|part| !part.is_empty()).collect();
            found.push(Field { name: sanitized(&parts.join("_")), value, path: path.clone() });
        }
        path.pop();
        Ok(())
    })
}

/// Keys and values of a line as logfmt; what is broken is skipped up to the next blank.
fn logfmt(line: &str) -> Vec<(String, String)> {
    let (mut pairs, mut at, bytes) = (Vec::new(), 0, line.as_bytes());
    loop {
        match bytes[at..].iter().position(|byte| *byte > b' ') {
            Some(blanks) => at += blanks,
            None => return pairs,
        }
        match logfmt_pair(line, &mut at) {
            Ok((key, value)) => pairs.push((key.to_owned(), value.into_owned())),
            Err(_) => at += bytes[at..].iter().position(|byte| *byte <= b' ').unwrap_or(bytes.len() - at),
        }
    }
}

#[cfg(test)]
mod tests;
