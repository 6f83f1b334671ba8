//! Columns of a block that another column of the block says, as a whole or in part.
//!
//! A dependent section has a tag that no other column section has, and names the column that it is restored from, its source, which
//! depends on no other. What is restored is a section as [`column`](crate::column) describes it:
//!
//! | tag | content | source | restored |
//! |---|---|---|---|
//! | 7 | varint number of the source, varint bytes per id, *integers* references, the ids without one | packed hex (tag 5) | packed hex (tag 5) |
//! | 8 | varint number of the source, byte tag `t` (0 or 2), *integers* by code of the source | codes (tag 0) of all rows of this column | *integers* of tag `t` |
//!
//! A reference is 0 for an id that stands for itself, 2d − 1 for the id that the source has d of its values before this row, and 2d for
//! the id d values before in this column. Parents of spans begin before their children and are near them. Attributes of a process all
//! follow from any one of them.

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use types::{RowSet, ensure};

use super::dictionary::SERIES_DICTIONARY_MAX;
use crate::bytes::{Cursor, Damage, Decoded, put_integers, put_varint};
use crate::strings::skip_texts;

pub(super) const REFERENCES: u8 = 7;
pub(super) const DETERMINED: u8 = 8;

/// The tag of `successive`, which imports this file.
pub(super) const SUCCESSIVE: u8 = 9;

/// Tags of sections that are codes, integers, and texts.
pub(super) const CODES: u8 = 0;
const DICTIONARY: u8 = 1;
pub(super) const INTEGERS: u8 = 2;
pub(super) const TEXTS: u8 = 5;

/// The tag of texts that are packed hex.
pub(super) const PACKED: u8 = 1;

/// Shorter sections take no room that is worth a search.
const SECTION_BYTES_MIN: usize = 64;

/// How many times shorter a table must be than the values that it says: zstd shortens those as well.
const TABLE_GAIN_MIN: usize = 8;

/// Ids looked up in another column before all of them are, and how many of them must be there.
const SAMPLE: usize = 64;
const FOUND_MIN: usize = 16;

/// Columns of ids of a block that are compared with one another.
const ID_COLUMNS_MAX: usize = 8;

/// Most bytes of ids that are restored.
const IDS_BYTES_MAX: usize = 1 << 30;

/// A column of a block while it is written.
pub(crate) struct BlockColumn {
    /// The rows that have a value.
    pub(crate) present: RowSet,
    /// Its section.
    pub(crate) section: Vec<u8>,
}

/// Returns the section of a column of codes that those of column number `source` say: `table` has one for each of its codes.
pub(crate) fn section_of_table(source: usize, table: &[i64]) -> Vec<u8> {
    let mut out = vec![DETERMINED];
    put_varint(&mut out, source as u64);
    out.push(CODES);
    put_integers(&mut out, table);
    out
}

/// Returns the code of a column for each of `n_codes` codes of column number `source`, where its section says nothing else.
pub(crate) fn table_of_section(section: &[u8], source: usize, n_codes: usize) -> Decoded<Option<Vec<u32>>> {
    let [DETERMINED, rest @ ..] = section else { return Ok(None) };
    let mut cursor = Cursor::new(rest);
    if cursor.varint()? as usize != source || cursor.byte()? != CODES {
        return Ok(None);
    }
    let table = cursor.codes(n_codes)?;
    if cursor.is_at_end() { Ok(Some(table)) } else { Err(Damage("bytes are left over")) }
}

/// Returns the number of the source of a section that depends on one.
pub(crate) fn source_of(section: &[u8]) -> Decoded<Option<usize>> {
    match section {
        [REFERENCES | DETERMINED | SUCCESSIVE, rest @ ..] => Ok(Some(Cursor::new(rest).varint()? as usize)),
        _ => Ok(None),
    }
}

/// Reports whether a section consists of ids most of which are those of another column.
pub(crate) fn is_of_ids(section: &[u8]) -> bool {
    section.first() == Some(&REFERENCES)
}

/// Takes the tag of a section, of one that is restored from another that of what is restored.
pub(crate) fn tag_of(cursor: &mut Cursor<'_>) -> Decoded<u8> {
    let tag = cursor.byte()?;
    if !matches!(tag, DETERMINED | SUCCESSIVE) {
        return Ok(tag);
    }
    cursor.varint()?;
    cursor.byte()
}

