//! What each text is shown as: rows with the same plain words in the same order are one pattern.

use std::collections::BTreeMap;

use crate::mask::WILDCARD;
use crate::mine::rows::{Rows, common};
use crate::mine::tokens::{ANY, Row, Tokens};

/// How a wildcard is shown.
const SHOWN: &str = "<*>";

/// Plain words that two rows must share to be one pattern whatever is between.
const SEQUENCE_MIN: usize = 3;

/// Returns the pattern of each text.
pub(super) fn shown(rows: &Rows, tokens: &Tokens) -> Vec<String> {
    let mut sequences: BTreeMap<Vec<u32>, Vec<usize>> = BTreeMap::new();
    let mut shown: Vec<String> = vec![String::new(); rows.distinct.len()];
    let is_plain = |number: &u32| tokens.get(*number).is_plain();
    for (index, row) in rows.distinct.iter().enumerate() {
        let plain: Vec<u32> = row.iter().copied().filter(is_plain).collect();
        if plain.len() >= SEQUENCE_MIN {
            sequences.entry(plain).or_default().push(index);
        } else {
            shown[index] = text_of(row, tokens);
        }
    }
    for members in sequences.into_values() {
        let rows: Vec<&Row> = members.iter().map(|index| &rows.distinct[*index]).collect();
        let text = text_of(&aligned(&rows, &is_plain, tokens), tokens);
        members.into_iter().for_each(|index| shown[index].clone_from(&text));
    }
    rows.of_text.iter().map(|row| shown[*row as usize].clone()).collect()
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

/// Returns a wildcard between what all alternatives begin and end with.
fn any_between(gaps: &[&Row], tokens: &Tokens) -> Row {
    let shortest = gaps.iter().map(|gap| gap.len()).min().unwrap_or(0);
    let are_same = |place: &dyn Fn(&Row) -> usize| gaps.iter().all(|gap| gap[place(gap)] == gaps[0][place(gaps[0])]);
    let n_first = (0..shortest).take_while(|nth| are_same(&|_| *nth)).count();
    let n_last = (1..=shortest - n_first).take_while(|nth| are_same(&|gap| gap.len() - nth)).count();
    // One space may be the first and the last token of the shortest: it is shown on both sides, so that words stay apart.
    let is_space = |gap: &&Row| gap.last().is_some_and(|number| tokens.get(*number).is_space());
    let n_last = n_last.max(usize::from(gaps.iter().all(is_space)));
    let mut out = gaps[0][..n_first].to_vec();
    out.push(ANY);
    out.extend(&gaps[0][gaps[0].len() - n_last..]);
    out.dedup_by(|one, other| *one == ANY && *other == ANY);
    out
}

fn text_of(row: &[u32], tokens: &Tokens) -> String {
    let text: String = row.iter().map(|number| tokens.get(*number).text.as_str()).collect();
    text.replace(WILDCARD, SHOWN)
}

#[cfg(test)]
mod tests;
