//! Messages while they are written: the run's templates, and the variables of a block by column.

use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use types::{Batch, Strings};

use super::document_fields::{FieldColumns, FieldPaths};
use super::field_slots::{FieldSlots, with_fields};
use super::vocabulary::{COLUMN_MIN, NUMBERS, QUOTED, TEXT_SECTIONS, TEXTS, Vocabulary, section_of};
use crate::bytes::{put_codes, put_integers};
use crate::filter::FilterTable;
use crate::numbers::{self, Bases, Numbers};
use crate::slots::Slots;
use crate::strings::{put_repeating, put_texts};
use crate::template::{FIELDS_MAX, Granularity, Kind, Parts, Variable, pack_hex, split, split_document};

/// Templates that a run may have in addition to a share of its rows; further messages are stored raw.
const TEMPLATES_ALWAYS: usize = 1024;
const ROWS_PER_TEMPLATE: usize = 16;

/// The same for finely split messages: where nearly every message makes a template of its own, templates save nothing.
const FINE_TEMPLATES_ALWAYS: usize = 64;
const ROWS_PER_FINE_TEMPLATE: usize = 4;

/// The templates of a run while it is written.
pub(crate) struct MessageWriter {
    numbers: HashMap<Vec<u8>, u32, RandomState>,
    /// The run's templates and the columns of their variables.
    pub(crate) vocabulary: Vocabulary,
    n_rows: usize,
    paths: FieldPaths,
    field_slots: FieldSlots,
    /// By number of the run's fields, whether a template names it.
    is_field_named: Vec<bool>,
    /// Reports whether quoted texts are variables of messages whose fine template is new.
    is_coarse: bool,
}

impl MessageWriter {
    /// Returns a run without messages, in a segment of `format`, whose events have fields of these names, which are sorted.
    pub(crate) fn new(format: u16, fields: &[Arc<str>]) -> Self {
        Self {
            numbers: HashMap::default(),
            vocabulary: Vocabulary::growing(format),
            n_rows: 0,
            paths: FieldPaths::new(fields),
            field_slots: FieldSlots::default(),
            is_field_named: vec![false; fields.len()],
            is_coarse: false,
        }
    }

