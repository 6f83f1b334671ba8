//! Which events a pipeline, or one step of it, is for.

use regex::Regex;
use types::{GroupName, GroupPattern, Level};

use super::Draft;
use definition::{DefinitionError, Node};

/// A condition: all that it names must hold. An empty one holds for every event.
#[derive(Debug, Default)]
pub(super) struct Condition {
    groups: Option<Vec<GroupPattern>>,
    streams: Option<Vec<GroupPattern>>,
    /// Fields and what their values look like, one of the patterns.
    fields: Vec<(String, Vec<GroupPattern>)>,
    has: Vec<String>,
    /// Texts, one of which the message holds.
    contains: Vec<String>,
    /// Fields, and the expression that each of their texts must match.
    matches: Vec<(String, Regex)>,
    levels: Vec<Level>,
    not: Option<Box<Condition>>,
}

/// Keys of a condition.
const KEYS: [&str; 8] = ["group", "stream", "fields", "has", "contains", "matches", "level", "not"];

impl Condition {
    pub(super) fn compile(node: &Node<'_>) -> Result<Self, DefinitionError> {
        node.check_keys(&KEYS)?;
        let patterns = |key: &str| node.get(key).map(|node| node.patterns()).transpose();
        let texts = |key: &str| -> Result<Vec<String>, DefinitionError> {
            let nodes = node.get(key).map(|node| node.one_or_many()).unwrap_or_default();
            nodes.iter().map(|node| node.name().map(str::to_owned)).collect()
        };
        let mut fields = Vec::new();
        for (name, node) in node.get("fields").map(|node| node.members()).transpose()?.unwrap_or_default() {
            fields.push((name.to_owned(), value_patterns(&node)?));
        }
        let not = node.get("not").map(|inner| {
            // One inside of another says nothing that cannot be said without.
            match inner.get("not") {
                Some(twice) => Err(twice.error("a \"not\" stands inside of another")),
                None => Self::compile(&inner).map(Box::new),
            }
        });
        let level = |node: &Node<'_>| {
            Level::parse(node.text()?)
                .ok_or_else(|| node.error("must be one of trace, debug, info, warn, error, fatal"))
        };
        let levels = node.get("level").map(|node| node.one_or_many()).unwrap_or_default();
        Ok(Self {
            groups: patterns("group")?,
            streams: patterns("stream")?,
            fields,
            has: texts("has")?,
            contains: texts("contains")?,
            matches: node.get("matches").map(|node| expressions(&node)).transpose()?.unwrap_or_default(),
            levels: levels.iter().map(level).collect::<Result<_, _>>()?,
            not: not.transpose()?,
        })
    }

    /// Reports whether events of the group can match.
    pub(super) fn admits_group(&self, group: &GroupName) -> bool {
        self.groups.as_ref().is_none_or(|groups| GroupPattern::any_matches(groups, group.as_str()))
    }

    /// Checks whether the event matches.
    ///
    /// # Errors
    /// The first part of the condition that does not match.
    pub(super) fn check(&self, draft: &Draft) -> Result<(), &'static str> {
        types::ensure!(self.admits_group(&draft.group), "group is another");
        if self.streams.as_ref().is_some_and(|streams| !GroupPattern::any_matches(streams, &draft.stream)) {
            return Err("stream is another");
        }
        if !self.levels.is_empty() && !draft.level.is_some_and(|level| self.levels.contains(&level)) {
            return Err("level is another");
        }
        types::ensure!(!self.has.iter().any(|name| draft.value(name).is_none()), "a field is missing");
        for (name, patterns) in &self.fields {
            let value = draft.text(name).ok_or("a field is missing")?;
            types::ensure!(GroupPattern::any_matches(patterns, &value), "a field has another value");
        }
        if !self.contains.is_empty() && !self.contains.iter().any(|text| draft.message.contains(text.as_str())) {
            return Err("message does not contain the text");
        }
        for (name, regex) in &self.matches {
            if !draft.text(name).is_some_and(|text| regex.is_match(&text)) {
                return Err(if name == "@message" { "message does not match" } else { "a field does not match" });
            }
        }
        match &self.not {
            Some(not) if not.check(draft).is_ok() => Err("what is under \"not\" holds"),
            _ => Ok(()),
        }
    }
}

/// Returns the expressions of `matches`: one for the message, or a table of fields with an expression each.
fn expressions(node: &Node<'_>) -> Result<Vec<(String, Regex)>, DefinitionError> {
    if node.value.is_string() {
        return Ok(vec![("@message".to_owned(), node.regex()?)]);
    }
    let members = node.members().map_err(|_| {
        node.error("must be a regular expression, or a table of fields with one each, such as { msg = \"^GET\" }")
    })?;
    members.into_iter().map(|(name, node)| Ok((name.to_owned(), node.regex()?))).collect()
}

/// Values are compared as they are shown: `500`, `true`, `pay-*`.
fn value_patterns(node: &Node<'_>) -> Result<Vec<GroupPattern>, DefinitionError> {
    let pattern = |node: &Node<'_>| match node.value {
        serde_json::Value::String(text) => Ok(GroupPattern::new(text.clone())),
        value @ (serde_json::Value::Number(_) | serde_json::Value::Bool(_)) => Ok(GroupPattern::new(value.to_string())),
        _ => {
            Err(node
                .error("must be a text (in which * stands for anything), a number, true or false, or a list of those"))
        }
    };
    node.one_or_many().iter().map(pattern).collect()
}
