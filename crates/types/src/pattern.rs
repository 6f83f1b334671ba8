//! Patterns of group names: `*` stands for any characters, `/` too; anchored, case-sensitive.

use crate::GroupName;

/// A pattern that group names match or do not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupPattern(String);

impl GroupPattern {
    /// Makes a pattern; `*` alone is everything.
    pub fn new(pattern: impl Into<String>) -> Self {
        Self(pattern.into())
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Tells whether `name` matches. Linear in the product of the lengths at worst, without recursion.
    pub fn matches(&self, name: &str) -> bool {
        matches_with_stars(self.0.as_bytes(), name.as_bytes(), |b| *b == b'*', |b, c| b == c)
    }

    /// Tells whether any of `patterns` matches `name`; no pattern at all matches everything.
    pub fn any_matches(patterns: &[Self], name: &str) -> bool {
        patterns.is_empty() || patterns.iter().any(|pattern| pattern.matches(name))
    }

    /// Tells whether a question about the groups of `patterns` is about the group `name`. Nobody has sent the server's own metrics, and
    /// there are more of them than of many people's events: who asks for everything, or for names with any beginning, does not mean them.
    pub fn any_names(patterns: &[Self], name: &str) -> bool {
        let names = |pattern: &Self| !pattern.as_str().starts_with('*') && pattern.matches(name);
        match name == GroupName::OWN_METRICS {
            true => patterns.iter().any(names),
            false => Self::any_matches(patterns, name),
        }
    }
}

/// Matches by the usual walk with one point of return: a later star makes an earlier one irrelevant.
pub fn matches_with_stars<P, N>(
    pattern: &[P],
    name: &[N],
    is_star: impl Fn(&P) -> bool,
    is_same: impl Fn(&P, &N) -> bool,
) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some(part) if is_star(part) => {
                retry = Some((p + 1, n));
                p += 1;
            }
            Some(part) if is_same(part, &name[n]) => (p, n) = (p + 1, n + 1),
            _ => match retry {
                Some((after_star, star_at)) => {
                    retry = Some((after_star, star_at + 1));
                    (p, n) = (after_star, star_at + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(is_star)
}

#[cfg(test)]
mod tests;
