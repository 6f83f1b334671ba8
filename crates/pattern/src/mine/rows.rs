//! Rows that become one because they differ in words which vary.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};

use crate::mine::tokens::{ANY, Row, Token, Tokens};

/// Rows that are equal but for weak words, from which on these vary.
const WEAK_MIN: usize = 3;

/// The same for truth values: they are known to be values.
const TRUTH_MIN: usize = 2;

/// Different words at one place from which on they vary: weak ones, plain ones, plain ones beside a single other word,
/// words of doing, and those after a word that says what they are.
const WEAK_WORDS_MIN: usize = 3;
const PLAIN_WORDS_MIN: usize = 4;
const SHORT_WORDS_MIN: usize = 8;
const DOING_WORDS_MIN: usize = 12;
const NAMED_WORDS_MIN: usize = 2;

/// The same at the beginning, where words say what the message is: beside a few other words, and beside more.
const FIRST_WORDS_MIN: usize = 16;
const FIRST_OF_LONG_WORDS_MIN: usize = 6;
const LONG_WORDS_MIN: usize = 4;

/// Words after which names of things stand.
const NAMES_FOLLOW: [&str; 6] = ["user", "username", "account", "host", "hostname", "login"];

/// Words with letters that a pattern keeps: where a weak word goes, where a plain one goes.
const WORDS_BESIDE_WEAK: usize = 1;
const WORDS_BESIDE_PLAIN: usize = 2;

/// Texts between two questions whether to continue.
pub(super) const ROWS_BETWEEN_LOOKS: usize = 256;

/// Different rows, and which one each text has become.
pub(super) struct Rows {
    /// In an order that depends on nothing but the set of texts.
    pub(super) distinct: Vec<Row>,
    pub(super) of_text: Vec<u32>,
}

/// Rows that are equal but for one word.
struct Family {
    place: usize,
    rows: Vec<u32>,
}

impl Rows {
    pub(super) fn new(rows: Vec<Row>) -> Self {
        let of_text = (0..rows.len() as u32).collect();
        let mut all = Self { distinct: rows, of_text };
        all.unite();
        all
    }

    pub(super) fn n_places(&self) -> usize {
        self.distinct.iter().map(Vec::len).sum()
    }

    /// Makes equal rows one.
    fn unite(&mut self) {
        let mut firsts: HashMap<&Row, u32, foldhash::fast::RandomState> = HashMap::default();
        let mut kept = Vec::new();
        let mut now = Vec::with_capacity(self.distinct.len());
        for (index, row) in self.distinct.iter().enumerate() {
            let next = kept.len() as u32;
            let number = *firsts.entry(row).or_insert(next);
            if number == next {
                kept.push(index);
            }
            now.push(number);
        }
        self.of_text.iter_mut().for_each(|row| *row = now[*row as usize]);
        self.distinct = kept.into_iter().map(|index| std::mem::take(&mut self.distinct[index])).collect();
    }

    pub(super) fn make_weak_wildcards(&mut self, tokens: &Tokens) {
        for number in self.distinct.iter_mut().flatten() {
            if tokens.get(*number).is_weak {
                *number = ANY;
            }
        }
        self.unite();
    }

    /// Step 2, truth values.
    pub(super) fn merge_truth_values(&mut self, tokens: &Tokens) {
        self.merge_equal_but_for(|token| token.is_truth_value, TRUTH_MIN, tokens);
    }

    /// Step 2, weak words.
    pub(super) fn merge_weak(&mut self, tokens: &Tokens) {
        self.merge_equal_but_for(|token| token.is_weak, WEAK_MIN, tokens);
    }

    /// Makes one of `n_min` or more rows that are equal but for tokens that vary.
    fn merge_equal_but_for(&mut self, varies: impl Fn(&Token) -> bool, n_min: usize, tokens: &Tokens) {
        let mut families: BTreeMap<Row, Vec<usize>> = BTreeMap::new();
        for (index, row) in self.distinct.iter().enumerate() {
            let key: Row = row.iter().map(|number| if varies(tokens.get(*number)) { ANY } else { *number }).collect();
            if key != *row && tokens.n_words(&key) >= WORDS_BESIDE_WEAK {
                families.entry(key).or_default().push(index);
            }
        }
        for members in families.into_values().filter(|members| members.len() >= n_min) {
            let common = common(&members.iter().map(|index| &self.distinct[*index]).collect::<Vec<_>>());
            members.into_iter().for_each(|index| self.distinct[index].clone_from(&common));
        }
        self.unite();
    }

    /// Step 3, once; tells whether something changed.
    pub(super) fn merge_similar(&mut self, tokens: &Tokens, goes_on: &dyn Fn() -> bool) -> Option<bool> {
        let mut families = self.families(tokens, goes_on)?;
        // The largest first: they say most surely what varies.
        families.sort_by_key(|family| (Reverse(family.rows.len()), family.rows.first().copied(), family.place));
        let mut becomes: Vec<Option<Row>> = vec![None; self.distinct.len()];
        for (at, Family { place, rows: family }) in families.into_iter().enumerate() {
            if at % ROWS_BETWEEN_LOOKS == 0 {
                goes_on().then_some(())?;
            }
            let rows: Vec<&Row> = family.iter().map(|index| &self.distinct[*index as usize]).collect();
            if !do_vary(&rows, place, tokens) {
                continue;
            }
            let mut pattern = rows[0].clone();
            pattern[place] = ANY;
            for index in family {
                becomes[index as usize].get_or_insert_with(|| pattern.clone());
            }
        }
        Some(self.replace(becomes))
    }

