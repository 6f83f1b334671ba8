//! Words of a text as Elasticsearch's standard analyser has them, and patterns over them.
//!
//! A word is a row of letters, digits and underscores in the sense of Unicode's word boundaries (UAX #29), in lower
//! case: `10.1.2.3`, `example.com`, `snake_case` and `can't` are one word each, `web-1` and `/api/v1` are two.
//! Ideographs and hiragana are a word each.

#[cfg(test)]
mod tests;

use std::fmt::{self, Debug, Display, Formatter};

use regex::Regex;
use serde::{Deserialize, Serialize};

use crate::regular_expression::required_literal;

/// Alternatives of one word that are shown.
const SHOWN_MAX: usize = 10;

/// Most alternatives of one word in a regular expression.
const ALTERNATIVES_MAX: usize = 256;

/// Longest word in characters; longer ones are cut into several.
const WORD_CHARACTERS_MAX: usize = 255;

/// What one word of a text must be.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Word {
    /// This one, in lower case.
    Exact(Box<str>),
    /// One of these, sorted.
    OneOf(Vec<Box<str>>),
    /// One that matches.
    Matching(#[serde(with = "crate::wire::regex")] Regex),
}

/// Words of a text, one directly after the other.
#[derive(Clone, Serialize, Deserialize)]
pub struct Words {
    list: Vec<Word>,
    /// A text of ASCII that every text with these words holds, in either case.
    required: Option<String>,
    /// How many places the words may be elsewhere, in all.
    slop: usize,
}

impl Debug for Words {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.list).finish()?;
        if self.slop > 0 { write!(f, "~{}", self.slop) } else { Ok(()) }
    }
}

impl Display for Words {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some(words) = self.exact() {
            return write!(f, "{:?}", words.join(" "));
        }
        for (index, word) in self.list.iter().enumerate() {
            f.write_str(if index == 0 { "" } else { " " })?;
            match word {
                Word::Exact(text) => write!(f, "{text:?}")?,
                Word::OneOf(texts) if texts.len() > SHOWN_MAX => {
                    write!(f, "{:?} or {} more", &texts[..SHOWN_MAX], texts.len() - SHOWN_MAX)?;
                }
                Word::OneOf(texts) => write!(f, "{texts:?}")?,
                Word::Matching(regex) => write!(f, "/{regex}/")?,
            }
        }
        Ok(())
    }
}

impl Words {
    /// Returns the pattern of these words; `None` where there are none.
    pub fn new(words: Vec<Word>) -> Option<Self> {
        (!words.is_empty()).then(|| Self { required: required(&words), list: words, slop: 0 })
    }

    /// Returns the pattern of the words of a text; `None` where it has none.
    pub fn of_text(text: &str) -> Option<Self> {
        Self::new(words_of(text).into_iter().map(|word| Word::Exact(word.into())).collect())
    }

    /// Returns the pattern of one word out of several.
    pub fn one_of(words: impl IntoIterator<Item = String>) -> Self {
        let mut words: Vec<Box<str>> = words.into_iter().map(String::into_boxed_str).collect();
        words.sort_unstable();
        words.dedup();
        Self { list: vec![Word::OneOf(words)], required: None, slop: 0 }
    }

    /// Returns the same words, which may be elsewhere by so many places in all.
    pub fn with_slop(self, slop: usize) -> Self {
        Self { slop: if self.list.len() > 1 { slop } else { 0 }, ..self }
    }

    /// Returns the words where each is known exactly.
    pub fn exact(&self) -> Option<Vec<&str>> {
        if self.slop > 0 {
            return None;
        }
        self.list.iter().map(|word| if let Word::Exact(text) = word { Some(&**text) } else { None }).collect()
    }

    /// Returns the longest text of ASCII that occurs, in either case, in every text that matches.
    pub fn required(&self) -> Option<&str> {
        self.required.as_deref()
    }

