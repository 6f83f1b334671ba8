//! A batch as bytes of a WAL record, and back, exactly.
//!
//! ```text
//! u32 length of the plain form │ lz4 block of the plain form
//! plain form:
//!   varint     n: rows                       integers   times
//!   u8         0: sequences count from 0     integers   sequences, where that byte is 1
//!   n × u8     level codes                   texts      messages
//!   column     streams                       origins    see below
//!   integers   origin codes                  varint     fields, then for each: text name, column
//! texts:    integers lengths, then the bytes one after the other
//! origins:  varint count, then each: u8 bits (1 text key, 2 RFC 3339 time, 4 epoch time),
//!           text of each key, after the time key u8 digits or zigzag nanoseconds
//! column:   u8 kind, then
//!   0 missing    nothing
//!   1 timestamps integers
//!   2 integers   presence, integers
//!   3 floats     presence, presence of whole numbers, 8 bytes each
//!   4 strings    presence, texts
//!   5 dictionary varint count, values, presence, integers (codes)
//!   6 mixed      presence, values
//!   7 series     as 5, of streams alone: texts of labels. The events are samples (`types::Series`): their messages, written as
//!                empty texts, and the fields that are not written follow from the streams; in files of format 3
//!   8 series     the same: streams (`batch_codec/series.rs`), integers (codes, of all rows); since format 4
//!   of which only rows that have a value are written
//! presence: u8 0: all rows │ 1: ⌈n/8⌉ bytes of bits │ 2: varint count, integers (rows) │ 3: no row
//! value:    a tagged value (`types::codec`)
//! ```
//!
//! `varint`, `zigzag`, `text` and `integers` are those of `types::codec`. Times of ingestion are not
//! written: they are one number of the record. Sequences count from the record's.
//!
//! Decoding takes any bytes: it answers with what is wrong and never holds more than a batch that may be
//! encoded holds ([`CELLS_MAX`]).

mod series;

use std::sync::Arc;

use segment::bytes::{Cursor, Damage, Decoded, put_codes, put_integers, put_text, put_varint, put_zigzag};
use segment::tagged::{NESTING_MAX, is_too_deep};
use types::{
    Batch, Column, MISSING_CODE, Numbers, Origin, RowSet, Series, Strings, TimeForm, Timestamp, Value, ensure,
};

use self::series::{KnownStreams, take_streams};
use crate::Buffers;

/// Most rows times columns of one batch: a column in memory has a place for every row, so this bounds what a
/// few bytes can become. A body of 64 MiB in which fields repeat at all stays far below.
pub(crate) const CELLS_MAX: usize = 1 << 27;

/// The kinds of the column of streams that are series: with whole texts, which is only read, and with what differs.
const SERIES_TEXTS: u8 = 7;
const SERIES: u8 = 8;

/// Columns that every batch has besides its fields.
const SYSTEM_COLUMNS: usize = 6;

/// Longest plain form: four bodies of the largest size that is taken.
const PLAIN_BYTES_MAX: usize = 256 << 20;

/// Encodes batches.
#[derive(Debug, Default)]
pub(crate) struct Encoder {
    /// For the plain form.
    buffers: Buffers,
    streams: KnownStreams,
}

impl Encoder {
    /// Encodes a batch; the error is why it is too large.
    pub(crate) fn encode(&self, batch: &Batch) -> Result<Vec<u8>, String> {
        let mut plain = self.buffers.take(batch.messages.text().len() + batch.len() * 32 + 256);
        let written = put_batch(&mut plain, batch, &self.streams);
        let packed = written.map(|()| lz4_flex::block::compress_prepend_size(&plain));
        self.buffers.give(plain);
        packed
    }
}

/// Reports whether a batch is written by its series, which servers of earlier versions cannot read.
pub(crate) fn is_of_series(batch: &Batch) -> bool {
    batch.series.as_ref().is_some_and(|series| series.iter().all(|series| series.is_of_labels()))
}

