//! Decoded variables of one block.

use std::borrow::Cow;
use std::io::Write;

use types::{Column, Strings, Value};

use super::layout::{ColumnSelection, TemplateIds};
use super::vocabulary::{COLUMN_MIN, HEX, NUMBERS, OF_FIELDS, TEXTS, UUIDS, Vocabulary};
use crate::bytes::{Cursor, Damage, Decoded};
use crate::needle::Needle;
use crate::numbers::{self, Base, Bases, ColumnShape};
use crate::slots::Slots;
use crate::strings::{Texts, skip_texts, take_texts};
use crate::template::{Kind, Piece, push_address, push_hex, push_integer};
use crate::time_text;

/// Texts of the columns of one section.
#[derive(Default)]
struct TextColumns {
    /// Values of all short columns; in segments of format 1, of all columns.
    together: Strings,
    /// Long columns, each with the place of its first value in the section.
    long: Vec<(u32, Texts)>,
    /// Per column where it is.
    places: Vec<TextPlace>,
}

#[derive(Clone, Copy)]
enum TextPlace {
    Nowhere,
    Together(u32),
    Long(u32),
}

impl TextColumns {
    fn decode(
        cursor: &mut Cursor<'_>,
        section: usize,
        ids: &TemplateIds,
        vocabulary: &Vocabulary,
        wanted: &ColumnSelection,
    ) -> Decoded<Self> {
        let is_long = |n: u32| vocabulary.format > 1 && n as usize >= COLUMN_MIN;
        let slots = vocabulary.slots();
        let of_section = ids.columns_of(section, slots)?;
        let mut columns = Self { places: vec![TextPlace::Nowhere; slots.columns().len()], ..Self::default() };
        let mut n_together = 0;
        for (column, n, _) in of_section.iter().copied().filter(|(_, n, _)| !is_long(*n)) {
            columns.places[column] = TextPlace::Together(n_together);
            n_together += n;
        }
        if n_together > 0 {
            columns.together = take_texts(cursor, n_together as usize)?;
        }
        for (column, n, first) in of_section.into_iter().filter(|(_, n, _)| is_long(*n)) {
            if !wanted.has(column) {
                skip_texts(cursor, n as usize)?;
                continue;
            }
            columns.places[column] = TextPlace::Long(columns.long.len() as u32);
            columns.long.push((first, Texts::take(cursor, n as usize)?));
        }
        Ok(columns)
    }

    fn get(&self, column: usize, number: u32) -> Option<&str> {
        match *self.places.get(column)? {
            TextPlace::Nowhere => None,
            TextPlace::Together(from) => {
                let place = from.checked_add(number)? as usize;
                (place < self.together.len()).then(|| self.together.get(place))
            }
            TextPlace::Long(long) => self.long.get(long as usize)?.1.get(number as usize),
        }
    }
}

/// Decoded variables of one block.
#[derive(Default)]
pub(crate) struct Variables<'f> {
    pub(super) integers: Vec<i64>,
    pub(super) addresses: Vec<i64>,
    pub(super) hex_ends: Vec<u32>,
    pub(super) hex: Vec<u8>,
    pub(super) uuids: Vec<u8>,
    texts: TextColumns,
    quoted: TextColumns,
    pub(crate) raw: Strings,
    /// Values of the columns that are fields, of the rows that messages are rebuilt of, in the order of columns.
    fields: Vec<(usize, Cow<'f, Column>)>,
}

