//! Columns of numbers: the integers, times and addresses of a block's messages.
//!
//! Variables of one column (`slots`) behave alike, so each long column is stored in the way that suits it. A section
//! holds the columns that have values, in order, `n` being how many:
//!
//! ```text
//! byte: 1 if a column is stored relative to the times of its events, since format 4 + 2 if one is to their durations
//! varint number of the field with the durations, where there is one
//! one byte for each column with n ≥ COLUMN_MIN: its tag
//! the short columns together, where there are any: *integers* least of each; *integers* value − least of all
//! the long columns: what belongs to the tag
//! ```
//!
//! | tag | content |
//! |---|---|
//! | 0 | *integers* |
//! | 1 | differences: zigzag first value, *integers* of the n − 1 differences |
//! | 2 | dictionary: varint count, *integers* distinct values by first sight, *integers* places in it |
//! | 3–6 | *integers* of value − time of the event, in whole units since the epoch: 3 the unit of the column's form, 4 seconds, 5 milliseconds, 6 microseconds |
//! | 7, 8 | *integers* of value − the number before (7) or after (8) the point of the duration of the event (`duration`), since format 4 |

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use crate::bytes::{Cursor, Damage, Decoded, put_integers, put_varint, put_zigzag};
use crate::duration;

/// Values from which on a column is stored by itself; what it costs to say how is more than a shorter one saves.
const COLUMN_MIN: usize = 16;

/// How many of a column's values are looked at to choose a way.
const SAMPLE: usize = 512;

const PLAIN: u8 = 0;
const DIFFERENCES: u8 = 1;
const DICTIONARY: u8 = 2;
const OF_TIME: u8 = 3;
const OF_DURATION: u8 = OF_TIME + 1 + UNITS.len() as u8;
const LAST: u8 = OF_DURATION + 1;

/// Bits of the first byte of a section.
const HAS_TIMES: u8 = 1;
const HAS_DURATIONS: u8 = 2;

/// Units of tags from [`OF_TIME`] + 1 on, in nanoseconds.
const UNITS: [i64; 3] = [1_000_000_000, 1_000_000, 1_000];

/// What numbers may be stored relative to, row by row of a block; empty where there is none or none is asked for.
#[derive(Clone, Copy, Default)]
pub(crate) struct Bases<'a> {
    /// Times of the events.
    pub(crate) times: &'a [i64],
    /// Their durations in nanoseconds (`duration`).
    pub(crate) durations: &'a [i64],
}

/// A column while it is written: its values, the times and durations of their events, and the unit of its form if it has one.
pub(crate) struct Numbers<'a> {
    pub(crate) values: &'a [i64],
    pub(crate) times: &'a [i64],
    pub(crate) durations: &'a [i64],
    pub(crate) unit_ns: Option<i64>,
}

/// Writes the columns; `field` is the number of the field that the durations are from.
pub(crate) fn put(out: &mut Vec<u8>, columns: &[Numbers<'_>], field: usize) {
    let (short, long): (Vec<&Numbers<'_>>, Vec<&Numbers<'_>>) =
        columns.iter().partition(|column| column.values.len() < COLUMN_MIN);
    let tags: Vec<u8> = long.iter().map(|column| choose(column)).collect();
    let has_times = tags.iter().any(|tag| (OF_TIME..OF_DURATION).contains(tag));
    let has_durations = tags.iter().any(|tag| *tag >= OF_DURATION);
    out.push(if has_times { HAS_TIMES } else { 0 } | if has_durations { HAS_DURATIONS } else { 0 });
    if has_durations {
        put_varint(out, field as u64);
    }
    out.extend_from_slice(&tags);
    if !short.is_empty() {
        let least = |column: &&Numbers<'_>| column.values.iter().copied().min().unwrap_or_default();
        let leasts: Vec<i64> = short.iter().map(least).collect();
        put_integers(out, &leasts);
        let rests = short.iter().zip(&leasts);
        let rests = rests.flat_map(|(column, least)| column.values.iter().map(|value| value.wrapping_sub(*least)));
        put_integers(out, &rests.collect::<Vec<_>>());
    }
    for (column, tag) in long.into_iter().zip(tags) {
        put_column(out, column, tag);
    }
}

fn put_column(out: &mut Vec<u8>, column: &Numbers<'_>, tag: u8) {
    let values = column.values;
    match tag {
        PLAIN => put_integers(out, values),
        DIFFERENCES => {
            put_zigzag(out, values.first().copied().unwrap_or_default());
            put_integers(out, &differences(values).collect::<Vec<_>>());
        }
        DICTIONARY => {
            let mut places: HashMap<i64, i64, RandomState> = HashMap::default();
            let mut distinct = Vec::new();
            let place = |value: &i64| {
                *places.entry(*value).or_insert_with(|| {
                    distinct.push(*value);
                    distinct.len() as i64 - 1
                })
            };
            let places: Vec<i64> = values.iter().map(place).collect();
            put_varint(out, distinct.len() as u64);
            put_integers(out, &distinct);
            put_integers(out, &places);
        }
        OF_DURATION.. => put_integers(out, &of_duration(column, tag).collect::<Vec<_>>()),
        tag => put_integers(out, &of_time(column, unit_of(tag, column.unit_ns)).collect::<Vec<_>>()),
    }
}

fn differences(values: &[i64]) -> impl Iterator<Item = i64> + Clone + '_ {
    values.windows(2).map(|pair| pair[1].wrapping_sub(pair[0]))
}

