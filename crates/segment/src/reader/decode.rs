//! Takes apart the sections that only readers know: templates and counts by minute.

use std::sync::Arc;

use types::MinuteCounts;

use crate::bytes::{Cursor, Damage, Decoded};
use crate::section::SectionId;
use crate::template::Template;

pub(super) fn decode_templates(bytes: &[u8], format: u16) -> Decoded<Vec<Template>> {
    let mut cursor = Cursor::new(bytes);
    let n_templates = cursor.count(0)?;
    let lengths = cursor.integers(n_templates.min(bytes.len()))?;
    let all: Arc<[u8]> = cursor.take(cursor.n_left())?.into();
    let text = std::str::from_utf8(&all).map_err(|_| Damage("a template is not UTF-8"))?;
    let mut end = 0usize;
    let template = |length: i64| {
        let from = end;
        let length = usize::try_from(length).map_err(|_| Damage("a length is out of range"))?;
        end = from.checked_add(length).ok_or(Damage("a length is out of range"))?;
        Template::within(&all, text, from..end, format)
    };
    lengths.into_iter().map(template).collect()
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