    /// Returns a regular expression that finds them in a text, roughly; `None` where they are too many.
    pub fn as_regex(&self) -> Option<String> {
        if self.slop > 0 {
            return None;
        }
        let word = |word: &Word| match word {
            Word::Exact(text) => Some(regex::escape(text)),
            Word::OneOf(texts) if texts.len() <= ALTERNATIVES_MAX => {
                Some(format!("(?:{})", texts.iter().map(|text| regex::escape(text)).collect::<Vec<_>>().join("|")))
            }
            Word::OneOf(_) => None,
            // Anchored at the ends of the word, which are no ends of the text.
            Word::Matching(regex) => Some(regex.as_str().trim_start_matches("(?s)^").trim_end_matches('$').to_owned()),
        };
        let words: Vec<String> = self.list.iter().map(word).collect::<Option<_>>()?;
        Some(format!(r"(?i)\b{}\b", words.join(r"\W+")))
    }

    /// Reports whether a text has these words.
    pub fn match_text(&self, text: &str) -> bool {
        if self.slop > 0 {
            return self.is_near(text);
        }
        let mut found = false;
        // Places in the pattern that the words before have reached.
        let mut reached: Vec<usize> = Vec::new();
        each_word(text, |word| {
            reached.push(0);
            reached.retain_mut(|place| {
                let holds = self.list.get(*place).is_some_and(|pattern| pattern.is(word));
                *place += 1;
                found |= holds && *place == self.list.len();
                holds && *place < self.list.len()
            });
            !found
        });
        found
    }

    /// Reports whether the words stand so near to each other that no more moves than allowed bring them into their row.
    fn is_near(&self, text: &str) -> bool {
        // Where each word of the pattern stands, as the place where the pattern would then begin.
        let mut begins: Vec<Vec<i64>> = vec![Vec::new(); self.list.len()];
        let mut at = 0;
        each_word(text, |word| {
            for (place, _) in self.list.iter().enumerate().filter(|(_, pattern)| pattern.is(word)) {
                begins[place].push(at - place as i64);
            }
            at += 1;
            true
        });
        // Of all ways to take one of each, the one whose places lie closest: the least is moved on each time.
        let mut next = vec![0; begins.len()];
        loop {
            let mut least: Option<(i64, usize)> = None;
            let mut greatest = i64::MIN;
            let mut taken: Vec<i64> = Vec::with_capacity(begins.len());
            for (place, of_word) in begins.iter().enumerate() {
                let Some(begin) = of_word.get(next[place]) else { return false };
                least = least.filter(|(known, _)| known <= begin).or(Some((*begin, place)));
                greatest = greatest.max(*begin);
                taken.push(begin + place as i64);
            }
            let Some((begin, place)) = least else { return false };
            taken.sort_unstable();
            let is_apart = taken.windows(2).all(|pair| pair[0] != pair[1]);
            if is_apart && greatest - begin <= i64::try_from(self.slop).unwrap_or(i64::MAX) {
                return true;
            }
            next[place] += 1;
        }
    }

    /// Reports whether the only word is one of these texts, as a value that is no text has them.
    pub fn single(&self) -> Option<&Word> {
        if let [word] = self.list.as_slice() { Some(word) } else { None }
    }
}

/// Returns the longest text of ASCII that words cannot do without.
fn required(words: &[Word]) -> Option<String> {
    let of_word = |word: &Word| match word {
        Word::Exact(text) => Some(text.to_string()),
        Word::OneOf(_) => None,
        Word::Matching(regex) => required_literal(regex.as_str()),
    };
    // A Kelvin sign is a `k` in lower case, and nothing that a search for bytes would find.
    let is_sure = |text: &String| text.is_ascii() && !text.contains('k');
    let cut =
        |text: String| text.split(|c: char| !c.is_ascii() || c == 'k').max_by_key(|part| part.len()).map(str::to_owned);
    let texts: Vec<String> = words.iter().filter_map(of_word).collect();
    let sure = texts.iter().filter(|text| is_sure(text)).max_by_key(|text| text.len()).cloned();
    sure.or_else(|| texts.into_iter().filter_map(cut).max_by_key(String::len)).filter(|text| !text.is_empty())
}

