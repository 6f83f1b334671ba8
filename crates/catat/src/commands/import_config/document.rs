//! Configuration files as trees. Settings are taken out of them, so that what is left can be named.

use serde_json::{Map, Value};

use crate::failure::{Failure, Result};

/// Reads YAML, JSON, TOML, or the classic form of Fluent Bit, into one form.
pub(super) fn read(text: &str) -> Result<Value> {
    if let Some(document) = classic(text) {
        return Ok(document);
    }
    if let Ok(document) = toml::from_str::<Value>(text)
        && document.as_object().is_some_and(|document| !document.is_empty())
    {
        return Ok(document);
    }
    // JSON is YAML, but for tabs and the depth of some files. `y` and `no` are texts, as they are for programs in Go.
    let json = serde_json::from_str::<Value>(text);
    json.or_else(|_| {
        serde_saphyr::from_str_with_options::<Value>(text, serde_saphyr::options! { strict_booleans: true })
    })
    .map_err(|error| Failure::usage(error.to_string()))
}

/// Fluent Bit's sections `[INPUT]` with a name and a value a line, in the form that its YAML has.
fn classic(text: &str) -> Option<Value> {
    let mut sections: Map<String, Value> = Map::new();
    let mut name = String::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(['#', '@'])) {
        if let Some(section) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            if !section.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_') {
                return None;
            }
            name = format!("{}s", section.to_lowercase());
            let list = sections.entry(name.clone()).or_insert_with(|| Value::Array(Vec::new()));
            list.as_array_mut()?.push(Value::Object(Map::new()));
            continue;
        }
        let (key, value) = line.split_once(char::is_whitespace)?;
        let section = sections.get_mut(&name)?.as_array_mut()?.last_mut()?.as_object_mut()?;
        let value = Value::from(value.trim());
        // A key that stands twice has both values.
        match section.get_mut(&key.to_lowercase()) {
            Some(Value::Array(values)) => values.push(value),
            Some(before) => *before = Value::Array(vec![before.take(), value]),
            None => drop(section.insert(key.to_lowercase(), value)),
        }
    }
    let has_inputs = sections.contains_key("inputs");
    has_inputs.then(|| Value::Object(Map::from_iter([("pipeline".to_owned(), Value::Object(sections))])))
}

/// A part of a file, without what was taken of it.
#[derive(Clone)]
pub(super) struct Section {
    /// Where it stands, such as `scrape_configs[0].static_configs[1]`.
    path: String,
    members: Map<String, Value>,
}

impl Section {
    /// The whole of a file. Names with dots are names within names, as Beats have it.
    pub(super) fn root(document: Value) -> Result<Self> {
        match nested(document) {
            Value::Object(members) => Ok(Self { path: String::new(), members }),
            _ => Err(Failure::usage("the file has no settings with names")),
        }
    }

    /// Members as they are, dots in their names too.
    pub(super) fn at(path: impl Into<String>, members: Map<String, Value>) -> Self {
        Self { path: path.into(), members }
    }

    /// Puts it into another section, as the member `name`.
    pub(super) fn within(self, path: &str, name: &str) -> Self {
        Self::at(path, Map::from_iter([(name.to_owned(), Value::Object(self.members))]))
    }

    /// Where a member stands.
    pub(super) fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.members.remove(name).filter(|value| !value.is_null())
    }

    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        self.take(name).map(|value| text_of(&value))
    }

    /// A text that is a list as well.
    pub(super) fn texts(&mut self, name: &str) -> Vec<String> {
        match self.take(name) {
            Some(Value::Array(values)) => values.iter().map(text_of).collect(),
            Some(value) => vec![text_of(&value)],
            None => Vec::new(),
        }
    }

    pub(super) fn flag(&mut self, name: &str) -> Option<bool> {
        match self.text(name)?.to_lowercase().as_str() {
            "true" | "on" | "yes" => Some(true),
            _ => Some(false),
        }
    }

    /// A section within this one.
    pub(super) fn section(&mut self, name: &str) -> Option<Self> {
        match self.members.remove(name) {
            Some(Value::Object(members)) => Some(Self { path: self.path_of(name), members }),
            Some(other) => {
                self.members.insert(name.to_owned(), other);
                None
            }
            None => None,
        }
    }

    /// The sections of a list.
    pub(super) fn sections(&mut self, name: &str) -> Vec<Self> {
        let path = self.path_of(name);
        let Some(Value::Array(parts)) = self.members.get_mut(name) else { return Vec::new() };
        let mut sections = Vec::new();
        for (at, part) in parts.iter_mut().enumerate() {
            if let Value::Object(members) = part {
                sections.push(Self { path: format!("{path}[{at}]"), members: std::mem::take(members) });
            }
        }
        if sections.len() == parts.len() {
            self.members.remove(name);
        }
        sections
    }

    /// The sections that have names of their own.
    pub(super) fn named(self) -> Vec<(String, Self)> {
        let Self { path, members } = self;
        let within = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        let section = |(name, value)| match value {
            Value::Object(members) => Some((name, members)),
            _ => None,
        };
        let sections = members.into_iter().filter_map(section);
        sections.map(|(name, members)| (name.clone(), Self { path: within(&name), members })).collect()
    }

    /// Names what is left, with a reason.
    pub(super) fn leave(self, reason: &str, notes: &mut Vec<String>) {
        for (name, value) in &self.members {
            if !value.is_null() && value.as_array().is_none_or(|values| !values.is_empty()) {
                notes.push(format!("{} is not taken: {reason}", self.path_of(name)));
            }
        }
    }

    /// Returns the names of what is left.
    pub(super) fn names(&self) -> Vec<String> {
        self.members.keys().cloned().collect()
    }

    /// Takes all of it as fields.
    pub(super) fn into_texts(self) -> Vec<(String, Value)> {
        self.members.into_iter().collect()
    }
}

/// Makes sections of names with dots.
fn nested(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut object = Map::new();
            for (name, value) in members {
                let value = nested(value);
                match name.split_once('.').filter(|_| !name.contains(['/', '*', ' '])) {
                    Some((first, rest)) => {
                        let inner = nested(Value::Object(Map::from_iter([(rest.to_owned(), value)])));
                        merge(object.entry(first).or_insert_with(|| Value::Object(Map::new())), inner);
                    }
                    None => match object.get_mut(&name) {
                        Some(before) => merge(before, value),
                        None => drop(object.insert(name, value)),
                    },
                }
            }
            Value::Object(object)
        }
        Value::Array(values) => Value::Array(values.into_iter().map(nested).collect()),
        other => other,
    }
}

fn merge(into: &mut Value, other: Value) {
    match (into, other) {
        (Value::Object(into), Value::Object(other)) => {
            for (name, value) in other {
                match into.get_mut(&name) {
                    Some(before) => merge(before, value),
                    None => drop(into.insert(name, value)),
                }
            }
        }
        (into, other) => *into = other,
    }
}

pub(super) fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
