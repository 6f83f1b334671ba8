//! *texts* that are written one by one: tags 0 to 4.

use types::{RowSet, Strings, ensure};

use crate::bytes::{Cursor, Damage, Decoded, put_integers, put_text, put_varint};
use crate::template::{pack_hex, parse_address, push_address, push_hex, push_integer};

/// Most bytes that texts may take once they are written out.
pub(super) const BYTES_MAX: usize = 1 << 30;

/// Writes texts in the tightest way but a dictionary, and none byte by byte.
pub(crate) fn put_texts(out: &mut Vec<u8>, texts: &[&str]) {
    if let Some(length) = common_hex_length(texts) {
        out.push(1);
        put_varint(out, length as u64 / 2);
        texts.iter().for_each(|text| pack_hex(out, text));
    } else if texts.iter().all(|text| is_address(text)) && !texts.is_empty() {
        out.push(2);
        put_integers(out, &texts.iter().map(|text| i64::from(parse_address(text))).collect::<Vec<_>>());
    } else if let Some((prefix, numbers)) = prefixed_numbers(texts) {
        out.push(3);
        put_text(out, prefix);
        put_integers(out, &numbers);
    } else if let Some(numbered) = numbered(texts) {
        out.push(4);
        put_text(out, numbered.prefix);
        put_text(out, numbered.suffix);
        out.push(numbered.n_digits);
        put_integers(out, &numbered.numbers);
    } else {
        out.push(0);
        put_integers(out, &texts.iter().map(|text| text.len() as i64).collect::<Vec<_>>());
        texts.iter().for_each(|text| out.extend_from_slice(text.as_bytes()));
    }
}

fn common_hex_length(texts: &[&str]) -> Option<usize> {
    let length = texts.first()?.len();
    let is_hex =
        |text: &&str| text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (length >= 8 && length.is_multiple_of(2) && texts.iter().all(is_hex)).then_some(length)
}

fn is_address(text: &str) -> bool {
    let part = |part: &str| {
        let number = part.bytes().try_fold(0u32, |n, b| b.is_ascii_digit().then(|| n * 10 + u32::from(b - b'0')));
        (1..=3).contains(&part.len()) && (part.len() == 1 || !part.starts_with('0')) && number.is_some_and(|n| n < 256)
    };
    (7..=15).contains(&text.len()) && text.split('.').count() == 4 && text.split('.').all(part)
}

/// Returns a prefix common to all texts, each followed by a canonical number.
fn prefixed_numbers<'a>(texts: &[&'a str]) -> Option<(&'a str, Vec<i64>)> {
    let first = *texts.first()?;
    let prefix = first.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = |text: &&str| {
        let digits = text.strip_prefix(prefix)?;
        let canonical = (1..=18).contains(&digits.len()) && (digits.len() == 1 || !digits.starts_with('0'));
        let all_digits = digits.bytes().all(|b| b.is_ascii_digit());
        if canonical && all_digits { digits.parse().ok() } else { None }
    };
    (texts.len() > 1).then_some(())?;
    Some((prefix, texts.iter().map(number).collect::<Option<_>>()?))
}

/// Numbers between a common prefix and a common suffix.
struct NumberedStrings<'a> {
    prefix: &'a str,
    suffix: &'a str,
    n_digits: u8,
    numbers: Vec<i64>,
}

fn numbered<'a>(texts: &[&'a str]) -> Option<NumberedStrings<'a>> {
    let first = *texts.first()?;
    let from = first.find(|c: char| c.is_ascii_digit())?;
    let (prefix, rest) = first.split_at(from);
    let suffix = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    let width = rest.len() - suffix.len();
    let (mut is_canonical, mut is_padded) = (true, true);
    let number = |text: &&str| {
        let digits = text.strip_prefix(prefix)?.strip_suffix(suffix)?;
        if !(1..=18).contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        is_canonical &= digits.len() == 1 || !digits.starts_with('0');
        is_padded &= digits.len() == width;
        (is_canonical || is_padded).then(|| digits.parse().ok())?
    };
    (texts.len() > 1).then_some(())?;
    let numbers = texts.iter().map(number).collect::<Option<_>>()?;
    Some(NumberedStrings { prefix, suffix, n_digits: if is_padded { width as u8 } else { 0 }, numbers })
}

