//! Takes apart the sections that only readers know: templates and counts by minute.

use std::sync::Arc;

use types::MinuteCounts;

use crate::bytes::{Cursor, Damage, Decoded};
use crate::template::Template;

pub(super) fn decode_templates(bytes: &[u8], format: u16) -> Decoded<Vec<Template>> {
    let mut cursor = Cursor::new(bytes);
    let n_templates = cursor.count(0)?;
    let lengths = cursor.integers(n_templates.min(bytes.len()))?;
    let all: Arc<[u8]> = cursor.take(cursor.n_left())?.into();
    let mut end = 0usize;
    let template = |length: i64| {
        let from = end;
        let length = usize::try_from(length).map_err(|_| Damage("a length is out of range"))?;
        end = from.checked_add(length).ok_or(Damage("a length is out of range"))?;
        Template::within(&all, from..end, format)
    };
    lengths.into_iter().map(template).collect()
}

pub(super) fn decode_minutes(bytes: &[u8]) -> Decoded<Vec<MinuteCounts>> {
    let mut cursor = Cursor::new(bytes);
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
