//! The messages of one block: template numbers, and the variables by kind.
//!
//! A block's messages are [`TEXT_SECTIONS`] sections (empty where there is nothing): template numbers of all rows
//! (*integers*; 0 is a raw message), then variables, last raw messages (*texts*). Variables of a section stand in
//! the order (column, row), columns being those of `slots`:
//!
//! | section | content |
//! |---|---|
//! | 1 integers and times | `numbers` |
//! | 2 addresses | `numbers` |
//! | 3 hex | *integers* lengths in packed bytes, packed bytes |
//! | 4 UUIDs | packed bytes, 16 each |
//! | 5 texts, 6 quoted texts | the columns of fewer than [`COLUMN_MIN`] values together: *texts*; then each of the others: *texts* |
//! | 7 raw messages | *texts* |
//!
//! In segments of format 1 there is a column for each (template, place), raw messages are section 6, and sections 1
//! to 5 are: *integers* of value − least of its column, then the leasts as *integers*; *integers*; hex and UUIDs as
//! above; *texts* of all columns.

mod written;

use types::{RowSet, Strings};

use super::bytes::{Cursor, Damage, Decoded};
use super::moment;
use super::numbers::{self, Expected};
use super::search::Needle;
use super::slots::Slots;
use super::strings::{Texts, end_of, take_texts, texts_of};
use super::template::{Kind, Piece, Template, push_address, push_hex, push_integer};

pub(crate) use written::{MessageWriter, encode_raw};

/// Sections of a block's messages.
pub(crate) const TEXT_SECTIONS: usize = 8;
pub(crate) const NUMBERS: usize = 1;
pub(crate) const TEXTS: usize = 5;
pub(crate) const QUOTED: usize = 6;

/// Values from which on a column of texts is stored by itself.
const COLUMN_MIN: usize = 16;

/// How many sections a block's messages have in segments of a format; the last one holds raw messages.
pub(crate) fn n_sections(format: u16) -> usize {
    if format == 1 { 7 } else { TEXT_SECTIONS }
}

/// The section that holds variables of a kind.
pub(crate) fn section_of(kind: Kind) -> usize {
    match kind {
        Kind::Integer | Kind::Time => NUMBERS,
        Kind::Address => 2,
        Kind::Hex => 3,
        Kind::Uuid => 4,
        Kind::Text => TEXTS,
        Kind::Quoted => QUOTED,
    }
}

/// What a run's messages are made of.
pub(crate) struct Vocabulary {
    pub(crate) format: u16,
    pub(crate) templates: Vec<Template>,
    pub(crate) slots: Slots,
}

impl Vocabulary {
    /// Numbers the variables of templates of a segment of `format`.
    pub(crate) fn new(templates: Vec<Template>, format: u16) -> Self {
        let mut slots = Slots::new(format);
        templates.iter().for_each(|template| slots.add(template));
        slots.finish();
        Self { format, templates, slots }
    }

    /// No templates yet.
    fn growing(format: u16) -> Self {
        Self { format, templates: Vec::new(), slots: Slots::new(format) }
    }

    fn add(&mut self, template: Template) {
        self.slots.add(&template);
        self.templates.push(template);
    }

    /// The section with raw messages.
    pub(crate) fn raw_section(&self) -> usize {
        n_sections(self.format) - 1
    }
}

/// The template numbers of a block, and where the variables stand.
pub(crate) struct TemplateIds {
    /// Per row, the template's number; 0 is raw.
    pub(crate) ids: Vec<u32>,
    /// Templates of the block, ascending; raw messages are template 0.
    templates: Vec<u32>,
    n_raw: usize,
    /// Per column, how many values it has, and how many the columns before it have in its section.
    columns: Vec<(u32, u32)>,
    n_of_section: [u32; TEXT_SECTIONS],
}

impl TemplateIds {
    /// Reads the section of template numbers of a block with `n_rows` rows.
    pub(crate) fn decode(bytes: &[u8], n_rows: usize, vocabulary: &Vocabulary) -> Decoded<Self> {
        Self::new(Cursor::new(bytes).codes(n_rows)?, &vocabulary.slots)
    }

