//! The parameters of SNS's operations.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use crate::answer::{CloudWatchProblem, Result};

/// The parameters of an operation.
#[derive(Debug)]
pub(super) struct SnsInput(Value);

/// The error for a parameter.
pub(super) fn invalid(message: impl std::fmt::Display) -> CloudWatchProblem {
    CloudWatchProblem::parameter(format!("Invalid parameter: {message}"))
}

impl SnsInput {
    pub(super) fn new(value: Value) -> Self {
        Self(value)
    }

    /// Reads the parameters of an address; of two with one name the first counts. A link calls its token `Proof`, since the server
    /// takes no address for one that holds a key.
    pub(super) fn of_query(query: &str) -> Self {
        let mut members = Map::new();
        for pair in query.split('&') {
            let (name, text) = pair.split_once('=').unwrap_or((pair, ""));
            let name = if name == "Proof" { "Token".to_owned() } else { decoded(name) };
            members.entry(name).or_insert_with(|| decoded(text).into());
        }
        Self(members.into())
    }

    /// Returns the whole input.
    pub(super) fn value(&self) -> &Value {
        &self.0
    }

    /// Returns the operation of a link.
    pub(super) fn action(&self) -> String {
        let text: String = self.text("Action").unwrap_or_default().chars().take(100).collect();
        let is_name = text.chars().all(|letter| letter.is_ascii_alphanumeric());
        if is_name { text } else { String::new() }
    }

    /// Returns a text that is not empty.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    pub(super) fn needed(&self, name: &str) -> Result<&str> {
        self.text(name).ok_or_else(|| invalid(format!("{name}: it is required")))
    }

    /// Returns the entries of a map.
    pub(super) fn map(&self, name: &str) -> Result<BTreeMap<String, String>> {
        let entries = self.entries(name)?;
        let pair = |entry: &Value| Some((entry["key"].as_str()?.to_owned(), entry["value"].as_str()?.to_owned()));
        let pairs = entries.iter().map(|entry| pair(entry).ok_or_else(|| invalid(format!("{name}: not a map"))));
        pairs.collect()
    }

    /// Returns the entries of a map as they are.
    pub(super) fn entries(&self, name: &str) -> Result<Vec<Value>> {
        let Some(value) = self.0.get(name).filter(|value| *value != "") else { return Ok(Vec::new()) };
        let entries = value["entry"].as_object().ok_or_else(|| invalid(format!("{name}: not a map")))?;
        Ok(entries.values().cloned().collect())
    }

    /// Returns the items of a list.
    pub(super) fn list(&self, name: &str) -> &[Value] {
        self.0.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// Refuses parameters that are not among those that are known.
    pub(super) fn know(&self, names: &[&str]) -> Result<()> {
        let given = self.0.as_object().into_iter().flat_map(|members| members.keys());
        let is_known =
            |name: &&String| ["Action", "Version"].contains(&name.as_str()) || names.contains(&name.as_str());
        match given.into_iter().find(|name| !is_known(name)) {
            None => Ok(()),
            Some(name) => Err(invalid(format!("{name}: it is not supported here"))),
        }
    }
}

/// Returns a part of the query of an address without its escapes.
fn decoded(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests;
