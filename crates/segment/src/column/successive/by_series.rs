//! Samples of chosen series, without decoding those of others.
//!
//! Numbers lie series by series, times and codes in order of time. What is between them, a directory, is made when a block is first
//! asked for series:
//!
//! ```text
//! u32 values, series with numbers, lists of times, differences, numbers kept as bits, scales, texts, series with histograms
//! lists + 1 × u32: where the times of each list begin
//! times of all lists, i64: ms since the epoch. Series of one sender share a list
//! series, in order of their codes × (u32 code, u32 list, u32 place of its second number among the differences or bits)
//! texts, in order of their places × (u32 code, i64 time)
//! series some of whose samples have no value but a histogram, in order × u32 code
//! ```

use std::collections::HashMap;
use std::iter;
use std::ops::Range;

use types::{RowSet, TakeSamples, Value, ensure};

use super::super::dictionary::{skip_values, take_values};
use super::super::scale::POWERS;
use super::numbers::{BITS, take_scales, unzigzag};
use super::{DECIMALS, VALUES, is_successive};
use crate::bytes::{Cursor, Damage, Decoded, Packed};

/// Of how many values one may be a text.
const VALUES_PER_TEXT_MIN: usize = 16;

/// The directory of a block whose samples have to be read otherwise.
pub(crate) const NONE: [u8; 1] = [0];

/// Numbers at the beginning of a directory.
const HEADER: usize = 8;

/// Numbers of a section, series by series, and the values between them that are texts.
struct Numbers<'s> {
    /// Places of the values that are no numbers.
    texts: Vec<usize>,
    /// Reads those values.
    of_texts: Cursor<'s>,
    /// Reads scales and numbers.
    cursor: Cursor<'s>,
}

impl<'s> Numbers<'s> {
    /// Reads what comes before the numbers of a section; `None` if the series are not told apart by column number `source`.
    fn begin(section: &'s [u8], source: usize, n_values: usize) -> Decoded<Option<Self>> {
        if !is_successive(section) {
            return Ok(None);
        }
        let mut cursor = Cursor::new(section);
        cursor.take(1)?;
        let is_of_source = cursor.varint()? == source as u64;
        let (tag, has_others) = (cursor.byte()?, cursor.byte()? == 1);
        if !is_of_source || !matches!((tag, has_others), (DECIMALS, false) | (VALUES, true)) {
            return Ok(None);
        }
        let (mut texts, mut of_texts) = (Vec::new(), cursor.clone());
        if has_others {
            let n_texts = cursor.varint()? as usize;
            ensure!(n_texts <= n_values, Damage("a count is out of range"));
            let mut last = -1i64;
            for gap in cursor.integers(n_texts)? {
                last = last.wrapping_add(gap);
                let place = usize::try_from(last).ok().filter(|place| gap > 0 && *place < n_values);
                texts.push(place.ok_or(Damage("a place is out of range"))?);
            }
            of_texts = cursor.clone();
            skip_values(&mut cursor, n_texts)?;
        }
        Ok(Some(Self { texts, of_texts, cursor }))
    }
}

/// Makes the directory of a block: `section` has values for the rows `present`, `codes` are those of the rows' streams in column
/// number `source`, `times` those of the rows in ms.
pub(crate) fn directory(
    section: &[u8],
    source: usize,
    present: &RowSet,
    (codes, times): (&[u32], &[i64]),
) -> Decoded<Vec<u8>> {
    let n_values = present.count();
    let Some(mut numbers) = Numbers::begin(section, source, n_values)? else { return Ok(NONE.into()) };
    let mut without: Vec<u32> = (0..codes.len()).filter(|row| !present.contains(*row)).map(|row| codes[row]).collect();
    without.sort_unstable();
    without.dedup();
    let n_texts = numbers.texts.len();
    if n_texts * VALUES_PER_TEXT_MIN > n_values {
        return Ok(NONE.into());
    }
    let (mut rows_of_texts, mut texts) = (Vec::with_capacity(n_texts), numbers.texts.iter().peekable());
    let (mut lists, mut list_of_code) = (TimeLists::default(), Vec::new());
    for (place, row) in present.iter().enumerate() {
        if texts.next_if(|text| **text == place).is_some() {
            rows_of_texts.push(row);
            continue;
        }
        let code = codes[row] as usize;
        if code >= list_of_code.len() {
            list_of_code.resize(code + 1, TimeLists::EMPTY);
        }
        list_of_code[code] = lists.longer(list_of_code[code], times[row]);
    }
    let n_codes = list_of_code.len();
    let scales = take_scales(&mut numbers.cursor, n_codes)?;
    let (mut entries, mut n_differences, mut n_bits) = (Vec::new(), 0u32, 0u32);
    let mut lists_used: Vec<u32> = Vec::new();
    let mut place_of_list: HashMap<u32, u32> = HashMap::new();
    for (code, list) in list_of_code.into_iter().enumerate().filter(|(_, list)| *list != TimeLists::EMPTY) {
        let place = *place_of_list.entry(list).or_insert_with(|| {
            lists_used.push(list);
            lists_used.len() as u32 - 1
        });
        let next = if scales[code] == i64::from(BITS) { &mut n_bits } else { &mut n_differences };
        entries.push([code as u32, place, *next]);
        *next += lists.len(list) - 1;
    }
    let n_series = entries.len();
    let lists: Vec<Vec<i64>> = lists_used.into_iter().map(|list| lists.times(list)).collect();
    let counts =
        [n_values, n_series, lists.len(), n_differences as usize, n_bits as usize, n_codes, n_texts, without.len()];
    let header: [u32; HEADER] = counts.map(|count| count as u32);
    let mut starts = vec![0u32];
    starts.extend(lists.iter().scan(0u32, |end, list| {
        *end += list.len() as u32;
        Some(*end)
    }));
    let n_times: usize = lists.iter().map(Vec::len).sum();
    let n_bytes = (HEADER + starts.len() + without.len()) * 4 + n_times * 8 + (n_series + n_texts) * 12;
    let mut out = Vec::with_capacity(n_bytes);
    header.iter().chain(&starts).for_each(|number| out.extend(number.to_le_bytes()));
    lists.iter().flatten().for_each(|time| out.extend(time.to_le_bytes()));
    entries.iter().flatten().for_each(|number| out.extend(number.to_le_bytes()));
    for row in rows_of_texts {
        out.extend(codes[row].to_le_bytes());
        out.extend(times[row].to_le_bytes());
    }
    without.iter().for_each(|code| out.extend(code.to_le_bytes()));
    Ok(out)
}

