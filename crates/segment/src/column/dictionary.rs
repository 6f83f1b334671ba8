//! Values of a dictionary, and the dictionary that blocks of a run share.

use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use types::{RowSet, Value, codec::put_value, ensure};

use crate::bytes::{Cursor, Damage, Decoded, put_varint};
use crate::strings::{put_texts, skip_texts, take_chosen_texts, take_texts};
use crate::tagged::skip_tagged;
use crate::template::may_be_packed;

/// Distinct values up to which the first block of a run starts a dictionary for the whole run.
const RUN_DICTIONARY_STARTS_MAX: usize = 1024;

/// Fewer ids of a first block tell nothing of later ones.
const IDS_MIN: usize = 32;

/// Most values of a run's dictionary; readers hold it in memory as a whole.
const RUN_DICTIONARY_MAX: usize = 4096;

/// The same of runs of samples: labels of a series are in thousands of its rows.
pub(super) const SERIES_DICTIONARY_MAX: usize = 1 << 17;

/// The dictionary of one field over a whole run, in the order of first sight.
#[derive(Default)]
pub(crate) struct RunDictionary {
    pub(super) values: Vec<Value>,
    pub(super) by_text: HashMap<Arc<str>, u32, RandomState>,
    pub(super) n_blocks: usize,
    pub(super) is_closed: bool,
    /// Reports whether the run has samples.
    pub(super) is_of_series: bool,
}

impl RunDictionary {
    /// Returns the dictionary of a field of samples.
    pub(crate) fn of_series() -> Self {
        Self { is_of_series: true, ..Self::default() }
    }

    /// Takes the `texts` of `n_rows` rows in, the distinct ones or those of each series, and gives their codes, or nothing where the
    /// dictionary would become too large.
    pub(crate) fn codes_of(&mut self, texts: &[&Arc<str>], n_rows: usize) -> Option<Vec<u32>> {
        self.n_blocks += 1;
        // Ids that hardly repeat in the first block will not do so in later ones, and take less room without codes.
        let is_of_ids = || {
            texts.len() >= IDS_MIN
                && texts.len() * 10 > n_rows * 3
                && texts.first().is_some_and(|text| may_be_packed(text))
        };
        let is_large = texts.len() > RUN_DICTIONARY_STARTS_MAX || is_of_ids();
        if self.n_blocks == 1 && is_large && !self.is_of_series {
            self.is_closed = true;
        }
        let n_new = || texts.iter().filter(|text| !self.by_text.contains_key(**text)).count();
        let is_room_for_all = self.values.len() + texts.len() <= self.n_max();
        if self.is_closed || !is_room_for_all && self.values.len() + n_new() > self.n_max() {
            return None;
        }
        let mut codes = Vec::with_capacity(texts.len());
        let mut last: Option<(&Arc<str>, u32)> = None;
        for text in texts {
            // Series that follow each other have most labels in common.
            if let Some((_, code)) = last.filter(|(before, _)| before == text) {
                codes.push(code);
                continue;
            }
            let next = self.values.len() as u32;
            let code = *self.by_text.entry((*text).clone()).or_insert(next);
            if code == next {
                self.values.push(Value::String((*text).clone()));
            }
            codes.push(code);
            last = Some((text, code));
        }
        Some(codes)
    }

    fn n_max(&self) -> usize {
        if self.is_of_series { SERIES_DICTIONARY_MAX } else { RUN_DICTIONARY_MAX }
    }

    /// Returns the text that a code stands for.
    pub(crate) fn text(&self, code: u32) -> Option<&str> {
        if let Value::String(text) = self.values.get(code as usize)? { Some(text) } else { None }
    }

    /// Returns the dictionary's section, or nothing where no block uses it.
    pub(crate) fn encode(&self) -> Option<Vec<u8>> {
        if self.values.is_empty() {
            return None;
        }
        let mut out = Vec::new();
        put_varint(&mut out, self.values.len() as u64);
        put_values(&mut out, &self.values.iter().map(Some).collect::<Vec<_>>());
        Some(out)
    }
}

/// Reads a run's dictionary.
pub(crate) fn decode_run_dictionary(bytes: &[u8]) -> Decoded<Vec<Value>> {
    let mut cursor = Cursor::new(bytes);
    let n = cursor.varint()? as usize;
    ensure!(n <= SERIES_DICTIONARY_MAX, Damage("a dictionary is too large"));
    take_dictionary(&mut cursor, n)
}

pub(super) fn take_dictionary(cursor: &mut Cursor<'_>, n: usize) -> Decoded<Vec<Value>> {
    let values = take_values(cursor, n)?;
    values.into_iter().map(|value| value.ok_or(Damage("a dictionary has a gap"))).collect()
}

pub(super) fn put_flags(out: &mut Vec<u8>, flags: &[bool]) {
    let any = flags.contains(&true);
    out.push(u8::from(any));
    if any {
        let byte = |bits: &[bool]| bits.iter().enumerate().fold(0u8, |sum, (i, bit)| sum | u8::from(*bit) << i);
        out.extend(flags.chunks(8).map(byte));
    }
}

pub(super) fn take_flags(cursor: &mut Cursor<'_>, n: usize) -> Decoded<Option<RowSet>> {
    if cursor.byte()? == 0 {
        return Ok(None);
    }
    let bytes = cursor.take(n.div_ceil(8))?;
    let word = |bytes: &[u8]| bytes.iter().rev().fold(0u64, |word, byte| word << 8 | u64::from(*byte));
    Ok(Some(RowSet::of_words(bytes.chunks(8).map(word).collect(), n)))
}

/// Writes values, each of which may be missing.
pub(crate) fn put_values(out: &mut Vec<u8>, values: &[Option<&Value>]) {
    let texts: Option<Vec<&str>> =
        values.iter().map(|value| if let Some(Value::String(text)) = value { Some(&**text) } else { None }).collect();
    match texts {
        Some(texts) => {
            out.push(0);
            put_texts(out, &texts);
        }
        None => {
            out.push(1);
            values.iter().for_each(|value| put_value(*value, out));
        }
    }
}

/// Reads `n` values.
pub(crate) fn take_values(cursor: &mut Cursor<'_>, n: usize) -> Decoded<Vec<Option<Value>>> {
    match cursor.byte()? {
        0 => Ok(take_texts(cursor, n)?.iter().map(|text| Some(Value::text(text))).collect()),
        1 => (0..n).map(|_| cursor.value()).collect(),
        _ => Err(Damage("unknown kind of values")),
    }
}

/// Passes over `n` values and returns those `chosen`, a set over all of them.
pub(super) fn take_chosen_values(cursor: &mut Cursor<'_>, n: usize, chosen: &RowSet) -> Decoded<Vec<Option<Value>>> {
    match cursor.byte()? {
        0 => Ok(take_chosen_texts(cursor, n, chosen)?.iter().map(|text| Some(Value::text(text))).collect()),
        1 => {
            let mut values = Vec::with_capacity(chosen.count());
            for place in 0..n {
                if chosen.contains(place) {
                    values.push(cursor.value()?);
                } else {
                    skip_tagged(cursor)?;
                }
            }
            Ok(values)
        }
        _ => Err(Damage("unknown kind of values")),
    }
}

/// Passes over `n` values.
pub(super) fn skip_values(cursor: &mut Cursor<'_>, n: usize) -> Decoded<()> {
    match cursor.byte()? {
        0 => skip_texts(cursor, n),
        1 => (0..n).try_for_each(|_| skip_tagged(cursor)),
        _ => Err(Damage("unknown kind of values")),
    }
}
