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

mod demands;
mod layout;
mod written;

use std::sync::OnceLock;

use types::{RowSet, Strings};

use crate::bytes::{Cursor, Damage, Decoded};
use crate::moment;
use crate::numbers::{self, Expected};
use crate::search::Needle;
use crate::slots::Slots;
use crate::spelled::DigitsNeedle;
use crate::strings::{Texts, end_of, find_texts, skip_texts, take_texts, texts_of};
use crate::template::{Kind, Piece, Template, Written, push_address, push_hex, push_integer};

pub(crate) use demands::Sought;
pub(crate) use layout::{TemplateIds, Wanted};
pub(crate) use written::{MessageWriter, encode_raw};

/// Sections of a block's messages.
pub(crate) const TEXT_SECTIONS: usize = 8;
pub(crate) const NUMBERS: usize = 1;
pub(crate) const HEX: usize = 3;
pub(crate) const UUIDS: usize = 4;
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
        Kind::Hex => HEX,
        Kind::Uuid => UUIDS,
        Kind::Text => TEXTS,
        Kind::Quoted => QUOTED,
    }
}

/// What a run's messages are made of.
pub(crate) struct Vocabulary {
    pub(crate) format: u16,
    pub(crate) templates: Vec<Template>,
    pub(crate) slots: Slots,
    written: OnceLock<Written>,
}

impl Vocabulary {
    /// Numbers the variables of templates of a segment of `format`.
    pub(crate) fn new(templates: Vec<Template>, format: u16) -> Self {
        let mut slots = Slots::new(format);
        templates.iter().for_each(|template| slots.add(template));
        slots.finish();
        Self { format, templates, slots, written: OnceLock::new() }
    }

    /// No templates yet.
    fn growing(format: u16) -> Self {
        Self { format, templates: Vec::new(), slots: Slots::new(format), written: OnceLock::new() }
    }

    /// The templates as they are written, for asking all of them. Call it once no template is added any more.
    pub(crate) fn written(&self) -> &Written {
        self.written.get_or_init(|| Written::new(&self.templates))
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
        wanted: &Wanted,
    ) -> Decoded<Self> {
        let is_long = |n: u32| vocabulary.format > 1 && n as usize >= COLUMN_MIN;
        let slots = &vocabulary.slots;
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
    /// Reads the `wanted` columns of one section into their places; `bytes` is empty where the block has no variables of
    /// the kind. `times` are those of the block's events, or none where [`needs_times`] says so.
    pub(crate) fn decode(
        &mut self,
        section: usize,
        bytes: &[u8],
        ids: &TemplateIds,
        vocabulary: &Vocabulary,
        wanted: &Wanted,
        times: &[i64],
    ) -> Decoded<()> {
        let mut cursor = Cursor::new(bytes);
        let cursor = &mut cursor;
        if section == vocabulary.raw_section() {
            self.raw = if ids.n_raw() == 0 { Strings::default() } else { take_texts(cursor, ids.n_raw())? };
            return Ok(());
        }
        let n = ids.n_of_section(section, &vocabulary.slots)?;
        if n == 0 {
            return Ok(());
        }
        match (section, vocabulary.format) {
            (NUMBERS, 1) => self.integers = take_integers_of_format_1(cursor, n, ids, &vocabulary.slots)?,
            (NUMBERS, _) => self.integers = take_numbers(cursor, section, ids, &vocabulary.slots, wanted, times)?,
            (2, 1) => self.addresses = cursor.integers(n)?,
            (2, _) => self.addresses = take_numbers(cursor, section, ids, &vocabulary.slots, wanted, times)?,
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
            (TEXTS, _) => self.texts = TextColumns::decode(cursor, section, ids, vocabulary, wanted)?,
            _ => self.quoted = TextColumns::decode(cursor, section, ids, vocabulary, wanted)?,
        }
        Ok(())
    }

    /// Gives the place in the section `section`, of hex or UUIDs, of each that holds a needle of hex digits.
    fn find_hex(&self, section: usize, needle: &Needle, found: &mut dyn FnMut(u32)) {
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
                push_uuid(out, self.uuids.get(place * 16..place * 16 + 16)?);
            }
            (Kind::Text, _) => out.extend_from_slice(self.texts.get(column, number)?.as_bytes()),
            (Kind::Quoted, _) => out.extend_from_slice(self.quoted.get(column, number)?.as_bytes()),
        }
        Some(())
    }
}