impl<'f> Variables<'f> {
    /// Reads the `wanted` columns of one section into their places; `bytes` is empty where the block has no variables of
    /// the kind. `bases` are what [`base_of`] asks for.
    pub(crate) fn decode(
        &mut self,
        section: usize,
        bytes: &[u8],
        ids: &TemplateIds,
        vocabulary: &Vocabulary,
        wanted: &ColumnSelection,
        bases: &Bases<'_>,
    ) -> Decoded<()> {
        let mut cursor = Cursor::new(bytes);
        let cursor = &mut cursor;
        if section == vocabulary.raw_section() {
            self.raw = if ids.n_raw == 0 { Strings::default() } else { take_texts(cursor, ids.n_raw)? };
            return Ok(());
        }
        let n = ids.n_of_section(section, vocabulary.slots())?;
        if n == 0 {
            return Ok(());
        }
        match (section, vocabulary.format) {
            (NUMBERS, 1) => self.integers = take_integers_of_format_1(cursor, n, ids, vocabulary.slots())?,
            (NUMBERS, _) => self.integers = take_numbers(cursor, section, ids, vocabulary.slots(), wanted, bases)?,
            (2, 1) => self.addresses = cursor.integers(n)?,
            (2, _) => self.addresses = take_numbers(cursor, section, ids, vocabulary.slots(), wanted, bases)?,
            (HEX, _) => {
                let mut end = 0u32;
                for length in cursor.integers(n)? {
                    let length = u32::try_from(length).map_err(|_| Damage("a length is out of range"))?;
                    end = end.checked_add(length).ok_or(Damage("a length is out of range"))?;
                    self.hex_ends.push(end);
                }
                self.hex = cursor.take(end as usize)?.to_vec();
            }
            (UUIDS, _) => {
                let n_bytes = n.checked_mul(16).ok_or(Damage("a count is out of range"))?;
                self.uuids = cursor.take(n_bytes)?.to_vec();
            }
            (OF_FIELDS, _) => return Err(Damage("fields have no section")),
            (TEXTS, _) => self.texts = TextColumns::decode(cursor, section, ids, vocabulary, wanted)?,
            _ => self.quoted = TextColumns::decode(cursor, section, ids, vocabulary, wanted)?,
        }
        Ok(())
    }

    /// Takes the values of a column that is a field, of the rows that messages will be rebuilt of; columns come in order.
    pub(crate) fn put_field(&mut self, column: usize, values: Cow<'f, Column>) {
        self.fields.push((column, values));
    }

    /// Writes the value that a column that is a field has in a row, given by its place among the rows.
    pub(super) fn push_field(&self, kind: Kind, column: usize, place: usize, out: &mut Vec<u8>) -> Option<()> {
        let found = self.fields.binary_search_by_key(&column, |(column, _)| *column).ok()?;
        let values = &*self.fields[found].1;
        if kind == Kind::Json && matches!(values, Column::Strings { .. } | Column::Dictionary { .. } | Column::Mixed(_))
        {
            let mut spelled = String::new();
            values.value(place)?.write_json(&mut spelled);
            out.extend_from_slice(spelled.as_bytes());
            return Some(());
        }
        match values {
            Column::Strings { values, .. } => out.extend_from_slice(values.get(place).as_bytes()),
            Column::Dictionary { codes, values } => match values.get(*codes.get(place)? as usize)? {
                Value::String(text) => out.extend_from_slice(text.as_bytes()),
                other => write!(out, "{other}").ok()?,
            },
            column => write!(out, "{}", column.value(place)?).ok()?,
        }
        Some(())
    }

    /// Gives the place in the section `section`, of hex or UUIDs, of each that holds a needle of hex digits.
    pub(super) fn find_hex(&self, section: usize, needle: &Needle, found: &mut dyn FnMut(u32)) {
        if section == HEX {
            let place_at = |at: usize| self.hex_ends.partition_point(|end| *end as usize <= at);
            let range = |place: usize| {
                let from = place.checked_sub(1).map_or(0, |before| self.hex_ends[before] as usize);
                from..self.hex_ends[place] as usize
            };
            needle.find_packed(&self.hex, place_at, range, push_hex, found);
        } else {
            let range = |place: usize| place * 16..place * 16 + 16;
            needle.find_packed(&self.uuids, |at| at / 16, range, push_uuid, found);
        }
    }

