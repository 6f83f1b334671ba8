//! Rows of several batches of samples: their streams get new codes, and each series stands once.

use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::span::Span;
use crate::series::{Series, SeriesOfRows};
use crate::{Batch, Column, MISSING_CODE};

/// The series of several batches as one, with new codes in the order of first sight.
#[derive(Default)]
struct MergedSeries {
    series: Vec<Arc<Series>>,
    /// By address: batches share most series.
    by_address: HashMap<usize, u32, RandomState>,
    by_stream: HashMap<Arc<str>, u32, RandomState>,
}

impl MergedSeries {
    /// Returns the code of a series; `None` if another one has its stream.
    fn code_of(&mut self, series: &Arc<Series>) -> Option<u32> {
        let address = Arc::as_ptr(series) as usize;
        if let Some(code) = self.by_address.get(&address) {
            return Some(*code);
        }
        let next = self.series.len() as u32;
        let code = *self.by_stream.entry(series.stream().clone()).or_insert(next);
        if code == next {
            self.series.push(series.clone());
        } else if !self.series[code as usize].is_same(series) {
            return None;
        }
        self.by_address.insert(address, code);
        Some(code)
    }
}

/// Gathers streams and series; `None` if not all batches consist of samples, or a stream is that of several series.
pub(super) fn gather(batches: &[&Batch], spans: &[Span], n_rows: usize) -> Option<(Column, Arc<Vec<Arc<Series>>>)> {
    let of_batches: Vec<SeriesOfRows<'_>> =
        batches.iter().map(|batch| batch.series_of_rows()).collect::<Option<_>>()?;
    let mut codes = Vec::with_capacity(n_rows);
    // A batch of samples has no stream without a sample, so only all of its rows have its streams.
    if let ([batch], [rows]) = (batches, &of_batches[..])
        && n_rows == rows.codes.len()
    {
        spans.iter().for_each(|span| codes.extend_from_slice(&rows.codes[span.from..span.to]));
        let Column::Dictionary { values, .. } = &batch.streams else { return None };
        return Some((Column::Dictionary { codes, values: values.clone() }, batch.series.clone()?));
    }
    let mut merged = MergedSeries::default();
    let mut new_codes: Vec<Vec<u32>> = of_batches.iter().map(|rows| vec![MISSING_CODE; rows.series.len()]).collect();
    for span in spans {
        let (rows, new_codes) = (&of_batches[span.batch], &mut new_codes[span.batch]);
        for code in &rows.codes[span.from..span.to] {
            let new = &mut new_codes[*code as usize];
            if *new == MISSING_CODE {
                *new = merged.code_of(&rows.series[*code as usize])?;
            }
            codes.push(*new);
        }
    }
    Some((Column::Dictionary { codes, values: Series::streams(&merged.series) }, Arc::new(merged.series)))
}

#[cfg(test)]
mod tests;
