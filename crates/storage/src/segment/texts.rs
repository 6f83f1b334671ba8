//! The messages of one block: template numbers, and the variables by kind.
//!
//! A block's messages are six sections (empty where there is nothing): template numbers of all rows
//! (*integers*; 0 is a raw message), then one section for each kind of variable and one for raw messages.
//! Variables stand in the order (template, place in the template, row): values that behave alike are
//! neighbours. `n` values of a kind are stored as
//!
//! | kind | content |
//! |---|---|
//! | integer | *integers* of value − least of its (template, place); then the leasts as *integers* |
//! | address | *integers* |
//! | hex | *integers* lengths in packed bytes, packed bytes |
//! | UUID | packed bytes, 16 each |
//! | text, raw | *texts* |

use types::{RowSet, Strings};

use super::bytes::{Cursor, Damage, Decoded, put_integers};
use super::column::{end_of, put_texts, take_texts, texts_of};
use super::template::{KINDS, Kind, Piece, Template, pack_hex, parse_address, push_address, push_hex, push_integer};

/// Sections of a block's messages: template numbers, five kinds, raw messages.
pub(crate) const TEXT_SECTIONS: usize = KINDS.len() + 2;

/// Number of the section with raw messages within a block's text sections.
const RAW: usize = KINDS.len() + 1;

/// Messages of one block while it is written.
#[derive(Default)]
pub(crate) struct TextBlockWriter<'m> {
    template_ids: Vec<u32>,
    raw: Vec<&'m str>,
    /// The variables of all messages, message after message.
    variables: Vec<(Kind, &'m str)>,
    /// Per message, where its variables begin.
    starts: Vec<u32>,
}

impl<'m> TextBlockWriter<'m> {
    /// Adds a message kept raw.
    pub(crate) fn push_raw(&mut self, message: &'m str) {
        self.push(0, &[]);
        self.raw.push(message);
    }

