//! Samples of chosen streams of a batch.

use std::ops::Range;

use crate::run::TakeSamples;
use crate::{Batch, Column, HISTOGRAM_FIELD, MISSING_CODE, Numbers, Timestamp, VALUE_FIELD, Value};

/// Times and values of the samples of a batch.
#[derive(Clone, Copy)]
pub(crate) struct SampleColumns<'b> {
    timestamps: &'b Numbers<i64>,
    values: &'b Column,
}

impl<'b> SampleColumns<'b> {
    /// Returns those of a batch; `None` where no sample is a number or a text.
    pub(crate) fn of(batch: &'b Batch) -> Option<Self> {
        Some(Self { timestamps: &batch.timestamps, values: batch.stored(VALUE_FIELD)? })
    }
}

/// A reusable buffer for the samples of one stream.
#[derive(Default)]
pub(crate) struct SampleBuffer {
    times: Vec<i64>,
    floats: Vec<f64>,
}

impl SampleBuffer {
    /// Gives the samples of some rows, in order, as those of the stream at `place`.
    pub(crate) fn give<'b>(
        &mut self,
        rows: impl Iterator<Item = (SampleColumns<'b>, usize)>,
        place: usize,
        taker: &mut dyn TakeSamples,
    ) {
        self.times.clear();
        self.floats.clear();
        for (columns, row) in rows {
            let time = columns.timestamps.get(row).div_euclid(Timestamp::MILLISECOND);
            let number = match columns.values {
                Column::Floats { values, present: None, .. } => values[row],
                values => match values.value(row) {
                    Some(Value::Float(number)) => number,
                    Some(Value::Integer(number)) => number as f64,
                    Some(Value::String(text)) => {
                        taker.text(place, time, &text);
                        continue;
                    }
                    _ => continue,
                },
            };
            self.times.push(time);
            self.floats.push(number);
        }
        taker.floats(place, &self.times, &self.floats);
    }
}

/// Returns the places among `chosen` and the rows of their samples, by place, the rows of each in order.
fn rows_of(codes: &[u32], n_codes: usize, rows: Range<usize>, chosen: &[u32]) -> Vec<(u32, usize)> {
    let of_rows = &codes[rows.clone()];
    // As a request has them: the rows of each series follow each other.
    if of_rows.is_sorted() {
        let rows_with = |code: u32| {
            let first = of_rows.partition_point(|other| *other < code);
            first..first + of_rows[first..].partition_point(|other| *other == code)
        };
        let places = chosen.iter().enumerate().map(|(place, code)| (place as u32, rows_with(*code)));
        return places.flat_map(|(place, found)| found.map(move |row| (place, rows.start + row))).collect();
    }
    let mut places = vec![MISSING_CODE; n_codes];
    for (place, code) in chosen.iter().enumerate() {
        if let Some(of_code) = places.get_mut(*code as usize) {
            *of_code = place as u32;
        }
    }
    let place_of = |row: usize| Some(places[codes[row] as usize]).filter(|place| *place != MISSING_CODE);
    let mut found: Vec<(u32, usize)> = rows.filter_map(|row| Some((place_of(row)?, row))).collect();
    // Stable: rows of a stream stay in order of time.
    found.sort_by_key(|(place, _)| *place);
    found
}

/// Gives the samples of the streams `chosen`, in order, among some rows; `false`, and none, where one of them is a histogram.
pub(super) fn give(batch: &Batch, rows: Range<usize>, chosen: &[u32], taker: &mut dyn TakeSamples) -> bool {
    let (Some(series), Some(columns)) = (batch.series_of_rows(), SampleColumns::of(batch)) else { return false };
    let found = rows_of(series.codes, series.series.len(), rows, chosen);
    if batch.stored(HISTOGRAM_FIELD).is_some() && found.iter().any(|(_, row)| columns.values.value(*row).is_none()) {
        return false;
    }
    let mut buffer = SampleBuffer::default();
    for of_place in found.chunk_by(|a, b| a.0 == b.0) {
        buffer.give(of_place.iter().map(|(_, row)| (columns, *row)), of_place[0].0 as usize, taker);
    }
    true
}