fn put_batch(out: &mut Vec<u8>, batch: &Batch, streams: &KnownStreams) -> Result<(), String> {
    if batch.series.is_some() && !is_of_series(batch) {
        return put_batch(out, &batch.spelled_out(), streams);
    }
    let n_rows = batch.len();
    let cells = n_rows.saturating_mul(batch.fields.len() + SYSTEM_COLUMNS);
    if cells > CELLS_MAX {
        return Err(format!("{n_rows} events with {} fields make more than {CELLS_MAX} values", batch.fields.len()));
    }
    put_varint(out, n_rows as u64);
    put_integers(out, &batch.timestamps.to_slice());
    let in_order = batch.sequences.iter().enumerate().all(|(row, sequence)| sequence == row as u64);
    out.push(u8::from(!in_order));
    if !in_order {
        put_integers(out, &batch.sequences.iter().map(|sequence| sequence as i64).collect::<Vec<_>>());
    }
    out.extend_from_slice(&batch.levels.to_slice());
    if let (Some(series), Column::Dictionary { codes, .. }) = (&batch.series, &batch.streams) {
        // As many lengths that are all 0.
        put_codes(out, &[]);
        out.push(SERIES);
        let n_bytes = streams.put(out, series);
        ensure!(n_bytes <= PLAIN_BYTES_MAX, format!("its labels have {n_bytes} bytes; the limit is {PLAIN_BYTES_MAX}"));
        put_codes(out, codes);
    } else {
        put_texts(out, &batch.messages);
        put_column(out, &batch.streams)?;
    }
    put_origins(out, &batch.origins);
    put_codes(out, &batch.origin_codes.to_slice());
    put_varint(out, batch.fields.len() as u64);
    for (name, column) in &batch.fields {
        put_text(out, name);
        put_column(out, column)?;
    }
    ensure!(out.len() <= PLAIN_BYTES_MAX, format!("it has {} bytes; the limit is {PLAIN_BYTES_MAX}", out.len()));
    Ok(())
}

fn put_texts(out: &mut Vec<u8>, texts: &Strings) {
    let mut last = 0;
    let lengths: Vec<u32> = texts.ends().iter().map(|end| end - std::mem::replace(&mut last, *end)).collect();
    put_codes(out, &lengths);
    out.extend_from_slice(texts.text().as_bytes());
}

fn put_origins(out: &mut Vec<u8>, origins: &[Origin]) {
    put_varint(out, origins.len() as u64);
    for origin in origins {
        let time_bit = match origin.time_key {
            None => 0,
            Some((_, TimeForm::Rfc3339 { .. })) => 2,
            Some((_, TimeForm::Epoch { .. })) => 4,
        };
        out.push(u8::from(origin.text_key.is_some()) | time_bit);
        if let Some(key) = &origin.text_key {
            put_text(out, key);
        }
        if let Some((key, form)) = &origin.time_key {
            put_text(out, key);
            match form {
                TimeForm::Rfc3339 { digits } => out.push(*digits),
                TimeForm::Epoch { unit_ns } => put_zigzag(out, *unit_ns),
            }
        }
    }
}

/// Writes which rows are present; `None` is all of them.
fn put_presence(out: &mut Vec<u8>, present: Option<&RowSet>, n_rows: usize) {
    let Some(present) = present.filter(|present| !present.is_all()) else { return out.push(0) };
    let count = present.count();
    match count {
        0 => out.push(3),
        _ if count < n_rows / 32 => {
            out.push(2);
            put_varint(out, count as u64);
            put_integers(out, &present.iter().map(|row| row as i64).collect::<Vec<_>>());
        }
        _ => {
            out.push(1);
            let bytes = present.words().iter().flat_map(|word| word.to_le_bytes());
            out.extend(bytes.take(n_rows.div_ceil(8)));
        }
    }
}

