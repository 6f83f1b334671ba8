//! Finds rows whose messages hold a literal by the columns of their variables.
//!
//! Where a literal reaches over the edges of variables, templates say in which ways it may occur and what variables
//! then have to hold ([`ways`]). Each demand is asked of a whole column as it is stored, and a row is found where all
//! demands of one way are met. No message is made, and columns that no demand is about are not read.

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use types::RowSet;

use super::layout::{ColumnSelection, TemplateIds};
use super::variables::{Variables, push_uuid};
use super::vocabulary::{COLUMN_MIN, QUOTED, TEXTS, Vocabulary};
use crate::bytes::{Cursor, Damage, Decoded};
use crate::digits::DigitsNeedle;
use crate::needle::Needle;
use crate::numbers::Bases;
use crate::strings::{find_texts, skip_texts, take_texts};
use crate::template::{Kind, Requirement, Slot, TemplateMatch, push_hex, ways};
use crate::time_text::TimeWriter;

/// What the templates of a run demand of their variables for a literal.
pub(crate) struct RequirementSet {
    parts: Vec<Part>,
    /// Column and number of the part that is demanded of it, in order.
    demands: Vec<(u32, u32)>,
    /// By template number.
    templates: Vec<TemplateNeeds>,
}

/// A part of the literal.
struct Part {
    needle: Needle,
    digits: Option<DigitsNeedle>,
}

/// What a template requires.
enum TemplateNeeds {
    /// For each way the variables, by their places in the template, and the numbers of the demands on them.
    Ways(Vec<Vec<(u32, u32)>>),
    /// Too much: messages have to be made.
    TooMuch,
}

impl RequirementSet {
    /// Asks the templates whose `holds`, by template number, is in doubt.
    pub(crate) fn new(needle: &Needle, vocabulary: &Vocabulary, holds: &[TemplateMatch]) -> Self {
        let mut parts: Vec<Part> = Vec::new();
        let mut numbers: HashMap<Requirement, u32, RandomState> = HashMap::default();
        let mut demands = Vec::new();
        let mut templates = vec![TemplateNeeds::Ways(Vec::new())];
        for id in 1..=vocabulary.n_templates() as u32 {
            let columns = vocabulary.slots().of_template(id);
            let is_asked = holds.get(id as usize).is_some_and(|holds| holds.is_for_columns());
            let template = if is_asked { vocabulary.template(id) } else { None };
            let of_template = |template| ways(template, needle.literal(), needle.ignores_case);
            let found = template.map_or(Some(Vec::new()), of_template);
            let Some(found) = found else {
                templates.push(TemplateNeeds::TooMuch);
                continue;
            };
            let mut numbered = |(slot, demand): (u32, Requirement)| {
                let number = *numbers.entry(demand).or_insert_with(|| {
                    parts.push(Part::new(needle, demand));
                    parts.len() as u32 - 1
                });
                demands.push((columns[slot as usize], number));
                (slot, number)
            };
            templates.push(TemplateNeeds::Ways(
                found.into_iter().map(|way| way.into_iter().map(&mut numbered).collect()).collect(),
            ));
        }
        demands.sort_unstable();
        demands.dedup();
        for (id, told) in (0u32..).zip(&mut templates) {
            let TemplateNeeds::Ways(ways) = told else { continue };
            let columns = vocabulary.slots().of_template(id);
            for (slot, number) in ways.iter_mut().flatten() {
                let demand = (columns[*slot as usize], *number);
                *number = demands.partition_point(|known| *known < demand) as u32;
            }
        }
        Self { parts, demands, templates }
    }

    /// Prepares asking the block's columns about the rows `rows`.
    pub(crate) fn ask(&self, rows: &RowSet, ids: &TemplateIds, vocabulary: &Vocabulary) -> LiteralCache<'_> {
        let mut is_there = vec![false; self.templates.len()];
        rows.iter().for_each(|row| is_there[ids.ids[row] as usize] = true);
        let mut answers: Vec<Option<RowSet>> = self.demands.iter().map(|_| None).collect();
        let mut is_wanted = vec![false; vocabulary.slots().columns().len()];
        let mut has_more = false;
        for (told, _) in self.templates.iter().zip(&is_there).filter(|(_, is_there)| **is_there) {
            match told {
                TemplateNeeds::TooMuch => has_more = true,
                TemplateNeeds::Ways(ways) => ways.iter().flatten().for_each(|(_, demand)| {
                    is_wanted[self.demands[*demand as usize].0 as usize] = true;
                    answers[*demand as usize] = Some(RowSet::none(0));
                }),
            }
        }
        let wanted = ColumnSelection::of_columns(is_wanted, vocabulary.slots());
        LiteralCache { sought: self, is_there, wanted, answers, has_more }
    }

    /// Returns the demands on a column.
    fn of_column(&self, column: usize) -> std::ops::Range<usize> {
        let before = |column: usize| self.demands.partition_point(|(known, _)| (*known as usize) < column);
        before(column)..before(column + 1)
    }
}

