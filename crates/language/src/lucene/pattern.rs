//! Wildcards, regular expressions and similar words, as the field of a clause takes them.

use super::regexp;
use super::target::Target;
use crate::mapping::Kind;

/// Longest word of which similar ones are looked for: each letter makes three forms.
pub(crate) const FUZZY_LETTERS_MAX: usize = 32;

/// Returns a regular expression for `*` and `?`, over a whole value or word.
pub fn wildcard(written: &str) -> String {
    format!("(?s)^{}$", wildcard_source(written, ".*", "."))
}

/// Returns a regular expression for `*` and `?` within one word of a text.
fn wildcard_of_word(written: &str) -> String {
    let is_letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let begin = if is_letter(written.chars().next()) { "\\b" } else { "" };
    let end = if is_letter(written.chars().last()) { "\\b" } else { "" };
    format!("(?i){begin}{}{end}", wildcard_source(written, "\\S*", "\\S"))
}

fn wildcard_source(written: &str, any: &str, one: &str) -> String {
    let mut source = String::new();
    let mut characters = written.chars();
    while let Some(c) = characters.next() {
        match c {
            '*' => source.push_str(any),
            '?' => source.push_str(one),
            '\\' => source.push_str(&regex::escape(&characters.next().map(String::from).unwrap_or_default())),
            c => source.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
        }
    }
    source
}

pub(crate) fn has_wildcard(written: &str) -> bool {
    let mut characters = written.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => drop(characters.next()),
            '*' | '?' => return true,
            _ => {}
        }
    }
    false
}

impl Target {
    /// Regular expressions for `*` and `?`, one of which must match.
    pub(crate) fn wildcards(&self, written: &str) -> Vec<String> {
        match (self.is_loose(), self.is_sentence()) {
            (false, _) => vec![wildcard(&self.normal(written))],
            (true, true) => vec![wildcard_of_word(written)],
            (true, false) => vec![wildcard(written), wildcard_of_word(written)],
        }
    }

    /// Returns a regular expression as the field takes it.
    pub(crate) fn expression(&self, source: &str) -> Result<String, String> {
        match (self.is_loose(), self.is_sentence()) {
            (true, true) => Ok(source.to_owned()),
            (true, false) => Ok(format!("^(?:{source})$")),
            (false, _) => regexp::anchored(source),
        }
    }

    /// Returns a pattern as the words of the field are: in lower case.
    pub(crate) fn normal(&self, written: &str) -> String {
        let is_kept = match self.kind() {
            Some(Kind::Keyword { is_lower, .. }) => !is_lower,
            _ => self.is_keyword(),
        };
        if is_kept { written.to_owned() } else { written.to_lowercase() }
    }

    /// Returns a regular expression for a word and those that differ from it in one letter: another one, one more, one
    /// less, or two in the other order.
    pub(crate) fn similar(&self, word: &str) -> String {
        let letters: Vec<char> = word.chars().take(FUZZY_LETTERS_MAX).collect();
        let text = |letters: &[char]| regex::escape(&letters.iter().collect::<String>());
        let mut forms = vec![text(&letters)];
        for at in 0..=letters.len() {
            let (before, after) = letters.split_at(at);
            forms.push(format!("{}\\S{}", text(before), text(after)));
            if let [_, rest @ ..] = after {
                forms.push(format!("{}\\S?{}", text(before), text(rest)));
            }
            if let [first, second, rest @ ..] = after {
                forms.push(format!("{}{}{}", text(before), text(&[*second, *first]), text(rest)));
            }
        }
        let forms = forms.join("|");
        if self.is_loose() { format!("(?i)\\b(?:{forms})\\b") } else { format!("^(?:{forms})$") }
    }
}