    /// Adds a message of template number `id` ≥ 1; all messages of a template have variables of the same kinds.
    pub(crate) fn push(&mut self, id: u32, variables: &[(Kind, &'m str)]) {
        self.template_ids.push(id);
        self.starts.push(self.variables.len() as u32);
        self.variables.extend_from_slice(variables);
    }

    /// The block's text variables, for its filter.
    pub(crate) fn text_variables(&self) -> impl Iterator<Item = &'m str> + '_ {
        self.variables.iter().filter(|(kind, _)| *kind == Kind::Text).map(|(_, text)| *text)
    }

    /// Makes the sections.
    pub(crate) fn finish(self) -> [Vec<u8>; TEXT_SECTIONS] {
        let mut sections: [Vec<u8>; TEXT_SECTIONS] = Default::default();
        let ids: Vec<i64> = self.template_ids.iter().map(|id| i64::from(*id)).collect();
        put_integers(&mut sections[0], &ids);
        let by_kind = self.variables_by_kind();
        for (kind, variables) in KINDS.into_iter().zip(&by_kind).filter(|(_, variables)| !variables.is_empty()) {
            put_variables(&mut sections[1 + kind as usize], kind, variables);
        }
        if !self.raw.is_empty() {
            put_texts(&mut sections[RAW], &self.raw);
        }
        sections
    }

    /// The variables of each kind in the order (template, place, row), each with a number for template and place.
    fn variables_by_kind(&self) -> [Vec<(u64, &'m str)>; KINDS.len()] {
        let mut rows: Vec<u32> = (0..self.template_ids.len() as u32).collect();
        rows.sort_by_key(|row| self.template_ids[*row as usize]);
        let mut by_kind: [Vec<(u64, &str)>; KINDS.len()] = Default::default();
        let template_of = |row: u32| self.template_ids[row as usize];
        for rows in rows.chunk_by(|a, b| template_of(*a) == template_of(*b)) {
            let start_of = |row: u32| self.starts[row as usize] as usize;
            let first = rows[0];
            let end = self.starts.get(first as usize + 1).map_or(self.variables.len(), |start| *start as usize);
            for place in 0..end - start_of(first) {
                let (kind, _) = self.variables[start_of(first) + place];
                let number = u64::from(template_of(first)) << 32 | place as u64;
                let texts = rows.iter().map(|row| (number, self.variables[start_of(*row) + place].1));
                by_kind[kind as usize].extend(texts);
            }
        }
        by_kind
    }
}

fn put_variables(out: &mut Vec<u8>, kind: Kind, variables: &[(u64, &str)]) {
    match kind {
        Kind::Integer => {
            let numbers: Vec<i64> = variables.iter().map(|(_, text)| text.parse().unwrap_or_default()).collect();
            let (mut rests, mut leasts) = (Vec::with_capacity(numbers.len()), Vec::new());
            let mut from = 0;
            for group in variables.chunk_by(|a, b| a.0 == b.0) {
                let numbers = &numbers[from..from + group.len()];
                from += group.len();
                let least = numbers.iter().copied().min().unwrap_or_default();
                leasts.push(least);
                rests.extend(numbers.iter().map(|number| number - least));
            }
            put_integers(out, &rests);
            put_integers(out, &leasts);
        }
        Kind::Address => {
            put_integers(out, &variables.iter().map(|(_, t)| i64::from(parse_address(t))).collect::<Vec<_>>());
        }
        Kind::Hex => {
            put_integers(out, &variables.iter().map(|(_, text)| text.len() as i64 / 2).collect::<Vec<_>>());
            variables.iter().for_each(|(_, text)| pack_hex(out, text));
        }
        Kind::Uuid => variables.iter().for_each(|(_, text)| pack_hex(out, text)),
        Kind::Text => put_texts(out, &variables.iter().map(|(_, text)| *text).collect::<Vec<_>>()),
    }
}

/// The template numbers of a block, and where the variables of each row stand.
pub(crate) struct TemplateIds {
    /// Per row, the template's number; 0 is raw.
    pub(crate) ids: Vec<u32>,
    /// Rows in the order (template, row).
    by_template: Vec<u32>,
    /// Per row, how many rows before it have the same template.
    occurrences: Vec<u32>,
    /// Templates of the block, ascending, with the number of rows and, for each kind, the place of their first
    /// variable among all of the kind. Raw messages are first, as template 0.
    groups: Vec<Group>,
}

struct Group {
    template: u32,
    n_rows: u32,
    first_row: u32,
    first_of_kind: [u32; KINDS.len()],
}

impl TemplateIds {
    /// Reads the section of template numbers of a block with `n_rows` rows.
    pub(crate) fn decode(bytes: &[u8], n_rows: usize, templates: &[Template]) -> Decoded<Self> {
        let ids = Cursor::new(bytes).codes(n_rows)?;
        if ids.iter().any(|id| *id as usize > templates.len()) {
            return Err(Damage("a template number is out of range"));
        }
        let mut counts = vec![0u32; templates.len() + 1];
        let mut occurrences = Vec::with_capacity(n_rows);
        for id in &ids {
            occurrences.push(counts[*id as usize]);
            counts[*id as usize] += 1;
        }
        let mut groups = Vec::new();
        let mut first_row_of = vec![0u32; templates.len() + 1];
        let (mut first_row, mut first_of_kind) = (0, [0u32; KINDS.len()]);
        for (template, n_rows) in counts.iter().enumerate().filter(|(_, n)| **n > 0) {
            groups.push(Group { template: template as u32, n_rows: *n_rows, first_row, first_of_kind });
            first_row_of[template] = first_row;
            first_row += n_rows;
            for kind in template.checked_sub(1).map_or(&[][..], |index| templates[index].kinds()) {
                first_of_kind[*kind as usize] += n_rows;
            }
        }
        let mut by_template = vec![0; n_rows];
        for (row, id) in ids.iter().enumerate() {
            by_template[(first_row_of[*id as usize] + occurrences[row]) as usize] = row as u32;
        }
        Ok(Self { ids, by_template, occurrences, groups })
    }

    /// Template numbers that occur, ascending.
    pub(crate) fn templates(&self) -> impl Iterator<Item = u32> {
        self.groups.iter().map(|group| group.template)
    }

    /// The kinds of variables that the messages of `rows` are made of, and the section of each; last raw messages.
    pub(crate) fn sections_of(&self, rows: &RowSet, templates: &[Template]) -> Vec<usize> {
        let mut is_asked = vec![false; templates.len() + 1];
        rows.iter().for_each(|row| is_asked[self.ids[row] as usize] = true);
        let mut sections = [false; TEXT_SECTIONS];
        for (id, _) in is_asked.iter().enumerate().filter(|(_, is_asked)| **is_asked) {
            match id.checked_sub(1) {
                None => sections[RAW] = true,
                Some(index) => templates[index].kinds().iter().for_each(|kind| sections[1 + *kind as usize] = true),
            }
        }
        (1..TEXT_SECTIONS).filter(|section| sections[*section]).collect()
    }

    /// How many variables of `kind` the block has.
    fn n_of_kind(&self, kind: Kind, templates: &[Template]) -> usize {
        let of = |group: &Group| {
            let kinds = group.template.checked_sub(1).map_or(&[][..], |index| templates[index as usize].kinds());
            kinds.iter().filter(|k| **k == kind).count() * group.n_rows as usize
        };
        self.groups.iter().map(of).sum()
    }

    /// The row to which variable number `place` of `kind` belongs.
    pub(crate) fn row_of_variable(&self, kind: Kind, place: u32) -> Option<u32> {
        let after = self.groups.partition_point(|group| group.first_of_kind[kind as usize] <= place);
        let group = self.groups.get(after.checked_sub(1)?)?;
        let occurrence = (place - group.first_of_kind[kind as usize]) % group.n_rows;
        self.by_template.get((group.first_row + occurrence) as usize).copied()
    }

    /// The row of raw message number `place`.
    pub(crate) fn row_of_raw(&self, place: u32) -> Option<u32> {
        self.by_template.get(place as usize).copied()
    }

    /// How many messages are raw.
    pub(crate) fn n_raw(&self) -> usize {
        self.groups.first().filter(|group| group.template == 0).map_or(0, |group| group.n_rows as usize)
    }
}

/// Decoded variables of one block.
#[derive(Default)]
pub(crate) struct Variables {
    integers: Vec<i64>,
    addresses: Vec<u32>,
    hex_ends: Vec<u32>,
    hex: Vec<u8>,
    uuids: Vec<u8>,
    pub(crate) texts: Strings,
    pub(crate) raw: Strings,
}

impl Variables {
    /// Reads one section into its place; `bytes` is empty where the block has no variables of the kind.
    pub(crate) fn decode(
        &mut self,
        section: usize,
        bytes: &[u8],
        ids: &TemplateIds,
        templates: &[Template],
    ) -> Decoded<()> {
        let mut cursor = Cursor::new(bytes);
        if section == RAW {
            let n = ids.n_raw();
            self.raw = if n == 0 { Strings::default() } else { take_texts(&mut cursor, n)? };
            return Ok(());
        }
        let kind = KINDS[section - 1];
        let n = ids.n_of_kind(kind, templates);
        if n == 0 {
            return Ok(());
        }
        match kind {
            Kind::Integer => self.integers = take_integers(&mut cursor, n, ids, templates)?,
            Kind::Address => self.addresses = cursor.codes(n)?,
            Kind::Hex => {
                let mut end = 0u32;
                for length in cursor.integers(n)? {
                    let length = u32::try_from(length).map_err(|_| Damage("a length is out of range"))?;
                    end = end.checked_add(length).ok_or(Damage("a length is out of range"))?;
                    self.hex_ends.push(end);
                }
                self.hex = cursor.take(end as usize)?.to_vec();
            }
            Kind::Uuid => {
                let n_bytes = n.checked_mul(16).ok_or(Damage("a count is out of range"))?;
                self.uuids = cursor.take(n_bytes)?.to_vec();
            }
            Kind::Text => self.texts = take_texts(&mut cursor, n)?,
        }
        Ok(())
    }

    fn push(&self, kind: Kind, place: usize, out: &mut Vec<u8>) -> Option<()> {
        match kind {
            Kind::Integer => push_integer(out, *self.integers.get(place)?),
            Kind::Address => push_address(out, *self.addresses.get(place)?),
            Kind::Hex => {
                let from = if place == 0 { 0 } else { *self.hex_ends.get(place - 1)? as usize };
                push_hex(out, self.hex.get(from..*self.hex_ends.get(place)? as usize)?);
            }
            Kind::Uuid => {
                let bytes = self.uuids.get(place * 16..place * 16 + 16)?;
                for (i, part) in [0..4, 4..6, 6..8, 8..10, 10..16].into_iter().enumerate() {
                    if i > 0 {
                        out.push(b'-');
                    }
                    push_hex(out, &bytes[part]);
                }
            }
            Kind::Text => out.extend_from_slice((place < self.texts.len()).then(|| self.texts.get(place))?.as_bytes()),
        }
        Some(())
    }
}

fn take_integers(cursor: &mut Cursor<'_>, n: usize, ids: &TemplateIds, templates: &[Template]) -> Decoded<Vec<i64>> {
    let mut numbers = cursor.integers(n)?;
    // One least for each (template, place) of kind integer, in the order of the groups.
    let mut lengths = Vec::new();
    for group in &ids.groups {
        let kinds = group.template.checked_sub(1).map_or(&[][..], |index| templates[index as usize].kinds());
        lengths.extend(kinds.iter().filter(|kind| **kind == Kind::Integer).map(|_| group.n_rows as usize));
    }
    let leasts = cursor.integers(lengths.len())?;
    let mut rest = &mut numbers[..];
    for (length, least) in lengths.into_iter().zip(leasts) {
        let (of_group, after) = rest.split_at_mut_checked(length).ok_or(Damage("a count is out of range"))?;
        of_group.iter_mut().for_each(|number| *number = number.wrapping_add(least));
        rest = after;
    }
    Ok(numbers)
}

/// Rebuilds the messages of `rows`, one behind the other.
pub(crate) fn rebuild(
    ids: &TemplateIds,
    variables: &Variables,
    templates: &[Template],
    rows: &RowSet,
) -> Decoded<Strings> {
    let lost = || Damage("a variable is missing");
    // By template number: its group and its pieces, taken apart at the first message.
    let mut known: Vec<Option<(&Group, Vec<Piece<'_>>)>> = templates.iter().map(|_| None).chain([None]).collect();
    let (mut text, mut ends) = (Vec::new(), Vec::new());
    for row in rows.iter() {
        let (id, occurrence) = (ids.ids[row] as usize, ids.occurrences[row]);
        if id == 0 {
            let raw = ((occurrence as usize) < variables.raw.len()).then(|| variables.raw.get(occurrence as usize));
            text.extend_from_slice(raw.ok_or_else(lost)?.as_bytes());
            ends.push(end_of(&text)?);
            continue;
        }
        if known[id].is_none() {
            let group = ids.groups.binary_search_by_key(&(id as u32), |group| group.template);
            let group = &ids.groups[group.map_err(|_| lost())?];
            known[id] = Some((group, templates[id - 1].pieces().collect()));
        }
        let Some((group, pieces)) = &known[id] else { return Err(lost()) };
        let mut places = group.first_of_kind;
        for piece in pieces {
            match piece {
                Piece::Literal(literal) => text.extend_from_slice(literal.as_bytes()),
                Piece::Variable(kind) => {
                    let place = &mut places[*kind as usize];
                    variables.push(*kind, (*place + occurrence) as usize, &mut text).ok_or_else(lost)?;
                    *place += group.n_rows;
                }
            }
        }
        ends.push(end_of(&text)?);
    }
    texts_of(text, ends)
}