/// Gives the place in its section of each text, quoted text or raw message that holds the needle; of hex and UUIDs, of
/// each that holds a needle of hex digits.
pub(crate) fn find(
    section: usize,
    bytes: &[u8],
    ids: &TemplateIds,
    vocabulary: &Vocabulary,
    needle: &Needle,
    found: &mut dyn FnMut(u32),
) -> Decoded<()> {
    let cursor = &mut Cursor::new(bytes);
    if section == vocabulary.raw_section() {
        return if ids.n_raw() == 0 { Ok(()) } else { find_texts(cursor, ids.n_raw(), needle, found) };
    }
    if section == HEX || section == UUIDS {
        let wanted = Wanted::all_of_section(section, &vocabulary.slots);
        let mut variables = Variables::default();
        variables.decode(section, bytes, ids, vocabulary, &wanted, &[])?;
        variables.find_hex(section, needle, found);
        return Ok(());
    }
    let is_long = |n: u32| vocabulary.format > 1 && n as usize >= COLUMN_MIN;
    let columns = ids.columns_of(section, &vocabulary.slots)?;
    // Short columns stand together: where each begins there, and the place of its first value in the section.
    let (mut short, mut n_together) = (Vec::new(), 0);
    for (_, n, first) in columns.iter().filter(|(_, n, _)| !is_long(*n)) {
        short.push((n_together, *first));
        n_together += n;
    }
    if n_together > 0 {
        find_texts(cursor, n_together as usize, needle, &mut |place| {
            let after = short.partition_point(|(from, _)| *from <= place);
            if let Some((from, first)) = after.checked_sub(1).and_then(|before| short.get(before)) {
                found(first + (place - from));
            }
        })?;
    }
    for (_, n, first) in columns.into_iter().filter(|(_, n, _)| is_long(*n)) {
        find_texts(cursor, n as usize, needle, &mut |place| found(first + place))?;
    }
    Ok(())
}

/// Gives the place in its section of each of the integers, or addresses, that are spelled with the needle in them.
pub(crate) fn find_numbers(
    kind: Kind,
    variables: &Variables,
    ids: &TemplateIds,
    vocabulary: &Vocabulary,
    needle: &Needle,
    found: &mut dyn FnMut(u32),
) -> Decoded<()> {
    let slots = &vocabulary.slots;
    let digits = DigitsNeedle::new(needle);
    let columns = ids.columns_of(section_of(kind), slots)?.into_iter();
    for (_, n, first) in columns.filter(|(column, ..)| slots.columns()[*column].kind == kind) {
        let values = if kind == Kind::Address { &variables.addresses } else { &variables.integers };
        let end = first.checked_add(n).ok_or(Damage("a count is out of range"))?;
        let values = values.get(first as usize..end as usize).ok_or(Damage("numbers are missing"))?;
        let holds = |value: &i64| match (kind, &digits) {
            (Kind::Address, _) => needle.in_addresses().is_in(*value as u32),
            (Kind::Integer, Some(digits)) => digits.is_in(*value),
            _ => false,
        };
        (first..).zip(values).filter(|(_, value)| holds(value)).for_each(|(place, _)| found(place));
    }
    Ok(())
}

/// Writes the 16 bytes of a UUID.
fn push_uuid(out: &mut Vec<u8>, bytes: &[u8]) {
    for (i, part) in [0..4, 4..6, 6..8, 8..10, 10..16].into_iter().enumerate() {
        if i > 0 {
            out.push(b'-');
        }
        push_hex(out, &bytes[part]);
    }
}

/// The columns of a section of numbers, as its reader expects them.
fn expected(section: usize, ids: &TemplateIds, slots: &Slots, wanted: &Wanted) -> Decoded<Vec<Expected>> {
    let unit_ns = |column: usize| slots.columns()[column].form.map(|form| form.unit_ns());
    let columns = ids.columns_of(section, slots)?.into_iter();
    let expected = |(column, n, _): (usize, u32, u32)| Expected {
        n_values: n as usize,
        unit_ns: unit_ns(column),
        is_wanted: wanted.has(column),
    };
    Ok(columns.map(expected).collect())
}