    /// Step 3, names with a number in brackets; tells whether something changed.
    pub(super) fn merge_bracketed(&mut self, tokens: &Tokens) -> bool {
        let known: HashSet<&Row, foldhash::fast::RandomState> = self.distinct.iter().collect();
        let becomes = |row: &Row| bracketed(row, tokens).into_iter().find(|row| known.contains(row));
        let becomes: Vec<Option<Row>> = self.distinct.iter().map(becomes).collect();
        self.replace(becomes)
    }

    /// Replaces rows; tells whether something changed.
    fn replace(&mut self, becomes: Vec<Option<Row>>) -> bool {
        let mut is_changed = false;
        for (row, becomes) in self.distinct.iter_mut().zip(becomes) {
            if let Some(pattern) = becomes.filter(|pattern| pattern != row) {
                *row = pattern;
                is_changed = true;
            }
        }
        self.unite();
        is_changed
    }

    /// Returns rows that are equal but for one word, with the place of that; two rows at least each.
    fn families(&self, tokens: &Tokens, goes_on: &dyn Fn() -> bool) -> Option<Vec<Family>> {
        // The sum of the other tokens, the place left out, the row.
        let mut places: Vec<(u64, u32, u32)> = Vec::new();
        for (index, row) in self.distinct.iter().enumerate() {
            if index % ROWS_BETWEEN_LOOKS == 0 {
                goes_on().then_some(())?;
            }
            let (sum, n_words) = (tokens.sum(row), tokens.n_words(row));
            for (place, number) in row.iter().enumerate() {
                let n_left = n_words - usize::from(tokens.is_word(*number));
                // What a message begins with is what it is.
                let needed =
                    if place == 0 && !tokens.get(*number).is_weak { WORDS_BESIDE_PLAIN } else { WORDS_BESIDE_WEAK };
                if !tokens.get(*number).is_sign && n_left >= needed {
                    let without = sum.wrapping_sub(tokens.share(place, *number));
                    places.push((without, place as u32, index as u32));
                }
            }
        }
        places.sort_unstable();
        goes_on().then_some(())?;
        let family = |run: &[(u64, u32, u32)]| {
            let (_, place, first) = *run.first()?;
            let row = |index: u32| &self.distinct[index as usize];
            let is_like_first = |index: &u32| are_equal_beside(row(first), row(*index), place as usize);
            let rows: Vec<u32> = run.iter().map(|(_, _, index)| *index).filter(is_like_first).collect();
            (rows.len() > 1).then_some(Family { place: place as usize, rows })
        };
        Some(places.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)).filter_map(family).collect())
    }
}

/// Reports whether the words at `place` of rows that differ there alone are values.
fn do_vary(rows: &[&Row], place: usize, tokens: &Tokens) -> bool {
    let is_all = |is: &dyn Fn(&Token) -> bool| rows.iter().all(|row| row[place] == ANY || is(tokens.get(row[place])));
    let is_known = rows.iter().any(|row| row[place] == ANY);
    let n_beside = tokens.n_words(rows[0]) - usize::from(tokens.is_word(rows[0][place]));
    if is_all(&|token| token.is_weak) {
        return is_known || rows.len() >= WEAK_WORDS_MIN;
    }
    if n_beside < WORDS_BESIDE_PLAIN {
        // A wildcard at this place may be of another message: `closing 7` says nothing of `closing down`.
        return rows.len() >= SHORT_WORDS_MIN;
    }
    is_known || rows.len() >= words_needed(rows, place, n_beside, tokens)
}

/// Returns from how many on different words at a place vary that are not all weak.
fn words_needed(rows: &[&Row], place: usize, n_beside: usize, tokens: &Tokens) -> usize {
    if place == 0 {
        return if n_beside >= LONG_WORDS_MIN { FIRST_OF_LONG_WORDS_MIN } else { FIRST_WORDS_MIN };
    }
    let n_doing = rows.iter().filter(|row| tokens.get(row[place]).is_doing).count();
    if n_doing * 2 >= rows.len() {
        return DOING_WORDS_MIN;
    }
    let words_before = rows[0][..place].iter().rev().map(|number| tokens.get(*number));
    let before = words_before.filter(|token| !token.is_sign).map(|token| token.text.to_lowercase()).next();
    let is_named = before.is_some_and(|word| NAMES_FOLLOW.contains(&&*word));
    if is_named { NAMED_WORDS_MIN } else { PLAIN_WORDS_MIN }
}

fn are_equal_beside(a: &Row, b: &Row, place: usize) -> bool {
    a.len() == b.len() && a[..place] == b[..place] && a[place + 1..] == b[place + 1..]
}

/// Returns the row with one of its names with a number in brackets made a wildcard, for each of these names.
fn bracketed(row: &Row, tokens: &Tokens) -> Vec<Row> {
    let is = |number: u32, sign: &str| tokens.get(number).text == sign;
    let mut found = Vec::new();
    for (open, window) in row.windows(3).enumerate().skip(1) {
        let start = open - 1;
        let is_start = start == 0 || tokens.get(row[start - 1]).is_space();
        if !(is_start && is(window[0], "(") && window[1] == ANY && is(window[2], ")") && tokens.is_word(row[start])) {
            continue;
        }
        let end = start + 4;
        if row.get(end).is_some_and(|number| !tokens.get(*number).is_space() && !is(*number, ",")) {
            continue;
        }
        let mut without = row[..start].to_vec();
        without.push(ANY);
        without.extend(&row[end..]);
        if tokens.n_words(&without) >= WORDS_BESIDE_PLAIN {
            found.push(without);
        }
    }
    found
}

/// Returns what rows of one length have in common, wildcards elsewhere.
pub(super) fn common(rows: &[&Row]) -> Row {
    let mut common = rows[0].clone();
    for row in rows {
        for (known, number) in common.iter_mut().zip(row.iter()) {
            if known != number {
                *known = ANY;
            }
        }
    }
    common
}