fn put_column(out: &mut Vec<u8>, column: &Column) -> Result<(), String> {
    let n_rows = column.n_rows();
    let rows = |present: &Option<RowSet>| present.clone().unwrap_or_else(|| RowSet::all(n_rows));
    match column {
        Column::Missing { .. } => out.push(0),
        Column::Timestamps(values) => {
            out.push(1);
            put_integers(out, values);
        }
        Column::Integers { values, present } => {
            out.push(2);
            put_presence(out, present.as_ref(), n_rows);
            match present {
                None => put_integers(out, values),
                Some(rows) => put_integers(out, &rows.iter().map(|row| values[row]).collect::<Vec<_>>()),
            }
        }
        Column::Floats { values, present, integers } => {
            out.push(3);
            put_presence(out, present.as_ref(), n_rows);
            let none = RowSet::none(n_rows);
            put_presence(out, Some(integers.as_ref().unwrap_or(&none)), n_rows);
            out.reserve(values.len() * 8);
            rows(present).iter().for_each(|row| out.extend_from_slice(&values[row].to_le_bytes()));
        }
        Column::Strings { values, present } => {
            out.push(4);
            put_presence(out, present.as_ref(), n_rows);
            match present {
                None => put_texts(out, values),
                Some(rows) => put_texts(out, &values.gather(rows.iter())),
            }
        }
        Column::Dictionary { codes, values } => {
            out.push(5);
            put_varint(out, values.len() as u64);
            values.iter().try_for_each(|value| put_value(out, value))?;
            let present = column.presence();
            put_presence(out, Some(&present), n_rows);
            if present.is_all() {
                put_codes(out, codes);
            } else {
                put_codes(out, &present.iter().map(|row| codes[row]).collect::<Vec<_>>());
            }
        }
        Column::Mixed(values) => {
            out.push(6);
            put_presence(out, Some(&column.presence()), n_rows);
            values.iter().flatten().try_for_each(|value| put_value(out, value))?;
        }
    }
    Ok(())
}

fn put_value(out: &mut Vec<u8>, value: &Value) -> Result<(), String> {
    ensure!(!is_too_deep(value), format!("a value is nested deeper than {NESTING_MAX} levels"));
    types::codec::put_value(Some(value), out);
    Ok(())
}

/// Decodes what an [`Encoder`] made. Sequences count from `first_sequence`.
pub(crate) fn decode(bytes: &[u8], first_sequence: u64, ingestion_time: Timestamp) -> Decoded<Batch> {
    let plain = decompress(bytes)?;
    let mut cursor = Cursor::new(&plain);
    // A level takes a byte a row, so a count of rows that is out of proportion is seen here.
    let n_rows = cursor.count(1)?;
    ensure!(n_rows.saturating_mul(SYSTEM_COLUMNS) <= CELLS_MAX, Damage("a count is out of range"));
    let timestamps = cursor.integers(n_rows)?;
    let sequences = match cursor.byte()? {
        0 => (0..n_rows as u64).collect(),
        _ => cursor.integers(n_rows)?.into_iter().map(|sequence| sequence as u64).collect::<Vec<_>>(),
    };
    let sequences: Option<Vec<u64>> = sequences.into_iter().map(|s| first_sequence.checked_add(s)).collect();
    let levels = cursor.take(n_rows)?.to_vec();
    let mut messages = texts(&mut cursor, n_rows)?;
    let kind = cursor.rest().first().copied();
    let (streams, series) = if kind == Some(SERIES) {
        let (streams, series) = series(&mut cursor, n_rows)?;
        (streams, Some(Arc::new(series)))
    } else {
        let streams = column(&mut cursor, n_rows)?;
        let series = if kind == Some(SERIES_TEXTS) { Some(Arc::new(series_of(&streams)?)) } else { None };
        (streams, series)
    };
    if series.is_some() {
        messages = Strings::default();
    }
    let origins = origins(&mut cursor)?;
    let origin_codes = cursor.codes(n_rows)?;
    if levels.iter().any(|level| *level > 6) || origin_codes.iter().any(|code| *code as usize >= origins.len()) {
        return Err(Damage("a code is out of range"));
    }
    let fields = fields(&mut cursor, n_rows)?;
    ensure!(cursor.is_at_end(), Damage("bytes follow the batch"));
    Ok(Batch {
        timestamps: timestamps.into(),
        sequences: sequences.ok_or(Damage("a sequence is out of range"))?.into(),
        ingestion_times: Numbers::same(ingestion_time.0, n_rows),
        messages,
        levels: levels.into(),
        streams,
        series,
        origins: Arc::new(origins),
        origin_codes: origin_codes.into(),
        fields,
    })
}

