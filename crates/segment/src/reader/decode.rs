//! Takes apart the sections that only readers know: templates and counts by minute.

use std::sync::Arc;

use types::{FieldSummary, MinuteCounts, TypeSet, Value};

use crate::bytes::{Cursor, Damage, Decoded};
use crate::section::SectionId;
use crate::texts::Vocabulary;

pub(super) fn decode_templates(bytes: &[u8], format: u16) -> Decoded<Vocabulary> {
    let mut cursor = Cursor::new(bytes);
    let n_templates = cursor.count(0)?;
    let lengths = cursor.integers(n_templates.min(bytes.len()))?;
    let all = cursor.take(cursor.n_left())?;
    let mut end = 0u32;
    let end_of = |length: i64| {
        end = u32::try_from(length)
            .ok()
            .and_then(|length| end.checked_add(length))
            .ok_or(Damage("a length is out of range"))?;
        Ok(end)
    };
    let ends = lengths.into_iter().map(end_of).collect::<Decoded<Vec<u32>>>()?;
    Vocabulary::read(all, ends, format)
}

pub(super) fn decode_minutes(bytes: &[u8]) -> Decoded<Vec<MinuteCounts>> {
    take_minutes(&mut Cursor::new(bytes))
}

/// Returns the section with the counts of a field; `None` where there are none, or none of any field.
pub(super) fn section_of_field(bytes: &[u8], column: usize) -> Decoded<Option<SectionId>> {
    let mut cursor = Cursor::new(bytes);
    take_minutes(&mut cursor)?;
    if cursor.is_at_end() {
        return Ok(None);
    }
    let mut found = None;
    for _ in 0..cursor.count(2)? {
        let (field, section) = (cursor.varint()?, cursor.varint()?);
        if field == column as u64 {
            found = Some(SectionId::try_from(section).map_err(|_| Damage("a section number is out of range"))?);
        }
    }
    Ok(found)
}

fn take_minutes(cursor: &mut Cursor<'_>) -> Decoded<Vec<MinuteCounts>> {
    let mut last = 0i64;
    let n_minutes = cursor.count(8)?;
    let minute = |_| {
        last = last.wrapping_add(cursor.zigzag()?);
        let mut counts = [0; 7];
        for count in &mut counts {
            *count = u32::try_from(cursor.varint()?).map_err(|_| Damage("a count is out of range"))?;
        }
        Ok(MinuteCounts { minute: last, counts })
    };
    (0..n_minutes).map(minute).collect()
}

/// Adds a derived field. How many events have it is an upper bound where several origins name it.
pub(super) fn add_derived(fields: &mut Vec<FieldSummary>, name: &Arc<str>, value: &Value, n_events: u64) {
    let index = fields.iter().position(|field| field.name == *name).unwrap_or_else(|| {
        fields.push(FieldSummary { name: name.clone(), types: TypeSet::default(), n_events: 0 });
        fields.len() - 1
    });
    fields[index].types.insert(value);
    fields[index].n_events = n_events;
}
