//! What texts are matched against; many alternatives are found in one go.

use std::fmt::{self, Debug, Formatter};
use std::sync::Arc;

use aho_corasick::{AhoCorasick, MatchKind};
use regex::Regex;
use serde::{Deserialize, Serialize};

use crate::words::Words;

/// What a text is matched against.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum TextPattern {
    /// Holds this text, upper and lower case distinguished.
    Substring(String),
    /// Matches this regular expression somewhere.
    Regex(#[serde(with = "crate::wire::regex")] Regex),
    /// Holds these words one after the other as whole words, whatever their case. Words are as they were written,
    /// cut at white space: `10.1.2.3` is one.
    Phrase(Vec<String>),
    /// One of many: all of them substrings, or all phrases.
    OneOf(#[serde(with = "crate::wire::alternatives")] Arc<Alternatives>),
    /// Has these words one after the other, as Elasticsearch's standard analyser finds words. A number has one, itself.
    Words(Words),
}

/// Substrings, or phrases, of which one is enough.
#[derive(Clone)]
pub struct Alternatives {
    /// The patterns, in the order of the text.
    pub patterns: Vec<TextPattern>,
    /// Finds the substrings, or of each phrase the longest word of ASCII.
    finder: AhoCorasick,
    /// Per word that is found, its phrase; of substrings every hit is enough.
    phrases: Option<Vec<usize>>,
    /// Phrases without such a word.
    others: Vec<usize>,
}

impl Alternatives {
    /// Makes patterns ready that are all substrings, or all phrases; `None` where they are something else or too many.
    pub fn new(patterns: Vec<TextPattern>) -> Option<Self> {
        let (mut words, mut phrases, mut others) = (Vec::new(), Vec::new(), Vec::new());
        let mut n_substrings = 0;
        for (index, pattern) in patterns.iter().enumerate() {
            match pattern {
                TextPattern::Substring(text) => {
                    n_substrings += 1;
                    words.push(text.as_str());
                }
                TextPattern::Phrase(of_phrase) => {
                    let longest = of_phrase.iter().filter(|word| word.is_ascii()).max_by_key(|word| word.len());
                    match longest {
                        Some(word) => {
                            phrases.push(index);
                            words.push(word.as_str());
                        }
                        None => others.push(index),
                    }
                }
                TextPattern::Regex(_) | TextPattern::OneOf(_) | TextPattern::Words(_) => return None,
            }
        }
        let has_substrings = n_substrings > 0;
        if has_substrings && n_substrings < patterns.len() {
            return None;
        }
        let mut builder = AhoCorasick::builder();
        builder.match_kind(MatchKind::Standard).ascii_case_insensitive(!has_substrings);
        let finder = builder.build(words).ok()?;
        Some(Self { patterns, finder, phrases: (!has_substrings).then_some(phrases), others })
    }

    /// Reports whether `text` holds one of them; `holds` says whether it holds a phrase.
    pub fn match_one(&self, text: &str, holds: impl Fn(&[String]) -> bool) -> bool {
        let Some(phrases) = &self.phrases else { return self.finder.is_match(text) };
        let holds = |index: usize| matches!(&self.patterns[index], TextPattern::Phrase(words) if holds(words));
        if self.others.iter().any(|index| holds(*index)) {
            return true;
        }
        let mut asked: Vec<usize> = Vec::new();
        for hit in self.finder.find_overlapping_iter(text) {
            let index = phrases[hit.pattern().as_usize()];
            // A word that comes again and again is asked about once.
            if !asked.contains(&index) {
                if holds(index) {
                    return true;
                }
                asked.push(index);
            }
        }
        false
    }
}

/// Like the list of patterns: plans with the same patterns are the same.
impl Debug for Alternatives {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.patterns).finish()
    }
}
