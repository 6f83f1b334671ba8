//! Numbers, series by series: the form, and how it is written and read.

use types::RowSet;

use super::super::scale::{POWERS, scaled};
use crate::bytes::{Cursor, Damage, Decoded, put_integers};

/// The scale of series whose values are kept as bits.
pub(super) const BITS: u8 = POWERS.len() as u8;

/// If fewer than one value in this many is wanted, only the series of those are read.
const VALUES_PER_CHOSEN: usize = 4;

/// A number to be stored.
#[derive(Clone, Copy)]
pub(super) enum Number {
    Integer(i64),
    Decimal(f64),
}

impl Number {
    /// Returns the number at a scale, if it comes back bit by bit.
    fn at(self, scale: u8) -> Option<i64> {
        match self {
            Self::Integer(value) => (scale == 0).then_some(value),
            Self::Decimal(value) => scaled(value, scale),
        }
    }

    fn bits(self) -> i64 {
        match self {
            Self::Integer(value) => value,
            Self::Decimal(value) => value.to_bits() as i64,
        }
    }
}

/// Writes scales, first values and further values.
pub(super) fn put_numbers(out: &mut Vec<u8>, numbers: &[Number], codes: &[u32], n_series: usize) {
    let series = BySeries::new(codes, n_series);
    let (mut scales, mut firsts) = (Vec::with_capacity(n_series), Vec::new());
    let (mut differences, mut others) = (Vec::with_capacity(numbers.len()), Vec::new());
    let mut values = Vec::new();
    for places in series.iter() {
        let mut all_at = |scale: u8| {
            values.clear();
            places.iter().all(|place| {
                let value = numbers[*place as usize].at(scale);
                values.extend(value);
                value.is_some()
            })
        };
        let scale = (0..BITS).find(|scale| all_at(*scale)).unwrap_or(BITS);
        if scale == BITS {
            values.clear();
            values.extend(places.iter().map(|place| numbers[*place as usize].bits()));
        }
        scales.push(i64::from(if places.is_empty() { 0 } else { scale }));
        firsts.extend(values.first());
        for pair in values.windows(2) {
            if scale == BITS {
                others.push(pair[1] ^ pair[0]);
            } else {
                differences.push(zigzag(pair[1].wrapping_sub(pair[0])));
            }
        }
    }
    put_integers(out, &scales);
    put_integers(out, &firsts);
    put_integers(out, &differences);
    put_integers(out, &others);
}

/// Places of values by the code of their series.
pub(super) struct BySeries {
    /// Where the places of each series begin, and the end.
    starts: Vec<usize>,
    places: Vec<u32>,
}

impl BySeries {
    pub(super) fn new(codes: &[u32], n_series: usize) -> Self {
        let mut starts = vec![0usize; n_series + 1];
        codes.iter().for_each(|code| starts[*code as usize + 1] += 1);
        for code in 0..n_series {
            starts[code + 1] += starts[code];
        }
        let mut next = starts.clone();
        let mut places = vec![0; codes.len()];
        for (place, code) in codes.iter().enumerate() {
            let at = &mut next[*code as usize];
            places[*at] = place as u32;
            *at += 1;
        }
        Self { starts, places }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &[u32]> {
        self.starts.windows(2).map(|ends| &self.places[ends[0]..ends[1]])
    }
}

fn zigzag(value: i64) -> i64 {
    value << 1 ^ value >> 63
}

pub(super) fn unzigzag(value: i64) -> i64 {
    ((value as u64 >> 1) as i64) ^ -(value & 1)
}

/// Reads the decimals at the places `chosen`, in their order.
pub(super) fn take_decimals(cursor: &mut Cursor<'_>, codes: &[u32], chosen: &RowSet) -> Decoded<Vec<f64>> {
    let decimal = |number: Restored| f64::from_bits(decimal_bits(number) as u64);
    if chosen.count() * VALUES_PER_CHOSEN < codes.len() {
        let mut found = take_chosen(cursor, codes, chosen)?;
        found.sort_unstable_by_key(|(place, _)| *place);
        return Ok(found.into_iter().map(|(_, number)| decimal(number)).collect());
    }
    let numbers = take_numbers(cursor, codes)?;
    Ok(if chosen.is_all() {
        numbers.into_iter().map(decimal).collect()
    } else {
        chosen.iter().map(|place| decimal(numbers[place])).collect()
    })
}

/// Reads the numbers at the places `chosen` with these places; of other series nothing is decoded.
fn take_chosen(cursor: &mut Cursor<'_>, codes: &[u32], chosen: &RowSet) -> Decoded<Vec<(u32, Restored)>> {
    let n_series = codes.iter().max().map_or(0, |largest| *largest as usize + 1);
    let scales = take_scales(cursor, n_series)?;
    let mut lengths = vec![0u32; n_series];
    codes.iter().for_each(|code| lengths[*code as usize] += 1);
    let mut places: Vec<Option<Vec<u32>>> = vec![None; n_series];
    chosen.iter().for_each(|place| {
        places[codes[place] as usize].get_or_insert_with(Vec::new);
    });
    for (place, code) in codes.iter().enumerate() {
        if let Some(places) = &mut places[*code as usize] {
            places.push(place as u32);
        }
    }
    let is_scaled = |code: usize| scales[code] != i64::from(BITS);
    let rest_of = |code: usize| lengths[code].saturating_sub(1) as usize;
    let n_differences: usize = (0..n_series).filter(|code| is_scaled(*code)).map(rest_of).sum();
    let n_firsts = lengths.iter().filter(|length| **length > 0).count();
    let (mut of_differences, mut of_others) =
        (RowSet::none(n_differences), RowSet::none(codes.len() - n_firsts - n_differences));
    let (mut n_scaled, mut n_bits) = (0, 0);
    for (code, places) in places.iter().enumerate() {
        let (set, at) =
            if is_scaled(code) { (&mut of_differences, &mut n_scaled) } else { (&mut of_others, &mut n_bits) };
        if places.is_some() {
            (*at..*at + rest_of(code)).for_each(|place| set.insert(place));
        }
        *at += rest_of(code);
    }
    let mut firsts = cursor.integers(n_firsts)?.into_iter();
    let mut differences = cursor.integers_at(n_differences, &of_differences)?.into_iter();
    let mut others = cursor.integers_at(of_others.n_rows(), &of_others)?.into_iter();
    let mut numbers = Vec::with_capacity(chosen.count());
    for code in (0..n_series).filter(|code| lengths[*code] > 0) {
        let Some(first) = firsts.next() else { return Err(Damage("numbers end too early")) };
        let Some(places) = &places[code] else { continue };
        let rest = if is_scaled(code) { &mut differences } else { &mut others };
        let mut series = SeriesValues { last: first, scale: scales[code] as u8 };
        for (at, place) in places.iter().enumerate() {
            if at > 0 {
                series.step(rest.next().ok_or(Damage("numbers end too early"))?);
            }
            if chosen.contains(*place as usize) {
                numbers.push((*place, series.number()));
            }
        }
    }
    Ok(numbers)
}

/// A series while it is read.
struct SeriesValues {
    last: i64,
    scale: u8,
}

impl SeriesValues {
    /// Takes the next value, as it is stored.
    fn step(&mut self, stored: i64) {
        self.last = if self.scale == BITS { self.last ^ stored } else { self.last.wrapping_add(unzigzag(stored)) };
    }

