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
mod tests {
    use super::*;
    use crate::{SampleBuilder, Timestamp, Value};

    fn series(label: &str) -> Arc<Series> {
        Arc::new(Series::of_labels(&format!(r#"{{"__name__":"up","a":"{label}"}}"#)).expect("labels"))
    }

    fn batch(series: &[&Arc<Series>]) -> Batch {
        let mut builder = SampleBuilder::default();
        for (row, series) in series.iter().enumerate() {
            builder.push(series, Timestamp(row as i64), row as f64);
        }
        builder.finish()
    }

    #[test]
    fn series_of_several_batches_stand_once() {
        let (a, b, other_a) = (series("1"), series("2"), series("1"));
        let (one, two) = (batch(&[&a, &b, &a]), batch(&[&other_a, &b]));
        let both = Batch::gather(&[&one, &two], &[(1, 0), (0, 1), (0, 2), (1, 1)]);
        assert_eq!(both.series.as_ref().map(|series| series.len()), Some(2));
        let texts: Vec<_> = (0..4).map(|row| both.field("a").value(row)).collect();
        assert_eq!(texts, ["1", "2", "1", "2"].map(|text| Some(Value::text(text))));
        assert_eq!(both.field("value").value(3), Some(Value::Float(1.0)));
        let part = Batch::gather(&[&one], &[(0, 2), (0, 1)]);
        assert_eq!(part.field("name").value(1), Some(Value::text("up")));
        let of_a = Batch::gather(&[&one], &[(0, 0), (0, 2)]);
        assert_eq!(of_a.series.as_ref().map(|series| series.len()), Some(1), "b has no sample any more");
        assert!(matches!(&of_a.streams, Column::Dictionary { values, .. } if values.len() == 1));
    }

    #[test]
    fn histograms_stand_beside_the_numbers_of_other_rows() {
        let (a, b) = (series("1"), series("2"));
        let mut builder = SampleBuilder::default();
        builder.push(&a, Timestamp(0), 1.5);
        builder.push_histogram(&b, Timestamp(0), "{}");
        builder.push(&a, Timestamp(1), 2.5);
        let one = builder.finish();
        let both = Batch::gather(&[&one, &batch(&[&a])], &[(0, 1), (1, 0), (0, 2)]);
        let values = |name: &str| (0..3).map(|row| both.field(name).value(row)).collect::<Vec<_>>();
        assert_eq!(values("histogram"), [Some(Value::text("{}")), None, None]);
        assert_eq!(values("value"), [None, Some(Value::Float(0.0)), Some(Value::Float(2.5))]);
    }

    #[test]
    fn events_beside_samples_and_streams_of_two_series_are_spelled_out() {
        let a = series("1");
        let one = batch(&[&a, &a]);
        let rows = [(0, 0), (1, 0)];
        let forged = Arc::new(Series::stored(a.stream().clone(), "up".into(), vec![("b".into(), "2".into())]));
        for other in [batch(&[&a]).spelled_out(), batch(&[&forged])] {
            let both = Batch::gather(&[&one, &other], &rows);
            assert!(both.series.is_none());
            assert_eq!((both.len(), both.messages.len()), (2, 2));
            assert_eq!(both.field("a").value(0), Some(Value::text("1")));
            assert_eq!(both.field("b").value(1), other.field("b").value(0));
        }
    }
}