/// Restores a dependent section of the rows `present` from the section of its source, which has values in `source_present`.
pub(crate) fn restore(section: &[u8], present: &RowSet, source: &[u8], source_present: &RowSet) -> Decoded<Vec<u8>> {
    let mut cursor = Cursor::new(section);
    let tag = cursor.byte()?;
    cursor.varint()?;
    match tag {
        REFERENCES => restore_ids(&mut cursor, present, source, source_present),
        DETERMINED => restore_determined(&mut cursor, present, source, source_present),
        _ => Err(Damage("a column depends on no other")),
    }
}

fn restore_ids(cursor: &mut Cursor<'_>, present: &RowSet, source: &[u8], source_present: &RowSet) -> Decoded<Vec<u8>> {
    let (n, n_bytes) = (present.count(), cursor.varint()? as usize);
    let length = n.checked_mul(n_bytes).filter(|length| *length <= IDS_BYTES_MAX && n_bytes > 0);
    let length = length.ok_or(Damage("ids are too long"))?;
    let references = cursor.codes(n)?;
    let ids = ids_of_source(source, n_bytes, source_present.count())?;
    let mut out = vec![TEXTS, PACKED];
    put_varint(&mut out, n_bytes as u64);
    let from = out.len();
    out.reserve(length);
    let out_of_range = Damage("a reference is out of range");
    for (place, (reference, before)) in references.into_iter().zip(before_rows(present, source_present)).enumerate() {
        let distance = reference.div_ceil(2) as usize;
        if reference == 0 {
            out.extend_from_slice(cursor.take(n_bytes)?);
        } else if reference % 2 == 1 {
            let found = before.checked_sub(distance).and_then(|place| id_at(ids, n_bytes, place));
            out.extend_from_slice(found.ok_or(out_of_range)?);
        } else {
            let at = from + place.checked_sub(distance).ok_or(out_of_range)? * n_bytes;
            out.extend_from_within(at..at + n_bytes);
        }
    }
    if cursor.is_at_end() { Ok(out) } else { Err(Damage("bytes are left over")) }
}

/// Returns the ids of a section that references are into, one after another.
pub(super) fn ids_of_source(source: &[u8], n_bytes: usize, n_ids: usize) -> Decoded<&[u8]> {
    let [TEXTS, PACKED, rest @ ..] = source else { return Err(Damage("a column depends on one that has no ids")) };
    let mut cursor = Cursor::new(rest);
    ensure!(cursor.varint()? as usize == n_bytes, Damage("a column depends on ids of another length"));
    cursor.take(n_ids.checked_mul(n_bytes).ok_or(Damage("a count is out of range"))?)
}

/// Returns the id at a place of ids that stand one after another.
pub(super) fn id_at(ids: &[u8], n_bytes: usize, place: usize) -> Option<&[u8]> {
    ids.get(place.checked_mul(n_bytes)?..)?.get(..n_bytes)
}

fn restore_determined(
    cursor: &mut Cursor<'_>,
    present: &RowSet,
    source: &[u8],
    source_present: &RowSet,
) -> Decoded<Vec<u8>> {
    let tag = cursor.byte()?;
    ensure!(matches!(tag, CODES | INTEGERS), Damage("unknown kind of column"));
    let codes = codes_of(source, source_present)?.ok_or(Damage("a column depends on one that has no codes"))?;
    let table = cursor.integers(n_codes(&codes))?;
    if !is_part(present, source_present) || !cursor.is_at_end() {
        return Err(Damage("a column does not fit the one that it depends on"));
    }
    let values: Vec<i64> = picked(&codes, present, source_present).map(|code| table[code as usize]).collect();
    let mut out = vec![tag];
    put_integers(&mut out, &values);
    Ok(out)
}

/// Returns for each row of `present` how many rows of `others` are before it.
fn before_rows<'a>(present: &'a RowSet, others: &'a RowSet) -> impl Iterator<Item = usize> + 'a {
    let mut ahead = others.iter().peekable();
    let mut n_before = 0;
    present.iter().map(move |row| {
        while ahead.next_if(|other| *other < row).is_some() {
            n_before += 1;
        }
        n_before
    })
}

/// Reports whether all rows of `part` are in `whole`.
pub(super) fn is_part(part: &RowSet, whole: &RowSet) -> bool {
    part.words().iter().zip(whole.words()).all(|(part, whole)| part & !whole == 0)
}

/// Returns the codes of the rows of `present`, which are some of those of the source.
pub(super) fn picked<'a>(
    codes: &'a [u32],
    present: &'a RowSet,
    source_present: &'a RowSet,
) -> impl Iterator<Item = u32> + 'a {
    before_rows(present, source_present).map(|place| codes[place])
}

