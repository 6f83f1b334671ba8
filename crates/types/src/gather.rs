//! Rows of several batches as one batch: merging small ones, cutting blocks out of many, putting rows in order.
//!
//! Senders keep time nearly in order, so rows that follow each other mostly come from one batch and follow each
//! other there: they are copied in spans. A column keeps the form that all batches have it in; texts get new codes
//! by their hash, each distinct text of a batch once, and nothing is allocated for a row.

mod series;
mod span;

use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use self::span::Span;
use crate::batch::{Batch, Origin};
use crate::column_builder::ColumnBuilder;
use crate::{Column, MISSING_CODE, Number, Numbers, RowSet, Strings, Value};

/// The rows `(batch, row)` of `batches` as one batch, in that order.
pub(crate) fn gather(batches: &[&Batch], rows: &[(u32, u32)]) -> Batch {
    let spans = spans_of(rows);
    let series = series::gather(batches, &spans, rows.len());
    if series.is_none() && batches.iter().any(|batch| batch.series.is_some()) {
        let spelled_out: Vec<Batch> = batches.iter().map(|batch| batch.spelled_out()).collect();
        return gather(&spelled_out.iter().collect::<Vec<_>>(), rows);
    }
    let n_rows = rows.len();
    let (origins, origin_codes) = gather_origins(batches, &spans, n_rows);
    let streams: Vec<Option<&Column>> = batches.iter().map(|batch| Some(&batch.streams)).collect();
    let fields = gather_fields(batches, &spans, n_rows);
    let (streams, series) = match series {
        Some((streams, series)) => (streams, Some(series)),
        None => (gather_column(&streams, &spans, n_rows), None),
    };
    let messages = match series {
        Some(_) => Strings::default(),
        None => copy_texts(&spans, n_rows, |batch| Some(&batches[batch].messages)),
    };
    Batch {
        timestamps: numbers(&spans, n_rows, |batch| &batches[batch].timestamps),
        sequences: numbers(&spans, n_rows, |batch| &batches[batch].sequences),
        ingestion_times: numbers(&spans, n_rows, |batch| &batches[batch].ingestion_times),
        messages,
        levels: numbers(&spans, n_rows, |batch| &batches[batch].levels),
        streams,
        series,
        origins: Arc::new(origins),
        origin_codes,
        fields,
    }
}

/// Gathers the fields, by name. The work for a field is that of its rows, not that of looking for it in all batches.
fn gather_fields(batches: &[&Batch], spans: &[Span], n_rows: usize) -> Vec<(Arc<str>, Column)> {
    let stored = |(batch, field): &(usize, usize)| &batches[*batch].fields[*field];
    let places_of = |batch: usize| (0..batches[batch].fields.len()).map(move |field| (batch, field));
    let mut places: Vec<(usize, usize)> = (0..batches.len()).flat_map(places_of).collect();
    places.sort_by(|a, b| stored(a).0.cmp(&stored(b).0));
    let mut columns: Vec<Option<&Column>> = vec![None; batches.len()];
    let mut fields = Vec::new();
    for of_name in places.chunk_by(|a, b| stored(a).0 == stored(b).0) {
        of_name.iter().for_each(|place| columns[place.0] = Some(&stored(place).1));
        let column = gather_column(&columns, spans, n_rows);
        of_name.iter().for_each(|place| columns[place.0] = None);
        if !is_missing(&column) {
            fields.push((stored(&of_name[0]).0.clone(), column));
        }
    }
    fields
}

fn spans_of(rows: &[(u32, u32)]) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for (batch, row) in rows {
        let (batch, row) = (*batch as usize, *row as usize);
        match spans.last_mut() {
            Some(last) if last.batch == batch && last.to == row => last.to += 1,
            _ => spans.push(Span { batch, from: row, to: row + 1 }),
        }
    }
    spans
}

