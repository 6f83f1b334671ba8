//! Texts most of which are equally long, stored byte by byte: the first byte of each, the second byte of each, and so on.
//!
//! Identifiers and times have places that hardly change and places that are random. Side by side, each place costs what it
//! says and no more; text after text, the compressor pays for every change between the two.
//!
//! Content: varint length, varint `k` how many texts have another, *integers* places of those, their *texts*, then for each of the
//! `length` places the bytes of the other `n − k` texts.

use types::{RowSet, Strings, ensure};

use super::alone::{end_of, put_texts, take_alone, texts_of};
use crate::bytes::{Cursor, Damage, Decoded, put_integers, put_varint};

/// Lengths that are worth it.
const LENGTHS: std::ops::RangeInclusive<usize> = 8..=256;

/// Fewest texts that are worth it.
const TEXTS_MIN: usize = 64;

/// One text in so many may have another length.
const OTHERS: usize = 16;

/// How many texts are turned at a time, so that what is written stays in the cache.
const TILE: usize = 64;

/// Returns the length that nearly all texts have, where there is one that is worth it.
pub(super) fn common_length(texts: &[&str]) -> Option<usize> {
    let length = texts.get(texts.len() / 2)?.len();
    let n_others = texts.iter().filter(|text| text.len() != length).count();
    (LENGTHS.contains(&length) && texts.len() >= TEXTS_MIN && n_others * OTHERS <= texts.len()).then_some(length)
}

/// Writes texts, most of which have this length.
pub(super) fn put(out: &mut Vec<u8>, texts: &[&str], length: usize) {
    let (mut places, mut others, mut rest) = (Vec::new(), Vec::new(), Vec::with_capacity(texts.len()));
    for (place, text) in (0..).zip(texts) {
        if text.len() == length {
            rest.push(text.as_bytes());
        } else {
            places.push(place);
            others.push(*text);
        }
    }
    put_varint(out, length as u64);
    put_varint(out, others.len() as u64);
    put_integers(out, &places);
    put_texts(out, &others);
    for place in 0..length {
        out.extend(rest.iter().map(|text| text[place]));
    }
}

/// Reads `n` texts.
pub(super) fn take(cursor: &mut Cursor<'_>, n: usize) -> Decoded<Strings> {
    let wrong = Damage("a text length is out of range");
    let (length, others, places) = take_others(cursor, n)?;
    let n_rest = n - others.len();
    let planes =
        cursor.take(length.checked_mul(n_rest).filter(|n_bytes| u32::try_from(*n_bytes).is_ok()).ok_or(wrong)?)?;
    let mut turned = vec![0; planes.len()];
    for (tile, rows) in turned.chunks_mut((TILE * length).max(1)).enumerate() {
        for (place, plane) in planes.chunks_exact(n_rest.max(1)).enumerate() {
            let bytes = &plane[tile * TILE..];
            rows.chunks_exact_mut(length).zip(bytes).for_each(|(row, byte)| row[place] = *byte);
        }
    }
    let mut ends = Vec::with_capacity(n);
    if others.is_empty() {
        ends.extend((1..=n_rest).map(|number| (number * length) as u32));
        return texts_of(turned, ends);
    }
    let mut text = Vec::with_capacity(turned.len() + others.text().len());
    let (mut others, mut rest) = (places.iter().zip(others.iter()).peekable(), turned.chunks_exact(length.max(1)));
    for place in 0..n as u32 {
        match others.next_if(|(other, _)| **other == place) {
            Some((_, other)) => text.extend_from_slice(other.as_bytes()),
            None => text.extend_from_slice(rest.next().ok_or(wrong)?),
        }
        ends.push(end_of(&text)?);
    }
    texts_of(text, ends)
}

/// Passes over `n` texts and returns those `chosen`, a set over all of them.
pub(super) fn take_chosen(cursor: &mut Cursor<'_>, n: usize, chosen: &RowSet) -> Decoded<Strings> {
    let wrong = Damage("a text length is out of range");
    let (length, others, places) = take_others(cursor, n)?;
    let n_rest = n - others.len();
    let planes = cursor.take(length.checked_mul(n_rest).ok_or(wrong)?)?;
    let (mut text, mut ends) = (Vec::new(), Vec::new());
    for place in chosen.iter().take_while(|place| *place < n) {
        match places.binary_search(&(place as u32)) {
            Ok(other) => text.extend_from_slice(others.get(other).as_bytes()),
            Err(n_before) => {
                let row = place.checked_sub(n_before).filter(|row| *row < n_rest).ok_or(wrong)?;
                text.extend((0..length).map(|plane| planes[plane * n_rest + row]));
            }
        }
        ends.push(end_of(&text)?);
    }
    texts_of(text, ends)
}

/// Passes over `n` texts.
pub(super) fn skip(cursor: &mut Cursor<'_>, n: usize) -> Decoded<()> {
    let (length, others, _) = take_others(cursor, n)?;
    let n_bytes = length.checked_mul(n - others.len()).ok_or(Damage("a text length is out of range"))?;
    cursor.take(n_bytes).map(|_| ())
}

/// Reads the length, and the texts of another with their places.
fn take_others(cursor: &mut Cursor<'_>, n: usize) -> Decoded<(usize, Strings, Vec<u32>)> {
    let (length, n_others) = (cursor.varint()? as usize, cursor.varint()? as usize);
    ensure!(LENGTHS.contains(&length) && n_others <= n, Damage("a text length is out of range"));
    let places = cursor.codes(n_others)?;
    // Texts of equal length are not within each other.
    ensure!(cursor.clone().byte()? <= 4, Damage("unknown kind of texts"));
    Ok((length, take_alone(cursor, n_others, None)?, places))
}
