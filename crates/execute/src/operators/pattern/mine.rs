//! Brings masked texts together that differ in words which vary.
//!
//! Texts are rows of tokens: signs, and words between them. Words that look like names of things (paths, hosts,
//! classes) are *weak*. Three steps, each from the set of rows that the one before left:
//!
//! 1. Rows that are equal but for weak words are one pattern, wildcards where they differ.
//! 2. Rows that are equal but for one word are one pattern when that place takes many words, or a few where words
//!    like `user` are before it, or already is a wildcard. This is done again while it changes something: each
//!    wildcard found makes more rows equal.
//! 3. Rows with the same plain words in the same order are one pattern, whatever is between them.
//!
//! The result depends on the set of texts alone, not on their order or how often each occurs. Numbers were chosen by
//! the share of lines of 16 real logs that are grouped as people group them (LogPAI's grouping accuracy): 0.954 on
//! the average, 0.673 with masks alone.

use std::collections::{BTreeMap, HashMap};

use xxhash_rust::xxh3::xxh3_64;

use super::mask::{SIGNS, WILDCARD, token_length};

/// How a wildcard is shown.
const SHOWN: &str = "<*>";

/// Rows that are equal but for weak words, from which on these vary.
const WEAK_MIN: usize = 3;

/// Different words at one place from which on they vary: weak ones, plain ones, ones at the beginning (which say what
/// the message is), and those after a word that says what they are.
const WEAK_WORDS_MIN: usize = 3;
const PLAIN_WORDS_MIN: usize = 4;
const FIRST_WORDS_MIN: usize = 16;
const NAMED_WORDS_MIN: usize = 2;

/// Words after which names of things stand.
const NAMES_FOLLOW: [&str; 6] = ["user", "username", "account", "host", "hostname", "login"];

/// Words with letters that a pattern keeps: where a weak word goes, where a plain one goes.
const WORDS_BESIDE_WEAK: usize = 1;
const WORDS_BESIDE_PLAIN: usize = 2;

/// Plain words that two rows must share to be one pattern whatever is between.
const SEQUENCE_MIN: usize = 3;

/// Times that step 2 is done at most.
const ROUNDS_MAX: usize = 4;

/// Texts between two questions whether to continue.
const ROWS_BETWEEN_LOOKS: usize = 256;

/// Places of rows looked at in step 2; beyond it weak words are wildcards from the start, and then one round is all.
const PLACES_MAX: usize = 4_000_000;

/// Patterns of some texts.
#[derive(Debug, Default)]
pub(crate) struct PatternAssignment {
    /// The patterns, as they are shown, in order.
    pub(crate) patterns: Vec<String>,
    /// For each text, in the order in which they were given, the place of its pattern.
    pub(crate) pattern_of: Vec<u32>,
}

/// Finds the patterns of masked texts, as long as `goes_on` says so.
pub(crate) fn mine(texts: &[&str], goes_on: &dyn Fn() -> bool) -> Option<PatternAssignment> {
    let mut order: Vec<usize> = (0..texts.len()).collect();
    order.sort_unstable_by_key(|index| texts[*index]);
    let mut tokens = Tokens::default();
    let mut rows: Vec<Row> = Vec::with_capacity(order.len());
    for part in order.chunks(ROWS_BETWEEN_LOOKS) {
        rows.extend(part.iter().map(|index| tokens.row(texts[*index])));
        goes_on().then_some(())?;
    }
    let mut rows = Rows::new(rows);
    rows.merge_weak(&tokens);
    goes_on().then_some(())?;
    let is_large = rows.n_places() > PLACES_MAX;
    for _ in 0..if is_large { 1 } else { ROUNDS_MAX } {
        if is_large {
            rows.make_weak_wildcards(&tokens);
        }
        if !rows.merge_similar(&tokens, goes_on)? {
            break;
        }
    }
    goes_on().then_some(())?;
    let shown = rows.shown(&tokens);
    let mut patterns: Vec<String> = shown.clone();
    patterns.sort_unstable();
    patterns.dedup();
    let mut pattern_of = vec![0; texts.len()];
    for (index, pattern) in order.into_iter().zip(shown) {
        pattern_of[index] = patterns.partition_point(|known| *known < pattern) as u32;
    }
    Some(PatternAssignment { patterns, pattern_of })
}

/// A text as numbers of tokens.
type Row = Vec<u32>;

/// What is known of a token.
struct Token {
    text: String,
    is_sign: bool,
    is_weak: bool,
    has_letters: bool,
    hash: u64,
}

#[derive(Default)]
struct Tokens {
    all: Vec<Token>,
    numbers: HashMap<String, u32, foldhash::fast::RandomState>,
}

/// The number of the wildcard.
const ANY: u32 = 0;

