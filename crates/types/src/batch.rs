//! Events of one group in columns: what a sender's request becomes, and what hot events are.

use std::sync::Arc;

use crate::series::{Series, SeriesOfRows};
use crate::{Column, Numbers, RowSet, Strings, Timestamp, Value};

/// Events of one group, column by column. All columns have the same number of rows.
///
/// Rows are in the order in which they were sent. System fields have columns of their own; `fields` holds
/// the sender's fields and the rare system fields (`@rest`, `@part`, …), sorted by name.
#[derive(Clone, Debug)]
pub struct Batch {
    /// `@timestamp` in nanoseconds since the epoch.
    pub timestamps: Numbers<i64>,
    /// Place in the order of acceptance; set when storage accepts the batch.
    pub sequences: Numbers<u64>,
    /// `@ingestionTime` in nanoseconds since the epoch; set when storage accepts the batch.
    pub ingestion_times: Numbers<i64>,
    /// `@message`; none where `series` says what they are.
    pub messages: Strings,
    /// `@level` as [`crate::Level::code`], 0 for none.
    pub levels: Numbers<u8>,
    /// `@logStream`: a dictionary of texts.
    pub streams: Column,
    /// Where all events are samples: their series by code of `streams`. Messages, and all fields that `fields` does not have, follow
    /// from them.
    pub series: Option<Arc<Vec<Arc<Series>>>>,
    /// Distinct origins that `origin_codes` point into.
    pub origins: Arc<Vec<Origin>>,
    /// Per row, which of `origins` it has.
    pub origin_codes: Numbers<u32>,
    /// The other fields, sorted by name.
    pub fields: Vec<(Arc<str>, Column)>,
}

/// Which keys of the sender gave the text and the time of an event.
///
/// Such a key is still a field under its own name, but is derived and not stored again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The key whose text is `@message`.
    pub text_key: Option<Arc<str>>,
    /// The key whose value is `@timestamp`, and how it was spelled.
    pub time_key: Option<(Arc<str>, TimeForm)>,
}

/// Spellings of a time from which the value can be given back exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeForm {
    /// `YYYY-MM-DDTHH:MM:SS[.fraction]Z` with this many fraction digits (0 to 9).
    Rfc3339 {
        /// Fraction digits.
        digits: u8,
    },
    /// A whole number that counts so many nanoseconds each since the epoch (1e9 seconds, 1e6 ms, 1e3 µs, 1 ns).
    Epoch {
        /// Nanoseconds of one unit.
        unit_ns: i64,
    },
}

impl TimeForm {
    /// The value that was sent.
    pub fn value(self, instant: Timestamp) -> Value {
        match self {
            Self::Rfc3339 { digits } => {
                let mut text = String::with_capacity(30);
                instant.write_rfc3339(digits, &mut text);
                Value::text(text)
            }
            Self::Epoch { unit_ns } => Value::Integer(instant.0.div_euclid(unit_ns.max(1))),
        }
    }
}

impl Batch {
    /// How many events the batch has.
    pub fn len(&self) -> usize {
        self.timestamps.len()
    }

    /// Tells whether there is none.
    pub fn is_empty(&self) -> bool {
        self.timestamps.is_empty()
    }

    /// Reports whether the field in the middle of one of two batches is in the other, as where they have most in common.
    pub fn is_alike(&self, other: &Self) -> bool {
        let sample = self.fields.get(self.fields.len() / 2);
        sample.is_none_or(|(name, _)| other.fields.binary_search_by(|(known, _)| known.cmp(name)).is_ok())
    }

    /// The stored column of a field, without values derived from the message or the time.
    pub fn stored(&self, name: &str) -> Option<&Column> {
        self.fields.binary_search_by(|(known, _)| (**known).cmp(name)).ok().map(|index| &self.fields[index].1)
    }

