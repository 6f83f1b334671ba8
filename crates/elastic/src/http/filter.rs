//! `filter_path`: the keys of an answer that the client reads.

use serde_json::{Map, Value as Json};

use crate::bulk::Action;
use door::{Outcome, Parameters, Reply};

/// Keys of an item in the answer, in their order.
pub(super) const KEYS: [&str; 9] =
    ["_index", "_id", "_version", "result", "_shards", "_seq_no", "_primary_term", "status", "error"];

/// Limit on the patterns; further ones are ignored.
const PATTERNS_MAX: usize = 32;

/// The requested parts of the answer to a bulk request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Filter {
    pub(super) errors: bool,
    pub(super) took: bool,
    /// For items of each action, which of [`KEYS`] are requested.
    items: [[bool; KEYS.len()]; Action::ALL.len()],
}

impl Filter {
    /// Reads patterns separated by commas, such as `errors,items.*.error`. Without patterns everything is requested.
    pub(super) fn new(text: &str) -> Self {
        let patterns = || text.split(',').map(str::trim).filter(|pattern| !pattern.is_empty()).take(PATTERNS_MAX);
        let taken: Vec<&str> = patterns().filter(|pattern| !pattern.starts_with('-')).collect();
        let left: Vec<&str> = patterns().filter_map(|pattern| pattern.strip_prefix('-')).collect();
        let wants = |path: &[&str]| {
            let is_taken = taken.is_empty() || taken.iter().any(|pattern| reaches(pattern, path));
            is_taken && !left.iter().any(|pattern| covers(pattern, path))
        };
        Self {
            errors: wants(&["errors"]),
            took: wants(&["took"]),
            items: Action::ALL.map(|action| KEYS.map(|key| wants(&["items", action.name(), key]))),
        }
    }

    /// Returns which of [`KEYS`] are requested for items of an action.
    pub(super) fn keys(&self, action: Action) -> &[bool; KEYS.len()] {
        let place = Action::ALL.iter().position(|known| *known == action).unwrap_or_default();
        &self.items[place]
    }
}

/// The requested parts of any other answer.
#[derive(Clone, Debug, Default)]
pub(super) struct Paths {
    taken: Vec<Vec<String>>,
    left: Vec<Vec<String>>,
}

impl Paths {
    /// Reads the parameters of an address.
    pub(super) fn of(parameters: &Parameters) -> Self {
        let (mut taken, mut left) = (Vec::new(), Vec::new());
        let patterns = parameters.all("filter_path").flat_map(|text| text.split(','));
        for pattern in patterns.map(str::trim).filter(|pattern| !pattern.is_empty()).take(PATTERNS_MAX) {
            let parts = |pattern: &str| pattern.split('.').take(PATTERNS_MAX).map(str::to_owned).collect();
            match pattern.strip_prefix('-') {
                Some(pattern) => left.push(parts(pattern)),
                None => taken.push(parts(pattern)),
            }
        }
        Self { taken, left }
    }

    /// Answers with the requested parts of an answer.
    pub(super) fn reply(&self, answer: Json) -> Outcome {
        Ok(Reply::json(&self.shown(answer)))
    }

    /// Returns the requested parts of an answer.
    pub(super) fn shown(&self, mut answer: Json) -> Json {
        if !self.left.is_empty() {
            leave(&mut answer, &self.left);
        }
        if self.taken.is_empty() {
            return answer;
        }
        take(answer, &self.taken).unwrap_or_else(|| Json::Object(Map::new()))
    }
}

/// Returns the patterns below a name; `None` if one of them matches all of it.
fn below(patterns: &[Vec<String>], name: &str) -> Option<Vec<Vec<String>>> {
    let mut rest: Vec<Vec<String>> = Vec::new();
    for pattern in patterns {
        let mut pattern = pattern.as_slice();
        while let Some((first, inner)) = pattern.split_first() {
            if first == "**" {
                // It matches this name, and an empty path.
                rest.push(pattern.to_vec());
                if inner.is_empty() {
                    return None;
                }
                pattern = inner;
                continue;
            }
            if matches(first, name) {
                if inner.is_empty() {
                    return None;
                }
                rest.push(inner.to_vec());
            }
            break;
        }
    }
    rest.sort();
    rest.dedup();
    Some(rest)
}

/// Returns the parts of an answer that match. Items of lists have no names of their own.
fn take(answer: Json, patterns: &[Vec<String>]) -> Option<Json> {
    match answer {
        Json::Object(members) => {
            let wanted = |(name, value): (String, Json)| match below(patterns, &name) {
                None => Some((name, value)),
                Some(rest) if rest.is_empty() => None,
                Some(rest) => Some((name, take(value, &rest)?)),
            };
            let taken: Map<String, Json> = members.into_iter().filter_map(wanted).collect();
            (!taken.is_empty()).then_some(Json::Object(taken))
        }
        Json::Array(items) => {
            let taken: Vec<Json> = items.into_iter().filter_map(|item| take(item, patterns)).collect();
            (!taken.is_empty()).then_some(Json::Array(taken))
        }
        _ => None,
    }
}

/// Removes the excluded parts of an answer.
fn leave(answer: &mut Json, patterns: &[Vec<String>]) {
    match answer {
        Json::Object(members) => members.retain(|name, value| match below(patterns, name) {
            None => false,
            Some(rest) => {
                if !rest.is_empty() {
                    leave(value, &rest);
                }
                true
            }
        }),
        Json::Array(items) => items.iter_mut().for_each(|item| leave(item, patterns)),
        _ => {}
    }
}

/// Reports whether a pattern matches `path` or something below it.
fn reaches(pattern: &str, path: &[&str]) -> bool {
    let mut parts = pattern.split('.');
    for name in path {
        match parts.next() {
            // The pattern ended above: everything below matches.
            None | Some("**") => return true,
            Some(part) if !matches(part, name) => return false,
            Some(_) => {}
        }
    }
    true
}

/// Reports whether a pattern matches everything at `path`.
fn covers(pattern: &str, path: &[&str]) -> bool {
    pattern.contains("**") || pattern.split('.').count() <= path.len() && reaches(pattern, path)
}

/// Reports whether a name matches a part of a pattern, in which `*` matches any characters.
fn matches(part: &str, name: &str) -> bool {
    types::GroupPattern::new(part).matches(name)
}

#[cfg(test)]
mod tests;