impl Word {
    fn is(&self, word: &str) -> bool {
        match self {
            Self::Exact(text) => **text == *word,
            Self::OneOf(texts) => texts.binary_search_by(|text| (**text).cmp(word)).is_ok(),
            Self::Matching(regex) => regex.is_match(word),
        }
    }
}

/// Returns the words of a text in lower case.
pub fn words_of(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    each_word(text, |word| {
        words.push(word.to_owned());
        true
    });
    words
}

/// What a character does to the word that it is in or after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Letter,
    Digit,
    /// `_` and its relatives: joins letters and digits.
    Connector,
    Katakana,
    /// A word by itself.
    Ideograph,
    /// Between two letters part of a word.
    MiddleOfLetters,
    /// Between two digits part of a word.
    MiddleOfDigits,
    /// Between two letters or two digits part of a word.
    Middle,
    /// Belongs to the character before.
    Mark,
    Other,
}

fn class_of(c: char) -> Class {
    match c {
        'a'..='z' | 'A'..='Z' => Class::Letter,
        '0'..='9' => Class::Digit,
        '_' | '\u{203F}' | '\u{2040}' | '\u{2054}' | '\u{FE33}' | '\u{FE34}' | '\u{FE4D}'..='\u{FE4F}' | '\u{FF3F}' => {
            Class::Connector
        }
        '.' | '\'' | '\u{2018}' | '\u{2019}' | '\u{2024}' | '\u{FE52}' | '\u{FF07}' | '\u{FF0E}' => Class::Middle,
        ':' | '\u{B7}' | '\u{387}' | '\u{55F}' | '\u{5F4}' | '\u{2027}' | '\u{FE13}' | '\u{FE55}' | '\u{FF1A}' => {
            Class::MiddleOfLetters
        }
        ',' | ';' | '\u{37E}' | '\u{589}' | '\u{60C}' | '\u{60D}' | '\u{66C}' | '\u{7F8}' | '\u{2044}' | '\u{FE10}'
        | '\u{FE14}' | '\u{FE50}' | '\u{FE54}' | '\u{FF0C}' | '\u{FF1B}' => Class::MiddleOfDigits,
        c if c.is_ascii() => Class::Other,
        '\u{30A1}'..='\u{30FA}' | '\u{30FC}'..='\u{30FF}' | '\u{31F0}'..='\u{31FF}' | '\u{FF66}'..='\u{FF9F}' => {
            Class::Katakana
        }
        '\u{3041}'..='\u{3096}'
        | '\u{309D}'..='\u{309F}'
        | '\u{3005}'
        | '\u{3007}'
        | '\u{3021}'..='\u{3029}'
        | '\u{3400}'..='\u{4DBF}'
        | '\u{4E00}'..='\u{9FFF}'
        | '\u{F900}'..='\u{FAFF}'
        | '\u{20000}'..='\u{3FFFF}' => Class::Ideograph,
        '\u{300}'..='\u{36F}'
        | '\u{483}'..='\u{489}'
        | '\u{591}'..='\u{5BD}'
        | '\u{610}'..='\u{61A}'
        | '\u{64B}'..='\u{65F}'
        | '\u{200C}'..='\u{200F}'
        | '\u{20D0}'..='\u{20FF}'
        | '\u{3099}'
        | '\u{309A}'
        | '\u{FE00}'..='\u{FE0F}'
        | '\u{FE20}'..='\u{FE2F}'
        | '\u{AD}'
        | '\u{2060}' => Class::Mark,
        c if c.is_numeric() && c.to_digit(10).is_none() && !c.is_alphabetic() => number_of(c),
        c if c.is_alphabetic() => Class::Letter,
        _ => Class::Other,
    }
}

/// Digits of other scripts are digits, fractions and the like belong to no word.
fn number_of(c: char) -> Class {
    let is_digit = matches!(c, '\u{660}'..='\u{669}' | '\u{6F0}'..='\u{6F9}' | '\u{7C0}'..='\u{7C9}'
        | '\u{966}'..='\u{96F}' | '\u{9E6}'..='\u{9EF}' | '\u{A66}'..='\u{A6F}' | '\u{AE6}'..='\u{AEF}'
        | '\u{B66}'..='\u{B6F}' | '\u{BE6}'..='\u{BEF}' | '\u{C66}'..='\u{C6F}' | '\u{CE6}'..='\u{CEF}'
        | '\u{D66}'..='\u{D6F}' | '\u{E50}'..='\u{E59}' | '\u{ED0}'..='\u{ED9}' | '\u{FF10}'..='\u{FF19}');
    if is_digit { Class::Digit } else { Class::Other }
}

