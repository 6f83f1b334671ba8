//! Fields of one line: those of its JSON object, else its logfmt pairs, named as LogQL's parsers name them.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::loki::lines::Labels;

/// A field found in a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) value: String,
    /// Keys from the outermost object to the value; empty for logfmt.
    pub(super) path: Vec<String>,
}

/// Reads the fields of `line` in their order, and names the parser that read them.
///
/// A field with the name of one of the stream's `labels` is called `name_extracted`.
pub(super) fn fields(line: &str, labels: &Labels) -> (Vec<Field>, &'static str) {
    let mut found = Vec::new();
    if json(line, &mut Vec::new(), &mut found).is_some() {
        return (named(found, labels), "json");
    }
    let pairs = logfmt(line).into_iter().filter(|(_, value)| !value.is_empty());
    let found = pairs.map(|(key, value)| Field { name: sanitized(&key), value, path: Vec::new() }).collect();
    (named(found, labels), "logfmt")
}

/// Renames fields that a label hides; those without a name are left out.
fn named(fields: Vec<Field>, labels: &Labels) -> Vec<Field> {
    let mut fields: Vec<Field> = fields.into_iter().filter(|field| !field.name.is_empty()).collect();
    for field in &mut fields {
        if labels.contains_key(&field.name) {
            field.name.push_str("_extracted");
        }
    }
    fields
}

/// A key as the name of a label: anything but letters, digits and `_` becomes `_`, and no digit comes first.
fn sanitized(key: &str) -> String {
    let key = key.trim();
    let digit = key.starts_with(|c: char| c.is_ascii_digit());
    let rest = key.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' });
    digit.then_some('_').into_iter().chain(rest).collect()
}

/// Members of an object with their values as they are written.
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor).map(Self)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some((key, value)) = map.next_entry::<String, &'de RawValue>()? {
            members.push((Cow::Owned(key), value));
        }
        Ok(members)
    }
}

/// Collects the texts, numbers and booleans of an object and of the objects in it; `None` where `text` begins with no
/// object. Lists have no labels, and what follows the object is not looked at.
fn json(text: &str, path: &mut Vec<String>, found: &mut Vec<Field>) -> Option<()> {
    let Members(members) = Members::deserialize(&mut serde_json::Deserializer::from_str(text)).ok()?;
    for (key, value) in members {
        path.push(key.into_owned());
        let raw = value.get();
        let shown = match raw.as_bytes().first() {
            Some(b'"') => serde_json::from_str::<String>(raw).ok(),
            Some(b'{') => json(raw, path, found).and(None),
            Some(b'[' | b'n') | None => None,
            Some(_) => Some(raw.to_owned()),
        };
        if let Some(value) = shown {
            let parts: Vec<&str> = path.iter().map(|part| part.trim()).filter(|part| !part.is_empty()).collect();
            found.push(Field { name: sanitized(&parts.join("_")), value, path: path.clone() });
        }
        path.pop();
    }
    Some(())
}

/// Keys and values of a line as logfmt; what is broken is skipped up to the next blank.
fn logfmt(line: &str) -> Vec<(String, String)> {
    let (mut pairs, mut rest) = (Vec::new(), line);
    let is_blank = |c: char| c <= ' ';
    loop {
        rest = rest.trim_start_matches(is_blank);
        if rest.is_empty() {
            return pairs;
        }
        let skipped = |text: &'_ str| text.find(is_blank).unwrap_or(text.len());
        let end = rest.find(|c: char| is_blank(c) || c == '=' || c == '"').unwrap_or(rest.len());
        let (key, after) = rest.split_at(end);
        let Some(value) = after.strip_prefix('=').filter(|_| !key.is_empty()) else {
            rest = &after[skipped(after)..];
            continue;
        };
        if value.starts_with('"') {
            let Some(length) = quoted_length(value) else { return pairs };
            if let Ok(text) = serde_json::from_str::<String>(&value[..length]) {
                pairs.push((key.to_owned(), text));
            }
            rest = &value[length..];
            continue;
        }
        let end = value.find(|c: char| is_blank(c) || c == '=' || c == '"').unwrap_or(value.len());
        let (text, after) = value.split_at(end);
        if after.starts_with(['=', '"']) {
            rest = &after[skipped(after)..];
        } else {
            pairs.push((key.to_owned(), text.to_owned()));
            rest = after;
        }
    }
}

/// Bytes of the quoted text at the start of `text`, with its quotes; `None` if it has no end.
fn quoted_length(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: &[(&str, &str)], parser: &str) {
        let labels = Labels::from([("app".to_owned(), "a".to_owned())]);
        let (found, by) = fields(line, &labels);
        let found: Vec<(&str, &str)> = found.iter().map(|f| (f.name.as_str(), f.value.as_str())).collect();
        assert_eq!((found.as_slice(), by), (expected, parser), "{line}");
    }

    #[test]
    fn objects_are_flattened_and_lists_left_out() {
        check(
            r#"{"app":"x","user":{"first-name":"ann","tags":["a"]},"1st":2,"n":1e+21,"none":null,"e":"","ok":true}"#,
            &[
                ("app_extracted", "x"),
                ("user_first_name", "ann"),
                ("_1st", "2"),
                ("n", "1e+21"),
                ("e", ""),
                ("ok", "true"),
            ],
            "json",
        );
        let (found, _) = fields(r#"{"a":{"b-c":1}}"#, &Labels::new());
        assert_eq!(found[0].path, ["a", "b-c"]);
        check(&"{\"a\":".repeat(5000), &[], "logfmt");
    }

    #[test]
    fn other_lines_are_read_as_logfmt_as_far_as_they_are() {
        check(
            r#"a=1 b="x \"y\"" alone c= app=z d==e f=g"h k=v"#,
            &[("a", "1"), ("b", "x \"y\""), ("app_extracted", "z"), ("k", "v")],
            "logfmt",
        );
        check(r#"a=1 b="no end k=v"#, &[("a", "1")], "logfmt");
        check(r#"{"msg": "cut off"#, &[], "logfmt");
        check("", &[], "logfmt");
    }
}
