//! YAML as JSON in which scalars are texts, spelled as in the document.
//!
//! Prometheus' configuration is text with few numbers: a label `1.10`, `007` or `no` is that text. Numbers, `true` and `false`
//! become strings as they are written; what needs a number parses the text. Only null stays what it is.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value as Json};
use serde_saphyr::Spanned;
use serde_saphyr::options::NonFiniteFloatPolicy;

/// Parses a document; an empty one is `null`.
///
/// # Errors
/// What is wrong, with line and column.
pub(super) fn read(text: &str) -> Result<Json, String> {
    // Places of scalars do not count a byte order mark.
    let text = text.trim_start_matches('\u{feff}');
    let is_empty = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#') || line.trim() == "---";
    if text.lines().all(is_empty) {
        return Ok(Json::Null);
    }
    let options = serde_saphyr::options! { non_finite_float_policy: NonFiniteFloatPolicy::PassThrough };
    let document = serde_saphyr::from_str_with_options::<Spanned<YamlValue>>(text, options);
    document.map(|value| spelled(value, text)).map_err(|error| error.without_snippet().to_string())
}

/// A value of a document.
enum YamlValue {
    Null,
    Text(String),
    /// A number, true or false, in a canonical spelling.
    Literal(String),
    List(Vec<Spanned<YamlValue>>),
    Table(Vec<(String, Spanned<YamlValue>)>),
}

/// Returns a value with the scalars as the document has them.
fn spelled(value: Spanned<YamlValue>, document: &str) -> Json {
    let place = value.defined.span();
    match value.value {
        YamlValue::Null => Json::Null,
        YamlValue::Text(text) => Json::String(text),
        YamlValue::Literal(canonical) => {
            let index = |n: Option<u64>| n.and_then(|n| usize::try_from(n).ok());
            let (start, length) = (index(place.byte_offset()), index(place.byte_len()));
            let end = start.zip(length).and_then(|(start, length)| start.checked_add(length));
            let written = start.zip(end).and_then(|(start, end)| document.get(start..end)).map(str::trim);
            // With a tag, such as `!!int "7"`, a literal may be in quotes.
            let plain = written.filter(|text| !text.is_empty() && !text.starts_with(['"', '\'', '!', '&', '|', '>']));
            Json::String(plain.map_or(canonical, str::to_owned))
        }
        YamlValue::List(items) => items.into_iter().map(|item| spelled(item, document)).collect(),
        YamlValue::Table(members) => {
            let members = members.into_iter().map(|(key, member)| (key, spelled(member, document)));
            Json::Object(members.collect::<Map<_, _>>())
        }
    }
}

impl<'de> Deserialize<'de> for YamlValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(YamlVisitor)
    }
}

struct YamlVisitor;

impl<'de> Visitor<'de> for YamlVisitor {
    type Value = YamlValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<YamlValue, E> {
        Ok(YamlValue::Null)
    }

    fn visit_str<E>(self, text: &str) -> Result<YamlValue, E> {
        Ok(YamlValue::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<YamlValue, E> {
        Ok(YamlValue::Text(text))
    }

    fn visit_bool<E>(self, value: bool) -> Result<YamlValue, E> {
        Ok(YamlValue::Literal(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<YamlValue, E> {
        Ok(YamlValue::Literal(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<YamlValue, E> {
        Ok(YamlValue::Literal(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<YamlValue, E> {
        Ok(YamlValue::Literal(value.to_string()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<YamlValue, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(YamlValue::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut table: A) -> Result<YamlValue, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = table.next_entry()? {
            members.push(member);
        }
        Ok(YamlValue::Table(members))
    }
}

#[cfg(test)]
mod tests;