/// Lists of times that grow, of many series at once; those with the same times are the same list.
#[derive(Default)]
struct TimeLists {
    lists: Vec<TimeList>,
    /// Numbers of the lists that are others and one time more.
    longer: HashMap<(u32, i64), u32>,
    /// What was made last of the empty list.
    first: Option<(i64, u32)>,
}

/// Another list, and one time more.
struct TimeList {
    before: u32,
    last: i64,
    len: u32,
    /// The time that this list was made longer by last, and the number of the list that it became.
    next: Option<(i64, u32)>,
}

impl TimeLists {
    const EMPTY: u32 = u32::MAX;

    /// Returns the number of a list that is another and one time more.
    fn longer(&mut self, list: u32, time: i64) -> u32 {
        // Mostly what the series before did, which the same sender has sent.
        if let Some((_, known)) = self.next(list).filter(|(last, _)| *last == time) {
            return known;
        }
        let (n_lists, len) = (self.lists.len() as u32, self.len(list) + 1);
        let number = *self.longer.entry((list, time)).or_insert(n_lists);
        if number == n_lists {
            self.lists.push(TimeList { before: list, last: time, len, next: None });
        }
        *self.next(list) = Some((time, number));
        number
    }

    fn next(&mut self, list: u32) -> &mut Option<(i64, u32)> {
        match self.lists.get_mut(list as usize) {
            Some(list) => &mut list.next,
            None => &mut self.first,
        }
    }

    fn len(&self, list: u32) -> u32 {
        self.lists.get(list as usize).map_or(0, |list| list.len)
    }

    fn times(&self, list: u32) -> Vec<i64> {
        let with_those_before = |list: &&TimeList| self.lists.get(list.before as usize);
        let lists = iter::successors(self.lists.get(list as usize), with_those_before);
        let mut times: Vec<i64> = lists.map(|list| list.last).collect();
        times.reverse();
        times
    }
}

/// A directory as it is kept.
struct Directory<'d> {
    header: [u32; HEADER],
    starts: &'d [[u8; 4]],
    times: &'d [[u8; 8]],
    series: &'d [[u8; 12]],
    texts: &'d [[u8; 12]],
    with_histograms: &'d [[u8; 4]],
}

impl<'d> Directory<'d> {
    /// Opens what [`directory`] made; `None` if the samples have to be read otherwise.
    fn open(bytes: &'d [u8]) -> Decoded<Option<Self>> {
        if bytes == NONE {
            return Ok(None);
        }
        let mut cursor = Cursor::new(bytes);
        let mut header = [0; HEADER];
        for number in &mut header {
            *number = u32::from_le_bytes(cursor.array()?);
        }
        let [_, n_series, n_lists, _, _, _, n_texts, n_with_histograms] = header.map(|number| number as usize);
        let starts = cursor.take((n_lists + 1) * 4)?.as_chunks().0;
        let n_times = starts.last().map_or(0, |end| u32::from_le_bytes(*end)) as usize;
        let times = cursor.take(n_times * 8)?.as_chunks().0;
        let series = cursor.take(n_series * 12)?.as_chunks().0;
        let texts = cursor.take(n_texts * 12)?.as_chunks().0;
        let with_histograms = cursor.take(n_with_histograms * 4)?.as_chunks().0;
        Ok(Some(Self { header, starts, times, series, texts, with_histograms }))
    }

    fn start(&self, list: usize) -> Decoded<usize> {
        self.starts.get(list).map(|at| u32::from_le_bytes(*at) as usize).ok_or(Damage("a list is out of range"))
    }