    /// Splits the messages of the next block.
    pub(crate) fn block<'m>(&mut self, batch: &'m Batch) -> BlockTexts<'m> {
        let mut block = BlockTexts::default();
        let mut parts = Parts::default();
        let columns = self.paths.columns_of(&batch.fields);
        let has_fields = !batch.fields.is_empty();
        for (row, (message, time)) in batch.messages.iter().zip(batch.timestamps.iter()).enumerate() {
            self.n_rows += 1;
            // Beside a message of its own, fields hardly say again what it says.
            let is_all_there_is = has_fields && batch.origins[batch.origin_codes.get(row) as usize].text_key.is_none();
            let event = is_all_there_is.then_some((&columns, row));
            match self.number_with(message, time, event, &mut parts) {
                Some(number) => {
                    block.push(number, row as u32, &parts.variables, self.vocabulary.slots().of_template(number))
                }
                None => block.push_raw(message),
            }
        }
        block
    }

    /// Returns the next block: `n_rows` messages that equal the value of field number `field` of the run. `None` if the number is too
    /// large for a template.
    pub(crate) fn block_of_field(&mut self, field: usize, n_rows: usize) -> Option<BlockTexts<'static>> {
        let mut parts = Parts::default();
        parts.push_field(Kind::Any, u16::try_from(field).ok().filter(|field| usize::from(*field) < FIELDS_MAX)?, "");
        let number = match self.numbers.get(&parts.template) {
            Some(number) => *number,
            None => self.add(&parts)?,
        };
        self.n_rows += n_rows;
        Some(BlockTexts { template_ids: vec![number; n_rows], ..BlockTexts::default() })
    }

    /// Splits a message, of an event with fields that were taken out of it or without fields, and gives the number of its
    /// template, from 1; `None` if it is to be kept raw.
    fn number_with<'m>(
        &mut self,
        message: &'m str,
        time: i64,
        event: Option<(&FieldColumns<'_>, usize)>,
        parts: &mut Parts<'m>,
    ) -> Option<u32> {
        let Some(event) = event else { return self.number_of(message, time, false, parts) };
        if message.starts_with('{')
            && let Some(number) = self.number_of_document(message, time, event, parts)
        {
            return Some(number);
        }
        // What was taken out of a line is its quoted texts as a whole, not their words.
        let number = self.number_of(message, time, true, parts)?;
        Some(self.number_with_fields(number, event, parts).unwrap_or(number))
    }

    /// Splits a message by itself; its quoted texts as a whole where it `is_parsed`.
    fn number_of<'m>(&mut self, message: &'m str, time: i64, is_parsed: bool, parts: &mut Parts<'m>) -> Option<u32> {
        let has_quotes = message.contains('"');
        let grain = if is_parsed && has_quotes { Granularity::Coarse } else { Granularity::Fine };
        if !split(message, time, grain, parts) {
            return None;
        }
        if let Some(number) = self.numbers.get(&parts.template) {
            return Some(*number);
        }
        let n_templates = self.vocabulary.n_templates();
        let has_room = n_templates < TEMPLATES_ALWAYS + self.n_rows / ROWS_PER_TEMPLATE;
        if grain == Granularity::Coarse {
            return if has_room { self.add(parts) } else { None };
        }
        let is_crowded = n_templates >= FINE_TEMPLATES_ALWAYS + self.n_rows / ROWS_PER_FINE_TEMPLATE;
        if (is_crowded || self.is_coarse) && has_quotes && split(message, time, Granularity::Coarse, parts) {
            self.is_coarse = true;
            return match self.numbers.get(&parts.template) {
                Some(number) => Some(*number),
                None if has_room => self.add(parts),
                None => None,
            };
        }
        if has_room && !is_crowded { self.add(parts) } else { None }
    }

    /// Splits a JSON document; `None` if it must be split in another way.
    fn number_of_document<'m>(
        &mut self,
        message: &'m str,
        time: i64,
        (columns, row): (&FieldColumns<'_>, usize),
        parts: &mut Parts<'m>,
    ) -> Option<u32> {
        let mut fields = self.paths.of_event(columns, row);
        if !split_document(message, time, &mut fields, parts) {
            return None;
        }
        if let Some(number) = self.numbers.get(&parts.template) {
            return Some(*number);
        }
        // Documents whose keys are data have templates without end.
        let is_crowded = self.numbers.len() >= TEMPLATES_ALWAYS + self.n_rows / ROWS_PER_TEMPLATE;
        if is_crowded { None } else { self.add(parts) }
    }

    /// Leaves the variables of template number `number` to fields, as far as it is known which are theirs, and gives the number of the
    /// template that then is left; `None` where none is left to a field.
    fn number_with_fields(
        &mut self,
        number: u32,
        (columns, row): (&FieldColumns<'_>, usize),
        parts: &mut Parts<'_>,
    ) -> Option<u32> {
        let taken = self.field_slots.taken(number, &parts.variables, (columns, row))?;
        let template = self.vocabulary.template(number)?;
        *parts = with_fields(template, &parts.variables, &taken);
        match self.numbers.get(&parts.template) {
            Some(number) => Some(*number),
            None => self.add(parts),
        }
    }

    fn add(&mut self, parts: &Parts<'_>) -> Option<u32> {
        // What was just split is a template.
        self.vocabulary.add(std::str::from_utf8(&parts.template).ok()?).ok()?;
        let number = self.vocabulary.n_templates() as u32;
        let named = self.vocabulary.template(number)?.slots_in_context().filter_map(|(_, slot)| slot.field);
        named.for_each(|field| self.is_field_named[usize::from(field)] = true);
        self.numbers.insert(parts.template.clone(), number);
        Some(number)
    }

    /// Reports whether messages are made of field number `field` of the run.
    pub(crate) fn is_made_of(&self, field: usize) -> bool {
        self.is_field_named.get(field).is_some_and(|is_named| *is_named)
    }

    /// Reports whether some message spells field number `field` of the run with escapes.
    pub(crate) fn is_escaped(&self, field: usize) -> bool {
        self.paths.is_escaped(field)
    }
}

