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
use types::{Column, FieldMinutes, MISSING_CODE, RowSet, Timestamp, Value};

use crate::bytes::{Cursor, Damage, Decoded, put_varint, put_zigzag};
use crate::column::{put_values, take_values};

/// Most values of a field that is counted.
const VALUES_MAX: usize = 64;

/// Events for each count of all fields together: about 0.1 bytes per event.
const EVENTS_PER_COUNT_MIN: usize = 6;

/// No value.
const UNSEEN: u32 = u32::MAX;

/// The counts of one field while a run is written.
#[derive(Default)]
pub(crate) struct FieldCounter {
    /// Set where there are too many values, or values of other kinds than texts, numbers and booleans.
    is_given_up: bool,
    values: Vec<Value>,
    numbers: HashMap<Key, u32, RandomState>,
    minutes: Vec<i64>,
    /// Per minute, the counts of the values known by then; those without value are apart.
    counts: Vec<Vec<u32>>,
    missing: Vec<u32>,
}

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
    /// Counts the rows of a block, which are in order of time.
    pub(crate) fn add(&mut self, timestamps: &[i64], column: &Column, present: &RowSet) {
        if self.is_given_up {
            return;
        }
        let Some(numbers) = self.numbers_of(column, present) else {
            *self = Self { is_given_up: true, ..Self::default() };
            return;
        };
        let minute = |time: &i64| time.div_euclid(Timestamp::MINUTE);
        let mut row = 0;
        for times in timestamps.chunk_by(|a, b| minute(a) == minute(b)) {
            let at = minute(&times[0]);
            if self.minutes.last() != Some(&at) {
                self.minutes.push(at);
                self.counts.push(Vec::new());
                self.missing.push(0);
            }
            let (Some(counts), Some(missing)) = (self.counts.last_mut(), self.missing.last_mut()) else { return };
            counts.resize(self.values.len(), 0);
            for number in &numbers[row..row + times.len()] {
                match counts.get_mut(*number as usize) {
                    Some(count) => *count += 1,
                    None => *missing += 1,
                }
            }
            row += times.len();
        }
    }

    /// Returns the number of each row's value, [`UNSEEN`] for none; `None` where the field cannot be counted.
    fn numbers_of(&mut self, column: &Column, present: &RowSet) -> Option<Vec<u32>> {
        let n_rows = column.n_rows();
        match column {
            Column::Missing { .. } => Some(vec![UNSEEN; n_rows]),
            Column::Dictionary { codes, values } => {
                let mut known = vec![UNSEEN; values.len()];
                let mut numbers = Vec::with_capacity(n_rows);
                for code in codes {
                    let Some(number) = known.get_mut(*code as usize).filter(|_| *code != MISSING_CODE) else {
                        numbers.push(UNSEEN);
                        continue;
                    };
                    if *number == UNSEEN {
                        *number = self.number(&values[*code as usize])?;
                    }
                    numbers.push(*number);
                }
                Some(numbers)
            }
            Column::Integers { values, .. } => {
                let mut numbers = Vec::with_capacity(n_rows);
                let mut last: Option<(i64, u32)> = None;
                for (row, value) in values.iter().enumerate() {
                    if !present.contains(row) {
                        numbers.push(UNSEEN);
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

    fn number(&mut self, value: &Value) -> Option<u32> {
        let key = Key::of(value)?;
        if let Some(number) = self.numbers.get(&key) {
            return Some(*number);
        }
        if self.values.len() == VALUES_MAX {
            return None;
        }
        self.values.push(value.clone());
        self.numbers.insert(key, self.values.len() as u32 - 1);
        Some(self.values.len() as u32 - 1)
    }

    /// Returns how many counts its section has; `None` where there is nothing to be kept.
    fn n_counts(&self) -> Option<usize> {
        (!self.is_given_up && !self.values.is_empty()).then(|| (self.values.len() + 1) * self.minutes.len())
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
    if n_values > VALUES_MAX {
        return Err(Damage("a field has too many values to be counted"));
    }
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
