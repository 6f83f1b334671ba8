//! An `[[input]]` of catat's configuration, as it is put together.

use serde_json::Value;
use toml::{Table, Value as Toml};

use super::document::text_of;

/// Settings of an input. Empty ones are not written.
#[derive(Default)]
pub(super) struct Input {
    pub(super) name: Option<String>,
    /// The type; files if there is none.
    pub(super) kind: Option<&'static str>,
    pub(super) paths: Vec<String>,
    pub(super) exclude: Vec<String>,
    pub(super) group: Option<String>,
    pub(super) stream: Option<String>,
    pub(super) fields: Table,
    pub(super) zone: Option<&'static str>,
    pub(super) backlog: Option<String>,
    pub(super) since: Option<String>,
    /// The regular expression of an event's first line.
    pub(super) start: Option<String>,
    pub(super) drop: Vec<String>,
    pub(super) keep: Vec<String>,
    pub(super) units: Vec<String>,
    pub(super) udp: Option<String>,
    pub(super) tcp: Option<String>,
}

impl Input {
    pub(super) fn of(kind: &'static str) -> Self {
        Self { kind: Some(kind), ..Self::default() }
    }

    /// Adds a field with a text or a number.
    pub(super) fn field(&mut self, name: &str, value: &Value) {
        let value = match value {
            Value::Number(number) => number.as_i64().map_or_else(|| Toml::String(number.to_string()), Toml::Integer),
            Value::Bool(flag) => Toml::Boolean(*flag),
            other => Toml::String(text_of(other)),
        };
        self.fields.insert(name.to_owned(), value);
    }

    /// Takes a regular expression for one of the lists, or says why it cannot be one.
    pub(super) fn pattern(list: &mut Vec<String>, pattern: String, path: &str, notes: &mut Vec<String>) {
        list.extend(checked(pattern, path, notes));
    }

    pub(super) fn into_table(self) -> Table {
        let list = |texts: Vec<String>| {
            (!texts.is_empty()).then(|| Toml::Array(texts.into_iter().map(Toml::String).collect()))
        };
        let start = self.start.map(|start| Toml::Table(Table::from_iter([("start".to_owned(), Toml::String(start))])));
        let members = [
            ("name", self.name.map(Toml::String)),
            ("type", self.kind.map(|kind| Toml::String(kind.into()))),
            ("paths", list(self.paths)),
            ("exclude", list(self.exclude)),
            ("group", self.group.map(Toml::String)),
            ("stream", self.stream.map(Toml::String)),
            ("zone", self.zone.map(|zone| Toml::String(zone.into()))),
            ("backlog", self.backlog.map(Toml::String)),
            ("since", self.since.map(Toml::String)),
            ("drop", list(self.drop)),
            ("keep", list(self.keep)),
            ("units", list(self.units)),
            ("udp", self.udp.map(Toml::String)),
            ("tcp", self.tcp.map(Toml::String)),
            ("multiline", start),
            ("fields", (!self.fields.is_empty()).then_some(Toml::Table(self.fields))),
        ];
        members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }
}

/// A regular expression that means the same here, else a note: shippers have several kinds of these.
pub(super) fn checked(pattern: String, path: &str, notes: &mut Vec<String>) -> Option<String> {
    match definition::compile_regex(&pattern) {
        Ok(_) => Some(pattern),
        Err(problem) => {
            notes.push(format!("{path} is not taken: {pattern:?}: {problem}"));
            None
        }
    }
}