/// Reads `n` texts that [`put_texts`] wrote; only those `chosen`, a set over all of them, where some are.
pub(super) fn take_alone(cursor: &mut Cursor<'_>, n: usize, chosen: Option<&RowSet>) -> Decoded<Strings> {
    match cursor.byte()? {
        0 => take_plain_texts(cursor, n, chosen),
        1 => {
            let n_bytes = cursor.varint()? as usize;
            let bytes = cursor.take(n.checked_mul(n_bytes).ok_or(Damage("a count is out of range"))?)?;
            match chosen {
                None => collect_texts(bytes.chunks_exact(n_bytes.max(1)).take(n), push_hex),
                Some(chosen) => {
                    let ids = chosen.iter().filter_map(|place| bytes.get(place * n_bytes..(place + 1) * n_bytes));
                    collect_texts(ids, push_hex)
                }
            }
        }
        2 => {
            let numbers = match chosen {
                None => cursor.codes(n)?,
                Some(chosen) => {
                    let address = |number| u32::try_from(number).map_err(|_| Damage("a code is out of range"));
                    cursor.integers_at(n, chosen)?.into_iter().map(address).collect::<Decoded<_>>()?
                }
            };
            collect_texts(numbers.into_iter(), push_address)
        }
        3 => {
            let prefix = cursor.text()?;
            ensure!(prefix.len().saturating_mul(n) < u32::MAX as usize / 2, Damage("texts are too long"));
            let numbers = take_numbers(cursor, n, chosen)?;
            collect_texts(numbers.into_iter(), |out, number| {
                out.extend_from_slice(prefix.as_bytes());
                push_integer(out, number);
            })
        }
        4 => take_numbered(cursor, n, chosen),
        _ => Err(Damage("unknown kind of texts")),
    }
}

fn take_numbers(cursor: &mut Cursor<'_>, n: usize, chosen: Option<&RowSet>) -> Decoded<Vec<i64>> {
    match chosen {
        None => cursor.integers(n),
        Some(chosen) => cursor.integers_at(n, chosen),
    }
}

fn take_numbered(cursor: &mut Cursor<'_>, n: usize, chosen: Option<&RowSet>) -> Decoded<Strings> {
    let (prefix, suffix) = (cursor.text()?, cursor.text()?);
    let n_digits = usize::from(cursor.byte()?);
    if (prefix.len() + suffix.len()).saturating_mul(n) >= BYTES_MAX || n_digits > 18 {
        return Err(Damage("texts are too long"));
    }
    let mut digits = Vec::new();
    collect_texts(take_numbers(cursor, n, chosen)?.into_iter(), |out, number| {
        digits.clear();
        push_integer(&mut digits, number);
        out.extend_from_slice(prefix.as_bytes());
        (digits.len()..n_digits).for_each(|_| out.push(b'0'));
        out.extend_from_slice(&digits);
        out.extend_from_slice(suffix.as_bytes());
    })
}

fn collect_texts<T>(values: impl Iterator<Item = T>, mut push: impl FnMut(&mut Vec<u8>, T)) -> Decoded<Strings> {
    let (mut text, mut ends) = (Vec::new(), Vec::new());
    for value in values {
        push(&mut text, value);
        ends.push(end_of(&text)?);
    }
    texts_of(text, ends)
}

/// Returns the end of the last of several consecutive texts.
pub(crate) fn end_of(text: &[u8]) -> Decoded<u32> {
    u32::try_from(text.len()).map_err(|_| Damage("texts are too long"))
}

/// Texts from their bytes and the end of each.
pub(crate) fn texts_of(text: Vec<u8>, ends: Vec<u32>) -> Decoded<Strings> {
    let text = String::from_utf8(text).map_err(|_| Damage("a text is not UTF-8"))?;
    Strings::of_parts(text, ends).ok_or(Damage("a text ends within a character"))
}

fn take_plain_texts(cursor: &mut Cursor<'_>, n: usize, chosen: Option<&RowSet>) -> Decoded<Strings> {
    let lengths = cursor.integers(n)?;
    let mut end = 0u32;
    let mut ends = Vec::with_capacity(n);
    for length in lengths {
        let length = u32::try_from(length).map_err(|_| Damage("a text length is out of range"))?;
        end = end.checked_add(length).ok_or(Damage("a text length is out of range"))?;
        ends.push(end);
    }
    let bytes = cursor.take(end as usize)?;
    let Some(chosen) = chosen else { return texts_of(bytes.to_vec(), ends) };
    let start = |place: usize| place.checked_sub(1).map_or(0, |before| ends[before] as usize);
    let places = chosen.iter().take_while(|place| *place < n);
    collect_texts(places.map(|place| &bytes[start(place)..ends[place] as usize]), |out, text| {
        out.extend_from_slice(text);
    })
}
