//! Texts that belong together: the values of a field, the variables of a column of messages.
//!
//! *texts*, whose number the reader knows, are one tag byte and its content:
//!
//! | tag | content |
//! |---|---|
//! | 0 | *integers* lengths, then the bytes |
//! | 1 | lower-case hex of one length: varint bytes per text, then the packed bytes |
//! | 2 | IPv4 addresses: *integers* |
//! | 3 | a common prefix and a number: *text* prefix, *integers* |
//! | 4 | a number between a common prefix and a common suffix: *text* prefix, *text* suffix, byte digits (0: as many as it takes), *integers* |
//! | 5 | dictionary: varint count, *texts* by first sight (no dictionary again), *integers* places in it |
//! | 6 | texts most of which are equally long, byte by byte (`planes`) |
//!
//! Segments of format 1 know tags 0 to 3, those of format 2 all but 6.

mod alone;
mod planes;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use types::{RowSet, Strings, ensure};

use self::alone::{BYTES_MAX, take_alone};
use crate::bytes::{Cursor, Damage, Decoded, put_integers, put_varint};
use crate::needle::{Needle, NumberedMatch};
use crate::template::push_hex;

pub(crate) use self::alone::{end_of, put_texts, texts_of};

/// How many times each distinct text must occur on average for a dictionary.
const REPEATS_MIN: usize = 2;

/// Returns the distinct texts by first sight, and the place of each text among them.
pub(crate) fn distinct_texts<'t>(texts: &[&'t str]) -> (Vec<&'t str>, Vec<i64>) {
    let mut places: HashMap<&str, i64, RandomState> =
        HashMap::with_capacity_and_hasher(texts.len(), RandomState::default());
    let mut distinct = Vec::new();
    let mut codes = Vec::with_capacity(texts.len());
    for text in texts {
        let next = distinct.len() as i64;
        let code = *places.entry(text).or_insert(next);
        if code == next {
            distinct.push(*text);
        }
        codes.push(code);
    }
    (distinct, codes)
}

/// Writes texts by their distinct ones where they repeat, else in the tightest of the other ways.
pub(crate) fn put_repeating(out: &mut Vec<u8>, texts: &[&str]) {
    let (distinct, codes) = distinct_texts(texts);
    if distinct.len() * REPEATS_MIN > texts.len() {
        return put_texts(out, texts);
    }
    out.push(5);
    put_varint(out, distinct.len() as u64);
    put_texts(out, &distinct);
    put_integers(out, &codes);
}

/// Writes texts in the tightest way but a dictionary; most of the equally long ones byte by byte.
pub(crate) fn put_tight(out: &mut Vec<u8>, texts: &[&str]) {
    let before = out.len();
    put_texts(out, texts);
    if out.get(before) == Some(&0)
        && let Some(length) = planes::common_length(texts)
    {
        out.truncate(before);
        out.push(6);
        planes::put(out, texts, length);
    }
}

/// Reads `n` *texts*.
pub(crate) fn take_texts(cursor: &mut Cursor<'_>, n: usize) -> Decoded<Strings> {
    let mut ahead = cursor.clone();
    match ahead.byte()? {
        5 => {
            *cursor = ahead;
            Ok(Texts::take_dictionary(cursor, n)?.written_out()?)
        }
        6 => {
            *cursor = ahead;
            planes::take(cursor, n)
        }
        _ => take_alone(cursor, n, None),
    }
}

/// Passes over `n` *texts* and returns those `chosen`, a set over all of them. The others are not made.
pub(crate) fn take_chosen_texts(cursor: &mut Cursor<'_>, n: usize, chosen: &RowSet) -> Decoded<Strings> {
    let mut ahead = cursor.clone();
    match ahead.byte()? {
        5 => {
            *cursor = ahead;
            let n_distinct = take_n_distinct(cursor, n)?;
            let mut distinct = cursor.clone();
            skip_texts(cursor, n_distinct)?;
            let (used, places) = ChosenCodes::take(cursor, n, chosen, n_distinct)?.into_parts();
            let texts = take_chosen_texts(&mut distinct, n_distinct, &used)?;
            Ok(places.into_iter().map(|place| texts.get(place as usize)).collect())
        }
        6 => {
            *cursor = ahead;
            planes::take_chosen(cursor, n, chosen)
        }
        _ => take_alone(cursor, n, Some(chosen)),
    }
}

