//! Fields of one line: members of its JSON object, else its logfmt pairs, with the names that LogQL's parsers produce.

use std::borrow::Cow;
use std::collections::HashSet;

use parse::{JsonMistake, JsonToken, json_members, json_text};
use plan::line_parser::{label_name, logfmt_pairs};

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
    let mut found = Vec::new();
    // What is broken is skipped up to the next blank.
    let _ = logfmt_pairs(line, false, &mut |key, value| {
        if !value.is_empty() {
            found.push(Field { name: sanitized(key), value: value.into_owned(), path: Vec::new() });
        }
    });
    (named(found, labels), "logfmt")
}

fn sanitized(key: &str) -> String {
    label_name("", Cow::Borrowed(key)).into_owned()
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

#[cfg(test)]
mod tests;