impl Part {
    fn new(needle: &Needle, demand: Requirement) -> Self {
        // Literals of templates are whole characters, and so is what stands between them.
        let text = needle.literal().get(usize::from(demand.from)..usize::from(demand.to)).unwrap_or_default();
        let needle = Needle::anchored(text, needle.ignores_case, demand.anchor);
        Self { digits: needle.in_numbers(), needle }
    }
}

/// A way that some row may take: places among the columns wanted, and which of their values will do.
type LiveWay<'a> = Vec<(usize, &'a RowSet)>;

/// What is asked of one block.
pub(crate) struct LiteralCache<'s> {
    sought: &'s RequirementSet,
    /// By template number, whether a row asked about has it.
    is_there: Vec<bool>,
    /// The columns to read.
    pub(crate) wanted: ColumnSelection,
    /// By demand, which values of its column meet it; `None` if no template asks.
    answers: Vec<Option<RowSet>>,
    has_more: bool,
}

impl LiteralCache<'_> {
    /// Returns the rows among `rows` whose messages have to be made, since their templates say too much.
    pub(crate) fn left_over(&self, rows: &RowSet, ids: &TemplateIds) -> Option<RowSet> {
        let is_left = |row: &usize| matches!(self.sought.templates[ids.ids[*row] as usize], TemplateNeeds::TooMuch);
        self.has_more.then(|| RowSet::of_places(rows.n_rows(), rows.iter().filter(is_left)))
    }

    /// Asks the columns of a section; `bases` as for [`Variables::decode`].
    pub(crate) fn answer(
        &mut self,
        section: usize,
        bytes: &[u8],
        ids: &TemplateIds,
        vocabulary: &Vocabulary,
        bases: &Bases<'_>,
    ) -> Decoded<()> {
        if section == TEXTS || section == QUOTED {
            return self.answer_texts(section, bytes, ids, vocabulary);
        }
        let mut variables = Variables::default();
        variables.decode(section, bytes, ids, vocabulary, &self.wanted, bases)?;
        for (column, n, first) in ids.columns_of(section, vocabulary.slots())? {
            let slot = vocabulary.slots().columns()[column];
            self.answer_column(column, |part| {
                variables.rows_with(slot, first as usize, n as usize, part).ok_or(Damage("a variable is missing"))
            })?;
        }
        Ok(())
    }

    /// Asks a column that is a field: `rows_with` tells which rows of the block have a value of it that holds a needle.
    pub(crate) fn answer_field<E>(
        &mut self,
        column: usize,
        ids: &TemplateIds,
        vocabulary: &Vocabulary,
        mut rows_with: impl FnMut(&Needle) -> Result<RowSet, E>,
    ) -> Result<Decoded<()>, E> {
        let demands = self.sought.of_column(column);
        for (kept, (_, part)) in self.answers[demands.clone()].iter_mut().zip(&self.sought.demands[demands]) {
            if kept.is_none() {
                continue;
            }
            let rows = rows_with(&self.sought.parts[*part as usize].needle)?;
            match ids.places_in(column, vocabulary.slots(), &rows) {
                Ok(places) => *kept = Some(places),
                Err(damage) => return Ok(Err(damage)),
            }
        }
        Ok(Ok(()))
    }

    /// Answers what is asked of a column.
    fn answer_column(&mut self, column: usize, mut answer: impl FnMut(&Part) -> Decoded<RowSet>) -> Decoded<()> {
        let demands = self.sought.of_column(column);
        let asked = self.answers[demands.clone()].iter_mut().zip(&self.sought.demands[demands]);
        for (kept, (_, part)) in asked.filter(|(kept, _)| kept.is_some()) {
            *kept = Some(answer(&self.sought.parts[*part as usize])?);
        }
        Ok(())
    }

    fn answer_texts(
        &mut self,
        section: usize,
        bytes: &[u8],
        ids: &TemplateIds,
        vocabulary: &Vocabulary,
    ) -> Decoded<()> {
        let cursor = &mut Cursor::new(bytes);
        let is_long = |n: u32| vocabulary.format > 1 && n as usize >= COLUMN_MIN;
        let columns = ids.columns_of(section, vocabulary.slots())?;
        let (long, short): (Vec<_>, Vec<_>) = columns.into_iter().partition(|(_, n, _)| is_long(*n));
        let n_together: usize = short.iter().map(|(_, n, _)| *n as usize).sum();
        if short.iter().any(|(column, ..)| self.wanted.has(*column)) {
            let texts = take_texts(cursor, n_together)?;
            let mut from = 0;
            for (column, n, _) in short {
                let holds = |part: &Part| RowSet::of(n as usize, |place| part.needle.is_in(texts.get(from + place)));
                self.answer_column(column, |part| Ok(holds(part)))?;
                from += n as usize;
            }
        } else if n_together > 0 {
            skip_texts(cursor, n_together)?;
        }
        for (column, n, _) in long {
            let n = n as usize;
            if !self.wanted.has(column) {
                skip_texts(cursor, n)?;
                continue;
            }
            let before = cursor.clone();
            self.answer_column(column, |part| {
                let mut holds = RowSet::none(n);
                *cursor = before.clone();
                find_texts(cursor, n, &part.needle, &mut |place| holds.insert(place as usize))?;
                Ok(holds)
            })?;
        }
        Ok(())
    }

    /// Returns the rows that meet all demands of a way of their template, once every section was asked; those left over are not
    /// among them.
    pub(crate) fn rows(&self, ids: &TemplateIds, vocabulary: &Vocabulary) -> Decoded<RowSet> {
        let slots = vocabulary.slots();
        let mut rows = RowSet::none(ids.ids.len());
        // By template number.
        let mut ways: Vec<Vec<LiveWay<'_>>> = self.sought.templates.iter().map(|_| Vec::new()).collect();
        let mut is_any = false;
        for (id, told) in self.sought.templates.iter().enumerate().filter(|(id, _)| self.is_there[*id]) {
            let TemplateNeeds::Ways(of_template) = told else { continue };
            let columns = slots.of_template(id as u32);
            let place_of =
                |slot: u32| columns[..slot as usize].iter().filter(|c| self.wanted.has(**c as usize)).count();
            let living = of_template.iter().filter_map(|way| {
                let met = way.iter().map(|(slot, demand)| {
                    let values = self.answers[*demand as usize].as_ref().filter(|values| !values.is_empty())?;
                    Some((place_of(*slot), values))
                });
                met.collect::<Option<Vec<_>>>()
            });
            ways[id] = living.collect();
            is_any |= !ways[id].is_empty();
        }
        if !is_any {
            return Ok(rows);
        }
        let lists = ids.lists_of(&self.wanted, slots)?;
        let mut taken = vec![0usize; lists.n_columns()];
        let mut places = Vec::new();
        for (row, id) in ids.ids.iter().enumerate() {
            places.clear();
            for column in lists.of(*id) {
                let next = &mut taken[*column as usize];
                places.push(*next);
                *next += 1;
            }
            let is_met = |(place, values): &(usize, &RowSet)| values.contains(places[*place]);
            if ways[*id as usize].iter().any(|way| way.iter().all(is_met)) {
                rows.insert(row);
            }
        }
        Ok(rows)
    }
}

