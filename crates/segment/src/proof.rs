//! Proves before a block is published that what was encoded is what is read back.
//!
//! Messages and fields are taken apart and packed in many ways; a mistake in one of them would be noticed when
//! the events exist nowhere else. So each block is read back from its sections as a query would read it, while it
//! is at hand, and where something differs it is stored in the plainest way instead. Not proved here: that a
//! section survives compression and the disk, which its checksum tells, and the shapes, which are sums of random
//! numbers that are compared as such.

use std::borrow::Cow;

use types::codec::put_value;
use types::{Batch, Column, RowSet, Strings, Value};

use crate::bytes::{Cursor, Damage, Decoded};
use crate::column::{self, RunDictionary};
use crate::duration;
use crate::numbers::Bases;
use crate::texts::{self, TEXT_SECTIONS, TemplateIds, Variables, Vocabulary};

/// Reports whether the sections of a block's messages, and the fields that they name by their numbers in `fields`, give back
/// `batch`'s messages. The fields are proved by themselves.
pub(super) fn are_messages<'n>(
    sections: &[Vec<u8>; TEXT_SECTIONS],
    vocabulary: &Vocabulary,
    batch: &Batch,
    name_of: impl Fn(usize) -> Option<&'n str>,
) -> bool {
    let rebuilt = rebuilt_messages(sections, vocabulary, batch, name_of);
    rebuilt.is_ok_and(|rebuilt| rebuilt == batch.messages)
}

fn rebuilt_messages<'n>(
    sections: &[Vec<u8>; TEXT_SECTIONS],
    vocabulary: &Vocabulary,
    batch: &Batch,
    name_of: impl Fn(usize) -> Option<&'n str>,
) -> Decoded<Strings> {
    let times = &*batch.timestamps.to_slice();
    let ids = TemplateIds::decode(&sections[0], times.len(), vocabulary)?;
    let rows = RowSet::all(times.len());
    let wanted = ids.wanted_by(&rows, vocabulary);
    let mut variables = Variables::default();
    for (section, bytes) in sections.iter().enumerate().skip(1).filter(|(_, bytes)| !bytes.is_empty()) {
        let base = texts::base_of(section, bytes, &ids, vocabulary, &wanted)?;
        let field = base.durations.map(|field| field_of(batch, name_of(field))).transpose()?;
        let durations = field.map(duration::of_column).unwrap_or_default();
        let bases = Bases { times: if base.has_times { times } else { &[] }, durations: &durations };
        variables.decode(section, bytes, &ids, vocabulary, &wanted, &bases)?;
    }
    for (column, field) in wanted.fields(vocabulary.slots()) {
        variables.put_field(column, Cow::Borrowed(field_of(batch, name_of(field))?));
    }
    texts::rebuild(&ids, &variables, vocabulary, &rows, &wanted)
}

fn field_of<'b>(batch: &'b Batch, name: Option<&str>) -> Decoded<&'b Column> {
    let found = name.and_then(|name| batch.fields.binary_search_by(|(known, _)| (**known).cmp(name)).ok());
    found.map(|index| &batch.fields[index].1).ok_or(Damage("a field is missing"))
}

/// Reports whether a column section gives back the values that `column` has in the rows `present`.
pub(super) fn is_column(encoded: &[u8], column: &Column, present: &RowSet, dictionary: &RunDictionary) -> bool {
    match (encoded.first(), column) {
        (Some(0), Column::Dictionary { codes, values }) => {
            are_codes(encoded, codes, values, present, dictionary).unwrap_or(false)
        }
        (Some(0), _) => false,
        _ => column::decode(encoded, present, present, None).is_ok_and(|back| is_same(column, &back, present)),
    }
}

/// Checks codes into the run's dictionary: compares each pair of codes once.
fn are_codes(
    encoded: &[u8],
    codes: &[u32],
    values: &[Value],
    present: &RowSet,
    dictionary: &RunDictionary,
) -> Decoded<bool> {
    let back = Cursor::new(&encoded[1..]).codes(present.count())?;
    let mut known: Vec<Option<u32>> = vec![None; values.len()];
    let mut is_right = |code: u32, back: u32| {
        let known = &mut known[code as usize];
        if known.is_none()
            && matches!(&values[code as usize], Value::String(text) if dictionary.text(back) == Some(&**text))
        {
            *known = Some(back);
        }
        *known == Some(back)
    };
    Ok(present.iter().zip(back).all(|(row, back)| is_right(codes[row], back)))
}

/// Reports whether the rows `present` of `column` are the rows of `back`, types included.
fn is_same(column: &Column, back: &Column, present: &RowSet) -> bool {
    let mut rows = present.iter().zip(0..);
    match (column, back) {
        (Column::Strings { values, .. }, Column::Strings { values: back, .. }) if present.is_all() => values == back,
        (Column::Timestamps(values) | Column::Integers { values, .. }, Column::Integers { values: back, .. }) => {
            rows.all(|(row, place)| values[row] == back[place])
        }
        (Column::Floats { values, integers, .. }, Column::Floats { values: back, integers: back_integers, .. }) => rows
            .all(|(row, place)| {
                let is_whole = |integers: &Option<RowSet>, row| integers.as_ref().is_some_and(|set| set.contains(row));
                values[row].to_bits() == back[place].to_bits()
                    && is_whole(integers, row) == is_whole(back_integers, place)
            }),
        _ => rows.all(|(row, place)| match (text_of(column, row), text_of(back, place)) {
            (Some(text), Some(back)) => text == back,
            (None, None) => is_same_value(column.value(row).as_ref(), back.value(place).as_ref()),
            _ => false,
        }),
    }
}

fn text_of(column: &Column, row: usize) -> Option<&str> {
    let value = match column {
        Column::Strings { values, .. } => return Some(values.get(row)),
        Column::Dictionary { codes, values } => values.get(codes[row] as usize)?,
        Column::Mixed(values) => values[row].as_ref()?,
        _ => return None,
    };
    if let Value::String(text) = value { Some(text) } else { None }
}

fn is_same_value(a: Option<&Value>, b: Option<&Value>) -> bool {
    let spelled = |value| {
        let mut out = Vec::new();
        put_value(value, &mut out);
        out
    };
    spelled(a) == spelled(b)
}

#[cfg(test)]
mod tests;
