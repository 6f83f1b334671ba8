//! Rebuilds messages from their templates and variables.

use types::{RowSet, Strings};

use super::layout::{ColumnSelection, TemplateIds};
use super::variables::Variables;
use super::vocabulary::Vocabulary;
use crate::bytes::{Damage, Decoded};
use crate::strings::{end_of, texts_of};
use crate::template::{Kind, Piece, Slot, Template, push_address};
use crate::time_text;

/// Returns a text that looks like the messages of a template; `None` if a variable may hold any words.
pub(crate) fn example(template: Template<'_>) -> Option<String> {
    // Nine digits of a second, and a day of two digits that no spelling needs a blank for.
    const SOME_DAY: i64 = 1_795_075_626;
    let mut out = Vec::new();
    for piece in template.pieces() {
        match piece {
            Piece::Literal(text) => out.extend_from_slice(text.as_bytes()),
            Piece::Variable(slot) => match (slot.kind, slot.form) {
                (Kind::Quoted | Kind::Any | Kind::Json, _) => return None,
                (Kind::Time, Some(form)) => {
                    time_text::push(&mut out, form, SOME_DAY * (1_000_000_000 / form.unit_ns()))
                }
                (Kind::Address, _) => push_address(&mut out, 0x0a00_0001),
                (Kind::Uuid, _) => out.extend_from_slice(b"00000000-0000-4000-8000-000000000000"),
                _ => out.push(b'0'),
            },
        }
    }
    // Literals are UTF-8, and the bytes between them are ASCII.
    String::from_utf8(out).ok()
}

/// Rebuilds the messages of `rows`, one after another.
pub(crate) fn rebuild(
    ids: &TemplateIds,
    variables: &Variables<'_>,
    vocabulary: &Vocabulary,
    rows: &RowSet,
    wanted: &ColumnSelection,
) -> Decoded<Strings> {
    let lost = || Damage("a variable is missing");
    let slots = vocabulary.slots();
    let lists = ids.lists_of(wanted, slots)?;
    // Per template its pieces, taken apart at the first message.
    let mut known: Vec<Option<Vec<Piece<'_>>>> = (0..wanted.n_templates).map(|_| None).collect();
    // By column: how many values the rows so far have taken; of raw messages too.
    let mut taken = vec![0u32; lists.n_columns()];
    let mut n_raw = 0;
    let (mut text, mut ends) = (Vec::new(), Vec::new());
    let mut next_row = 0;
    for (place_of_row, row) in rows.iter().enumerate() {
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
        let pieces = known[place].get_or_insert_with(|| vocabulary.pieces_of(id));
        let mut columns = slots.of_template(id).iter().zip(lists.of(id));
        for piece in pieces {
            if let Piece::Literal(literal) = piece {
                text.extend_from_slice(literal.as_bytes());
                continue;
            }
            let (column, number) = columns.next().ok_or_else(lost)?;
            if let Piece::Variable(Slot { field: Some(_), kind, .. }) = piece {
                variables.push_field(*kind, *column as usize, place_of_row, &mut text).ok_or_else(lost)?;
                continue;
            }
            let number = &mut taken[*number as usize];
            let first = lists.first_of(*column);
            variables.push(piece, *column as usize, first, *number, &mut text).ok_or_else(lost)?;
            *number += 1;
        }
        ends.push(end_of(&text)?);
    }
    texts_of(text, ends)
}