/// Tells whether reading the wanted columns of a section takes the times of the block's events.
pub(crate) fn needs_times(
    section: usize,
    bytes: &[u8],
    ids: &TemplateIds,
    vocabulary: &Vocabulary,
    wanted: &Wanted,
) -> Decoded<bool> {
    if section != NUMBERS || vocabulary.format == 1 || !numbers::has_times(bytes) {
        return Ok(false);
    }
    let columns = expected(section, ids, &vocabulary.slots, wanted)?;
    Ok(numbers::columns_of_time(bytes, &columns)?.contains(&true))
}

/// A text that looks like the messages of a template; `None` where a variable may hold any words.
pub(crate) fn example(template: &Template) -> Option<String> {
    // Nine digits of a second, and a day of two digits that no spelling needs a blank for.
    const SOME_DAY: i64 = 1_795_075_626;
    let mut out = Vec::new();
    for piece in template.pieces() {
        match piece {
            Piece::Literal(text) => out.extend_from_slice(text.as_bytes()),
            Piece::Variable(slot) => match (slot.kind, slot.form) {
                (Kind::Quoted, _) => return None,
                (Kind::Time, Some(form)) => moment::push(&mut out, form, SOME_DAY * (1_000_000_000 / form.unit_ns())),
                (Kind::Address, _) => push_address(&mut out, 0x0a00_0001),
                (Kind::Uuid, _) => out.extend_from_slice(b"00000000-0000-4000-8000-000000000000"),
                _ => out.push(b'0'),
            },
        }
    }
    // Literals are UTF-8, and what stands between them is ASCII.
    String::from_utf8(out).ok()
}

fn take_numbers(
    cursor: &mut Cursor<'_>,
    section: usize,
    ids: &TemplateIds,
    slots: &Slots,
    wanted: &Wanted,
    times: &[i64],
) -> Decoded<Vec<i64>> {
    let columns = expected(section, ids, slots, wanted)?;
    let mut times_of_values = Vec::new();
    if times.len() == ids.ids.len() && !times.is_empty() {
        let is_of_time = numbers::columns_of_time(cursor.rest(), &columns)?;
        let numbered = ids.columns_of(section, slots)?.into_iter().map(|(column, ..)| column);
        let asked = numbered.zip(is_of_time).filter(|(_, is_of_time)| *is_of_time).map(|(column, _)| column);
        times_of_values = vec![0; ids.n_of_section(section, slots)?];
        ids.each_value(asked, slots, |row, place| times_of_values[place] = times[row])?;
    }
    numbers::take(cursor, &columns, &times_of_values)
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

/// Rebuilds the messages of `rows`, one behind the other.
pub(crate) fn rebuild(
    ids: &TemplateIds,
    variables: &Variables,
    vocabulary: &Vocabulary,
    rows: &RowSet,
    wanted: &Wanted,
) -> Decoded<Strings> {
    let lost = || Damage("a variable is missing");
    let slots = &vocabulary.slots;
    let lists = ids.lists_of(wanted, slots)?;
    // Per template its pieces, taken apart at the first message.
    let mut known: Vec<Option<Vec<Piece<'_>>>> = (0..wanted.n_templates()).map(|_| None).collect();
    // By column: how many values the rows so far have taken; of raw messages too.
    let mut taken = vec![0u32; lists.n_columns()];
    let mut n_raw = 0;
    let (mut text, mut ends) = (Vec::new(), Vec::new());
    let mut next_row = 0;
    for row in rows.iter() {
        for id in &ids.ids[next_row..row] {
            lists.of(*id).iter().for_each(|column| taken[*column as usize] += 1);
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
        let place = wanted.place_of(id).ok_or_else(lost)?;
        let pieces = known[place].get_or_insert_with(|| vocabulary.templates[id as usize - 1].pieces().collect());
        let mut columns = slots.of_template(id).iter().zip(lists.of(id));
        for piece in pieces {
            if let Piece::Literal(literal) = piece {
                text.extend_from_slice(literal.as_bytes());
                continue;
            }
            let (column, number) = columns.next().ok_or_else(lost)?;
            let number = &mut taken[*number as usize];
            let first = lists.first_of(*column);
            variables.push(piece, *column as usize, first, *number, &mut text).ok_or_else(lost)?;
            *number += 1;
        }
        ends.push(end_of(&text)?);
    }
    texts_of(text, ends)
}