/// The codes of a few of many values, and which values of their dictionary they stand for.
pub(crate) struct ChosenCodes {
    used: RowSet,
    codes: Vec<u32>,
}

impl ChosenCodes {
    /// Passes over `n` codes below `n_distinct` and takes those `chosen`.
    pub(crate) fn take(cursor: &mut Cursor<'_>, n: usize, chosen: &RowSet, n_distinct: usize) -> Decoded<Self> {
        let in_range = |code| usize::try_from(code).ok().filter(|code| *code < n_distinct);
        let code = |code| in_range(code).map(|code| code as u32).ok_or(Damage("a code is out of range"));
        let codes = cursor.integers_at(n, chosen)?.into_iter().map(code).collect::<Decoded<Vec<u32>>>()?;
        Ok(Self { used: RowSet::of_places(n_distinct, codes.iter().map(|code| *code as usize)), codes })
    }

    /// Returns the values used, a set over the dictionary, and for each code its place among these.
    pub(crate) fn into_parts(self) -> (RowSet, Vec<u32>) {
        let used: Vec<u32> = self.used.iter().map(|code| code as u32).collect();
        let place = |code: &u32| used.partition_point(|known| known < code) as u32;
        let places = self.codes.iter().map(place).collect();
        (self.used, places)
    }
}

/// Takes the number of distinct texts of a dictionary of `n` texts.
fn take_n_distinct(cursor: &mut Cursor<'_>, n: usize) -> Decoded<usize> {
    let n_distinct = cursor.varint()? as usize;
    ensure!(n_distinct <= n && cursor.clone().byte()? != 5, Damage("a dictionary is too large"));
    Ok(n_distinct)
}

/// Reads `n` *texts* as addresses; `None`, and nothing read, where they are kept as something else.
pub(crate) fn take_addresses(cursor: &mut Cursor<'_>, n: usize) -> Decoded<Option<Vec<u32>>> {
    let mut ahead = cursor.clone();
    if ahead.byte()? != 2 {
        return Ok(None);
    }
    *cursor = ahead;
    cursor.codes(n).map(Some)
}

/// Gives the number of each of `n` *texts* that holds the needle; texts are made only where it may be among them.
pub(crate) fn find_texts(
    cursor: &mut Cursor<'_>,
    n: usize,
    needle: &Needle,
    found: &mut dyn FnMut(u32),
) -> Decoded<()> {
    let mut ahead = cursor.clone();
    match ahead.byte()? {
        0 => {
            let lengths = ahead.integers(n)?;
            let n_bytes =
                lengths.iter().try_fold(0usize, |sum, length| sum.checked_add(usize::try_from(*length).ok()?));
            let bytes = ahead.take(n_bytes.ok_or(Damage("a text length is out of range"))?)?;
            needle.find_in_bytes(bytes, &lengths, found);
            *cursor = ahead;
            Ok(())
        }
        5 => {
            let n_distinct = take_n_distinct(&mut ahead, n)?;
            *cursor = ahead;
            let mut holds = vec![false; n_distinct];
            find_texts(cursor, n_distinct, needle, &mut |code| holds[code as usize] = true)?;
            if !holds.contains(&true) {
                return cursor.skip_integers(n);
            }
            let codes = cursor.codes(n)?;
            let hits = codes.iter().enumerate().filter(|(_, code)| holds.get(**code as usize) == Some(&true));
            hits.for_each(|(place, _)| found(place as u32));
            Ok(())
        }
        1 => {
            let n_bytes = ahead.varint()? as usize;
            let packed = ahead.take(n.checked_mul(n_bytes).ok_or(Damage("a count is out of range"))?)?;
            *cursor = ahead;
            if needle.may_be_in_hex_of(packed, n_bytes) && n_bytes > 0 {
                let range = |place: usize| place * n_bytes..(place + 1) * n_bytes;
                needle.find_packed(packed, |at| at / n_bytes, range, push_hex, found);
            }
            Ok(())
        }
        2 => {
            if !needle.may_be_in_address() || needle.in_addresses().is_nowhere() {
                return skip_texts(cursor, n);
            }
            let part = needle.in_addresses();
            *cursor = ahead;
            let places = (0..).zip(cursor.codes(n)?).filter(|(_, address)| part.is_in(*address));
            places.for_each(|(place, _)| found(place));
            Ok(())
        }
        3 => {
            let prefix = ahead.text()?;
            find_behind_prefix(cursor, ahead, prefix, n, needle, found)
        }
        _ => {
            needle.find_in(&take_texts(cursor, n)?, found);
            Ok(())
        }
    }
}

