//! Brings masked texts together that differ in words which vary.
//!
//! Texts are rows of tokens: signs, and words between them. Words that look like names of things (paths, hosts,
//! classes) are *weak*. Each step works on the set of rows that the step before left:
//!
//! 1. Addresses and lists of groups within a row become wildcards (`lists`).
//! 2. Rows that are equal but for truth values are one pattern, and so are three or more rows that are equal but for
//!    weak words.
//! 3. Rows that are equal but for one word are one pattern when that place takes many words, or a few where words
//!    like `user` are before it, or already is a wildcard. Words of doing (`started`, `stopping`) tell messages apart,
//!    so they take more. A row whose name with a number in brackets (`disk(3)`) is a wildcard in another row is like
//!    that one. This step is repeated while it changes something: each wildcard found makes more rows equal.
//! 4. Rows with the same plain words in the same order are one pattern, whatever is between them (`shown`).
//!
//! The result depends on the set of texts alone, not on their order or how often each occurs. Numbers were chosen by
//! how well lines of 16 real logs are grouped as people group them (LogPAI's corrected labels): the share of lines in
//! a right group is 0.988 on the average, and the F1 of groups 0.960 (`benches/RESULTS.md`).

mod lists;
mod rows;
mod shown;
mod tokens;

use crate::mine::rows::{ROWS_BETWEEN_LOOKS, Rows};
use crate::mine::shown::shown;
use crate::mine::tokens::{Row, Tokens};

/// Times that step 3 is done at most.
const ROUNDS_MAX: usize = 4;

/// Places of rows looked at in step 3; beyond it weak words are wildcards from the start, and then one round is all.
const PLACES_MAX: usize = 4_000_000;

/// Patterns of some texts.
#[derive(Debug, Default)]
pub struct PatternAssignment {
    /// The patterns, as they are shown, in order.
    pub patterns: Vec<String>,
    /// For each text, in the order in which they were given, the place of its pattern.
    pub pattern_of: Vec<u32>,
}

/// Finds the patterns of masked texts, as long as `goes_on` says so.
pub fn mine(texts: &[&str], goes_on: &dyn Fn() -> bool) -> Option<PatternAssignment> {
    let mut order: Vec<usize> = (0..texts.len()).collect();
    order.sort_unstable_by_key(|index| texts[*index]);
    let mut tokens = Tokens::default();
    let mut rows: Vec<Row> = Vec::with_capacity(order.len());
    for part in order.chunks(ROWS_BETWEEN_LOOKS) {
        rows.extend(part.iter().map(|index| lists::row(texts[*index], &mut tokens)));
        goes_on().then_some(())?;
    }
    let mut rows = Rows::new(rows);
    rows.merge_truth_values(&tokens);
    rows.merge_weak(&tokens);
    goes_on().then_some(())?;
    let is_large = rows.n_places() > PLACES_MAX;
    for _ in 0..if is_large { 1 } else { ROUNDS_MAX } {
        if is_large {
            rows.make_weak_wildcards(&tokens);
        }
        let is_changed = rows.merge_similar(&tokens, goes_on)?;
        if !(rows.merge_bracketed(&tokens) || is_changed) {
            break;
        }
    }
    goes_on().then_some(())?;
    let shown = shown(&rows, &tokens);
    let mut patterns: Vec<String> = shown.clone();
    patterns.sort_unstable();
    patterns.dedup();
    let mut pattern_of = vec![0; texts.len()];
    for (index, pattern) in order.into_iter().zip(shown) {
        pattern_of[index] = patterns.partition_point(|known| *known < pattern) as u32;
    }
    Some(PatternAssignment { patterns, pattern_of })
}
