//! The parameters of an operation.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use types::GroupName;

use super::answer::{CloudWatchProblem, Result};
use super::members::{Service, refusal};

/// The object that an operation is given.
#[derive(Debug)]
pub(super) struct Input(Value);

impl Input {
    /// Reads a body; an empty one is an empty object.
    pub(super) fn read(body: &[u8]) -> Result<Self> {
        if body.trim_ascii().is_empty() {
            return Ok(Self(Value::Object(Map::new())));
        }
        let bad = |message: String| CloudWatchProblem::new("SerializationException", message);
        match serde_json::from_slice::<Value>(body) {
            Ok(value) if value.is_object() => Ok(Self(value)),
            Ok(_) => Err(bad("the body is not a JSON object".into())),
            Err(error) => Err(bad(error.to_string())),
        }
    }

    /// Returns the whole input.
    pub(super) fn value(&self) -> &Value {
        &self.0
    }

    /// Returns why an operation cannot be given one of the members.
    pub(super) fn refusal(&self, operation: &str) -> Option<String> {
        refusal(Service::Logs, operation, &self.0)
    }

    fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// Returns a text member.
    pub(super) fn text(&self, name: &str) -> Result<Option<&str>> {
        let of = |value: &Value| value.as_str().map(|_| ()).ok_or_else(|| wrong_kind(name, "a string"));
        self.get(name).map(of).transpose()?;
        Ok(self.get(name).and_then(Value::as_str))
    }

    /// A text that must be there.
    pub(super) fn needed(&self, name: &str) -> Result<&str> {
        self.text(name)?.ok_or_else(|| null_at(name))
    }

    /// Returns a number from 1 to its limit, or a default.
    pub(super) fn number(&self, name: &str, default: usize, max: usize) -> Result<usize> {
        let Some(value) = self.get(name) else { return Ok(default) };
        let number = value.as_i64().ok_or_else(|| wrong_kind(name, "an integer"))?;
        match usize::try_from(number) {
            Ok(number) if (1..=max).contains(&number) => Ok(number),
            _ => Err(constraint(&number.to_string(), name, &format!("Member must have value between 1 and {max}"))),
        }
    }

    /// Returns a required number.
    pub(super) fn integer(&self, name: &str) -> Result<i64> {
        let value = self.get(name).ok_or_else(|| null_at(name))?;
        value.as_i64().ok_or_else(|| wrong_kind(name, "an integer"))
    }

    /// Returns an optional number.
    pub(super) fn optional_integer(&self, name: &str) -> Result<Option<i64>> {
        if self.get(name).is_none() { Ok(None) } else { self.integer(name).map(Some) }
    }

    pub(super) fn flag(&self, name: &str) -> Result<bool> {
        self.flag_or(name, false)
    }

    /// Returns a required flag.
    pub(super) fn needed_flag(&self, name: &str) -> Result<bool> {
        self.get(name).ok_or_else(|| null_at(name)).and_then(|_| self.flag(name))
    }

    /// Returns a flag, or a default.
    pub(super) fn flag_or(&self, name: &str, default: bool) -> Result<bool> {
        self.get(name).map_or(Ok(default), |value| value.as_bool().ok_or_else(|| wrong_kind(name, "a boolean")))
    }

    /// Returns a list of texts.
    pub(super) fn texts(&self, name: &str) -> Result<Option<Vec<&str>>> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let list = value.as_array().ok_or_else(|| wrong_kind(name, "a list"))?;
        let texts = list.iter().map(|one| one.as_str().ok_or_else(|| wrong_kind(name, "a list of strings")));
        texts.collect::<Result<_, _>>().map(Some)
    }

    /// Returns a list of objects, unchecked.
    pub(super) fn objects(&self, name: &str) -> Result<Vec<Value>> {
        let Some(value) = self.get(name) else { return Ok(Vec::new()) };
        let list = value.as_array().filter(|list| list.iter().all(Value::is_object));
        list.cloned().ok_or_else(|| wrong_kind(name, "a list of structures"))
    }

    /// Returns a map of texts.
    pub(super) fn map(&self, name: &str) -> Result<Option<BTreeMap<String, String>>> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let map = value.as_object().ok_or_else(|| wrong_kind(name, "a map"))?;
        let pairs = map.iter().map(|(key, text)| {
            let text = text.as_str().ok_or_else(|| wrong_kind(name, "a map of strings"))?;
            Ok((key.clone(), text.to_owned()))
        });
        pairs.collect::<Result<_, _>>().map(Some)
    }

    /// Returns the group that one of several members names, by its name or ARN.
    pub(super) fn group(&self, names: &[&str]) -> Result<GroupName> {
        for name in names {
            if let Some(text) = self.text(name)? {
                return group_of(text, name);
            }
        }
        Err(null_at(names.first().copied().unwrap_or_default()))
    }
}

/// Returns the group that a text names: `NAME`, `arn:…:log-group:NAME` or `arn:…:log-group:NAME:*`.
pub(super) fn group_of(text: &str, member: &str) -> Result<GroupName> {
    let name = match text.strip_prefix("arn:").and_then(|rest| rest.split_once(":log-group:")) {
        Some((_, name)) => name.strip_suffix(":*").unwrap_or(name),
        None => text,
    };
    let rule = r"Member must satisfy regular expression pattern: [\.\-_/#A-Za-z0-9]+";
    GroupName::new(name).ok_or_else(|| constraint(name, member, rule))
}

/// Returns the error for a value that violates a constraint, in Amazon's words.
pub(super) fn constraint(value: &str, member: &str, rule: &str) -> CloudWatchProblem {
    let shown: String = value.chars().take(100).collect();
    CloudWatchProblem::parameter(format!(
        "1 validation error detected: Value '{shown}' at '{member}' failed to satisfy constraint: {rule}"
    ))
}

fn null_at(member: &str) -> CloudWatchProblem {
    CloudWatchProblem::parameter(format!(
        "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"
    ))
}

fn wrong_kind(member: &str, kind: &str) -> CloudWatchProblem {
    CloudWatchProblem::new("SerializationException", format!("{member} is not {kind}"))
}