fn of_time<'a>(column: &Numbers<'a>, unit_ns: i64) -> impl Iterator<Item = i64> + Clone + 'a {
    column.values.iter().zip(column.times).map(move |(value, time)| value.wrapping_sub(time.div_euclid(unit_ns)))
}

fn of_duration<'a>(column: &Numbers<'a>, tag: u8) -> impl Iterator<Item = i64> + Clone + 'a {
    column.values.iter().zip(column.durations).map(move |(value, ns)| value.wrapping_sub(part_of(tag, *ns)))
}

/// Returns the number of a duration that a column of a tag holds.
fn part_of(tag: u8, ns: i64) -> i64 {
    let (whole, rest) = duration::digits(ns);
    if tag == OF_DURATION { whole } else { rest }
}

fn unit_of(tag: u8, of_form: Option<i64>) -> i64 {
    let of_tag = usize::from(tag).checked_sub(usize::from(OF_TIME) + 1).and_then(|place| UNITS.get(place));
    of_tag.copied().or(of_form).unwrap_or(1).max(1)
}

/// Returns how many bits values take beyond the least of them, all in all.
fn bits(values: impl Iterator<Item = i64> + Clone) -> u64 {
    let least = values.clone().min().unwrap_or_default();
    values.map(|value| u64::from(64 - value.wrapping_sub(least).leading_zeros())).sum()
}

/// Returns the way that seems to take the least room.
fn choose(column: &Numbers<'_>) -> u8 {
    let values = &column.values[..column.values.len().min(SAMPLE)];
    let times = &column.times[..values.len().min(column.times.len())];
    let durations = &column.durations[..values.len().min(column.durations.len())];
    let sample = Numbers { values, times, durations, unit_ns: column.unit_ns };
    let plain = bits(values.iter().copied());
    if plain == 0 {
        // All alike as far as looked at.
        return PLAIN;
    }
    let mut best = (plain, PLAIN);
    // A value repeated costs next to nothing once compressed; its differences do not repeat as well.
    best = best.min((bits(differences(values)) * 5 / 4 + 8, DIFFERENCES));
    if !durations.is_empty() {
        for tag in OF_DURATION..=LAST {
            best = best.min((bits(of_duration(&sample, tag)), tag));
        }
    }
    for tag in OF_TIME..OF_DURATION {
        let is_form = tag == OF_TIME;
        if is_form == sample.unit_ns.is_some() && !times.is_empty() {
            let near = |(value, time): (&i64, &i64)| value.abs_diff(time.div_euclid(unit_of(tag, sample.unit_ns)));
            let is_near = is_form || values.iter().zip(times).take(1).all(|pair| near(pair) < 1 << 40);
            if is_near {
                best = best.min((bits(of_time(&sample, unit_of(tag, sample.unit_ns))), tag));
            }
        }
    }
    // Only values of several bytes are worth a dictionary: zstd finds the others by itself.
    if best.0 > 8 * values.len() as u64 {
        let mut sorted = values.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        let n_distinct = sorted.len() as u64;
        let per_value = best.0 / values.len() as u64;
        let places = values.len() as u64 * u64::from(64 - n_distinct.leading_zeros());
        best = best.min((n_distinct * per_value + places, DICTIONARY));
    }
    best.1
}

/// What a column, or any column of a section, is stored relative to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Base {
    pub(crate) has_times: bool,
    /// The number of the field with durations.
    pub(crate) durations: Option<usize>,
}

/// Takes the first bytes of a section.
fn take_base(cursor: &mut Cursor<'_>) -> Decoded<Base> {
    let flags = cursor.byte()?;
    let durations = if flags & HAS_DURATIONS == 0 { None } else { Some(cursor.varint()? as usize) };
    Ok(Base { has_times: flags & HAS_TIMES != 0, durations })
}

