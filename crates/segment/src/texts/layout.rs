//! Which template each message of a block has, and the position of its variables among those of the block.
//!
//! Template numbers alone say which rows may hold a text. The positions of variables
//! need a count over all rows and all columns of the run, which is done on first use.

use std::sync::OnceLock;

use types::RowSet;

use super::vocabulary::{OF_FIELDS, TEXT_SECTIONS, Vocabulary, section_of, section_of_slot};
use crate::bytes::{Cursor, Damage, Decoded};
use crate::slots::Slots;
use crate::template::Kind;

/// The template numbers of a block, and the positions of its variables.
pub(crate) struct TemplateIds {
    /// Per row, the template's number; 0 is raw.
    pub(crate) ids: Vec<u32>,
    /// How many messages are raw.
    pub(crate) n_raw: usize,
    layout: OnceLock<Decoded<Layout>>,
}

/// Positions of the variables of a block.
struct Layout {
    /// Per column, how many values it has, and how many the columns before it have in its section.
    columns: Vec<(u32, u32)>,
    n_of_section: [u32; OF_FIELDS + 1],
}

impl Layout {
    fn new(ids: &[u32], slots: &Slots) -> Decoded<Self> {
        let mut counts = vec![0u32; slots.n_templates() + 1];
        ids.iter().for_each(|id| counts[*id as usize] += 1);
        let mut columns = vec![(0u32, 0u32); slots.columns().len()];
        for (id, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            for column in slots.of_template(id as u32) {
                let n = &mut columns[*column as usize].0;
                *n = n.checked_add(*count).ok_or(Damage("a block has too many variables"))?;
            }
        }
        let mut n_of_section = [0u32; OF_FIELDS + 1];
        for ((n, first), slot) in columns.iter_mut().zip(slots.columns()) {
            let sum = &mut n_of_section[section_of_slot(slot)];
            *first = *sum;
            *sum = sum.checked_add(*n).ok_or(Damage("a block has too many variables"))?;
        }
        Ok(Self { columns, n_of_section })
    }
}

impl TemplateIds {
    /// Returns the template of all messages of a block, where its section of template numbers says that they have only one.
    pub(crate) fn only(bytes: &[u8], vocabulary: &Vocabulary) -> Decoded<Option<u32>> {
        let only = Cursor::new(bytes).only_code()?.filter(|id| *id > 0);
        if only.is_some_and(|id| id as usize > vocabulary.n_templates()) {
            return Err(Damage("a template number is out of range"));
        }
        Ok(only)
    }

    /// Reads the section of template numbers of a block with `n_rows` rows.
    pub(crate) fn decode(bytes: &[u8], n_rows: usize, vocabulary: &Vocabulary) -> Decoded<Self> {
        let ids = Cursor::new(bytes).codes(n_rows)?;
        if ids.iter().copied().max().unwrap_or(0) as usize > vocabulary.n_templates() {
            return Err(Damage("a template number is out of range"));
        }
        let n_raw = ids.iter().filter(|id| **id == 0).count();
        Ok(Self { ids, n_raw, layout: OnceLock::new() })
    }

    fn layout(&self, slots: &Slots) -> Decoded<&Layout> {
        self.layout.get_or_init(|| Layout::new(&self.ids, slots)).as_ref().map_err(|damage| *damage)
    }

    /// Returns what the messages of `rows` are made of.
    pub(crate) fn wanted_by(&self, rows: &RowSet, vocabulary: &Vocabulary) -> ColumnSelection {
        let mut places = vec![0u32; vocabulary.n_templates() + 1];
        rows.iter().for_each(|row| places[self.ids[row] as usize] = 1);
        let mut columns = vec![false; vocabulary.slots().columns().len()];
        let mut sections = [false; OF_FIELDS + 1];
        let mut n_templates = 0;
        for (id, place) in places.iter_mut().enumerate().filter(|(_, place)| **place > 0) {
            n_templates += 1;
            *place = n_templates;
            if id == 0 {
                sections[vocabulary.raw_section()] = true;
            }
            for column in vocabulary.slots().of_template(id as u32).iter().map(|column| *column as usize) {
                columns[column] = true;
                sections[section_of_slot(&vocabulary.slots().columns()[column])] = true;
            }
        }
        ColumnSelection { places, n_templates: n_templates as usize, columns, sections }
    }

