//! Rows of masked texts, without what a mask leaves of addresses and of lists.
//!
//! A mask sees one word at a time, so of `5c:50:bc:18:ed` it leaves the parts without digits, and of a list of groups,
//! such as `{id=1,size=2},{id=3,size=4},{id=5,size=6}`, as many groups as there are. Both are values here. Masks stay
//! as they are: they are what events are counted by.

use crate::mask::WILDCARD;
use crate::mine::tokens::{ANY, Row, Tokens, words_of};

/// Groups of tokens in a row that are a list, the last of which may lack its last token: a separator.
const GROUPS_MIN: usize = 3;

/// Tokens of a group. Two tokens are a word and a space, and most texts are three of these.
const GROUP_TOKENS_MIN: usize = 3;
const GROUP_TOKENS_MAX: usize = 24;

/// Parts of an address that begins with letters, or has parts of four letters: fewer are as well a name with a number.
const LETTER_PARTS_MIN: usize = 3;

/// Returns the row of a masked text.
pub(super) fn row(text: &str, tokens: &mut Tokens) -> Row {
    let words = without_addresses(words_of(text));
    let row: Row = words.into_iter().map(|word| tokens.number(word)).collect();
    without_lists(&row, tokens)
}

fn is_wildcard(word: &str) -> bool {
    word.strip_prefix(WILDCARD) == Some("")
}

fn is_hex(word: &str, n_bytes: usize) -> bool {
    word.len() == n_bytes && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Makes hexadecimal numbers joined by colons one wildcard each: what a mask leaves of hardware and IPv6 addresses.
fn without_addresses(words: Vec<&str>) -> Vec<&str> {
    if !words.contains(&":") {
        return words;
    }
    let mut out = Vec::with_capacity(words.len());
    let mut at = 0;
    while at < words.len() {
        let follows_colon = at > 0 && words[at - 1] == ":";
        match address_end(&words[at..]).filter(|_| !follows_colon) {
            Some(length) => {
                // It has a wildcard; which one is the same.
                out.extend(words[at..at + length].iter().find(|word| is_wildcard(word)));
                at += length;
            }
            None => {
                out.push(words[at]);
                at += 1;
            }
        }
    }
    out
}

/// Returns how many words the address has that these begin with, if they do.
fn address_end(words: &[&str]) -> Option<usize> {
    let is_part = |word: &str| is_wildcard(word) || is_hex(word, 2) || is_hex(word, 4);
    let first = *words.first().filter(|word| is_part(word))?;
    let (mut end, mut n_parts, mut has_gap) = (1, 1, false);
    loop {
        let n_colons = words[end..].iter().take(2).take_while(|word| **word == ":").count();
        let Some(_) = words.get(end + n_colons).filter(|word| n_colons > 0 && is_part(word)) else { break };
        has_gap |= n_colons == 2;
        n_parts += 1;
        end += n_colons + 1;
    }
    let parts = &words[..end];
    let has_letters = parts.iter().any(|word| *word != ":" && !is_wildcard(word));
    let is_sure = n_parts >= LETTER_PARTS_MIN || is_wildcard(first) && !parts.iter().any(|word| is_hex(word, 4));
    let is_address = n_parts > 1 && parts.iter().any(|word| is_wildcard(word)) && (has_letters && is_sure || has_gap);
    is_address.then_some(end)
}

/// Keeps the first group of each list, and a wildcard for the others.
fn without_lists(row: &[u32], tokens: &Tokens) -> Row {
    let mut out = Row::with_capacity(row.len());
    let mut at = 0;
    while at < row.len() {
        let Some((first, length)) = list(&row[at..], tokens) else {
            out.push(row[at]);
            at += 1;
            continue;
        };
        out.extend(first);
        out.push(ANY);
        at += length;
    }
    out.dedup_by(|one, other| *one == ANY && *other == ANY);
    out
}

/// Returns the first group of the list that a row begins with, wildcards where others differ, and the list's length.
fn list(row: &[u32], tokens: &Tokens) -> Option<(Row, usize)> {
    if tokens.get(row[0]).is_space() {
        return None;
    }
    let longest = GROUP_TOKENS_MAX.min((row.len() + 1) / GROUPS_MIN);
    (GROUP_TOKENS_MIN..=longest).find_map(|n_tokens| list_of(row, n_tokens, tokens))
}

fn list_of(row: &[u32], n_tokens: usize, tokens: &Tokens) -> Option<(Row, usize)> {
    let is_like = |one: u32, other: u32| one == other || tokens.get(one).is_weak && tokens.get(other).is_weak;
    let n_alike = |row: &[u32]| row.iter().zip(&row[n_tokens..]).take_while(|(a, b)| is_like(**a, **b)).count();
    let (group, shortest) = (&row[..n_tokens], GROUPS_MIN * n_tokens - 1);
    let has_value = || group.iter().any(|number| tokens.get(*number).is_weak);
    let has_word = || group.iter().any(|number| tokens.is_word(*number));
    // Few rows have lists, so no more is looked at than tells whether there is one.
    if n_alike(&row[..shortest]) < shortest - n_tokens || !has_value() || !has_word() {
        return None;
    }
    let length = n_tokens + n_alike(row);
    // A group of which half is there was cut; less is what follows the list.
    let rest = length % n_tokens;
    let length = if rest * 2 >= n_tokens { length } else { length - rest };
    let length = length - usize::from(tokens.get(row[length - 1]).is_space());
    let mut first = group.to_vec();
    for (place, number) in row[..length].iter().enumerate() {
        let known = &mut first[place % n_tokens];
        if known != number {
            *known = ANY;
        }
    }
    Some((first, length))
}

#[cfg(test)]
mod tests;