    pub(crate) fn new(ids: Vec<u32>, slots: &Slots) -> Decoded<Self> {
        let mut counts = vec![0u32; slots.n_templates() + 1];
        for id in &ids {
            *counts.get_mut(*id as usize).ok_or(Damage("a template number is out of range"))? += 1;
        }
        let mut columns = vec![(0u32, 0u32); slots.columns().len()];
        let mut templates = Vec::new();
        for (id, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            templates.push(id as u32);
            for column in slots.of_template(id as u32) {
                let n = &mut columns[*column as usize].0;
                *n = n.checked_add(*count).ok_or(Damage("a block has too many variables"))?;
            }
        }
        let mut n_of_section = [0u32; TEXT_SECTIONS];
        for ((n, first), slot) in columns.iter_mut().zip(slots.columns()) {
            let sum = &mut n_of_section[section_of(slot.kind)];
            *first = *sum;
            *sum = sum.checked_add(*n).ok_or(Damage("a block has too many variables"))?;
        }
        Ok(Self { ids, templates, n_raw: counts[0] as usize, columns, n_of_section })
    }

    /// Template numbers that occur, ascending.
    pub(crate) fn templates(&self) -> impl Iterator<Item = u32> {
        self.templates.iter().copied()
    }

    /// The sections with what the messages of `rows` are made of.
    pub(crate) fn sections_of(&self, rows: &RowSet, vocabulary: &Vocabulary) -> Vec<usize> {
        let mut is_asked = vec![false; vocabulary.templates.len() + 1];
        rows.iter().for_each(|row| is_asked[self.ids[row] as usize] = true);
        let mut sections = [false; TEXT_SECTIONS];
        for (id, _) in is_asked.iter().enumerate().filter(|(_, is_asked)| **is_asked) {
            match id.checked_sub(1) {
                None => sections[vocabulary.raw_section()] = true,
                Some(index) => {
                    let kinds = vocabulary.templates[index].slots().map(|slot| slot.kind);
                    kinds.for_each(|kind| sections[section_of(kind)] = true);
                }
            }
        }
        (1..TEXT_SECTIONS).filter(|section| sections[*section]).collect()
    }

    /// The rows of the variables of a section, in the order in which they are stored.
    pub(crate) fn rows_of(&self, section: usize, slots: &Slots) -> Vec<u32> {
        let mut next: Vec<u32> = self.columns.iter().map(|(_, first)| *first).collect();
        let is_of_section: Vec<bool> = slots.columns().iter().map(|slot| section_of(slot.kind) == section).collect();
        let mut rows = vec![0; self.n_of_section[section] as usize];
        for (row, id) in self.ids.iter().enumerate() {
            for column in slots.of_template(*id).iter().map(|column| *column as usize) {
                if is_of_section[column] {
                    rows[next[column] as usize] = row as u32;
                    next[column] += 1;
                }
            }
        }
        rows
    }

    /// The rows of raw messages, in order.
    pub(crate) fn raw_rows(&self) -> Vec<u32> {
        (0u32..).zip(&self.ids).filter(|(_, id)| **id == 0).map(|(row, _)| row).collect()
    }

    /// How many messages are raw.
    pub(crate) fn n_raw(&self) -> usize {
        self.n_raw
    }

    /// The columns of a section that have values: number, values, values before.
    fn columns_of<'a>(&'a self, section: usize, slots: &'a Slots) -> impl Iterator<Item = (usize, u32, u32)> + 'a {
        let columns = self.columns.iter().zip(slots.columns()).enumerate();
        let is_there = move |n: u32, kind: Kind| n > 0 && section_of(kind) == section;
        columns
            .filter(move |(_, ((n, _), slot))| is_there(*n, slot.kind))
            .map(|(column, ((n, first), _))| (column, *n, *first))
    }
}