fn decompress(bytes: &[u8]) -> Decoded<Vec<u8>> {
    let (length, packed) = bytes.split_first_chunk::<4>().ok_or(Damage("bytes end too early"))?;
    let length = u32::from_le_bytes(*length) as usize;
    // No lz4 block becomes more than 255 times as long.
    if length > PLAIN_BYTES_MAX || length > packed.len().saturating_mul(255).saturating_add(64) {
        return Err(Damage("a length is out of range"));
    }
    let mut plain = vec![0; length];
    match lz4_flex::block::decompress_into(packed, &mut plain) {
        Ok(n) if n == length => Ok(plain),
        _ => Err(Damage("bytes do not decompress")),
    }
}

fn fields(cursor: &mut Cursor<'_>, n_rows: usize) -> Decoded<Vec<(Arc<str>, Column)>> {
    let n_fields = cursor.count(2)?;
    ensure!(n_rows.saturating_mul(n_fields + SYSTEM_COLUMNS) <= CELLS_MAX, Damage("a count is out of range"));
    let mut fields: Vec<(Arc<str>, Column)> = Vec::new();
    for _ in 0..n_fields {
        let name: Arc<str> = cursor.text()?.into();
        ensure!(fields.last().is_none_or(|(last, _)| *last < name), Damage("field names are out of order"));
        fields.push((name, column(cursor, n_rows)?));
    }
    Ok(fields)
}

fn texts(cursor: &mut Cursor<'_>, n: usize) -> Decoded<Strings> {
    let mut end = 0u32;
    let mut ends = Vec::with_capacity(n);
    for length in cursor.integers(n)? {
        let length = u32::try_from(length).ok();
        end = length.and_then(|length| end.checked_add(length)).ok_or(Damage("a length is out of range"))?;
        ends.push(end);
    }
    let text = std::str::from_utf8(cursor.take(end as usize)?).map_err(|_| Damage("a text is not UTF-8"))?;
    Strings::of_parts(text.to_owned(), ends).ok_or(Damage("a text is not UTF-8"))
}

fn origins(cursor: &mut Cursor<'_>) -> Decoded<Vec<Origin>> {
    let count = cursor.count(1)?;
    let mut origins = Vec::new();
    for _ in 0..count {
        let bits = cursor.byte()?;
        let text_key = if bits & 1 == 1 { Some(Arc::from(cursor.text()?)) } else { None };
        let time_key = match bits & !1 {
            0 => None,
            2 => Some((Arc::from(cursor.text()?), TimeForm::Rfc3339 { digits: cursor.byte()?.min(9) })),
            4 => Some((Arc::from(cursor.text()?), TimeForm::Epoch { unit_ns: cursor.zigzag()?.max(1) })),
            _ => return Err(Damage("an origin is of no known kind")),
        };
        origins.push(Origin { text_key, time_key });
    }
    Ok(origins)
}

fn presence(cursor: &mut Cursor<'_>, n_rows: usize) -> Decoded<RowSet> {
    match cursor.byte()? {
        0 => Ok(RowSet::all(n_rows)),
        1 => {
            let word = |bytes: &[u8]| bytes.iter().rev().fold(0u64, |word, byte| word << 8 | u64::from(*byte));
            let words = cursor.take(n_rows.div_ceil(8))?.chunks(8).map(word).collect();
            Ok(RowSet::of_words(words, n_rows))
        }
        2 => {
            let count = cursor.varint()? as usize;
            ensure!(count <= n_rows, Damage("a count is out of range"));
            let mut rows = RowSet::none(n_rows);
            for row in cursor.integers(count)? {
                rows.insert(usize::try_from(row).map_err(|_| Damage("a row is out of range"))?);
            }
            if rows.count() == count { Ok(rows) } else { Err(Damage("a row is out of range")) }
        }
        3 => Ok(RowSet::none(n_rows)),
        _ => Err(Damage("a presence is of no known kind")),
    }
}