    /// Writes value number `number` of a column that begins at number `first` of its section.
    pub(super) fn push(
        &self,
        piece: &Piece<'_>,
        column: usize,
        first: u32,
        number: u32,
        out: &mut Vec<u8>,
    ) -> Option<()> {
        let Piece::Variable(slot) = piece else { return None };
        let place = (first + number) as usize;
        match (slot.kind, slot.form) {
            (Kind::Time, Some(form)) => time_text::push(out, form, *self.integers.get(place)?),
            (Kind::Integer | Kind::Time, _) => push_integer(out, *self.integers.get(place)?),
            (Kind::Address, _) => push_address(out, *self.addresses.get(place)? as u32),
            (Kind::Hex, _) => {
                let from = if place == 0 { 0 } else { *self.hex_ends.get(place - 1)? as usize };
                push_hex(out, self.hex.get(from..*self.hex_ends.get(place)? as usize)?);
            }
            (Kind::Uuid, _) => {
                push_uuid(out, self.uuids.get(place * 16..place * 16 + 16)?);
            }
            (Kind::Text, _) => out.extend_from_slice(self.texts.get(column, number)?.as_bytes()),
            (Kind::Quoted, _) => out.extend_from_slice(self.quoted.get(column, number)?.as_bytes()),
            (Kind::Any | Kind::Json, _) => return None,
        }
        Some(())
    }
}

/// Writes the 16 bytes of a UUID.
pub(super) fn push_uuid(out: &mut Vec<u8>, bytes: &[u8]) {
    for (i, part) in [0..4, 4..6, 6..8, 8..10, 10..16].into_iter().enumerate() {
        if i > 0 {
            out.push(b'-');
        }
        push_hex(out, &bytes[part]);
    }
}

/// Returns the columns of a section of numbers, as its reader expects them.
fn expected(section: usize, ids: &TemplateIds, slots: &Slots, wanted: &ColumnSelection) -> Decoded<Vec<ColumnShape>> {
    let unit_ns = |column: usize| slots.columns()[column].form.map(|form| form.unit_ns());
    let columns = ids.columns_of(section, slots)?.into_iter();
    let expected = |(column, n, _): (usize, u32, u32)| ColumnShape {
        n_values: n as usize,
        unit_ns: unit_ns(column),
        is_wanted: wanted.has(column),
    };
    Ok(columns.map(expected).collect())
}

/// Returns what reading the wanted columns of a section takes of the block's events.
pub(crate) fn base_of(
    section: usize,
    bytes: &[u8],
    ids: &TemplateIds,
    vocabulary: &Vocabulary,
    wanted: &ColumnSelection,
) -> Decoded<Base> {
    if section != NUMBERS || vocabulary.format == 1 || matches!(bytes, [] | [0, ..]) {
        return Ok(Base::default());
    }
    let of_columns = numbers::bases_of(bytes, &expected(section, ids, vocabulary.slots(), wanted)?)?;
    let durations = of_columns.iter().find_map(|base| base.durations);
    Ok(Base { has_times: of_columns.iter().any(|base| base.has_times), durations })
}

fn take_numbers(
    cursor: &mut Cursor<'_>,
    section: usize,
    ids: &TemplateIds,
    slots: &Slots,
    wanted: &ColumnSelection,
    bases: &Bases<'_>,
) -> Decoded<Vec<i64>> {
    let columns = expected(section, ids, slots, wanted)?;
    let mut of_values = Vec::new();
    for (of_rows, is_duration) in [(bases.times, false), (bases.durations, true)] {
        if of_rows.is_empty() || of_rows.len() != ids.ids.len() {
            continue;
        }
        let needed = numbers::bases_of(cursor.rest(), &columns)?.into_iter();
        let is_asked = |base: &Base| if is_duration { base.durations.is_some() } else { base.has_times };
        let numbered = ids.columns_of(section, slots)?.into_iter().map(|(column, ..)| column);
        let asked = numbered.zip(needed).filter(|(_, base)| is_asked(base)).map(|(column, _)| column);
        of_values.resize(ids.n_of_section(section, slots)?, 0);
        ids.each_value(asked, slots, |row, place| of_values[place] = of_rows[row])?;
    }
    numbers::take(cursor, &columns, &of_values)
}

fn take_integers_of_format_1(cursor: &mut Cursor<'_>, n: usize, ids: &TemplateIds, slots: &Slots) -> Decoded<Vec<i64>> {
    let mut values = cursor.integers(n)?;
    let columns = ids.columns_of(NUMBERS, slots)?;
    for (least, (_, n, first)) in cursor.integers(columns.len())?.into_iter().zip(columns) {
        let of_column =
            values.get_mut(first as usize..(first + n) as usize).ok_or(Damage("a count is out of range"))?;
        of_column.iter_mut().for_each(|value| *value = value.wrapping_add(least));
    }
    Ok(values)
}