/// Texts of the columns of one section.
#[derive(Default)]
struct TextColumns {
    /// Values of all short columns; in segments of format 1, of all columns.
    together: Strings,
    /// Of each short column in `together`: where it begins, and its first value's place in the section.
    short: Vec<(u32, u32)>,
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
    fn decode(cursor: &mut Cursor<'_>, section: usize, ids: &TemplateIds, vocabulary: &Vocabulary) -> Decoded<Self> {
        let is_long = |n: u32| vocabulary.format > 1 && n as usize >= COLUMN_MIN;
        let slots = &vocabulary.slots;
        let mut columns = Self { places: vec![TextPlace::Nowhere; slots.columns().len()], ..Self::default() };
        let mut n_together = 0;
        for (column, n, first) in ids.columns_of(section, slots).filter(|(_, n, _)| !is_long(*n)) {
            columns.places[column] = TextPlace::Together(n_together);
            columns.short.push((n_together, first));
            n_together += n;
        }
        if n_together > 0 {
            columns.together = take_texts(cursor, n_together as usize)?;
        }
        for (column, n, first) in ids.columns_of(section, slots).filter(|(_, n, _)| is_long(*n)) {
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

    /// Gives the place in the section of each text that holds the needle.
    fn find(&self, needle: &Needle, mut found: impl FnMut(u32)) {
        needle.find_in(&self.together, |place| {
            let after = self.short.partition_point(|(from, _)| *from <= place);
            if let Some((from, first)) = after.checked_sub(1).and_then(|before| self.short.get(before)) {
                found(first + (place - from));
            }
        });
        for (first, texts) in &self.long {
            texts.find(needle, |place| found(first + place));
        }
    }
}

/// Decoded variables of one block.
#[derive(Default)]
pub(crate) struct Variables {
    integers: Vec<i64>,
    addresses: Vec<i64>,
    hex_ends: Vec<u32>,
    hex: Vec<u8>,
    uuids: Vec<u8>,
    texts: TextColumns,
    quoted: TextColumns,
    pub(crate) raw: Strings,
}

impl Variables {
    /// Reads one section into its place; `bytes` is empty where the block has no variables of the kind. `times` are
    /// those of the block's events, or none where [`needs_times`] says so.
    pub(crate) fn decode(
        &mut self,
        section: usize,
        bytes: &[u8],
        ids: &TemplateIds,
        vocabulary: &Vocabulary,
        times: &[i64],
    ) -> Decoded<()> {
        let mut cursor = Cursor::new(bytes);
        let cursor = &mut cursor;
        if section == vocabulary.raw_section() {
            self.raw = if ids.n_raw() == 0 { Strings::default() } else { take_texts(cursor, ids.n_raw())? };
            return Ok(());
        }
        let n = ids.n_of_section[section] as usize;
        if n == 0 {
            return Ok(());
        }
        match (section, vocabulary.format) {
            (NUMBERS, 1) => self.integers = take_integers_of_format_1(cursor, n, ids, &vocabulary.slots)?,
            (NUMBERS, _) => self.integers = take_numbers(cursor, section, ids, &vocabulary.slots, times)?,
            (2, 1) => self.addresses = cursor.integers(n)?,
            (2, _) => self.addresses = take_numbers(cursor, section, ids, &vocabulary.slots, times)?,
            (3, _) => {
                let mut end = 0u32;
                for length in cursor.integers(n)? {
                    let length = u32::try_from(length).map_err(|_| Damage("a length is out of range"))?;
                    end = end.checked_add(length).ok_or(Damage("a length is out of range"))?;
                    self.hex_ends.push(end);
                }
                self.hex = cursor.take(end as usize)?.to_vec();
            }
            (4, _) => {
                let n_bytes = n.checked_mul(16).ok_or(Damage("a count is out of range"))?;
                self.uuids = cursor.take(n_bytes)?.to_vec();
            }
            (TEXTS, _) => self.texts = TextColumns::decode(cursor, section, ids, vocabulary)?,
            _ => self.quoted = TextColumns::decode(cursor, section, ids, vocabulary)?,
        }
        Ok(())
    }

    /// Gives the place in the section `section`, of texts or of quoted texts, of each that holds the needle.
    pub(crate) fn find(&self, section: usize, needle: &Needle, found: impl FnMut(u32)) {
        let columns = if section == QUOTED { &self.quoted } else { &self.texts };
        columns.find(needle, found);
    }

    /// Writes value number `number` of a column, the first of which is number `first` of its section.
    fn push(&self, piece: &Piece<'_>, column: usize, first: u32, number: u32, out: &mut Vec<u8>) -> Option<()> {
        let Piece::Variable(slot) = piece else { return None };
        let place = (first + number) as usize;
        match (slot.kind, slot.form) {
            (Kind::Time, Some(form)) => moment::push(out, form, *self.integers.get(place)?),
            (Kind::Integer | Kind::Time, _) => push_integer(out, *self.integers.get(place)?),
            (Kind::Address, _) => push_address(out, *self.addresses.get(place)? as u32),
            (Kind::Hex, _) => {
                let from = if place == 0 { 0 } else { *self.hex_ends.get(place - 1)? as usize };
                push_hex(out, self.hex.get(from..*self.hex_ends.get(place)? as usize)?);
            }
            (Kind::Uuid, _) => {
                let bytes = self.uuids.get(place * 16..place * 16 + 16)?;
                for (i, part) in [0..4, 4..6, 6..8, 8..10, 10..16].into_iter().enumerate() {
                    if i > 0 {
                        out.push(b'-');
                    }
                    push_hex(out, &bytes[part]);
                }
            }
            (Kind::Text, _) => out.extend_from_slice(self.texts.get(column, number)?.as_bytes()),
            (Kind::Quoted, _) => out.extend_from_slice(self.quoted.get(column, number)?.as_bytes()),
        }
        Some(())
    }
}

/// Tells whether reading a section takes the times of the block's events.
pub(crate) fn needs_times(section: usize, bytes: &[u8], format: u16) -> bool {
    section == NUMBERS && format > 1 && numbers::needs_times(bytes)
}

fn take_numbers(
    cursor: &mut Cursor<'_>,
    section: usize,
    ids: &TemplateIds,
    slots: &Slots,
    times: &[i64],
) -> Decoded<Vec<i64>> {
    let unit_ns = |column: usize| slots.columns()[column].form.map(|form| form.unit_ns());
    let columns: Vec<Expected> = ids
        .columns_of(section, slots)
        .map(|(column, n, _)| Expected { n_values: n as usize, unit_ns: unit_ns(column) })
        .collect();
    let times: Vec<i64> = match times.len() == ids.ids.len() {
        true => ids.rows_of(section, slots).into_iter().map(|row| times[row as usize]).collect(),
        false => Vec::new(),
    };
    numbers::take(cursor, &columns, &times)
}

fn take_integers_of_format_1(cursor: &mut Cursor<'_>, n: usize, ids: &TemplateIds, slots: &Slots) -> Decoded<Vec<i64>> {
    let mut values = cursor.integers(n)?;
    let columns: Vec<(usize, u32, u32)> = ids.columns_of(NUMBERS, slots).collect();
    for (least, (_, n, first)) in cursor.integers(columns.len())?.into_iter().zip(columns) {
        let of_column =
            values.get_mut(first as usize..(first + n) as usize).ok_or(Damage("a count is out of range"))?;
        of_column.iter_mut().for_each(|value| *value = value.wrapping_add(least));
    }
    Ok(values)
}

/// Rebuilds the messages of `rows`, one behind the other.
pub(crate) fn rebuild(
    ids: &TemplateIds,
    variables: &Variables,
    vocabulary: &Vocabulary,
    rows: &RowSet,
) -> Decoded<Strings> {
    let lost = || Damage("a variable is missing");
    let slots = &vocabulary.slots;
    // By template number: its pieces, taken apart at the first message.
    let mut known: Vec<Option<Vec<Piece<'_>>>> = (0..=vocabulary.templates.len()).map(|_| None).collect();
    // By column: how many values the rows so far have taken; of raw messages too.
    let mut taken = vec![0u32; slots.columns().len()];
    let mut n_raw = 0;
    let (mut text, mut ends) = (Vec::new(), Vec::new());
    let mut next_row = 0;
    for row in rows.iter() {
        for id in &ids.ids[next_row..row] {
            slots.of_template(*id).iter().for_each(|column| taken[*column as usize] += 1);
            n_raw += usize::from(*id == 0);
        }
        next_row = row + 1;
        let id = ids.ids[row];
        if id == 0 {
            let raw = (n_raw < variables.raw.len()).then(|| variables.raw.get(n_raw));
            text.extend_from_slice(raw.ok_or_else(lost)?.as_bytes());
            n_raw += 1;
            ends.push(end_of(&text)?);
            continue;
        }
        let template = &vocabulary.templates[id as usize - 1];
        let pieces = known[id as usize].get_or_insert_with(|| template.pieces().collect());
        let mut columns = slots.of_template(id).iter().map(|column| *column as usize);
        for piece in pieces {
            if let Piece::Literal(literal) = piece {
                text.extend_from_slice(literal.as_bytes());
                continue;
            }
            let column = columns.next().ok_or_else(lost)?;
            let first = ids.columns[column].1;
            variables.push(piece, column, first, taken[column], &mut text).ok_or_else(lost)?;
            taken[column] += 1;
        }
        ends.push(end_of(&text)?);
    }
    texts_of(text, ends)
}