/// Finds texts that are a prefix and a number; `ahead` of `cursor`, after the prefix, has the numbers.
fn find_behind_prefix<'a>(
    cursor: &mut Cursor<'a>,
    mut ahead: Cursor<'a>,
    prefix: &str,
    n: usize,
    needle: &Needle,
    found: &mut dyn FnMut(u32),
) -> Decoded<()> {
    let within = needle.in_numbered(prefix);
    let holds: &dyn Fn(u64) -> bool = match &within {
        NumberedMatch::None => return skip_texts(cursor, n),
        NumberedMatch::All => &|_| true,
        NumberedMatch::Within(digits) => &|number| digits.are_in(number),
        NumberedMatch::AtBegin(digits) => &|number| digits.begin(number),
        NumberedMatch::Unknown => {
            needle.find_in(&take_texts(cursor, n)?, found);
            return Ok(());
        }
    };
    let places = (0..).zip(ahead.integers(n)?).filter(|(_, number)| holds(number.unsigned_abs()));
    places.for_each(|(place, _)| found(place));
    *cursor = ahead;
    Ok(())
}

/// Passes over `n` *texts*.
pub(crate) fn skip_texts(cursor: &mut Cursor<'_>, n: usize) -> Decoded<()> {
    match cursor.byte()? {
        0 => {
            let lengths = cursor.integers(n)?;
            let n_bytes =
                lengths.iter().try_fold(0usize, |sum, length| sum.checked_add(usize::try_from(*length).ok()?));
            cursor.take(n_bytes.ok_or(Damage("a text length is out of range"))?)?;
            Ok(())
        }
        1 => {
            let n_bytes = cursor.varint()? as usize;
            cursor.take(n.checked_mul(n_bytes).ok_or(Damage("a count is out of range"))?)?;
            Ok(())
        }
        2 => cursor.skip_integers(n),
        3 => {
            cursor.text()?;
            cursor.skip_integers(n)
        }
        4 => {
            let _ = (cursor.text()?, cursor.text()?, cursor.byte()?);
            cursor.skip_integers(n)
        }
        5 => {
            let n_distinct = take_n_distinct(cursor, n)?;
            skip_texts(cursor, n_distinct)?;
            cursor.skip_integers(n)
        }
        6 => planes::skip(cursor, n),
        _ => Err(Damage("unknown kind of texts")),
    }
}

/// *texts* as they are stored.
pub(crate) enum Texts {
    Each(Strings),
    Dictionary { distinct: Strings, codes: Vec<u32> },
}

impl Texts {
    /// Reads `n` *texts*.
    pub(crate) fn take(cursor: &mut Cursor<'_>, n: usize) -> Decoded<Self> {
        if cursor.clone().byte()? != 5 {
            return Ok(Self::Each(take_texts(cursor, n)?));
        }
        cursor.byte()?;
        Self::take_dictionary(cursor, n)
    }

    fn take_dictionary(cursor: &mut Cursor<'_>, n: usize) -> Decoded<Self> {
        let n_distinct = take_n_distinct(cursor, n)?;
        let distinct = take_texts(cursor, n_distinct)?;
        let codes = cursor.codes(n)?;
        ensure!(!codes.iter().any(|code| *code as usize >= distinct.len()), Damage("a code is out of range"));
        Ok(Self::Dictionary { distinct, codes })
    }

    fn written_out(self) -> Decoded<Strings> {
        match self {
            Self::Each(texts) => Ok(texts),
            Self::Dictionary { distinct, codes } => {
                let n_bytes: usize = codes.iter().map(|code| distinct.get(*code as usize).len()).sum();
                ensure!(n_bytes < BYTES_MAX, Damage("texts are too long"));
                Ok(codes.iter().map(|code| distinct.get(*code as usize)).collect())
            }
        }
    }

    /// Returns text number `place`.
    pub(crate) fn get(&self, place: usize) -> Option<&str> {
        let is_one = |texts: &Strings| place < texts.len();
        match self {
            Self::Each(texts) => is_one(texts).then(|| texts.get(place)),
            Self::Dictionary { distinct, codes } => Some(distinct.get(*codes.get(place)? as usize)),
        }
    }
}

#[cfg(test)]
mod tests;