    /// Returns for every template the requested columns of its variables.
    pub(crate) fn lists_of(&self, wanted: &ColumnSelection, slots: &Slots) -> Decoded<Lists<'_>> {
        Ok(Lists::new(self.layout(slots)?, slots, &wanted.columns))
    }

    /// Gives row and place in their section of all values of columns, in the order of the rows.
    pub(crate) fn each_value(
        &self,
        columns: impl Iterator<Item = usize>,
        slots: &Slots,
        mut found: impl FnMut(usize, usize),
    ) -> Decoded<()> {
        let mut is_asked = vec![false; slots.columns().len()];
        columns.for_each(|column| is_asked[column] = true);
        let lists = Lists::new(self.layout(slots)?, slots, &is_asked);
        let mut next = lists.firsts.clone();
        for (row, id) in self.ids.iter().enumerate() {
            for column in lists.of(*id) {
                let place = &mut next[*column as usize];
                found(row, *place as usize);
                *place += 1;
            }
        }
        Ok(())
    }

    /// Puts the rows of the values at `places` of a section into `rows`.
    pub(crate) fn insert_rows_of(
        &self,
        section: usize,
        places: &mut Vec<u32>,
        slots: &Slots,
        rows: &mut RowSet,
    ) -> Decoded<()> {
        places.sort_unstable();
        places.dedup();
        let columns = self.columns_of(section, slots)?;
        let mut ahead = places.iter().copied().peekable();
        let mut asked = Vec::new();
        for (column, n, first) in columns {
            let mut is_asked = false;
            while ahead.peek().is_some_and(|place| *place < first + n) {
                is_asked = true;
                ahead.next();
            }
            if is_asked {
                asked.push(column);
            }
        }
        let n_values = self.n_of_section(section, slots)?;
        let found = RowSet::of_places(n_values, places.iter().map(|place| *place as usize));
        self.each_value(asked.into_iter(), slots, |row, place| {
            if found.contains(place) {
                rows.insert(row);
            }
        })
    }

    /// Returns which values of a column are those of `rows`.
    pub(crate) fn places_in(&self, column: usize, slots: &Slots, rows: &RowSet) -> Decoded<RowSet> {
        let (n, first) = self.layout(slots)?.columns[column];
        let mut places = RowSet::none(n as usize);
        self.each_value(std::iter::once(column), slots, |row, place| {
            if rows.contains(row) {
                places.insert(place - first as usize);
            }
        })?;
        Ok(places)
    }

    /// Returns the rows of raw messages, in order.
    pub(crate) fn raw_rows(&self) -> Vec<u32> {
        (0u32..).zip(&self.ids).filter(|(_, id)| **id == 0).map(|(row, _)| row).collect()
    }

    /// Returns how many values a section has.
    pub(crate) fn n_of_section(&self, section: usize, slots: &Slots) -> Decoded<usize> {
        Ok(self.layout(slots)?.n_of_section[section] as usize)
    }

    /// Returns the columns of a section that have values: number, values, values before.
    pub(crate) fn columns_of(&self, section: usize, slots: &Slots) -> Decoded<Vec<(usize, u32, u32)>> {
        let columns = self.layout(slots)?.columns.iter().zip(slots.columns()).enumerate();
        let there = columns.filter(|(_, ((n, _), slot))| *n > 0 && section_of_slot(slot) == section);
        Ok(there.map(|(column, ((n, first), _))| (column, *n, *first)).collect())
    }
}

/// Templates, columns and sections that some messages are made of.
pub(crate) struct ColumnSelection {
    /// By template number, 0 where no message has it, else one more than its place among those that some has.
    places: Vec<u32>,
    /// How many templates are.
    pub(crate) n_templates: usize,
    columns: Vec<bool>,
    sections: [bool; OF_FIELDS + 1],
}