/// Messages of one block while it is written.
#[derive(Default)]
pub(crate) struct BlockTexts<'m> {
    template_ids: Vec<u32>,
    raw: Vec<&'m str>,
    /// Integers and times, addresses: column, row, value.
    numbers: [Vec<(u32, (u32, i64))>; 2],
    /// Other variables by section: column, text.
    texts: [Vec<(u32, &'m str)>; 4],
}

impl<'m> BlockTexts<'m> {
    fn push_raw(&mut self, message: &'m str) {
        self.template_ids.push(0);
        self.raw.push(message);
    }

    fn push(&mut self, id: u32, row: u32, variables: &[Variable<'m>], columns: &[u32]) {
        self.template_ids.push(id);
        for (variable, column) in variables.iter().zip(columns) {
            if variable.is_field {
                continue;
            }
            match section_of(variable.kind) {
                section @ (NUMBERS | 2) => self.numbers[section - NUMBERS].push((*column, (row, variable.number))),
                section => self.texts[section - 3].push((*column, variable.text)),
            }
        }
    }

    /// Returns the block's filter: over texts, quoted texts and raw messages.
    pub(crate) fn filter(&self) -> FilterTable {
        let variables = self.texts[TEXTS - 3].iter().chain(&self.texts[QUOTED - 3]);
        FilterTable::of(variables.map(|(_, text)| *text).chain(self.raw.iter().copied()), 0)
    }

    /// Makes the sections of a block whose events have these times and durations, which field number `field` has.
    pub(crate) fn encode(&self, slots: &Slots, bases: &Bases<'_>, field: usize) -> [Vec<u8>; TEXT_SECTIONS] {
        let mut sections: [Vec<u8>; TEXT_SECTIONS] = Default::default();
        put_codes(&mut sections[0], &self.template_ids);
        for (section, numbers) in self.numbers.iter().enumerate() {
            put_numbers(&mut sections[NUMBERS + section], numbers, slots, (bases, field));
        }
        for (section, texts) in self.texts.iter().enumerate().filter(|(_, texts)| !texts.is_empty()) {
            let (values, columns) = by_column(texts, slots.columns().len());
            let out = &mut sections[3 + section];
            match 3 + section {
                3 => {
                    put_integers(out, &values.iter().map(|text| text.len() as i64 / 2).collect::<Vec<_>>());
                    values.iter().for_each(|text| pack_hex(out, text));
                }
                4 => values.iter().for_each(|text| pack_hex(out, text)),
                _ => put_text_columns(out, &values, &columns),
            }
        }
        if !self.raw.is_empty() {
            put_texts(&mut sections[TEXT_SECTIONS - 1], &self.raw);
        }
        sections
    }
}

/// Makes the sections of messages that are all kept raw.
pub(crate) fn encode_raw(messages: &Strings) -> [Vec<u8>; TEXT_SECTIONS] {
    let mut block = BlockTexts::default();
    messages.iter().for_each(|message| block.push_raw(message));
    block.encode(&Slots::new(crate::format::FORMAT_VERSION), &Bases::default(), 0)
}

fn put_numbers(out: &mut Vec<u8>, numbers: &[(u32, (u32, i64))], slots: &Slots, (bases, field): (&Bases<'_>, usize)) {
    if numbers.is_empty() {
        return;
    }
    let (placed, columns) = by_column(numbers, slots.columns().len());
    let values: Vec<i64> = placed.iter().map(|(_, value)| *value).collect();
    let of_rows = |bases: &[i64]| -> Vec<i64> {
        let of_row = |(row, _): &(u32, i64)| bases.get(*row as usize).copied().unwrap_or_default();
        if bases.is_empty() { Vec::new() } else { placed.iter().map(of_row).collect() }
    };
    let (times, durations) = (of_rows(bases.times), of_rows(bases.durations));
    let column = |(column, from, to): &(u32, usize, usize)| {
        let slot = slots.columns()[*column as usize];
        // Addresses have nothing to do with times or durations, and times nothing with durations.
        let times = if slot.kind == Kind::Address { &[][..] } else { times.get(*from..*to).unwrap_or_default() };
        let durations =
            if slot.kind == Kind::Integer { durations.get(*from..*to).unwrap_or_default() } else { &[][..] };
        Numbers { values: &values[*from..*to], times, durations, unit_ns: slot.form.map(|form| form.unit_ns()) }
    };
    numbers::put(out, &columns.iter().map(column).collect::<Vec<_>>(), field);
}

fn put_text_columns(out: &mut Vec<u8>, values: &[&str], columns: &[(u32, usize, usize)]) {
    let is_short = |(_, from, to): &&(u32, usize, usize)| to - from < COLUMN_MIN;
    let together: Vec<&str> =
        columns.iter().filter(is_short).flat_map(|(_, from, to)| &values[*from..*to]).copied().collect();
    if !together.is_empty() {
        put_texts(out, &together);
    }
    for (_, from, to) in columns.iter().filter(|column| !is_short(column)) {
        put_repeating(out, &values[*from..*to]);
    }
}

/// Values in the order (column, row), and each column with where its values are; `items` are in the order of rows.
fn by_column<T: Copy>(items: &[(u32, T)], n_columns: usize) -> (Vec<T>, Vec<(u32, usize, usize)>) {
    let mut ends = vec![0usize; n_columns + 1];
    items.iter().for_each(|(column, _)| ends[*column as usize + 1] += 1);
    let mut columns = Vec::new();
    for column in 0..n_columns {
        let n = ends[column + 1];
        ends[column + 1] += ends[column];
        if n > 0 {
            columns.push((column as u32, ends[column], ends[column + 1]));
        }
    }
    let Some((_, first)) = items.first() else { return (Vec::new(), columns) };
    let mut values = vec![*first; items.len()];
    for (column, value) in items {
        let next = &mut ends[*column as usize];
        values[*next] = *value;
        *next += 1;
    }
    (values, columns)
}
