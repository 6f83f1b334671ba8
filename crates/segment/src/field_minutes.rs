//! Counts by minute of the values of fields that have few: what is asked most often is counted when it is written.
//!
//! A section for each such field of a run: varint values, the values as in a dictionary (with a byte before them: 1
//! where some events have none, which is the last value), varint minutes, their zigzag differences, and for each value
//! the varint count of every minute. The section of the counts by minute and level ends with varint fields and, for
//! each, varint column and varint section; it says nothing of them in segments that were written before.
//!
//! They take at most a small share of the run: fields with the fewest values come first.

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use types::{Column, FieldMinutes, MISSING_CODE, RowSet, Timestamp, Value, ensure};

use crate::bytes::{Cursor, Damage, Decoded, put_varint, put_zigzag};
use crate::column::{put_values, take_values};

/// Most values of a field that is counted.
const VALUES_MAX: usize = 250;

/// Events for each count of all fields together: about 0.1 bytes per event.
const EVENTS_PER_COUNT_MIN: usize = 6;

/// Fields of a run up to which they are counted: looking at each row for each field would cost more than all else.
const FIELDS_MAX: usize = 2048;

/// The number of what has no value.
const MISSING: u8 = VALUES_MAX as u8;

/// Rows of a minute from which on a table of their own is worth making.
const TALLY_ROWS_MIN: usize = 64;

/// The counts of one field while a run is written.
#[derive(Default)]
pub(crate) struct FieldCounter {
    /// The most counts that are worth keeping; 0 where there are more, too many values, or values of other kinds than
    /// texts, whole numbers and booleans.
    n_counts_max: usize,
    values: Vec<Value>,
    numbers: HashMap<Key, u8, RandomState>,
    minutes: Vec<i64>,
    /// Per minute, the counts of the values known by then; those without value are apart.
    counts: Vec<Vec<u32>>,
    missing: Vec<u32>,
}

/// How many rows have each number. Two in turn: where equal values follow each other, one would wait for the other.
type Tally = [[u32; 256]; 2];

/// A value by which events are counted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Text(std::sync::Arc<str>),
    Integer(i64),
    Boolean(bool),
}

impl Key {
    fn of(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => Some(Self::Text(text.clone())),
            Value::Integer(number) => Some(Self::Integer(*number)),
            Value::Boolean(is_true) => Some(Self::Boolean(*is_true)),
            _ => None,
        }
    }
}

impl FieldCounter {
    /// Returns no counts, of a run of `n_rows` events.
    pub(crate) fn new(n_rows: usize) -> Self {
        Self { n_counts_max: n_rows / EVENTS_PER_COUNT_MIN, ..Self::default() }
    }

    /// Counts the rows of a block; `minutes` are those of its rows, in order, each with how many rows it has.
    pub(crate) fn add(&mut self, minutes: &[(i64, usize)], column: &Column, present: &RowSet) {
        let numbers = if self.n_counts_max == 0 { None } else { self.numbers_of(column, present) };
        let n_minutes = self.minutes.len() + minutes.len();
        let Some(numbers) = numbers.filter(|_| (self.values.len() + 1) * n_minutes <= self.n_counts_max) else {
            *self = Self::default();
            return;
        };
        let mut rest = &numbers[..];
        for (minute, n_rows) in minutes {
            let (numbers, others) = rest.split_at(*n_rows);
            rest = others;
            self.count(*minute, numbers);
        }
    }

    fn count(&mut self, minute: i64, numbers: &[u8]) {
        if self.minutes.last() != Some(&minute) {
            self.minutes.push(minute);
            self.counts.push(Vec::new());
            self.missing.push(0);
        }
        let (Some(counts), Some(missing)) = (self.counts.last_mut(), self.missing.last_mut()) else { return };
        counts.resize(self.values.len(), 0);
        if numbers.len() < TALLY_ROWS_MIN {
            numbers.iter().for_each(|number| *counts.get_mut(usize::from(*number)).unwrap_or(missing) += 1);
            return;
        }
        let mut tally: Tally = [[0; 256]; 2];
        let mut pairs = numbers.chunks_exact(2);
        for pair in &mut pairs {
            tally[0][usize::from(pair[0])] += 1;
            tally[1][usize::from(pair[1])] += 1;
        }
        pairs.remainder().iter().for_each(|number| tally[0][usize::from(*number)] += 1);
        let [first, second] = &tally;
        counts.iter_mut().zip(first).zip(second).for_each(|((count, a), b)| *count += a + b);
        *missing += first[usize::from(MISSING)] + second[usize::from(MISSING)];
    }

