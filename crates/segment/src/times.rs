//! Times of events, ingestion times and sequences of a block: numbers that mostly rise.
//!
//! *deltas*: zigzag first value, *integers* of the differences.
//!
//! *times*: one byte exponent, `u = 10^exponent` nanoseconds being the largest of 1 s, 1 ms, 1 µs and 1 ns that
//! divides all of them. From 1 ms on: *deltas* of the times in units. Below: *deltas* of the times in whole
//! milliseconds and what is left of a millisecond: one byte 0 where nothing is, else 1, a varint count of rows with
//! a rest, the differences of their row numbers and their rests in units (*integers* both). Format 1 has no exponent,
//! its unit is the nanosecond.

use crate::bytes::{Cursor, Damage, Decoded, put_integers, put_varint, put_zigzag};

const MILLISECOND: i64 = 1_000_000;

/// Writes *deltas*.
pub(crate) fn put_deltas(out: &mut Vec<u8>, values: &[i64]) {
    put_zigzag(out, values.first().copied().unwrap_or_default());
    put_integers(out, &values.windows(2).map(|pair| pair[1].wrapping_sub(pair[0])).collect::<Vec<_>>());
}

/// Writes *times*.
pub(crate) fn put_times(out: &mut Vec<u8>, times: &[i64]) {
    let divides = |unit: i64| times.iter().all(|time| time % unit == 0);
    let exponent = [9u8, 6, 3].into_iter().find(|exponent| divides(10i64.pow(u32::from(*exponent)))).unwrap_or(0);
    let unit = 10i64.pow(u32::from(exponent));
    out.push(exponent);
    let whole = unit.max(MILLISECOND);
    put_deltas(out, &times.iter().map(|time| time.div_euclid(whole)).collect::<Vec<_>>());
    if unit >= MILLISECOND {
        return;
    }
    let rests: Vec<(i64, i64)> = times
        .iter()
        .enumerate()
        .map(|(row, time)| (row as i64, time.rem_euclid(MILLISECOND) / unit))
        .filter(|(_, rest)| *rest != 0)
        .collect();
    out.push(u8::from(!rests.is_empty()));
    if !rests.is_empty() {
        put_varint(out, rests.len() as u64);
        let mut last = -1;
        let gaps = rests.iter().map(|(row, _)| {
            let gap = row - last;
            last = *row;
            gap
        });
        put_integers(out, &gaps.collect::<Vec<_>>());
        put_integers(out, &rests.iter().map(|(_, rest)| *rest).collect::<Vec<_>>());
    }
}

/// Reads *deltas*.
pub(crate) fn take_deltas(cursor: &mut Cursor<'_>, n: usize) -> Decoded<Vec<i64>> {
    let mut last = cursor.zigzag()?;
    let mut values = Vec::with_capacity(n);
    values.push(last);
    for delta in cursor.integers(n.saturating_sub(1))? {
        last = last.wrapping_add(delta);
        values.push(last);
    }
    Ok(values)
}

/// Reads *times* of a segment of `format`.
pub(crate) fn take_times(cursor: &mut Cursor<'_>, n: usize, format: u16) -> Decoded<Vec<i64>> {
    let exponent = if format == 1 { 0 } else { cursor.byte()? };
    let unit = match exponent {
        0 | 3 | 6 | 9 => 10i64.pow(u32::from(exponent)),
        _ => return Err(Damage("unknown unit of times")),
    };
    let mut times = take_deltas(cursor, n)?;
    times.iter_mut().for_each(|time| *time = time.wrapping_mul(unit.max(MILLISECOND)));
    if unit < MILLISECOND && cursor.byte()? == 1 {
        let n_rests = cursor.varint()? as usize;
        types::ensure!(n_rests <= n, Damage("a count is out of range"));
        let gaps = cursor.integers(n_rests)?;
        let mut row = -1i64;
        for (gap, rest) in gaps.into_iter().zip(cursor.integers(n_rests)?) {
            row = row.wrapping_add(gap);
            let time = usize::try_from(row).ok().and_then(|row| times.get_mut(row));
            let time = time.ok_or(Damage("a row number is out of range"))?;
            *time = time.wrapping_add(rest.wrapping_mul(unit));
        }
    }
    Ok(times)
}

#[cfg(test)]
mod tests;