impl Tokens {
    fn row(&mut self, text: &str) -> Row {
        if self.all.is_empty() {
            self.number(WILDCARD.encode_utf8(&mut [0; 4]));
        }
        let mut row = Row::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (token, after) = rest.split_at(token_length(rest));
            row.push(self.number(token));
            rest = after;
        }
        row
    }

    fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = self.all.len() as u32;
        self.numbers.insert(text.to_owned(), number);
        let is_sign = text.len() == 1 && SIGNS.contains(text);
        let core = text.trim_matches(|sign| ".!?*-#&".contains(sign));
        let has_wildcard = text.contains(WILDCARD);
        self.all.push(Token {
            text: text.to_owned(),
            is_sign,
            is_weak: has_wildcard || (text.len() > 1 && core.contains(|sign| "/._@$\\-*~+%".contains(sign))),
            has_letters: text.chars().any(char::is_alphabetic),
            hash: xxh3_64(text.as_bytes()),
        });
        number
    }

    fn get(&self, number: u32) -> &Token {
        &self.all[number as usize]
    }

    fn n_words(&self, row: &[u32]) -> usize {
        row.iter().filter(|number| **number != ANY && self.get(**number).has_letters).count()
    }

    /// Returns what a token at a place adds to the sum that tells rows apart.
    fn share(&self, place: usize, number: u32) -> u64 {
        let mixed = self.get(number).hash ^ (place as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9).rotate_left(31)
    }

    /// Returns a number that rows of the same tokens share, and others practically never.
    fn sum(&self, row: &[u32]) -> u64 {
        row.iter()
            .enumerate()
            .fold(row.len() as u64, |sum, (place, number)| sum.wrapping_add(self.share(place, *number)))
    }

    /// Returns how many different words vary at `place` of rows that differ there alone.
    fn words_needed(&self, rows: &[&Row], place: usize) -> usize {
        if rows.iter().all(|row| self.get(row[place]).is_weak) {
            return WEAK_WORDS_MIN;
        }
        if place == 0 {
            return FIRST_WORDS_MIN;
        }
        let words_before = rows[0][..place].iter().rev().map(|number| self.get(*number));
        let before = words_before.filter(|token| !token.is_sign).map(|token| token.text.to_lowercase()).next();
        let is_named = before.is_some_and(|word| NAMES_FOLLOW.contains(&&*word));
        if is_named { NAMED_WORDS_MIN } else { PLAIN_WORDS_MIN }
    }
}

/// Different rows, and which one each text has become.
struct Rows {
    /// In an order that depends on nothing but the set of texts.
    distinct: Vec<Row>,
    of_text: Vec<u32>,
}

impl Rows {
    fn new(rows: Vec<Row>) -> Self {
        let of_text = (0..rows.len() as u32).collect();
        let mut all = Self { distinct: rows, of_text };
        all.unite();
        all
    }

