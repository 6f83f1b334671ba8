//! A pattern as a regular expression that is as narrow as the texts it was found in: what stands for a number matches
//! numbers alone. A narrow expression leaves little room for what a rule looks for, so that it can be told what the pattern's
//! events are not needed for.

use regex::{Regex, RegexBuilder};

/// How a wildcard of a pattern is shown.
pub(crate) const SHOWN: &str = "<*>";

/// Longer expressions are refused by pipelines.
const REGEX_BYTES_MAX: usize = 1 << 20;

/// Wildcards of one pattern; more are those of a list or a table, which no one names.
const WILDCARDS_MAX: usize = 40;

/// A pattern with what its wildcards stand for.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    /// Fixed texts; between each two of them is a wildcard.
    fixed: Vec<String>,
    /// What the wildcards stand for.
    pub(crate) wildcards: Vec<Wildcard>,
}

/// What a wildcard stands for in all texts that were looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wildcard {
    /// A whole number.
    Integer,
    /// A number with decimals.
    Number,
    /// Digits and the signs between them: times, addresses, versions.
    Digits,
    /// No white space.
    Word,
    /// Anything.
    Any,
}

impl Wildcard {
    const ALL: [Self; 5] = [Self::Integer, Self::Number, Self::Digits, Self::Word, Self::Any];

    /// Returns the expression of a condition.
    fn regex(self) -> &'static str {
        match self {
            Self::Integer => "[0-9]+",
            Self::Number => r"[0-9]+(?:\.[0-9]+)?",
            Self::Digits => "[0-9][0-9.:,/+-]*",
            Self::Word => r"\S*",
            Self::Any => ".*",
        }
    }

    /// Returns the grok pattern that takes a field of this kind; `None` where there is none.
    fn grok(self, name: &str) -> Option<String> {
        match self {
            Self::Integer => Some(format!("%{{INT:{name}:int}}")),
            Self::Number => Some(format!("%{{NUMBER:{name}:float}}")),
            Self::Digits | Self::Word => Some(format!("%{{NOTSPACE:{name}}}")),
            Self::Any => None,
        }
    }

    fn holds(self, text: &str) -> bool {
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        match self {
            Self::Integer => is_number(text) && text.len() < 19,
            Self::Number => match text.split_once('.') {
                Some((whole, rest)) => is_number(whole) && is_number(rest) && text.len() < 16,
                None => is_number(text) && text.len() < 16,
            },
            Self::Digits => {
                text.starts_with(|first: char| first.is_ascii_digit())
                    && text.bytes().all(|byte| byte.is_ascii_digit() || b".:,/+-".contains(&byte))
            }
            Self::Word => !text.contains(char::is_whitespace),
            Self::Any => true,
        }
    }
}

impl Template {
    /// Returns the template of a pattern whose texts `samples` are; `None` where the pattern matches none of them.
    pub(crate) fn new<'s>(pattern: &str, samples: impl Iterator<Item = &'s str>) -> Option<Self> {
        let fixed: Vec<String> = pattern.split(SHOWN).map(str::to_owned).collect();
        let n_wildcards = fixed.len() - 1;
        let widest = Self { fixed, wildcards: vec![Wildcard::Any; n_wildcards] };
        if n_wildcards > WILDCARDS_MAX {
            return None;
        }
        let regex = compiled(&widest.written(|_, _| Some("(.*?)".to_owned()))?)?;
        let found: Vec<regex::Captures<'_>> = samples.filter_map(|sample| regex.captures(sample)).collect();
        if found.is_empty() {
            return None;
        }
        let narrowest = |place: usize| {
            let texts = || found.iter().filter_map(|captures| captures.get(place + 1)).map(|found| found.as_str());
            Wildcard::ALL.into_iter().find(|wildcard| texts().all(|text| wildcard.holds(text))).unwrap_or(Wildcard::Any)
        };
        let wildcards = (0..n_wildcards).map(narrowest).collect();
        Some(Self { wildcards, ..widest })
    }

    /// Returns the expression that matches the texts, whole.
    pub(crate) fn regex(&self) -> Option<String> {
        self.written(|_, wildcard| Some(wildcard.regex().to_owned()))
    }

    /// Returns the grok pattern that takes the fields `names`, one or none for each wildcard, out of the texts.
    pub(crate) fn grok(&self, names: &[Option<String>]) -> Option<String> {
        self.written(|place, wildcard| match names.get(place).and_then(Option::as_ref) {
            Some(name) => wildcard.grok(name),
            None => Some(wildcard.regex().to_owned()),
        })
    }

    /// Returns the fixed texts before and after a wildcard.
    pub(crate) fn around(&self, place: usize) -> (&str, &str) {
        let at = |place: usize| self.fixed.get(place).map_or("", String::as_str);
        (at(place), at(place + 1))
    }

    /// Writes the expression with `wildcard` for each wildcard.
    fn written(&self, wildcard: impl Fn(usize, Wildcard) -> Option<String>) -> Option<String> {
        let mut out = String::from(r"(?s)^\s*");
        for (place, fixed) in self.fixed.iter().enumerate() {
            if place > 0 {
                out.push_str(&wildcard(place - 1, self.wildcards[place - 1])?);
            }
            // Patterns show white space as one blank.
            let mut words = fixed.split(' ');
            out.push_str(&words.next().map(regex::escape).unwrap_or_default());
            for word in words {
                out.push_str(r"\s+");
                out.push_str(&regex::escape(word));
            }
        }
        out.push_str(r"\s*$");
        Some(out)
    }
}

fn compiled(source: &str) -> Option<Regex> {
    RegexBuilder::new(source).size_limit(REGEX_BYTES_MAX).build().ok()
}

#[cfg(test)]
mod tests;