    fn number(&self) -> Restored {
        if self.scale == BITS { Restored::Bits(self.last) } else { Restored::Scaled(self.last, self.scale) }
    }
}

pub(super) fn take_scales(cursor: &mut Cursor<'_>, n_series: usize) -> Decoded<Vec<i64>> {
    let scales = cursor.integers(n_series)?;
    let is_known = scales.iter().all(|scale| (0..=i64::from(BITS)).contains(scale));
    if is_known { Ok(scales) } else { Err(Damage("a scale is out of range")) }
}

/// Returns the bits of a number as a decimal.
pub(super) fn decimal_bits(number: Restored) -> i64 {
    match number {
        Restored::Scaled(value, 0) => (value as f64).to_bits() as i64,
        Restored::Scaled(value, scale) => (value as f64 / POWERS[usize::from(scale)]).to_bits() as i64,
        Restored::Bits(bits) => bits,
    }
}

/// A number that was stored.
#[derive(Clone, Copy)]
pub(super) enum Restored {
    Scaled(i64, u8),
    Bits(i64),
}

impl Restored {
    pub(super) fn bits(self) -> i64 {
        match self {
            Self::Scaled(value, _) | Self::Bits(value) => value,
        }
    }
}

/// Reads the numbers that [`put_numbers`] wrote, in the order of their rows.
pub(super) fn take_numbers(cursor: &mut Cursor<'_>, codes: &[u32]) -> Decoded<Vec<Restored>> {
    let n_series = codes.iter().max().map_or(0, |largest| *largest as usize + 1);
    let series = BySeries::new(codes, n_series);
    let scales = take_scales(cursor, n_series)?;
    let n_firsts = series.iter().filter(|places| !places.is_empty()).count();
    let with_scale = series.iter().zip(&scales).filter(|(_, scale)| **scale != i64::from(BITS));
    let n_differences: usize = with_scale.map(|(places, _)| places.len().saturating_sub(1)).sum();
    let mut firsts = cursor.integers(n_firsts)?.into_iter();
    let mut differences = cursor.integers(n_differences)?.into_iter();
    let mut others = cursor.integers(codes.len() - n_firsts - n_differences)?.into_iter();
    let mut numbers = vec![Restored::Bits(0); codes.len()];
    let early = || Damage("numbers end too early");
    for (places, scale) in series.iter().zip(&scales) {
        let Some((first, rest)) = places.split_first() else { continue };
        let mut values = SeriesValues { last: firsts.next().ok_or_else(early)?, scale: *scale as u8 };
        numbers[*first as usize] = values.number();
        let stored = if *scale == i64::from(BITS) { &mut others } else { &mut differences };
        for place in rest {
            values.step(stored.next().ok_or_else(early)?);
            numbers[*place as usize] = values.number();
        }
    }
    Ok(numbers)
}