/// Calls `visit` with each word of a text in lower case until it answers `false`.
fn each_word(text: &str, mut visit: impl FnMut(&str) -> bool) {
    let mut words = Splitter { text, start: None, before: Class::Other, middle: None };
    let mut lower = String::new();
    let mut goes_on = true;
    let mut put = |range: std::ops::Range<usize>| {
        goes_on = goes_on && cut(&text[range], &mut lower, &mut visit);
        goes_on
    };
    for (at, c) in text.char_indices() {
        let (ended, single) = words.step(at, c);
        if ended.is_some_and(|range| !put(range)) || single.is_some_and(|range| !put(range)) {
            return;
        }
    }
    if let Some(range) = words.end(text.len()) {
        put(range);
    }
}

/// Hands out a word in lower case, in pieces where it is too long.
fn cut(word: &str, lower: &mut String, visit: &mut impl FnMut(&str) -> bool) -> bool {
    if !word.contains(char::is_alphanumeric) {
        return true;
    }
    lower.clear();
    let mut n_characters = 0;
    for c in word.chars() {
        if n_characters == WORD_CHARACTERS_MAX {
            if !visit(lower) {
                return false;
            }
            lower.clear();
            n_characters = 0;
        }
        lower.extend(c.to_lowercase());
        n_characters += 1;
    }
    visit(lower)
}

/// Cuts a text into words.
struct Splitter<'t> {
    text: &'t str,
    /// Where the word that is being read starts.
    start: Option<usize>,
    /// The class of the character before, marks left out.
    before: Class,
    /// A sign that may be inside of a word, and where.
    middle: Option<(Class, usize)>,
}

/// A part of the text.
type Part = Option<std::ops::Range<usize>>;

impl Splitter<'_> {
    /// Takes a character: gives the word that it ends, and itself where it is one.
    fn step(&mut self, at: usize, c: char) -> (Part, Part) {
        let class = class_of(c);
        match class {
            Class::Mark => (None, None),
            Class::Letter | Class::Digit | Class::Connector | Class::Katakana => {
                let ended = if self.goes_on(class) { None } else { self.end(at) };
                self.middle = None;
                self.start.get_or_insert(at);
                self.before = class;
                (ended, None)
            }
            Class::Ideograph => {
                let ended = self.end(at);
                (ended, Some(at..at + c.len_utf8()))
            }
            Class::Middle | Class::MiddleOfLetters | Class::MiddleOfDigits
                if self.start.is_some()
                    && self.middle.is_none()
                    && matches!(self.before, Class::Letter | Class::Digit) =>
            {
                self.middle = Some((class, at));
                (None, None)
            }
            _ => (self.end(at), None),
        }
    }

    /// Reports whether a character belongs to the word before it.
    fn goes_on(&self, class: Class) -> bool {
        if self.start.is_none() {
            return true;
        }
        match (self.middle, self.before, class) {
            (Some((Class::Middle | Class::MiddleOfLetters, _)), Class::Letter, Class::Letter) => true,
            (Some((Class::Middle | Class::MiddleOfDigits, _)), Class::Digit, Class::Digit) => true,
            (Some(_), ..) => false,
            (None, Class::Katakana, class) => matches!(class, Class::Katakana | Class::Connector),
            (None, Class::Letter | Class::Digit, class) => class != Class::Katakana,
            (None, ..) => true,
        }
    }

    /// Ends the word that is being read before `at`.
    fn end(&mut self, at: usize) -> Part {
        let end = self.middle.take().map_or(at, |(_, middle)| middle);
        self.before = Class::Other;
        let start = self.start.take()?;
        debug_assert!(self.text.is_char_boundary(end), "words end between characters");
        Some(start..end)
    }
}