impl ColumnSelection {
    /// Returns everything in one section.
    pub(crate) fn all_of_section(section: usize, slots: &Slots) -> Self {
        let columns = slots.columns().iter().map(|slot| section_of_slot(slot) == section).collect();
        let mut sections = [false; OF_FIELDS + 1];
        sections[section] = true;
        Self { places: Vec::new(), n_templates: 0, columns, sections }
    }

    /// Returns some columns, by number.
    pub(crate) fn of_columns(columns: Vec<bool>, slots: &Slots) -> Self {
        let mut sections = [false; OF_FIELDS + 1];
        let wanted = slots.columns().iter().zip(&columns).filter(|(_, is_wanted)| **is_wanted);
        wanted.for_each(|(slot, _)| sections[section_of_slot(slot)] = true);
        Self { places: Vec::new(), n_templates: 0, columns, sections }
    }

    /// Returns the variables of one kind.
    pub(crate) fn all_of_kind(kind: Kind, slots: &Slots) -> Self {
        let columns = slots.columns().iter().map(|slot| slot.kind == kind).collect();
        Self { columns, ..Self::all_of_section(section_of(kind), slots) }
    }

    /// Reports whether a column is.
    pub(crate) fn has(&self, column: usize) -> bool {
        self.columns.get(column).is_some_and(|is_wanted| *is_wanted)
    }

    /// Returns the place of a template among them.
    pub(crate) fn place_of(&self, id: u32) -> Option<usize> {
        (*self.places.get(id as usize)? as usize).checked_sub(1)
    }

    /// Returns the columns that are fields, each with the number of the field.
    pub(crate) fn fields(&self, slots: &Slots) -> Vec<(usize, usize)> {
        let wanted = slots.columns().iter().zip(&self.columns).enumerate().filter(|(_, (_, is_wanted))| **is_wanted);
        wanted.filter_map(|(column, (slot, _))| Some((column, usize::from(slot.field?)))).collect()
    }

    /// Returns the sections, template numbers left out.
    pub(crate) fn sections(&self) -> impl Iterator<Item = usize> + '_ {
        (1..TEXT_SECTIONS).filter(|section| self.sections[*section])
    }
}

/// For every template the requested columns of its variables, renumbered.
pub(crate) struct Lists<'a> {
    layout: &'a Layout,
    /// Per template number where its list ends, lists being adjacent.
    ends: Vec<u32>,
    columns: Vec<u32>,
    /// Per requested column, the values before it in its section.
    firsts: Vec<u32>,
}

impl<'a> Lists<'a> {
    fn new(layout: &'a Layout, slots: &Slots, is_asked: &[bool]) -> Self {
        let mut numbers = vec![0u32; is_asked.len()];
        let mut firsts = Vec::new();
        for (column, number) in numbers.iter_mut().enumerate().filter(|(column, _)| is_asked[*column]) {
            *number = firsts.len() as u32;
            firsts.push(layout.columns[column].1);
        }
        let (mut ends, mut columns) = (Vec::with_capacity(slots.n_templates() + 1), Vec::new());
        for id in 0..=slots.n_templates() as u32 {
            let asked = slots.of_template(id).iter().filter(|column| is_asked[**column as usize]);
            columns.extend(asked.map(|column| numbers[*column as usize]));
            ends.push(columns.len() as u32);
        }
        Self { layout, ends, columns, firsts }
    }

    /// Returns the columns of a template's variables.
    pub(crate) fn of(&self, id: u32) -> &[u32] {
        let from = (id as usize).checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        &self.columns[from..self.ends[id as usize] as usize]
    }

    /// Returns how many columns there are.
    pub(crate) fn n_columns(&self) -> usize {
        self.firsts.len()
    }

    /// Returns how many values the columns before a column of the run have in its section.
    pub(crate) fn first_of(&self, column: u32) -> u32 {
        self.layout.columns[column as usize].1
    }
}