    fn n_places(&self) -> usize {
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

    fn make_weak_wildcards(&mut self, tokens: &Tokens) {
        for number in self.distinct.iter_mut().flatten() {
            if tokens.get(*number).is_weak {
                *number = ANY;
            }
        }
        self.unite();
    }

    /// Step 1.
    fn merge_weak(&mut self, tokens: &Tokens) {
        let mut families: BTreeMap<Row, Vec<usize>> = BTreeMap::new();
        for (index, row) in self.distinct.iter().enumerate() {
            let key: Row = row.iter().map(|number| if tokens.get(*number).is_weak { ANY } else { *number }).collect();
            if key != *row && tokens.n_words(&key) >= WORDS_BESIDE_WEAK {
                families.entry(key).or_default().push(index);
            }
        }
        for members in families.into_values().filter(|members| members.len() >= WEAK_MIN) {
            let common = common(&members.iter().map(|index| &self.distinct[*index]).collect::<Vec<_>>());
            members.into_iter().for_each(|index| self.distinct[index].clone_from(&common));
        }
        self.unite();
    }

    /// Step 2, once; tells whether something changed.
    fn merge_similar(&mut self, tokens: &Tokens, goes_on: &dyn Fn() -> bool) -> Option<bool> {
        let mut families = self.families(tokens, goes_on)?;
        // The largest first: they say most surely what varies.
        families.sort_by_key(|(place, rows)| (std::cmp::Reverse(rows.len()), rows.first().copied(), *place));
        let mut becomes: Vec<Option<Row>> = vec![None; self.distinct.len()];
        for (at, (place, family)) in families.into_iter().enumerate() {
            if at % ROWS_BETWEEN_LOOKS == 0 {
                goes_on().then_some(())?;
            }
            let rows: Vec<&Row> = family.iter().map(|index| &self.distinct[*index as usize]).collect();
            let is_known = rows.iter().any(|row| row[place] == ANY);
            if !is_known && family.len() < tokens.words_needed(&rows, place) {
                continue;
            }
            let mut pattern = rows[0].clone();
            pattern[place] = ANY;
            for index in family {
                becomes[index as usize].get_or_insert_with(|| pattern.clone());
            }
        }
        let mut is_changed = false;
        for (row, becomes) in self.distinct.iter_mut().zip(becomes) {
            if let Some(pattern) = becomes.filter(|pattern| pattern != row) {
                *row = pattern;
                is_changed = true;
            }
        }
        self.unite();
        Some(is_changed)
    }

    /// Returns rows that are equal but for one word, with the place of that; two rows at least each.
    fn families(&self, tokens: &Tokens, goes_on: &dyn Fn() -> bool) -> Option<Vec<(usize, Vec<u32>)>> {
        // The sum of the other tokens, the place left out, the row.
        let mut places: Vec<(u64, u32, u32)> = Vec::new();
        for (index, row) in self.distinct.iter().enumerate() {
            if index % ROWS_BETWEEN_LOOKS == 0 {
                goes_on().then_some(())?;
            }
            let (sum, n_words) = (tokens.sum(row), tokens.n_words(row));
            for (place, number) in row.iter().enumerate() {
                let token = tokens.get(*number);
                let n_left = n_words - usize::from(*number != ANY && token.has_letters);
                let needed = if token.is_weak { WORDS_BESIDE_WEAK } else { WORDS_BESIDE_PLAIN };
                if !token.is_sign && n_left >= needed {
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
            let members: Vec<u32> = run.iter().map(|(_, _, index)| *index).filter(is_like_first).collect();
            (members.len() > 1).then_some((place as usize, members))
        };
        Some(places.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)).filter_map(family).collect())
    }

    /// Step 3: what each text is shown as.
    fn shown(&self, tokens: &Tokens) -> Vec<String> {
        let mut sequences: BTreeMap<Vec<u32>, Vec<usize>> = BTreeMap::new();
        let mut shown: Vec<String> = vec![String::new(); self.distinct.len()];
        let is_plain = |number: &u32| {
            let token = tokens.get(*number);
            !token.is_weak && token.has_letters
        };
        for (index, row) in self.distinct.iter().enumerate() {
            let plain: Vec<u32> = row.iter().copied().filter(is_plain).collect();
            if plain.len() >= SEQUENCE_MIN {
                sequences.entry(plain).or_default().push(index);
            } else {
                shown[index] = text_of(row, tokens);
            }
        }
        for members in sequences.into_values() {
            let rows: Vec<&Row> = members.iter().map(|index| &self.distinct[*index]).collect();
            let text = text_of(&aligned(&rows, &is_plain, tokens), tokens);
            members.into_iter().for_each(|index| shown[index].clone_from(&text));
        }
        self.of_text.iter().map(|row| shown[*row as usize].clone()).collect()
    }
}

fn are_equal_beside(a: &Row, b: &Row, place: usize) -> bool {
    a.len() == b.len() && a[..place] == b[..place] && a[place + 1..] == b[place + 1..]
}

/// Returns what rows of one length have in common, wildcards elsewhere.
fn common(rows: &[&Row]) -> Row {
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

/// Returns what rows with the same plain words have in common: between two of these their tokens, or a wildcard.
fn aligned(rows: &[&Row], is_plain: &dyn Fn(&u32) -> bool, tokens: &Tokens) -> Row {
    let gaps: Vec<Vec<&[u32]>> = rows.iter().map(|row| row.split(is_plain).collect()).collect();
    let mut plain = rows[0].iter().filter(|number| is_plain(number));
    let mut out = Row::new();
    for place in 0..gaps[0].len() {
        let alternatives: Vec<Row> = gaps.iter().map(|gaps| gaps[place].to_vec()).collect();
        let alternatives: Vec<&Row> = alternatives.iter().collect();
        let has_one_length = alternatives.iter().all(|gap| gap.len() == alternatives[0].len());
        let one = if has_one_length { common(&alternatives) } else { Row::new() };
        let keeps_signs = one.iter().zip(alternatives[0]).all(|(now, was)| now == was || !tokens.get(*was).is_sign);
        match has_one_length && keeps_signs {
            true => out.extend(one),
            false => out.extend(any_between(&alternatives, tokens)),
        }
        out.extend(plain.next());
    }
    out
}

/// Returns a wildcard, with the spaces around it that all alternatives have.
fn any_between(gaps: &[&Row], tokens: &Tokens) -> Row {
    let is_space = |number: Option<&u32>| number.is_some_and(|number| tokens.get(*number).text == " ");
    let space = gaps.iter().flat_map(|gap| gap.iter()).find(|number| is_space(Some(number))).copied();
    let mut out = Row::new();
    out.extend(space.filter(|_| gaps.iter().all(|gap| is_space(gap.first()))));
    out.push(ANY);
    out.extend(space.filter(|_| gaps.iter().all(|gap| is_space(gap.last()))));
    out
}

fn text_of(row: &[u32], tokens: &Tokens) -> String {
    let text: String = row.iter().map(|number| tokens.get(*number).text.as_str()).collect();
    text.replace(WILDCARD, SHOWN)
}
