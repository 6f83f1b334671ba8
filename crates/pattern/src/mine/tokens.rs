//! Tokens of masked texts: signs, and words between them, each with a number and with what it looks like.

use std::collections::HashMap;

use xxhash_rust::xxh3::xxh3_64;

use crate::mask::{WILDCARD, is_sign_byte, token_length};

/// A text as numbers of tokens.
pub(super) type Row = Vec<u32>;

/// The number of the wildcard.
pub(super) const ANY: u32 = 0;

/// Words that are values wherever they stand.
const TRUTH_VALUES: [&str; 10] = ["true", "false", "True", "False", "TRUE", "FALSE", "null", "NULL", "None", "nil"];

/// Words of doing have at least as many letters: `red` and `ring` are none.
const DOING_LETTERS_MIN: usize = 5;

/// What is known of a token.
pub(super) struct Token {
    pub(super) text: String,
    pub(super) is_sign: bool,
    /// Whether it looks like the name of a thing: a path, a host, a class.
    pub(super) is_weak: bool,
    pub(super) is_truth_value: bool,
    /// Whether it says what was or is done: `started`, `stopping`.
    pub(super) is_doing: bool,
    pub(super) has_letters: bool,
    hash: u64,
}

impl Token {
    fn new(text: &str) -> Self {
        let core = text.trim_matches(|sign| ".!?*-#&".contains(sign));
        let looks_like_name = text.len() > 1 && core.contains(|sign| "/._@$\\-*~+%".contains(sign));
        // `CONNECTION_LOST` is a state.
        let is_constant = text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
        let is_word = text.len() >= DOING_LETTERS_MIN && text.bytes().all(|byte| byte.is_ascii_alphabetic());
        Self {
            text: text.to_owned(),
            is_sign: text.len() == 1 && text.bytes().all(is_sign_byte),
            is_weak: text.contains(WILDCARD) || looks_like_name && !is_constant,
            is_truth_value: TRUTH_VALUES.contains(&text),
            is_doing: is_word && (text.ends_with("ed") || text.ends_with("ing")),
            has_letters: text.chars().any(char::is_alphabetic),
            hash: xxh3_64(text.as_bytes()),
        }
    }

    pub(super) fn is_space(&self) -> bool {
        self.text == " "
    }

    /// Reports whether it is a word that tells messages apart.
    pub(super) fn is_plain(&self) -> bool {
        !self.is_weak && self.has_letters
    }
}

/// All tokens of some texts.
#[derive(Default)]
pub(super) struct Tokens {
    all: Vec<Token>,
    numbers: HashMap<String, u32, foldhash::fast::RandomState>,
}

impl Tokens {
    pub(super) fn number(&mut self, text: &str) -> u32 {
        if self.all.is_empty() {
            self.add(WILDCARD.encode_utf8(&mut [0; 4]));
        }
        self.numbers.get(text).copied().unwrap_or_else(|| self.add(text))
    }

    fn add(&mut self, text: &str) -> u32 {
        let number = self.all.len() as u32;
        self.numbers.insert(text.to_owned(), number);
        self.all.push(Token::new(text));
        number
    }

    pub(super) fn get(&self, number: u32) -> &Token {
        &self.all[number as usize]
    }

    pub(super) fn n_words(&self, row: &[u32]) -> usize {
        row.iter().filter(|number| self.is_word(**number)).count()
    }

    pub(super) fn is_word(&self, number: u32) -> bool {
        number != ANY && self.get(number).has_letters
    }

    /// Returns what a token at a place adds to the sum that tells rows apart.
    pub(super) fn share(&self, place: usize, number: u32) -> u64 {
        let mixed = self.get(number).hash ^ (place as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9).rotate_left(31)
    }

    /// Returns a number that rows of the same tokens share, and others practically never.
    pub(super) fn sum(&self, row: &[u32]) -> u64 {
        row.iter()
            .enumerate()
            .fold(row.len() as u64, |sum, (place, number)| sum.wrapping_add(self.share(place, *number)))
    }
}

/// Returns the words and signs of a masked text.
pub(super) fn words_of(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (word, after) = rest.split_at(token_length(rest));
        words.push(word);
        rest = after;
    }
    words
}