/// Tells whether no row has a value: then the batch does not even name the field.
fn is_missing(column: &Column) -> bool {
    match column {
        Column::Missing { .. } => true,
        Column::Dictionary { codes, .. } => codes.iter().all(|code| *code == MISSING_CODE),
        Column::Integers { present, .. } | Column::Floats { present, .. } | Column::Strings { present, .. } => {
            present.as_ref().is_some_and(RowSet::is_empty)
        }
        _ => false,
    }
}

fn numbers<'b, T: Number + 'b>(spans: &[Span], n_rows: usize, of: impl Fn(usize) -> &'b Numbers<T>) -> Numbers<T> {
    let mut numbers = Numbers::Each(Vec::new());
    spans.iter().for_each(|span| numbers.push_rows_of(of(span.batch), span.from..span.to, n_rows));
    numbers
}

/// Texts one after the other; where a batch has none, as many empty ones.
fn copy_texts<'b>(spans: &[Span], n_rows: usize, of: impl Fn(usize) -> Option<&'b Strings>) -> Strings {
    let n_bytes = spans.iter().map(|span| of(span.batch).map_or(0, |texts| texts.n_bytes(span.from..span.to))).sum();
    let mut gathered = Strings::with_capacity(n_rows, n_bytes);
    for span in spans {
        match of(span.batch) {
            Some(texts) => gathered.push_range(texts, span.from..span.to),
            None => (0..span.len()).for_each(|_| gathered.push("")),
        }
    }
    gathered
}

fn gather_origins(batches: &[&Batch], spans: &[Span], n_rows: usize) -> (Vec<Origin>, Numbers<u32>) {
    let mut origins: Vec<Origin> = Vec::new();
    let mut codes_of: Vec<Vec<u32>> = Vec::with_capacity(batches.len());
    for batch in batches {
        let mut codes = Vec::with_capacity(batch.origins.len());
        for origin in batch.origins.iter() {
            let known = origins.iter().position(|known| known == origin);
            codes.push(known.unwrap_or_else(|| {
                origins.push(origin.clone());
                origins.len() - 1
            }) as u32);
        }
        codes_of.push(codes);
    }
    let mut codes = Numbers::Each(Vec::new());
    for span in spans {
        let (old, new) = (&batches[span.batch].origin_codes, &codes_of[span.batch]);
        match old {
            Numbers::Same { number, .. } => {
                codes.push_rows_of(&Numbers::same(new[*number as usize], span.len()), 0..span.len(), n_rows);
            }
            _ => (span.from..span.to)
                .for_each(|row| codes.push_rows_of(&Numbers::same(new[old.get(row) as usize], 1), 0..1, n_rows)),
        }
    }
    (origins, codes)
}

/// What all batches have a column as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Integers,
    Floats,
    Strings,
    Dictionaries,
    /// Some plain, some with a dictionary of texts.
    Texts,
    Any,
}

fn form_of(column: &Column) -> Form {
    match column {
        Column::Integers { .. } => Form::Integers,
        Column::Floats { .. } => Form::Floats,
        Column::Strings { .. } => Form::Strings,
        Column::Dictionary { .. } => Form::Dictionaries,
        Column::Missing { .. } | Column::Timestamps(_) | Column::Mixed(_) => Form::Any,
    }
}

fn common_form(columns: &[Option<&Column>]) -> Form {
    let of_texts = |column: &&Column| match column {
        Column::Strings { .. } => true,
        Column::Dictionary { values, .. } => values.iter().all(|value| matches!(value, Value::String(_))),
        _ => false,
    };
    let mut present = columns.iter().flatten();
    let Some(first) = present.next() else { return Form::Any };
    let form = form_of(first);
    if present.all(|column| form_of(column) == form) {
        form
    } else if columns.iter().flatten().all(of_texts) {
        Form::Texts
    } else {
        Form::Any
    }
}

