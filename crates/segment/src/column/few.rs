//! Few rows of a column that another one says ([`dependent`](super::dependent)), without restoring all of it.

use std::sync::Arc;

use types::{Column, MISSING_CODE, RowSet, Value, ensure};

use super::decode::decode;
use super::dependent::{CODES, DETERMINED, INTEGERS, PACKED, REFERENCES, TEXTS, id_at, ids_of_source, is_part};
use crate::bytes::{Cursor, Damage, Decoded, Packed, put_varint};

/// Reports whether a few rows of a section can be looked up without restoring it.
pub(crate) fn is_looked_up(section: &[u8]) -> bool {
    matches!(section.first(), Some(&(DETERMINED | REFERENCES)))
}

/// Returns rows of such a section from the section of its source, which has values in `source_present`. `dictionary` is that of the
/// column.
pub(crate) fn decode_few(
    section: &[u8],
    (present, rows): (&RowSet, &RowSet),
    (source, source_present): (&[u8], &RowSet),
    dictionary: Option<&Arc<Vec<Value>>>,
) -> Decoded<Column> {
    let mut with_value = present.clone();
    with_value.and(rows);
    match (section, source) {
        ([DETERMINED, rest @ ..], [CODES, codes @ ..]) => {
            ensure!(is_part(&with_value, source_present), Damage("a column does not fit the one that it depends on"));
            let codes = Cursor::new(codes).packed(source_present.count())?;
            let places = source_present.places_of(&with_value);
            decode_determined(rest, (&codes, &places), (rows, &rows.places_of(&with_value)), dictionary)
        }
        ([REFERENCES, rest @ ..], _) => {
            let ids = few_ids(rest, (present, &with_value), (source, source_present))?;
            decode(&ids, &rows.places_of(&with_value), &RowSet::all(rows.count()), None)
        }
        _ => Err(Damage("a column depends on one that has no codes")),
    }
}

/// Looks up the values at `places` of the codes of the source; they are those of `with_value` of the rows wanted.
fn decode_determined(
    section: &[u8],
    (codes, places): (&Packed<'_>, &RowSet),
    (rows, with_value): (&RowSet, &RowSet),
    dictionary: Option<&Arc<Vec<Value>>>,
) -> Decoded<Column> {
    let mut cursor = Cursor::new(section);
    cursor.varint()?;
    let tag = cursor.byte()?;
    let table = cursor.packed_to_end()?;
    let code_out_of_range = Damage("a code is out of range");
    let value = |place| table.get(usize::try_from(codes.get(place)?).map_err(|_| code_out_of_range)?);
    let found = places.iter().map(value).collect::<Decoded<Vec<i64>>>()?;
    let n_rows = rows.count();
    if tag == INTEGERS {
        let mut values = vec![0; n_rows];
        with_value.iter().zip(found).for_each(|(row, value)| values[row] = value);
        let present = (!with_value.is_all()).then(|| with_value.clone());
        return Ok(Column::Integers { values, present });
    }
    let values = dictionary.filter(|_| tag == CODES).ok_or(Damage("a dictionary is missing"))?.clone();
    let mut codes = vec![MISSING_CODE; n_rows];
    for (row, code) in with_value.iter().zip(found) {
        codes[row] =
            u32::try_from(code).ok().filter(|code| (*code as usize) < values.len()).ok_or(code_out_of_range)?;
    }
    Ok(Column::Dictionary { codes, values })
}

/// Follows the references of the rows `wanted`, which have values, and returns a section of the ids that they lead to.
fn few_ids(
    section: &[u8],
    (present, wanted): (&RowSet, &RowSet),
    (source, source_present): (&[u8], &RowSet),
) -> Decoded<Vec<u8>> {
    let mut cursor = Cursor::new(section);
    cursor.varint()?;
    let n_bytes = cursor.varint()? as usize;
    let references = cursor.packed(present.count())?;
    let ids = ids_of_source(source, n_bytes, source_present.count())?;
    let mut own = OwnIds { references: &references, ids: cursor.rest(), n_bytes, place: 0, n_before: 0 };
    let mut out = vec![TEXTS, PACKED];
    put_varint(&mut out, n_bytes as u64);
    let out_of_range = Damage("a reference is out of range");
    for (place, row) in present.places_of(wanted).iter().zip(wanted.iter()) {
        let (mut place, mut row) = (place, Some(row));
        let id = loop {
            let reference = usize::try_from(references.get(place)?).map_err(|_| out_of_range)?;
            let distance = reference.div_ceil(2);
            if reference == 0 {
                break own.at(place)?;
            }
            if reference % 2 == 1 {
                let row = row.or_else(|| row_at(present, place)).ok_or(out_of_range)?;
                let before = n_before(source_present, row);
                break before.checked_sub(distance).and_then(|place| id_at(ids, n_bytes, place));
            }
            place = place.checked_sub(distance).ok_or(out_of_range)?;
            row = None;
        };
        out.extend_from_slice(id.ok_or(out_of_range)?);
    }
    Ok(out)
}

/// Ids that stand for themselves, in the order of their references.
struct OwnIds<'s> {
    references: &'s Packed<'s>,
    ids: &'s [u8],
    n_bytes: usize,
    /// How many ids stand for themselves before this place.
    place: usize,
    n_before: usize,
}

impl<'s> OwnIds<'s> {
    /// Returns the id at a place whose reference is 0. Places mostly rise.
    fn at(&mut self, place: usize) -> Decoded<Option<&'s [u8]>> {
        if place < self.place {
            (self.place, self.n_before) = (0, 0);
        }
        for before in self.place..place {
            self.n_before += usize::from(self.references.get(before)? == 0);
        }
        self.place = place;
        Ok(id_at(self.ids, self.n_bytes, self.n_before))
    }
}

/// Returns how many rows of a set are before `row`.
fn n_before(rows: &RowSet, row: usize) -> usize {
    let (whole, part) = (row / 64, row % 64);
    let words = rows.words();
    let n_whole: u32 = words[..whole.min(words.len())].iter().map(|word| word.count_ones()).sum();
    let of_part = words.get(whole).map_or(0, |word| (word & ((1 << part) - 1)).count_ones());
    (n_whole + of_part) as usize
}

/// Returns the row of a set that so many are before.
fn row_at(rows: &RowSet, mut place: usize) -> Option<usize> {
    for (number, word) in rows.words().iter().enumerate() {
        let n = word.count_ones() as usize;
        if place < n {
            let mut rest = *word;
            for _ in 0..place {
                rest &= rest - 1;
            }
            return Some(number * 64 + rest.trailing_zeros() as usize);
        }
        place -= n;
    }
    None
}

#[cfg(test)]
mod tests;