    /// Reads the times of a list.
    fn times(&self, list: usize, times: &mut Vec<i64>) -> Decoded<()> {
        let of_list =
            self.times.get(self.start(list)?..self.start(list + 1)?).ok_or(Damage("a list is out of range"))?;
        times.clear();
        times.extend(of_list.iter().map(|time| i64::from_le_bytes(*time)));
        Ok(())
    }

    /// Returns the place of the first series from `from` on whose code is at least `code`: near where the one before was.
    fn place_of(&self, code: u32, from: usize) -> usize {
        // Where all streams of the run have samples, a code is its place.
        if self.series.get(code as usize).is_some_and(|entry| u32::from_le_bytes(part(entry, 0)) == code) {
            return code as usize;
        }
        from + types::n_before(&self.series[from..], |entry| u32::from_le_bytes(part(entry, 0)) < code)
    }
}

/// Returns some bytes of an entry.
fn part<const N: usize>(entry: &[u8; 12], from: usize) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.copy_from_slice(&entry[from..from + N]);
    bytes
}

/// Gives the samples of the series with codes `chosen`, which rise, to `taker`; `false` where they have to be read otherwise.
pub(crate) fn read(
    section: &[u8],
    source: usize,
    directory: &[u8],
    chosen: &[u32],
    taker: &mut dyn TakeSamples,
) -> Decoded<bool> {
    let Some(directory) = Directory::open(directory)? else { return Ok(false) };
    let has_histograms =
        |code: &u32| directory.with_histograms.binary_search_by_key(code, |known| u32::from_le_bytes(*known)).is_ok();
    if !directory.with_histograms.is_empty() && chosen.iter().any(has_histograms) {
        return Ok(false);
    }
    let [n_values, n_series, _, n_differences, n_bits, n_codes, n_texts, _] =
        directory.header.map(|number| number as usize);
    let Some(mut numbers) = Numbers::begin(section, source, n_values)? else { return Ok(false) };
    let scales = numbers.cursor.packed(n_codes)?;
    let firsts = numbers.cursor.packed(n_series)?;
    let differences = numbers.cursor.packed(n_differences)?;
    let bits = numbers.cursor.packed(n_bits)?;
    let mut reader = SeriesReader { scales, firsts, differences, bits, stored: Vec::new(), values: Vec::new() };
    let (mut times, mut list_read) = (Vec::new(), None);
    let mut at = 0;
    for (place, code) in chosen.iter().enumerate() {
        at = directory.place_of(*code, at);
        let Some(entry) = directory.series.get(at) else { break };
        if u32::from_le_bytes(part(entry, 0)) != *code {
            continue;
        }
        let list = u32::from_le_bytes(part(entry, 4)) as usize;
        if list_read != Some(list) {
            directory.times(list, &mut times)?;
            list_read = Some(list);
        }
        let rest_at = u32::from_le_bytes(part(entry, 8)) as usize;
        reader.read(*code, at, rest_at..rest_at + times.len().saturating_sub(1))?;
        taker.floats(place, &times, &reader.values);
    }
    if n_texts > 0 {
        let values = take_values(&mut numbers.of_texts, n_texts)?;
        for (entry, value) in directory.texts.iter().zip(values) {
            let (code, time) = (u32::from_le_bytes(part(entry, 0)), i64::from_le_bytes(part(entry, 4)));
            let Ok(place) = chosen.binary_search(&code) else { continue };
            match value {
                Some(Value::String(text)) => taker.text(place, time, &text),
                Some(Value::Integer(number)) => taker.floats(place, &[time], &[number as f64]),
                _ => {}
            }
        }
    }
    Ok(true)
}

/// Reads the numbers of one series after another.
struct SeriesReader<'s> {
    scales: Packed<'s>,
    firsts: Packed<'s>,
    differences: Packed<'s>,
    bits: Packed<'s>,
    /// As they are stored.
    stored: Vec<i64>,
    values: Vec<f64>,
}

impl SeriesReader<'_> {
    /// Reads the numbers of the series of a code, which is at place `at` among those with numbers; those after the first are `rest`.
    fn read(&mut self, code: u32, at: usize, rest: Range<usize>) -> Decoded<()> {
        let scale = self.scales.get(code as usize)?;
        let scale = u8::try_from(scale).ok().filter(|scale| *scale <= BITS).ok_or(Damage("a scale is out of range"))?;
        let first = self.firsts.get(at)?;
        self.stored.clear();
        if scale == BITS { self.bits } else { self.differences }.read(rest, &mut self.stored)?;
        self.values.clear();
        if scale == BITS {
            let mut last = first;
            self.values.push(f64::from_bits(last as u64));
            self.values.extend(self.stored.iter().map(|stored| {
                last ^= stored;
                f64::from_bits(last as u64)
            }));
            return Ok(());
        }
        let (power, mut last) = (POWERS[usize::from(scale)], first);
        self.values.push(last as f64 / power);
        self.values.extend(self.stored.iter().map(|stored| {
            last = last.wrapping_add(unzigzag(*stored));
            last as f64 / power
        }));
        Ok(())
    }
}
