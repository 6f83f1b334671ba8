//! Definitions of pipelines, read with the place of every mistake: whoever knows where the definition came from (a file, a
//! request) can say it by line.

use std::fmt;

use regex::{Regex, RegexBuilder};
use serde_json::Value as Json;
use types::GroupPattern;

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
pub struct PipelineError {
    /// The way to the value, from the list of pipelines.
    pub path: Vec<Part>,
    /// What is wrong, and what would be right.
    pub problem: String,
}

impl std::error::Error for PipelineError {}

/// `pipeline[0].steps[2].parse: …`
impl fmt::Display for PipelineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("pipeline")?;
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
pub(super) struct Node<'v> {
    value: &'v Json,
    path: Vec<Part>,
}

impl<'v> Node<'v> {
    pub(super) fn root(value: &'v Json) -> Self {
        Self { value, path: Vec::new() }
    }

    pub(super) fn value(&self) -> &'v Json {
        self.value
    }

    pub(super) fn error(&self, problem: impl Into<String>) -> PipelineError {
        PipelineError { path: self.path.clone(), problem: problem.into() }
    }

    fn at(&self, part: Part, value: &'v Json) -> Self {
        let mut path = self.path.clone();
        path.push(part);
        Node { value, path }
    }

    /// The value under a key.
    pub(super) fn get(&self, key: &str) -> Option<Self> {
        self.value.get(key).map(|value| self.at(Part::Key(key.to_owned()), value))
    }

    /// The value under a key, or this one where there is none: a place for an error.
    pub(super) fn child(&self, key: &str) -> Self {
        self.get(key).unwrap_or_else(|| self.clone())
    }

    pub(super) fn needed(&self, key: &str, wanted: &str) -> Result<Self, PipelineError> {
        self.get(key).ok_or_else(|| self.error(format!("\"{key}\" is missing: {wanted}")))
    }

    /// Refuses what is no object or has other keys than these.
    pub(super) fn check_keys(&self, known: &[&str]) -> Result<(), PipelineError> {
        for (key, node) in self.members()? {
            if !known.contains(&key) {
                let near = nearest(key, known);
                let hint = near.map_or_else(
                    || format!("known here: {}", known.join(", ")),
                    |near| format!("did you mean \"{near}\"?"),
                );
                return Err(node.error(format!("unknown key \"{key}\"; {hint}")));
            }
        }
        Ok(())
    }

    pub(super) fn members(&self) -> Result<Vec<(&'v str, Self)>, PipelineError> {
        let Json::Object(members) = self.value else {
            return Err(self.error("must be a table, such as { key = \"value\" }"));
        };
        Ok(members.iter().map(|(key, value)| (key.as_str(), self.at(Part::Key(key.clone()), value))).collect())
    }

    pub(super) fn items(&self) -> Result<Vec<Self>, PipelineError> {
        let Json::Array(items) = self.value else { return Err(self.error("must be a list")) };
        Ok(items.iter().enumerate().map(|(index, value)| self.at(Part::Index(index), value)).collect())
    }

    /// The items of a list, or a single value as the only one.
    pub(super) fn one_or_many(&self) -> Vec<Self> {
        self.items().unwrap_or_else(|_| vec![self.clone()])
    }

    pub(super) fn text(&self) -> Result<&'v str, PipelineError> {
        self.value.as_str().ok_or_else(|| self.error("must be a text in quotes"))
    }

    /// A text that is not empty.
    pub(super) fn name(&self) -> Result<&'v str, PipelineError> {
        let text = self.text()?;
        if text.is_empty() { Err(self.error("must not be empty")) } else { Ok(text) }
    }

    pub(super) fn truth(&self) -> Result<bool, PipelineError> {
        self.value.as_bool().ok_or_else(|| self.error("must be true or false"))
    }

    pub(super) fn count(&self) -> Result<u64, PipelineError> {
        self.value.as_u64().ok_or_else(|| self.error("must be a whole number"))
    }

    /// Patterns in which `*` stands for any characters, one or a list.
    pub(super) fn patterns(&self) -> Result<Vec<GroupPattern>, PipelineError> {
        self.one_or_many().iter().map(|node| node.name().map(GroupPattern::new)).collect()
    }

    pub(super) fn regex(&self) -> Result<Regex, PipelineError> {
        compile_regex(self.name()?).map_err(|problem| self.error(problem))
    }
}

/// Compiles a regular expression within limits.
pub(super) fn compile_regex(source: &str) -> Result<Regex, String> {
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

/// The known name that looks most like `name`, if one is close.
pub(super) fn nearest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    let close = known.iter().map(|known| (edit_distance(known, name), *known)).min()?;
    (close.0 <= 1 + name.chars().take(64).count() / 3).then_some(close.1)
}

/// How many characters must be inserted, deleted or replaced to make one text of the other (Levenshtein distance); only
/// the first 64 count.
pub fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().take(64).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