/// Gathers one field over several batches; `None` is a batch that does not have it.
fn gather_column(columns: &[Option<&Column>], spans: &[Span], n_rows: usize) -> Column {
    match common_form(columns) {
        Form::Integers => gather_integers(columns, spans, n_rows),
        Form::Floats => gather_floats(columns, spans, n_rows),
        Form::Strings => gather_strings(columns, spans, n_rows),
        Form::Dictionaries => gather_dictionaries(columns, spans, n_rows),
        Form::Texts => gather_texts(columns, spans, n_rows),
        Form::Any => gather_values(columns, spans, n_rows),
    }
}

fn gather_integers(columns: &[Option<&Column>], spans: &[Span], n_rows: usize) -> Column {
    let mut numbers = Vec::with_capacity(n_rows);
    let mut rows = RowSet::none(n_rows);
    for span in spans {
        if let Some(Column::Integers { values, present }) = columns[span.batch] {
            insert_rows(&mut rows, numbers.len(), present.as_ref(), *span);
            numbers.extend_from_slice(&values[span.from..span.to]);
        } else {
            numbers.resize(numbers.len() + span.len(), 0);
        }
    }
    Column::Integers { values: numbers, present: unless_all(rows) }
}

fn gather_floats(columns: &[Option<&Column>], spans: &[Span], n_rows: usize) -> Column {
    let mut numbers = Vec::with_capacity(n_rows);
    let (mut rows, mut whole) = (RowSet::none(n_rows), RowSet::none(n_rows));
    for span in spans {
        if let Some(Column::Floats { values, present, integers }) = columns[span.batch] {
            insert_rows(&mut rows, numbers.len(), present.as_ref(), *span);
            if integers.is_some() {
                insert_rows(&mut whole, numbers.len(), integers.as_ref(), *span);
            }
            numbers.extend_from_slice(&values[span.from..span.to]);
        } else {
            numbers.resize(numbers.len() + span.len(), 0.0);
        }
    }
    let integers = (!whole.is_empty()).then_some(whole);
    Column::Floats { values: numbers, present: unless_all(rows), integers }
}

fn gather_strings(columns: &[Option<&Column>], spans: &[Span], n_rows: usize) -> Column {
    let texts_of = |batch: usize| match columns[batch] {
        Some(Column::Strings { values, .. }) => Some(values),
        _ => None,
    };
    let n_bytes: usize =
        spans.iter().map(|span| texts_of(span.batch).map_or(0, |t| t.n_bytes(span.from..span.to))).sum();
    if !Strings::default().has_room(n_bytes) {
        return gather_values(columns, spans, n_rows);
    }
    let mut rows = RowSet::none(n_rows);
    let mut at = 0;
    for span in spans {
        if let Some(Column::Strings { present, .. }) = columns[span.batch] {
            insert_rows(&mut rows, at, present.as_ref(), *span);
        }
        at += span.len();
    }
    Column::Strings { values: copy_texts(spans, n_rows, texts_of), present: unless_all(rows) }
}

/// Adds the rows of a span that `present` holds (all of them where there is no set) from row `at` on.
fn insert_rows(rows: &mut RowSet, at: usize, present: Option<&RowSet>, span: Span) {
    match present {
        Some(present) => rows.insert_rows_of(at, present, span.from, span.len()),
        None => rows.insert_range(at..at + span.len()),
    }
}

fn unless_all(rows: RowSet) -> Option<RowSet> {
    (!rows.is_all()).then_some(rows)
}

/// Values of several dictionaries as one, with new codes in the order of first sight.
struct MergedDictionary {
    values: Vec<Value>,
    by_hash: HashTable<u32>,
    hasher: RandomState,
}

impl MergedDictionary {
    fn new() -> Self {
        Self { values: Vec::new(), by_hash: HashTable::new(), hasher: RandomState::default() }
    }

