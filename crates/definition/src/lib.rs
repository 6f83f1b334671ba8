//! Definitions (of pipelines, of inputs), read with the place of every mistake: whoever knows where a definition came
//! from, a file or a request, can say it by line.
//!
//! This crate does no I/O and knows nothing of what is defined.

use std::fmt;
use std::time::Duration;

use regex::{Regex, RegexBuilder};
use serde_json::Value as Json;
use types::{ByteSize, GroupName, GroupPattern, parse_duration_ns};

/// 1 MiB of compiled program holds every expression of a sane size and refuses `(\w{100}){100}`.
const REGEX_BYTES_MAX: usize = 1 << 20;

/// One step of the way to a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// A key of an object.
    Key(String),
    /// A place in a list, from 0.
    Index(usize),
}

/// What is wrong with a definition, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefinitionError {
    /// What is defined, such as `pipeline`.
    pub what: &'static str,
    /// The way to the value, from the list of definitions.
    pub path: Vec<Part>,
    /// What is wrong, and what would be right.
    pub problem: String,
}

impl std::error::Error for DefinitionError {}

/// `pipeline[0].steps[2].parse: …`
impl fmt::Display for DefinitionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)?;
        for part in &self.path {
            match part {
                Part::Key(key) => write!(f, ".{key}")?,
                Part::Index(index) => write!(f, "[{index}]")?,
            }
        }
        write!(f, ": {}", self.problem)
    }
}

/// A value of a definition, with the way to it.
#[derive(Clone, Debug)]
pub struct Node<'v> {
    what: &'static str,
    /// The value itself.
    pub value: &'v Json,
    path: Vec<Part>,
}

impl<'v> Node<'v> {
    /// Returns the list of all definitions of a kind (`what`, such as `pipeline`).
    pub fn root(what: &'static str, value: &'v Json) -> Self {
        Self { what, value, path: Vec::new() }
    }

    /// Returns what is wrong with this value.
    pub fn error(&self, problem: impl Into<String>) -> DefinitionError {
        DefinitionError { what: self.what, path: self.path.clone(), problem: problem.into() }
    }

    fn at(&self, part: Part, value: &'v Json) -> Self {
        let mut path = self.path.clone();
        path.push(part);
        Node { what: self.what, value, path }
    }

    /// Returns the value under a key.
    pub fn get(&self, key: &str) -> Option<Self> {
        self.value.get(key).map(|value| self.at(Part::Key(key.to_owned()), value))
    }

    /// Returns the value under a key, or this one where there is none: a place for an error.
    pub fn child(&self, key: &str) -> Self {
        self.get(key).unwrap_or_else(|| self.clone())
    }

    /// Returns the value under a key that must be there; `wanted` says what for.
    pub fn needed(&self, key: &str, wanted: &str) -> Result<Self, DefinitionError> {
        self.get(key).ok_or_else(|| self.error(format!("\"{key}\" is missing: {wanted}")))
    }

    /// Refuses what is no object or has other keys than these.
    ///
    /// # Errors
    /// The first unknown key.
    pub fn check_keys(&self, known: &[&str]) -> Result<(), DefinitionError> {
        self.members()?;
        self.unknown_keys(known).into_iter().next().map_or(Ok(()), Err)
    }

    /// Returns an error for each key of an object that is not among these.
    pub fn unknown_keys(&self, known: &[&str]) -> Vec<DefinitionError> {
        let unknown = self.members().unwrap_or_default().into_iter().filter(|(key, _)| !known.contains(key));
        let error = |(key, node): (&str, Self)| {
            let near = nearest(key, known);
            let hint = near.map_or_else(
                || format!("known here: {}", known.join(", ")),
                |near| format!("did you mean \"{near}\"?"),
            );
            node.error(format!("unknown key \"{key}\"; {hint}"))
        };
        unknown.map(error).collect()
    }

    /// Returns the values of an object by their keys.
    pub fn members(&self) -> Result<Vec<(&'v str, Self)>, DefinitionError> {
        let Json::Object(members) = self.value else {
            return Err(self.error("must be a table, such as { key = \"value\" }"));
        };
        Ok(members.iter().map(|(key, value)| (key.as_str(), self.at(Part::Key(key.clone()), value))).collect())
    }

