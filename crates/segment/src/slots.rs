//! Which variables of a run's templates are stored together.
//!
//! The text before a variable says what it is: `sshd[` is followed by a process, `port ` by a port, whatever
//! the rest of the line says. Variables of one kind before which the same [`CONTEXT_BYTES`] bytes of the template
//! stand make one *column*, row after row, so that a process that writes several different lines is one number
//! repeated, and there are fewer and longer columns than templates have variables. Columns are numbered by first
//! sight, in the order of the templates and of the variables in each, which a reader repeats.
//!
//! Values of a field are a column each, which is stored with the field.
//!
//! In segments of format 1 every variable of every template is a column of its own.

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use crate::heap;
use crate::template::{Slot, Template};
use crate::time_text::FORM_BYTES;

/// Length of the text before a variable that decides. Measured on real logs and the benchmark mix: with less,
/// variables of different meaning come together, with more, equal ones are kept apart.
const CONTEXT_BYTES: usize = 12;

/// The columns of a run's variables.
#[derive(Debug)]
pub(crate) struct Slots {
    format: u16,
    /// Per template, where its variables end in `columns`.
    ends: Vec<u32>,
    /// Per variable of each template its column.
    columns: Vec<u32>,
    /// Per column what it holds.
    slots: Vec<Slot>,
    by_context: HashMap<Context, u32, RandomState>,
}

/// What decides the column of a variable, in a form of fixed length: a run has tens of thousands of them.
type Context = (u128, u64);

impl Slots {
    /// Creates a list without columns, for a segment of `format`.
    pub(crate) fn new(format: u16) -> Self {
        Self { format, ends: Vec::new(), columns: Vec::new(), slots: Vec::new(), by_context: HashMap::default() }
    }

    /// Adds the next template.
    pub(crate) fn add(&mut self, template: Template<'_>) {
        template.slots_in_context().for_each(|(before, slot)| self.add_variable(before, slot));
        self.ends.push(self.columns.len() as u32);
    }

    fn add_variable(&mut self, before: &[u8], slot: Slot) {
        let next = self.slots.len() as u32;
        let column =
            if self.format == 1 { next } else { *self.by_context.entry(context(before, slot)).or_insert(next) };
        if column == next {
            self.slots.push(slot);
        }
        self.columns.push(column);
    }

    /// Lets go of what only adding needs.
    pub(crate) fn finish(&mut self) {
        self.by_context = HashMap::default();
        [&mut self.ends, &mut self.columns].into_iter().for_each(Vec::shrink_to_fit);
        self.slots.shrink_to_fit();
    }

    /// Returns the bytes that it takes once nothing is added any more.
    pub(crate) fn n_bytes(&self) -> usize {
        heap::of_items(&self.ends) + heap::of_items(&self.columns) + heap::of_items(&self.slots)
    }

    /// Returns the columns of the variables of template number `id`; none for a raw message, `id` 0.
    pub(crate) fn of_template(&self, id: u32) -> &[u32] {
        let Some(index) = (id as usize).checked_sub(1) else { return &[] };
        let from = index.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        &self.columns[from..self.ends[index] as usize]
    }

    /// Returns what each column holds.
    pub(crate) fn columns(&self) -> &[Slot] {
        &self.slots
    }

    /// Returns how many templates there are.
    pub(crate) fn n_templates(&self) -> usize {
        self.ends.len()
    }
}

fn context(before: &[u8], slot: Slot) -> Context {
    // Of a field the name says it all.
    let text = if slot.field.is_some() { &[][..] } else { &before[before.len().saturating_sub(CONTEXT_BYTES)..] };
    let mut bytes = [0; 24];
    bytes[0] = slot.kind.marker();
    // A text that is shorter stands at the beginning of a template.
    bytes[1] = text.len() as u8;
    if let Some(form) = slot.form {
        bytes[2..2 + FORM_BYTES].copy_from_slice(&form.bytes());
    }
    if let Some(field) = slot.field {
        bytes[2..4].copy_from_slice(&field.to_le_bytes());
    }
    bytes[24 - CONTEXT_BYTES..][..text.len()].copy_from_slice(text);
    let (head, tail) = bytes.split_at(16);
    (u128::from_le_bytes(head.try_into().unwrap_or_default()), u64::from_le_bytes(tail.try_into().unwrap_or_default()))
}

#[cfg(test)]
mod tests;
