//! Rows whose messages hold a text within the value of a field that they are made of.

use types::{Column, RowSet, Value};

use super::run::SegmentRun;
use crate::error::Result;
use crate::needle::Needle;
use crate::template::Kind;
use crate::texts::{TemplateIds, Vocabulary};

/// The longest that an escape is behind its backslash: `u001b`.
const ESCAPE_BYTES: usize = 5;

impl SegmentRun {
    /// Returns the fields that messages are made of and whose values, as messages spell them, may hold a needle.
    pub(super) fn fields_that_may_hold(&self, block: usize, needle: &Needle) -> Result<Vec<usize>> {
        let columns = self.run().footer.columns.iter().enumerate();
        let (recent, mut fields) = (self.recent(), Vec::new());
        for (index, column) in columns.filter(|(_, column)| column.is_in_messages) {
            if self.may_hold_value(&recent, block, index, needle)?
                || (column.is_escaped && self.may_hold_escaped(block, index, needle)?)
            {
                fields.push(index);
            }
        }
        Ok(fields)
    }

    /// Reports whether a text of a field may hold a needle only as it is spelled with escapes: the needle has one itself, or begins with
    /// the end of one.
    fn may_hold_escaped(&self, block: usize, field: usize, needle: &Needle) -> Result<bool> {
        let literal = needle.literal();
        if literal.contains(['\\', '"']) {
            return Ok(true);
        }
        for n in 1..=ESCAPE_BYTES.min(literal.len()) {
            let Some((end, rest)) = literal.split_at_checked(n) else { continue };
            let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
            let is_end_of_escape = matches!(end, "n" | "r" | "t") || end.trim_start_matches('u').bytes().all(is_hex);
            if is_end_of_escape
                && (rest.is_empty()
                    || self.may_hold_value(&self.recent(), block, field, &Needle::new(rest, needle.ignores_case))?)
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Adds the rows whose message has the value of a field in it that holds the needle.
    pub(super) fn find_in_field(
        &self,
        block: usize,
        field: usize,
        needle: &Needle,
        ids: &TemplateIds,
        vocabulary: &Vocabulary,
        rows: &mut RowSet,
    ) -> Result<()> {
        for is_json in [false, true] {
            let found = self.rows_with_spelled(block, (field, is_json), needle, ids, vocabulary)?;
            if !found.is_empty() {
                rows.or(&rows_with_variable(&found, (field, is_json), ids, vocabulary));
            }
        }
        Ok(())
    }

    /// Returns the rows whose value of a field holds the needle as messages spell it, as JSON or as it is, anchors
    /// respected. Rows whose message has no such variable may be among them.
    pub(super) fn rows_with_spelled(
        &self,
        block: usize,
        (field, is_json): (usize, bool),
        needle: &Needle,
        ids: &TemplateIds,
        vocabulary: &Vocabulary,
    ) -> Result<RowSet> {
        let is_escaped = is_json && self.run().footer.columns[field].is_escaped;
        let (rows, is_exact) = if is_escaped {
            (rows_with_variable(&RowSet::all(ids.ids.len()), (field, is_json), ids, vocabulary), false)
        } else {
            let found = self.stored_rows_with(block, field, needle)?;
            (found.rows, found.exact && !needle.is_anchored())
        };
        if is_exact || rows.is_empty() {
            return Ok(rows);
        }
        let values = self.stored_rows_of(block, field, &rows)?;
        let places = RowSet::of(rows.count(), |place| is_in(needle, &values, place, is_json));
        Ok(rows.select(&places))
    }
}

/// Reports whether the value at `place`, spelled as JSON or as it is, holds the needle.
fn is_in(needle: &Needle, values: &Column, place: usize, is_json: bool) -> bool {
    match values.value(place) {
        None => false,
        Some(Value::String(text)) if !is_json => needle.is_in(&text),
        Some(value) => {
            let mut spelled = String::new();
            value.write_json(&mut spelled);
            needle.is_in(&spelled)
        }
    }
}

/// Returns those of `rows` whose message has a variable, spelled as JSON or as it is, with the value of a field.
fn rows_with_variable(
    rows: &RowSet,
    (field, is_json): (usize, bool),
    ids: &TemplateIds,
    vocabulary: &Vocabulary,
) -> RowSet {
    let slots = vocabulary.slots();
    let is_asked = |column: &u32| {
        let slot = slots.columns()[*column as usize];
        (slot.kind == Kind::Json) == is_json && slot.field.is_some_and(|of_slot| usize::from(of_slot) == field)
    };
    // By template number; each is asked once.
    let mut known: Vec<Option<bool>> = vec![None; slots.n_templates() + 1];
    let mut has_variable = |row: &usize| {
        let id = ids.ids[*row];
        *known[id as usize].get_or_insert_with(|| slots.of_template(id).iter().any(is_asked))
    };
    let found: Vec<usize> = rows.iter().filter(|row| has_variable(row)).collect();
    RowSet::of_places(rows.n_rows(), found.into_iter())
}