    /// The series of samples; `None` where events are not known to be samples.
    pub(crate) fn series_of_rows(&self) -> Option<SeriesOfRows<'_>> {
        match (&self.series, &self.streams) {
            (Some(series), Column::Dictionary { codes, .. }) => Some(SeriesOfRows { series, codes }),
            _ => None,
        }
    }

    /// The same events with messages, and with a column for each field.
    pub fn spelled_out(&self) -> Self {
        let mut batch = Self { series: None, ..self.clone() };
        if let Some(rows) = self.series_of_rows() {
            batch.messages = rows.messages(rows.codes.iter().copied());
            batch.fields.extend(rows.columns());
            batch.fields.sort_by(|a, b| a.0.cmp(&b.0));
            batch.fields.dedup_by(|a, b| a.0 == b.0);
        }
        batch
    }

    /// The values of a sender's field or rare system field, derived ones included.
    pub fn field(&self, name: &str) -> Column {
        if let (None, Some(rows)) = (self.stored(name), self.series_of_rows()) {
            return rows.column(name, rows.codes);
        }
        let stored = self.stored(name).cloned().unwrap_or(Column::Missing { n_rows: self.len() });
        let source = Derivation {
            origins: &self.origins,
            codes: &self.origin_codes.to_slice(),
            messages: &self.messages,
            timestamps: &self.timestamps.to_slice(),
        };
        source.overlay(name, stored)
    }

    /// Names of all fields that some event has, derived ones included, sorted.
    pub fn field_names(&self) -> Vec<Arc<str>> {
        let mut names: Vec<Arc<str>> = self.fields.iter().map(|(name, _)| name.clone()).collect();
        for origin in self.origins.iter() {
            names.extend(origin.text_key.clone());
            names.extend(origin.time_key.as_ref().map(|(name, _)| name.clone()));
        }
        names.extend(self.series_of_rows().map(|rows| rows.names()).unwrap_or_default());
        names.sort();
        names.dedup();
        names
    }

    /// Row numbers in order of time, equal times in order of acceptance.
    pub fn time_order(&self) -> Vec<u32> {
        let mut order: Vec<u32> = (0..self.len() as u32).collect();
        if !self.timestamps.is_sorted() {
            order.sort_by_key(|row| (self.timestamps.get(*row as usize), self.sequences.get(*row as usize)));
        }
        order
    }

    /// The events that did not happen before `oldest`.
    pub fn since(self, oldest: Timestamp) -> Self {
        let is_kept = |row: &u32| self.timestamps.get(*row as usize) >= oldest.0;
        let kept: Vec<(u32, u32)> = (0..self.len() as u32).filter(is_kept).map(|row| (0, row)).collect();
        if kept.len() == self.len() { self } else { Self::gather(&[&self], &kept) }
    }

    /// Bytes held in memory, roughly.
    pub fn memory_bytes(&self) -> usize {
        let numbers = self.sequences.memory_bytes() + self.ingestion_times.memory_bytes() + self.levels.memory_bytes();
        let rows = self.timestamps.memory_bytes() + numbers + self.origin_codes.memory_bytes();
        let fields: usize = self.fields.iter().map(|(name, column)| name.len() + 64 + column.memory_bytes()).sum();
        rows + self.messages.memory_bytes() + self.stream_bytes() + fields + 512
    }

    /// Returns the bytes of streams and series. A series that several batches share is divided among them, a cached series is not
    /// counted, and a shared list is counted once, by its first batch.
    fn stream_bytes(&self) -> usize {
        let (Some(series), Column::Dictionary { codes, .. }) = (&self.series, &self.streams) else {
            return self.streams.memory_bytes();
        };
        if Arc::strong_count(series) > 1 {
            return codes.capacity() * 4;
        }
        codes.capacity() * 4 + series.iter().map(|series| 40 + series.own_memory_bytes()).sum::<usize>()
    }
}

/// What fields derived from the message and the time are computed from. Segments use it as well as batches.
#[derive(Clone, Copy, Debug)]
pub struct Derivation<'a> {
    /// Distinct origins.
    pub origins: &'a [Origin],
    /// Per row, its origin.
    pub codes: &'a [u32],
    /// Per row, its text.
    pub messages: &'a Strings,
    /// Per row, its time.
    pub timestamps: &'a [i64],
}

impl Derivation<'_> {
    /// Puts derived values of the field `name` over the stored ones.
    pub fn overlay(&self, name: &str, stored: Column) -> Column {
        let is_text: Vec<bool> = self.origins.iter().map(|o| o.text_key.as_deref() == Some(name)).collect();
        let time_form: Vec<Option<TimeForm>> =
            self.origins.iter().map(|o| o.time_key.as_ref().filter(|(key, _)| **key == *name).map(|k| k.1)).collect();
        if !is_text.contains(&true) && time_form.iter().all(Option::is_none) {
            return stored;
        }
        let only_texts = matches!(stored, Column::Missing { .. }) && time_form.iter().all(Option::is_none);
        if only_texts {
            let rows = RowSet::of(self.codes.len(), |row| is_text[self.codes[row] as usize]);
            let present = (!rows.is_all()).then_some(rows);
            return Column::Strings { values: self.messages.clone(), present };
        }
        let value = |row: usize| {
            let origin = self.codes[row] as usize;
            if is_text[origin] {
                Some(Value::text(self.messages.get(row)))
            } else if let Some(form) = time_form[origin] {
                Some(form.value(Timestamp(self.timestamps[row])))
            } else {
                stored.value(row)
            }
        };
        Column::of_values((0..self.codes.len()).map(value).collect())
    }
}

#[cfg(test)]
mod tests;