    /// Returns the number of each row's value, [`MISSING`] for none; `None` where the field cannot be counted.
    fn numbers_of(&mut self, column: &Column, present: &RowSet) -> Option<Vec<u8>> {
        let n_rows = column.n_rows();
        match column {
            Column::Missing { .. } => Some(vec![MISSING; n_rows]),
            Column::Dictionary { codes, values } => {
                let mut known: Vec<Option<u8>> = vec![None; values.len()];
                let mut numbers = Vec::with_capacity(n_rows);
                for code in codes {
                    let Some(known) = known.get_mut(*code as usize).filter(|_| *code != MISSING_CODE) else {
                        numbers.push(MISSING);
                        continue;
                    };
                    let number = match *known {
                        Some(number) => number,
                        None => self.number(&values[*code as usize])?,
                    };
                    *known = Some(number);
                    numbers.push(number);
                }
                Some(numbers)
            }
            Column::Integers { values, .. } => {
                let mut numbers = Vec::with_capacity(n_rows);
                let mut last: Option<(i64, u8)> = None;
                for (row, value) in values.iter().enumerate() {
                    if !present.contains(row) {
                        numbers.push(MISSING);
                        continue;
                    }
                    let number = match last {
                        Some((known, number)) if known == *value => number,
                        _ => self.number(&Value::Integer(*value))?,
                    };
                    last = Some((*value, number));
                    numbers.push(number);
                }
                Some(numbers)
            }
            _ => None,
        }
    }

    fn number(&mut self, value: &Value) -> Option<u8> {
        let key = Key::of(value)?;
        if let Some(number) = self.numbers.get(&key) {
            return Some(*number);
        }
        let number = u8::try_from(self.values.len()).ok().filter(|number| *number < MISSING)?;
        self.values.push(value.clone());
        self.numbers.insert(key, number);
        Some(number)
    }

    /// Returns how many counts its section has; `None` where there is nothing to be kept.
    fn n_counts(&self) -> Option<usize> {
        (self.n_counts_max > 0 && !self.values.is_empty()).then(|| (self.values.len() + 1) * self.minutes.len())
    }

    /// Returns its section.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let has_missing = self.missing.iter().any(|count| *count > 0);
        put_varint(&mut out, self.values.len() as u64);
        out.push(u8::from(has_missing));
        put_values(&mut out, &self.values.iter().map(Some).collect::<Vec<_>>());
        put_varint(&mut out, self.minutes.len() as u64);
        let mut last = 0;
        for minute in &self.minutes {
            put_zigzag(&mut out, minute - last);
            last = *minute;
        }
        for number in 0..self.values.len() {
            let of_minute = |counts: &Vec<u32>| u64::from(counts.get(number).copied().unwrap_or(0));
            self.counts.iter().for_each(|counts| put_varint(&mut out, of_minute(counts)));
        }
        if has_missing {
            self.missing.iter().for_each(|count| put_varint(&mut out, u64::from(*count)));
        }
        out
    }
}

/// Returns how many of the rows of a run with so many fields are counted: all or none.
pub(crate) fn n_counted(n_rows: usize, n_fields: usize) -> usize {
    if n_fields <= FIELDS_MAX { n_rows } else { 0 }
}

/// Returns the minutes of times in order, each with how many times it has.
pub(crate) fn minutes_of(timestamps: &[i64]) -> Vec<(i64, usize)> {
    let minute = |time: &i64| time.div_euclid(Timestamp::MINUTE);
    timestamps.chunk_by(|a, b| minute(a) == minute(b)).map(|times| (minute(&times[0]), times.len())).collect()
}

/// Returns the numbers of the fields whose counts are kept for a run of `n_rows` events.
pub(crate) fn worth_keeping<'c>(counters: impl Iterator<Item = &'c FieldCounter>, n_rows: usize) -> Vec<usize> {
    let counted = counters.enumerate().filter_map(|(field, counter)| Some((counter.n_counts()?, field)));
    let mut by_size: Vec<(usize, usize)> = counted.collect();
    by_size.sort_unstable();
    let mut left = n_rows / EVENTS_PER_COUNT_MIN;
    let fits = |(n_counts, _): &(usize, usize)| {
        let rest = left.checked_sub(*n_counts);
        left = rest.unwrap_or(left);
        rest.is_some()
    };
    let mut kept: Vec<usize> = by_size.into_iter().take_while(fits).map(|(_, field)| field).collect();
    kept.sort_unstable();
    kept
}

/// Reads what [`FieldCounter::encode`] wrote.
pub(crate) fn decode(bytes: &[u8]) -> Decoded<FieldMinutes> {
    let mut cursor = Cursor::new(bytes);
    let n_values = cursor.varint()? as usize;
    ensure!(n_values <= VALUES_MAX, Damage("a field has too many values to be counted"));
    let has_missing = cursor.byte()? == 1;
    let mut values = take_values(&mut cursor, n_values)?;
    values.extend(has_missing.then_some(None));
    let n_minutes = cursor.count(1 + values.len())?;
    let mut last = 0i64;
    let mut minutes = Vec::with_capacity(n_minutes);
    for _ in 0..n_minutes {
        last = last.wrapping_add(cursor.zigzag()?);
        minutes.push(last);
    }
    let count =
        |cursor: &mut Cursor<'_>| u32::try_from(cursor.varint()?).map_err(|_| Damage("a count is out of range"));
    let of_value = |_: &Option<Value>| (0..n_minutes).map(|_| count(&mut cursor)).collect::<Decoded<Vec<u32>>>();
    let counts = values.iter().map(of_value).collect::<Decoded<_>>()?;
    Ok(FieldMinutes { minutes, values, counts })
}
