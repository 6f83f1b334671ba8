//! Path patterns: `*` and `?` stay within a path part, `**` crosses parts. Everything else is literal.
//!
//! Matching never recurses and costs at most the product of the lengths, whatever the pattern.

use std::path::{Component, Path, PathBuf};

use types::matches_with_stars;

/// A pattern over the parts of a path below a fixed directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob {
    parts: Vec<String>,
}

/// Reports whether `text` has characters that mean something in a pattern.
pub fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?'])
}

impl Glob {
    /// Splits an absolute path with pattern characters into the directory before the first of them, and the rest.
    pub fn split(path: &Path) -> (PathBuf, Self) {
        let mut base = PathBuf::new();
        let mut parts = Vec::new();
        for component in path.components() {
            let text = component.as_os_str().to_string_lossy();
            if parts.is_empty() && !(matches!(component, Component::Normal(_)) && is_pattern(&text)) {
                base.push(component);
            } else {
                parts.push(text.into_owned());
            }
        }
        (base, Self { parts })
    }

    /// Returns how many directories deep below the base a match can lie at most; `None` if `**` sets no bound.
    pub fn depth_max(&self) -> Option<usize> {
        (!self.parts.iter().any(|part| part == "**")).then_some(self.parts.len())
    }

    /// Reports whether a path below the base matches, part for part.
    pub fn matches(&self, below_base: &Path) -> bool {
        let names: Vec<String> =
            below_base.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
        matches_with_stars(&self.parts, &names, |part| part == "**", |part, name| part_matches(part, name))
    }
}

/// Reports whether one path part matches a pattern without `**`.
fn part_matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    matches_with_stars(&pattern, &name, |c| *c == '*', |c, d| *c == '?' || c == d)
}

#[cfg(test)]
mod tests;