/// Returns for each column what reading it needs.
pub(crate) fn bases_of(bytes: &[u8], columns: &[ColumnShape]) -> Decoded<Vec<Base>> {
    let mut cursor = Cursor::new(bytes);
    let of_section = take_base(&mut cursor)?;
    if of_section == Base::default() {
        return Ok(vec![of_section; columns.len()]);
    }
    let mut tags = cursor.take(columns.iter().filter(|column| column.n_values >= COLUMN_MIN).count())?.iter();
    let base_of = |column: &ColumnShape| {
        let tag = if column.n_values < COLUMN_MIN { PLAIN } else { tags.next().copied().unwrap_or(PLAIN) };
        Base {
            has_times: of_section.has_times && column.is_wanted && (OF_TIME..OF_DURATION).contains(&tag),
            durations: of_section.durations.filter(|_| column.is_wanted && (OF_DURATION..=LAST).contains(&tag)),
        }
    };
    Ok(columns.iter().map(base_of).collect())
}

/// What is known of a column before it is read.
#[derive(Clone, Copy)]
pub(crate) struct ColumnShape {
    pub(crate) n_values: usize,
    pub(crate) unit_ns: Option<i64>,
    /// Reports whether anyone asks for the values; those of other long columns are read as zeros.
    pub(crate) is_wanted: bool,
}

/// Reads columns, one after another; `bases` are times or durations of the events of all values in that order, as far as
/// [`bases_of`] asks for them, or none.
pub(crate) fn take(cursor: &mut Cursor<'_>, columns: &[ColumnShape], bases: &[i64]) -> Decoded<Vec<i64>> {
    let n_values: usize = columns.iter().map(|column| column.n_values).sum();
    let is_short = |column: &&ColumnShape| column.n_values < COLUMN_MIN;
    let n_short = columns.iter().filter(is_short).count();
    take_base(cursor)?;
    let mut tags = cursor.take(columns.len() - n_short)?.iter();
    let (mut leasts, mut rests) = (Vec::new(), Vec::new());
    if n_short > 0 {
        leasts = cursor.integers(n_short)?;
        rests = cursor.integers(columns.iter().filter(is_short).map(|column| column.n_values).sum())?;
    }
    let (mut leasts, mut rests) = (leasts.into_iter(), rests.into_iter());
    let mut values = Vec::with_capacity(n_values);
    for column in columns {
        if is_short(&column) {
            let least = leasts.next().unwrap_or_default();
            values.extend(rests.by_ref().take(column.n_values).map(|rest| rest.wrapping_add(least)));
            continue;
        }
        let tag = *tags.next().ok_or(Damage("a column has no tag"))?;
        if column.is_wanted {
            take_column(cursor, column, tag, bases, &mut values)?;
        } else {
            skip_column(cursor, column.n_values, tag)?;
            values.resize(values.len() + column.n_values, 0);
        }
    }
    Ok(values)
}

fn take_column(
    cursor: &mut Cursor<'_>,
    column: &ColumnShape,
    tag: u8,
    bases: &[i64],
    values: &mut Vec<i64>,
) -> Decoded<()> {
    let n = column.n_values;
    match tag {
        PLAIN => values.extend(cursor.integers(n)?),
        DIFFERENCES => {
            let mut last = cursor.zigzag()?;
            values.push(last);
            for difference in cursor.integers(n - 1)? {
                last = last.wrapping_add(difference);
                values.push(last);
            }
        }
        DICTIONARY => {
            let n_distinct = cursor.varint()? as usize;
            types::ensure!(n_distinct <= n, Damage("a dictionary is too large"));
            let distinct = cursor.integers(n_distinct)?;
            for place in cursor.codes(n)? {
                values.push(*distinct.get(place as usize).ok_or(Damage("a code is out of range"))?);
            }
        }
        OF_TIME..=LAST => {
            let unit_ns = unit_of(tag, column.unit_ns);
            let bases = bases.get(values.len()..values.len() + n).ok_or(Damage("times are missing"))?;
            let differences = cursor.integers(n)?.into_iter().zip(bases);
            let base = |base: &i64| if tag < OF_DURATION { base.div_euclid(unit_ns) } else { part_of(tag, *base) };
            values.extend(differences.map(|(difference, of)| difference.wrapping_add(base(of))));
        }
        _ => return Err(Damage("unknown kind of column")),
    }
    Ok(())
}

/// Passes over a column.
fn skip_column(cursor: &mut Cursor<'_>, n: usize, tag: u8) -> Decoded<()> {
    match tag {
        DIFFERENCES => {
            cursor.zigzag()?;
            cursor.skip_integers(n - 1)
        }
        DICTIONARY => {
            let n_distinct = cursor.varint()? as usize;
            types::ensure!(n_distinct <= n, Damage("a dictionary is too large"));
            cursor.skip_integers(n_distinct)?;
            cursor.skip_integers(n)
        }
        _ => cursor.skip_integers(n),
    }
}

#[cfg(test)]
mod tests;
