//! Samples of chosen streams of a batch.

use std::ops::Range;

use crate::run::TakeSamples;
use crate::{Batch, Column, HISTOGRAM_FIELD, MISSING_CODE, Timestamp, VALUE_FIELD, Value};

/// Gives the samples of the streams `chosen`, in order, among some rows; `false`, and none, where one of them is a histogram.
pub(super) fn give(batch: &Batch, rows: Range<usize>, chosen: &[u32], taker: &mut dyn TakeSamples) -> bool {
    let (Some(series), Some(values)) = (batch.series_of_rows(), batch.stored(VALUE_FIELD)) else { return false };
    let mut places = vec![MISSING_CODE; series.series.len()];
    for (place, code) in chosen.iter().enumerate() {
        if let Some(of_code) = places.get_mut(*code as usize) {
            *of_code = place as u32;
        }
    }
    let place_of = |row: usize| Some(places[series.codes[row] as usize]).filter(|place| *place != MISSING_CODE);
    let mut found: Vec<(u32, usize)> = rows.filter_map(|row| Some((place_of(row)?, row))).collect();
    if batch.stored(HISTOGRAM_FIELD).is_some() && found.iter().any(|(_, row)| values.value(*row).is_none()) {
        return false;
    }
    // Stable: rows of a stream stay in order of time.
    found.sort_by_key(|(place, _)| *place);
    let time_of = |row: usize| batch.timestamps[row].div_euclid(Timestamp::MILLISECOND);
    let (mut times, mut floats) = (Vec::new(), Vec::new());
    for of_place in found.chunk_by(|a, b| a.0 == b.0) {
        let place = of_place[0].0 as usize;
        times.clear();
        floats.clear();
        for (_, row) in of_place {
            let number = match values {
                Column::Floats { values, present: None, .. } => values[*row],
                values => match values.value(*row) {
                    Some(Value::Float(number)) => number,
                    Some(Value::Integer(number)) => number as f64,
                    Some(Value::String(text)) => {
                        taker.text(place, time_of(*row), &text);
                        continue;
                    }
                    _ => continue,
                },
            };
            times.push(time_of(*row));
            floats.push(number);
        }
        taker.floats(place, &times, &floats);
    }
    true
}