    fn code_of(&mut self, value: &Value) -> u32 {
        let next = self.values.len() as u32;
        let Self { values, by_hash, hasher } = self;
        // Only texts are many; other values may be in a dictionary several times.
        if let Value::String(text) = value {
            let is_same = |code: &u32| matches!(&values[*code as usize], Value::String(known) if *known == *text);
            let hash_of = |code: &u32| match &values[*code as usize] {
                Value::String(known) => hasher.hash_one(&**known),
                _ => 0,
            };
            match by_hash.entry(hasher.hash_one(&**text), is_same, hash_of) {
                hashbrown::hash_table::Entry::Occupied(known) => return *known.get(),
                hashbrown::hash_table::Entry::Vacant(place) => place.insert(next),
            };
        }
        values.push(value.clone());
        next
    }
}

fn gather_dictionaries(columns: &[Option<&Column>], spans: &[Span], n_rows: usize) -> Column {
    let mut codes = Vec::with_capacity(n_rows);
    let mut present = columns.iter().flatten();
    if let (Some(Column::Dictionary { values, .. }), None) = (present.next(), present.next()) {
        push_codes(&mut codes, columns, spans, |_, code| code);
        return Column::Dictionary { codes, values: values.clone() };
    }
    let dictionary = |column: &Option<&Column>| match column {
        Some(Column::Dictionary { values, .. }) => values.len(),
        _ => 0,
    };
    let mut new_codes: Vec<Vec<u32>> = columns.iter().map(|column| vec![MISSING_CODE; dictionary(column)]).collect();
    let mut merged = MergedDictionary::new();
    push_codes(&mut codes, columns, spans, |batch, code| {
        if code == MISSING_CODE {
            return code;
        }
        let new = &mut new_codes[batch][code as usize];
        if *new == MISSING_CODE
            && let Some(Column::Dictionary { values, .. }) = columns[batch]
        {
            *new = merged.code_of(&values[code as usize]);
        }
        *new
    });
    Column::Dictionary { codes, values: Arc::new(merged.values) }
}

fn push_codes(
    codes: &mut Vec<u32>,
    columns: &[Option<&Column>],
    spans: &[Span],
    mut new_code: impl FnMut(usize, u32) -> u32,
) {
    for span in spans {
        match columns[span.batch] {
            Some(Column::Dictionary { codes: old, .. }) => {
                codes.extend(old[span.from..span.to].iter().map(|code| new_code(span.batch, *code)));
            }
            _ => codes.resize(codes.len() + span.len(), MISSING_CODE),
        }
    }
}

/// The way for texts of both forms: the builder finds out again how much they repeat.
fn gather_texts(columns: &[Option<&Column>], spans: &[Span], n_rows: usize) -> Column {
    let mut builder = ColumnBuilder::default();
    let mut at = 0;
    for span in spans {
        match columns[span.batch] {
            Some(Column::Strings { values, present }) => {
                for (offset, row) in (span.from..span.to).enumerate() {
                    if present.as_ref().is_none_or(|present| present.contains(row)) {
                        builder.push_text(at + offset, values.get(row));
                    }
                }
            }
            Some(Column::Dictionary { codes, values }) => {
                for (offset, code) in codes[span.from..span.to].iter().enumerate() {
                    if let Some(Value::String(text)) = values.get(*code as usize) {
                        builder.push_text(at + offset, text);
                    }
                }
            }
            _ => {}
        }
        at += span.len();
    }
    builder.finish(n_rows)
}

/// The way for everything else: value by value.
fn gather_values(columns: &[Option<&Column>], spans: &[Span], n_rows: usize) -> Column {
    let mut builder = ColumnBuilder::default();
    let mut at = 0;
    for span in spans {
        for (offset, row) in (span.from..span.to).enumerate() {
            if let Some(value) = columns[span.batch].and_then(|column| column.value(row)) {
                builder.push(at + offset, value);
            }
        }
        at += span.len();
    }
    builder.finish(n_rows)
}

impl Batch {
    /// The rows `(batch, row)` of `batches` as one batch, in that order.
    ///
    /// Used to coalesce small batches and to cut blocks out of many: only the rows named are touched.
    pub fn gather(batches: &[&Self], rows: &[(u32, u32)]) -> Self {
        gather(batches, rows)
    }
}

#[cfg(test)]
mod tests;