/// Returns the codes of a section of codes into the dictionary of a run.
pub(crate) fn codes_of(section: &[u8], present: &RowSet) -> Decoded<Option<Vec<u32>>> {
    let [CODES, codes @ ..] = section else { return Ok(None) };
    let codes = Cursor::new(codes).codes(present.count())?;
    if n_codes(&codes) > SERIES_DICTIONARY_MAX { Err(Damage("a code is out of range")) } else { Ok(Some(codes)) }
}

/// Returns how many codes there may be: one more than the largest.
fn n_codes(codes: &[u32]) -> usize {
    codes.iter().max().map_or(0, |largest| *largest as usize + 1)
}

/// Ids of one length.
struct Ids<'a> {
    n_bytes: usize,
    values: Vec<&'a [u8]>,
}

impl<'a> Ids<'a> {
    /// Returns the ids of a section of packed hex.
    fn packed(section: &'a [u8], n: usize) -> Decoded<Option<Self>> {
        let [TEXTS, PACKED, rest @ ..] = section else { return Ok(None) };
        Self::take(&mut Cursor::new(rest), n).map(Some)
    }

    fn take(cursor: &mut Cursor<'a>, n: usize) -> Decoded<Self> {
        let n_bytes = cursor.varint()? as usize;
        let bytes = cursor.take(n.checked_mul(n_bytes).ok_or(Damage("a count is out of range"))?)?;
        Ok(Self { n_bytes, values: bytes.chunks_exact(n_bytes.max(1)).collect() })
    }

    /// Returns the ids of a section of packed hex whose ids may be in a dictionary of the block.
    fn of(section: &'a [u8], n: usize) -> Decoded<Option<Self>> {
        let [DICTIONARY, rest @ ..] = section else { return Self::packed(section, n) };
        let mut cursor = Cursor::new(rest);
        let n_values = cursor.varint()? as usize;
        let [0, PACKED, ..] = cursor.rest() else { return Ok(None) };
        cursor.take(1)?;
        let mut behind = cursor.clone();
        skip_texts(&mut behind, n_values)?;
        cursor.take(1)?;
        let Self { n_bytes, values } = Self::take(&mut cursor, n_values)?;
        let codes = behind.codes(n)?.into_iter();
        let values: Option<Vec<&[u8]>> = codes.map(|code| values.get(code as usize).copied()).collect();
        Ok(values.map(|values| Self { n_bytes, values }))
    }
}

/// Puts dependent sections in the place of those that another column of the block says.
pub(crate) fn shorten(columns: &mut [Option<BlockColumn>]) {
    shorten_determined(columns);
    shorten_ids(columns);
}

/// A column of codes or integers that may say others.
struct Coded {
    number: usize,
    n_codes: usize,
    codes: Vec<u32>,
}

fn shorten_determined(columns: &mut [Option<BlockColumn>]) {
    let mut coded: Vec<Coded> = Vec::new();
    let mut integers = Vec::new();
    for (number, column) in columns.iter().enumerate() {
        let Some(column) = column.as_ref().filter(|column| column.section.len() > SECTION_BYTES_MIN) else { continue };
        match codes_of(&column.section, &column.present) {
            Ok(Some(codes)) => coded.push(Coded { number, n_codes: n_codes(&codes), codes }),
            _ if column.section[0] == INTEGERS => integers.push(number),
            _ => {}
        }
    }
    // What says others has more values than they; of those that say a column, the last has the shortest table.
    coded.sort_by_key(|column| std::cmp::Reverse((column.n_codes, column.codes.len(), column.number)));
    let mut sources: Vec<Coded> = Vec::new();
    for column in coded {
        let values = column.codes.iter().map(|code| i64::from(*code)).collect::<Vec<_>>();
        match determined(columns, column.number, &values, &sources) {
            Some(section) => put(columns, column.number, section),
            None => sources.push(column),
        }
    }
    for number in integers {
        let values = columns[number]
            .as_ref()
            .and_then(|column| Cursor::new(&column.section[1..]).integers(column.present.count()).ok());
        if let Some(section) = values.and_then(|values| determined(columns, number, &values, &sources)) {
            put(columns, number, section);
        }
    }
}

fn put(columns: &mut [Option<BlockColumn>], number: usize, section: Vec<u8>) {
    if let Some(column) = &mut columns[number] {
        column.section = section;
    }
}