impl Variables<'_> {
    /// Returns which of the `n` values of a column that begins at number `first` of its section contain a part.
    fn rows_with(&self, slot: Slot, first: usize, n: usize, part: &Part) -> Option<RowSet> {
        let places = first..first.checked_add(n)?;
        let mut spelled = Vec::new();
        Some(match (slot.kind, slot.form) {
            (Kind::Time, Some(form)) => {
                let mut pen = TimeWriter::new(form);
                // Events of one second follow each other.
                let mut last = None;
                RowSet::of_slice(self.integers.get(places)?, |units| match last {
                    Some((known, holds)) if known == *units => holds,
                    _ => {
                        let holds = part.needle.is_in_bytes(pen.spell(*units));
                        last = Some((*units, holds));
                        holds
                    }
                })
            }
            (Kind::Integer | Kind::Time, _) => {
                let numbers = self.integers.get(places)?;
                let digits = part.digits.as_ref();
                digits.map_or(RowSet::none(n), |digits| RowSet::of_slice(numbers, |number| digits.is_in(*number)))
            }
            (Kind::Address, _) => {
                let asked = part.needle.in_addresses();
                RowSet::of_slice(self.addresses.get(places)?, |address| asked.is_in(*address as u32))
            }
            (Kind::Hex, _) => {
                let ends = self.hex_ends.get(places)?;
                let mut from = first.checked_sub(1).map_or(0, |before| self.hex_ends[before]) as usize;
                RowSet::of_slice(ends, |end| {
                    spelled.clear();
                    push_hex(&mut spelled, self.hex.get(from..*end as usize).unwrap_or_default());
                    from = *end as usize;
                    part.needle.is_in_bytes(&spelled)
                })
            }
            (Kind::Uuid, _) => {
                let bytes = self.uuids.get(first.checked_mul(16)?..places.end.checked_mul(16)?)?;
                let uuids: Vec<&[u8]> = bytes.chunks_exact(16).collect();
                RowSet::of_slice(&uuids, |uuid| {
                    spelled.clear();
                    push_uuid(&mut spelled, uuid);
                    part.needle.is_in_bytes(&spelled)
                })
            }
            // Texts and fields are asked as they are stored.
            (Kind::Text | Kind::Quoted | Kind::Any | Kind::Json, _) => return None,
        })
    }
}
