//! Texts against patterns: substrings, regular expressions, phrases.

use std::sync::Arc;

use memchr::memmem;
use regex::Regex;
use types::{Column, RowSet, Strings};

use crate::columns::cell::Cell;
use plan::{Alternatives, Number, TextPattern, Word, Words};

/// Separators between two words of a phrase. Without a limit, a text of separators alone costs its length squared.
const GAP_MAX: usize = 64;

/// Whole numbers from 0 below this are matched once.
const SMALL_END: usize = 1024;

/// A pattern made ready for many texts.
pub enum Matcher<'a> {
    /// Holds a text.
    Substring(Box<memmem::Finder<'a>>),
    /// Matches somewhere.
    Regex(&'a Regex),
    /// Holds words one after the other.
    Phrase(&'a [String]),
    /// Holds one of many texts or phrases.
    OneOf(&'a Alternatives),
    /// Has words one after the other, as the standard analyser finds them.
    Words(&'a Words),
}

impl<'a> Matcher<'a> {
    /// Prepares a pattern.
    pub fn new(pattern: &'a TextPattern) -> Self {
        match pattern {
            TextPattern::Substring(text) => Self::Substring(Box::new(memmem::Finder::new(text))),
            TextPattern::Regex(regex) => Self::Regex(regex),
            TextPattern::Phrase(words) => Self::Phrase(words),
            TextPattern::OneOf(alternatives) => Self::OneOf(alternatives),
            TextPattern::Words(words) => Self::Words(words),
        }
    }

    /// Reports whether a text matches.
    pub fn matches(&self, text: &str) -> bool {
        match self {
            Self::Substring(finder) => finder.find(text.as_bytes()).is_some(),
            Self::Regex(regex) => regex.is_match(text),
            Self::Phrase(words) => holds_phrase(text, words),
            Self::OneOf(alternatives) => alternatives.match_one(text, |words| holds_phrase(text, words)),
            Self::Words(words) => {
                words.required().is_none_or(|word| find_ignoring_case(text, word, 0).is_some())
                    && words.match_text(text)
            }
        }
    }

    /// Returns rows of a column whose text matches; a missing value never does.
    pub fn rows(&self, column: &Arc<Column>) -> RowSet {
        match &**column {
            Column::Missing { n_rows } => RowSet::none(*n_rows),
            Column::Strings { values, present } => {
                let mut rows = self.text_rows(values);
                if let Some(present) = present {
                    rows.and(present);
                }
                rows
            }
            Column::Integers { .. } | Column::Floats { .. } if !self.may_match_a_number() => {
                RowSet::none(column.n_rows())
            }
            Column::Integers { values, present } => {
                let mut rows = self.integer_rows(values);
                if let Some(present) = present {
                    rows.and(present);
                }
                rows
            }
            column => RowSet::of(column.n_rows(), |row| match Cell::at(column, row) {
                Cell::Missing => false,
                Cell::Text(text) => self.matches(text),
                Cell::Nested(_) if matches!(self, Self::Words(_)) => false,
                number @ (Cell::Integer(_) | Cell::Float(_)) if matches!(self, Self::Words(_)) => {
                    self.matches_number(number)
                }
                other => other.text().is_some_and(|text| self.matches(&text)),
            }),
        }
    }

    /// Returns rows of whole numbers whose text matches. Small ones, such as a status, come again and again.
    fn integer_rows(&self, values: &[i64]) -> RowSet {
        let matches = |value: i64| match self {
            Self::Words(_) => self.matches_number(Cell::Integer(value)),
            _ => self.matches(&value.to_string()),
        };
        let mut known: Vec<Option<bool>> = vec![None; SMALL_END];
        RowSet::of_slice(values, |value| match usize::try_from(*value).ok().and_then(|small| known.get_mut(small)) {
            Some(known) => *known.get_or_insert_with(|| matches(*value)),
            None => matches(*value),
        })
    }

    /// Reports whether a number is one of the words: by its value, however it is spelled.
    fn matches_number(&self, cell: Cell<'_>) -> bool {
        let Self::Words(words) = self else { return false };
        let Some(number) = cell.plain_number() else { return false };
        let is = |word: &str| Number::read(word).is_some_and(|other| number.compare(other).is_eq());
        match words.single() {
            Some(Word::Exact(word)) => is(word),
            Some(Word::OneOf(list)) => list.iter().any(|word| is(word)),
            Some(Word::Matching(regex)) => cell.text().is_some_and(|text| regex.is_match(&text)),
            None => false,
        }
    }

    /// Reports whether the text of a number can match: it has digits, one point, signs and an `e`.
    fn may_match_a_number(&self) -> bool {
        let fits = |text: &str| {
            let is_of_number = |b: u8| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'e' | b'E');
            text.bytes().all(is_of_number) && text.bytes().filter(|b| *b == b'.').count() < 2
        };
        match self {
            Self::Substring(finder) => std::str::from_utf8(finder.needle()).is_ok_and(fits),
            Self::Regex(_) | Self::Words(_) => true,
            // Between words of a phrase may stand what also is inside a number.
            Self::Phrase(words) => words.iter().all(|word| fits(word)),
            Self::OneOf(alternatives) => {
                alternatives.patterns.iter().any(|pattern| Matcher::new(pattern).may_match_a_number())
            }
        }
    }

    /// Returns rows of texts that match.
    fn text_rows(&self, values: &Strings) -> RowSet {
        match self {
            Self::Substring(finder) => substring_rows(finder, values.text().as_bytes(), values.ends()),
            Self::Phrase(words) => {
                let longest = words.iter().filter(|word| word.is_ascii()).max_by_key(|word| word.len());
                let Some(longest) = longest else {
                    return RowSet::of(values.len(), |row| self.matches(values.get(row)));
                };
                // Lowering ASCII letters moves nothing, and goes through all texts at the speed of memory.
                let lowered = values.text().to_ascii_lowercase();
                let needle = longest.to_ascii_lowercase();
                let candidates = substring_rows(&memmem::Finder::new(&needle), lowered.as_bytes(), values.ends());
                RowSet::of(values.len(), |row| candidates.contains(row) && self.matches(values.get(row)))
            }
            Self::Words(words) if words.required().is_some() => {
                let needle = words.required().unwrap_or_default();
                let lowered = values.text().to_ascii_lowercase();
                let candidates = substring_rows(&memmem::Finder::new(needle), lowered.as_bytes(), values.ends());
                RowSet::of(values.len(), |row| candidates.contains(row) && words.match_text(values.get(row)))
            }
            Self::Regex(_) | Self::OneOf(_) | Self::Words(_) => {
                RowSet::of(values.len(), |row| self.matches(values.get(row)))
            }
        }
    }
}

/// Searches all texts in one go: they lie one after the other, so the search is as fast as memory.
fn substring_rows(finder: &memmem::Finder<'_>, text: &[u8], ends: &[u32]) -> RowSet {
    let n_rows = ends.len();
    if finder.needle().is_empty() {
        return RowSet::all(n_rows);
    }
    let mut rows = RowSet::none(n_rows);
    let (mut from, mut row) = (0, 0);
    while let Some(hit) = text.get(from..).and_then(|rest| finder.find(rest)) {
        let start = from + hit;
        row += ends[row..].partition_point(|end| (*end as usize) <= start);
        let Some(end) = ends.get(row) else { break };
        if start + finder.needle().len() <= *end as usize {
            rows.insert(row);
            from = *end as usize;
        } else {
            // The hit reaches into the next text: it is none.
            from = start + 1;
        }
    }
    rows
}

/// Reports whether `text` holds `words` one after the other as whole words, whatever their case.
///
/// Between two words stands anything that is no letter or digit. A word may itself hold such characters
/// (`10.1.2.3`); it is found as it is written, at the border of a word.
fn holds_phrase(text: &str, words: &[String]) -> bool {
    let Some(first) = words.first() else { return true };
    let mut from = 0;
    while let Some((start, end)) = find_ignoring_case(text, first, from) {
        if starts_word(text, start) && ends_word(text, end) && continues(text, end, &words[1..]) {
            return true;
        }
        from = start + text[start..].chars().next().map_or(1, char::len_utf8);
    }
    false
}

/// Reports whether `words` follow at `at`, with only separators between.
fn continues(text: &str, mut at: usize, words: &[String]) -> bool {
    for word in words {
        let gap = text[at..].find(char::is_alphanumeric).unwrap_or(text.len() - at).min(GAP_MAX);
        // The word may begin with a separator of its own: look for it at every place of the gap.
        let found = (0..=gap)
            .filter(|skip| text.is_char_boundary(at + skip))
            .find_map(|skip| word_end(text, at + skip, word).filter(|end| ends_word(text, *end)));
        match found {
            Some(end) => at = end,
            None => return false,
        }
    }
    true
}

fn starts_word(text: &str, at: usize) -> bool {
    let begins_inside = text[at..].starts_with(char::is_alphanumeric);
    !begins_inside || !text[..at].ends_with(char::is_alphanumeric)
}

fn ends_word(text: &str, at: usize) -> bool {
    let stops_inside = text[..at].ends_with(char::is_alphanumeric);
    !stops_inside || !text[at..].starts_with(char::is_alphanumeric)
}

/// Returns where `word` ends if it is at `at`, whatever its case.
fn word_end(text: &str, at: usize, word: &str) -> Option<usize> {
    let mut rest = text[at..].chars();
    let mut end = at;
    for wanted in word.chars() {
        let found = rest.next()?;
        // ASCII letters only meet ASCII letters, so that a search for bytes finds every place.
        let is_same = match wanted.is_ascii() {
            true => found.eq_ignore_ascii_case(&wanted),
            false => found == wanted || found.to_lowercase().eq(wanted.to_lowercase()),
        };
        if !is_same {
            return None;
        }
        end += found.len_utf8();
    }
    Some(end)
}

/// Returns the first place from `from` on where `word` stands, whatever its case: start and end.
fn find_ignoring_case(text: &str, word: &str, from: usize) -> Option<(usize, usize)> {
    let first = word.chars().next()?;
    if first.is_ascii() {
        let (lower, upper) = (first.to_ascii_lowercase() as u8, first.to_ascii_uppercase() as u8);
        let bytes = text.as_bytes();
        return memchr::memchr2_iter(lower, upper, bytes.get(from..)?)
            .map(|hit| from + hit)
            .find_map(|start| word_end(text, start, word).map(|end| (start, end)));
    }
    let starts = text.get(from..)?.char_indices().map(|(hit, _)| from + hit);
    starts.into_iter().find_map(|start| word_end(text, start, word).map(|end| (start, end)))
}

#[cfg(test)]
mod tests;