/// Puts the values of the present rows into their places.
fn spread<T: Clone>(values: Vec<T>, present: &RowSet, absent: T) -> Vec<T> {
    if present.is_all() {
        return values;
    }
    let mut spread = vec![absent; present.n_rows()];
    present.iter().zip(values).for_each(|(row, value)| spread[row] = value);
    spread
}

fn column(cursor: &mut Cursor<'_>, n_rows: usize) -> Decoded<Column> {
    let unless_all = |present: RowSet| (!present.is_all()).then_some(present);
    match cursor.byte()? {
        0 => Ok(Column::Missing { n_rows }),
        1 => Ok(Column::Timestamps(cursor.integers(n_rows)?)),
        2 => {
            let present = presence(cursor, n_rows)?;
            let values = spread(cursor.integers(present.count())?, &present, 0);
            Ok(Column::Integers { values, present: unless_all(present) })
        }
        3 => {
            let present = presence(cursor, n_rows)?;
            let integers = presence(cursor, n_rows)?;
            let (numbers, _) = cursor.take(present.count() * 8)?.as_chunks::<8>();
            let numbers = numbers.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect();
            let values = spread(numbers, &present, 0.0);
            let integers = (!integers.is_empty()).then_some(integers);
            Ok(Column::Floats { values, present: unless_all(present), integers })
        }
        4 => {
            let present = presence(cursor, n_rows)?;
            let packed = texts(cursor, present.count())?;
            if present.is_all() {
                return Ok(Column::Strings { values: packed, present: None });
            }
            let mut at = packed.iter();
            let text = |row| if present.contains(row) { at.next().unwrap_or_default() } else { "" };
            let values = (0..n_rows).map(text).collect();
            Ok(Column::Strings { values, present: Some(present) })
        }
        5 | SERIES_TEXTS => dictionary(cursor, n_rows),
        6 => {
            let present = presence(cursor, n_rows)?;
            let mut values = vec![None; n_rows];
            for row in present.iter() {
                values[row] = Some(cursor.present()?);
            }
            Ok(Column::Mixed(values))
        }
        _ => Err(Damage("a column is of no known kind")),
    }
}

/// Reads the column of streams that are series, and the series.
fn series(cursor: &mut Cursor<'_>, n_rows: usize) -> Decoded<(Column, Vec<Arc<Series>>)> {
    cursor.byte()?;
    let series = take_streams(cursor, PLAIN_BYTES_MAX)?;
    let codes = cursor.codes(n_rows)?;
    if series.len() > n_rows || codes.iter().any(|code| *code as usize >= series.len()) {
        return Err(Damage("a code is out of range"));
    }
    Ok((Column::Dictionary { codes, values: Series::streams(&series) }, series))
}

/// Returns the series of streams, each of which every row has.
fn series_of(streams: &Column) -> Decoded<Vec<Arc<Series>>> {
    let damage = || Damage("a stream is that of no series");
    let Column::Dictionary { codes, values } = streams else { return Err(damage()) };
    ensure!(!codes.contains(&MISSING_CODE), damage());
    let series = |value: &Value| match value {
        Value::String(text) => Series::of_labels(text).map(Arc::new).ok_or_else(damage),
        _ => Err(damage()),
    };
    values.iter().map(series).collect()
}

fn dictionary(cursor: &mut Cursor<'_>, n_rows: usize) -> Decoded<Column> {
    let n_values = cursor.count(1)?;
    let mut values = Vec::new();
    for _ in 0..n_values {
        values.push(cursor.present()?);
    }
    let present = presence(cursor, n_rows)?;
    let codes = cursor.codes(present.count())?;
    ensure!(!codes.iter().any(|code| *code as usize >= values.len()), Damage("a code is out of range"));
    Ok(Column::Dictionary { codes: spread(codes, &present, MISSING_CODE), values: Arc::new(values) })
}

#[cfg(test)]
mod tests;
