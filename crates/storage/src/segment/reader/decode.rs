//! Takes apart the sections that only readers know: templates, counts by minute, times and differences.

use types::MinuteCounts;

use super::super::bytes::{Cursor, Damage, Decoded};
use super::super::template::Template;

pub(super) fn decode_templates(bytes: &[u8]) -> Decoded<Vec<Template>> {
    let mut cursor = Cursor::new(bytes);
    let n_templates = cursor.count(0)?;
    let lengths = cursor.integers(n_templates.min(bytes.len()))?;
    let template = |length: i64| {
        let length = usize::try_from(length).map_err(|_| Damage("a length is out of range"))?;
        Template::new(cursor.take(length)?.to_vec())
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

pub(super) fn take_deltas(cursor: &mut Cursor<'_>, n: usize) -> Decoded<Vec<i64>> {
    let mut last = cursor.zigzag()?;
    let mut values = Vec::with_capacity(n);
    values.push(last);
    for delta in cursor.integers(n.saturating_sub(1))? {
        last = last.wrapping_add(delta);
        values.push(last);
    }
    Ok(values)
}

pub(super) fn take_times(cursor: &mut Cursor<'_>, n: usize) -> Decoded<Vec<i64>> {
    let mut times = take_deltas(cursor, n)?;
    times.iter_mut().for_each(|time| *time = time.wrapping_mul(1_000_000));
    if cursor.byte()? == 1 {
        let n_rests = cursor.varint()? as usize;
        if n_rests > n {
            return Err(Damage("a count is out of range"));
        }
        let gaps = cursor.integers(n_rests)?;
        let mut row = -1i64;
        for (gap, rest) in gaps.into_iter().zip(cursor.integers(n_rests)?) {
            row = row.wrapping_add(gap);
            let time = usize::try_from(row).ok().and_then(|row| times.get_mut(row));
            let time = time.ok_or(Damage("a row number is out of range"))?;
            *time = time.wrapping_add(rest);
        }
    }
    Ok(times)
}