/// Returns the section of a column of these values if one of `sources` says them.
fn determined(columns: &[Option<BlockColumn>], number: usize, values: &[i64], sources: &[Coded]) -> Option<Vec<u8>> {
    let column = columns[number].as_ref()?;
    for source in sources.iter().rev() {
        let source_present = &columns[source.number].as_ref()?.present;
        if !is_part(&column.present, source_present) {
            continue;
        }
        let codes = picked(&source.codes, &column.present, source_present);
        let Some(table) = table_of(codes, values, source.n_codes) else { continue };
        let mut out = vec![DETERMINED];
        put_varint(&mut out, source.number as u64);
        out.push(column.section[0]);
        put_integers(&mut out, &table);
        let source = &columns[source.number].as_ref()?.section;
        let is_short = out.len() * TABLE_GAIN_MIN <= column.section.len();
        if is_short && restore(&out, &column.present, source, source_present).as_ref() == Ok(&column.section) {
            return Some(out);
        }
    }
    None
}

/// Returns the value that goes with each code, if each has one.
fn table_of(codes: impl Iterator<Item = u32>, values: &[i64], n_codes: usize) -> Option<Vec<i64>> {
    let mut table: Vec<Option<i64>> = vec![None; n_codes];
    for (code, value) in codes.zip(values) {
        if *table[code as usize].get_or_insert(*value) != *value {
            return None;
        }
    }
    let least = values.iter().min().copied().unwrap_or_default();
    Some(table.into_iter().map(|value| value.unwrap_or(least)).collect())
}

fn shorten_ids(columns: &mut [Option<BlockColumn>]) {
    let mut ids: Vec<(usize, Ids<'_>, bool)> = Vec::new();
    for (number, column) in columns.iter().enumerate() {
        let Some(column) = column.as_ref().filter(|column| column.section.len() > SECTION_BYTES_MIN) else { continue };
        if let Ok(Some(found)) = Ids::of(&column.section, column.present.count()) {
            ids.push((number, found, column.section[0] == TEXTS));
        }
    }
    ids.truncate(ID_COLUMNS_MAX);
    let mut shortened: Vec<(usize, Vec<u8>)> = Vec::new();
    let mut is_source = vec![false; ids.len()];
    for (at, (source, of_source, is_packed)) in ids.iter().enumerate() {
        let is_shortened = |number: usize| shortened.iter().any(|(known, _)| *known == number);
        let others = ids.iter().enumerate().filter(|(other, (number, of_other, _))| {
            *other != at && of_other.n_bytes == of_source.n_bytes && !is_source[*other] && !is_shortened(*number)
        });
        let others: Vec<(usize, &Ids<'_>)> = others.map(|(_, (number, ids, _))| (*number, ids)).collect();
        if !is_packed || others.is_empty() || is_shortened(*source) {
            continue;
        }
        let places: HashMap<&[u8], usize, RandomState> =
            of_source.values.iter().enumerate().rev().map(|(place, id)| (*id, place)).collect();
        for (number, of_other) in others {
            if let Some(section) = references(columns, (number, of_other), *source, &places) {
                shortened.push((number, section));
                is_source[at] = true;
            }
        }
    }
    shortened.into_iter().for_each(|(number, section)| put(columns, number, section));
}

/// Returns the section of a column of ids by those of a source, at whose `places` they are, if that is shorter.
fn references(
    columns: &[Option<BlockColumn>],
    (number, ids): (usize, &Ids<'_>),
    source: usize,
    places: &HashMap<&[u8], usize, RandomState>,
) -> Option<Vec<u8>> {
    let sample = ids.values.iter().step_by((ids.values.len() / SAMPLE).max(1));
    if sample.filter(|id| places.contains_key(**id)).count() < FOUND_MIN {
        return None;
    }
    let (column, source_column) = (columns[number].as_ref()?, columns[source].as_ref()?);
    let mut known: HashMap<&[u8], usize, RandomState> = HashMap::default();
    let (mut codes, mut rest) = (Vec::with_capacity(ids.values.len()), Vec::new());
    let before = before_rows(&column.present, &source_column.present);
    for (place, (id, before)) in ids.values.iter().zip(before).enumerate() {
        if let Some(distance @ 1..) = places.get(id).and_then(|at| before.checked_sub(*at)) {
            codes.push(2 * distance as i64 - 1);
        } else if let Some(own) = known.insert(id, place) {
            codes.push(2 * (place - own) as i64);
        } else {
            rest.extend_from_slice(id);
            codes.push(0);
        }
    }
    let mut out = vec![REFERENCES];
    put_varint(&mut out, source as u64);
    put_varint(&mut out, ids.n_bytes as u64);
    put_integers(&mut out, &codes);
    out.append(&mut rest);
    let restored = restore(&out, &column.present, &source_column.section, &source_column.present).ok()?;
    let is_same =
        Ids::packed(&restored, ids.values.len()).is_ok_and(|back| back.is_some_and(|back| back.values == ids.values));
    (is_same && out.len() * 8 < column.section.len() * 7).then_some(out)
}

#[cfg(test)]
mod tests;