    /// Returns the values of a list.
    pub fn items(&self) -> Result<Vec<Self>, DefinitionError> {
        let Json::Array(items) = self.value else { return Err(self.error("must be a list")) };
        Ok(items.iter().enumerate().map(|(index, value)| self.at(Part::Index(index), value)).collect())
    }

    /// Returns the items of a list, or a single value as the only one.
    pub fn one_or_many(&self) -> Vec<Self> {
        self.items().unwrap_or_else(|_| vec![self.clone()])
    }

    /// Returns a text.
    pub fn text(&self) -> Result<&'v str, DefinitionError> {
        self.value.as_str().ok_or_else(|| self.error("must be a text in quotes"))
    }

    /// Returns a text that is not empty.
    pub fn name(&self) -> Result<&'v str, DefinitionError> {
        let text = self.text()?;
        if text.is_empty() { Err(self.error("must not be empty")) } else { Ok(text) }
    }

    /// True or false.
    pub fn truth(&self) -> Result<bool, DefinitionError> {
        self.value.as_bool().ok_or_else(|| self.error("must be true or false"))
    }

    /// Returns a whole number that is not negative.
    pub fn count(&self) -> Result<u64, DefinitionError> {
        self.value.as_u64().ok_or_else(|| self.error("must be a whole number"))
    }

    /// Patterns in which `*` stands for any characters, one or a list.
    pub fn patterns(&self) -> Result<Vec<GroupPattern>, DefinitionError> {
        self.one_or_many().iter().map(|node| node.name().map(GroupPattern::new)).collect()
    }

    /// Returns a text, or a list of texts.
    pub fn texts(&self) -> Result<Vec<&'v str>, DefinitionError> {
        self.one_or_many().iter().map(Node::name).collect()
    }

    /// Returns a number of bytes, such as `"1GiB"`.
    pub fn size(&self) -> Result<u64, DefinitionError> {
        match self.value.as_u64() {
            Some(n_bytes) => Ok(n_bytes),
            None => self.text()?.parse().map(|size: ByteSize| size.0).map_err(|error| self.error(error.to_string())),
        }
    }

    /// Returns a duration, such as `"30s"`.
    pub fn duration(&self) -> Result<Duration, DefinitionError> {
        let nanoseconds = parse_duration_ns(self.text()?).map_err(|error| self.error(error.to_string()))?;
        u64::try_from(nanoseconds).map(Duration::from_nanos).map_err(|_| self.error("must not be negative"))
    }

    /// Returns the name of a group.
    pub fn group(&self) -> Result<GroupName, DefinitionError> {
        let text = self.text()?;
        let problem = format!("\"{text}\" is no name of a group: it has 1–512 of A-Z a-z 0-9 . _ / # -");
        GroupName::new(text).ok_or_else(|| self.error(problem))
    }

    /// Returns a regular expression.
    pub fn regex(&self) -> Result<Regex, DefinitionError> {
        compile_regex(self.name()?).map_err(|problem| self.error(problem))
    }
}

/// Compiles a regular expression within limits.
pub fn compile_regex(source: &str) -> Result<Regex, String> {
    let built = RegexBuilder::new(source).size_limit(REGEX_BYTES_MAX).dfa_size_limit(REGEX_BYTES_MAX).build();
    built.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => "this regular expression is too large: its repetitions multiply".to_owned(),
        other => {
            // The last line says what is wrong; those before it draw the place, which errors here name otherwise.
            let shown = other.to_string();
            let last = shown.lines().last().unwrap_or_default().trim().trim_start_matches("error: ").to_owned();
            format!("this regular expression is not valid: {last}")
        }
    })
}

/// Returns the known name that looks most like `name`, if one is close.
pub fn nearest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    let close = known.iter().map(|known| (edit_distance(known, name), *known)).min()?;
    (close.0 <= 1 + name.chars().take(64).count() / 3).then_some(close.1)
}

/// Returns how many characters must be inserted, deleted or replaced to make one text of the other (Levenshtein
/// distance); only the first 64 count.
pub fn edit_distance(a: &str, b: &str) -> usize {
    let head = |text: &str| text.chars().take(64).collect::<String>();
    strsim::levenshtein(&head(a), &head(b))
}
