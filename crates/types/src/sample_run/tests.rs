//! Several batches answer as one batch of all their samples does.

use super::*;
use crate::{GroupName, Numbers, SampleBuilder, Series, Value};

const SECOND: i64 = Timestamp::SECOND;

/// Records samples as `number of the stream, ms, value`; a text is one where the value is not a number.
#[derive(Default)]
struct SampleRecorder(Vec<(usize, i64, String)>);

impl TakeSamples for SampleRecorder {
    fn floats(&mut self, place: usize, times: &[i64], values: &[f64]) {
        self.0.extend(times.iter().zip(values).map(|(time, value)| (place, *time, value.to_string())));
    }

    fn text(&mut self, place: usize, time: i64, text: &str) {
        self.0.push((place, time, text.to_owned()));
    }
}

fn series(label: &str) -> Arc<Series> {
    Arc::new(Series::of_labels(&format!(r#"{{"__name__":"up","a":"{label}"}}"#)).expect("labels"))
}

/// Makes a run of samples `(series, second, value)`; their sequences begin at `first`.
fn run(samples: &[(&Arc<Series>, i64, f64)], first: u64) -> Arc<BatchRun> {
    let mut builder = SampleBuilder::default();
    for (series, second, value) in samples {
        match value.is_nan() {
            true => builder.push_text(series, Timestamp(second * SECOND), "NaN"),
            false => builder.push(series, Timestamp(second * SECOND), *value),
        };
    }
    let mut batch = builder.finish();
    batch.sequences = Numbers::consecutive(first, batch.len());
    Arc::new(BatchRun::new(GroupName::new("metrics/a").expect("a name"), 1, Arc::new(batch)))
}

/// Returns the samples of each stream, by the value of its label.
fn by_label(run: &dyn Run) -> Vec<(String, Vec<(i64, String)>)> {
    let streams = run.sample_streams().expect("in memory").expect("samples");
    let chosen: Vec<u32> = (0..streams.len() as u32).collect();
    let mut taken = SampleRecorder::default();
    assert!(run.samples(0, &chosen, &mut taken).expect("in memory"));
    let of = |number: &u32| {
        let of_stream = taken.0.iter().filter(|(place, ..)| *place == *number as usize);
        let text = streams.text(*number).expect("a text").to_string();
        (text, of_stream.map(|(_, time, value)| (*time, value.clone())).collect())
    };
    let mut found: Vec<_> = chosen.iter().map(of).collect();
    found.sort();
    found
}

/// Returns what questions about events read: times, streams, values and ids, in the run's order.
fn rows(run: &dyn Run) -> Vec<Vec<Option<Value>>> {
    let mut rows = Vec::new();
    for block in 0..run.n_blocks() {
        let n_rows = run.block_rows(block);
        let names = ["@timestamp", "@logStream", "value", "@message", "a", "@id", "@type"];
        let columns = run.read(block, &names, &RowSet::all(n_rows)).expect("in memory");
        rows.extend((0..n_rows).map(|row| columns.iter().map(|column| column.value(row)).collect()));
    }
    rows
}

/// Returns the same samples in one batch, in order of time and acceptance.
fn whole(parts: &[Arc<BatchRun>]) -> BatchRun {
    let batches: Vec<&Batch> = parts.iter().map(|part| &**part.batch()).collect();
    let of_batch = |(at, batch): (usize, &&Batch)| (0..batch.len() as u32).map(move |row| (at as u32, row));
    let mut rows: Vec<(u32, u32)> = batches.iter().enumerate().flat_map(of_batch).collect();
    rows.sort_by_key(|(at, row)| {
        let (batch, row) = (batches[*at as usize], *row as usize);
        (batch.timestamps.get(row), batch.sequences.get(row))
    });
    let batch = Batch::gather(&batches, &rows);
    BatchRun::new(GroupName::new("metrics/a").expect("a name"), 1, Arc::new(batch))
}

fn assert_is_same(parts: Vec<Arc<BatchRun>>) {
    assert!(parts.iter().all(|part| SampleRun::takes(part)));
    let (whole, run) = (whole(&parts), SampleRun::new(parts).expect("a part"));
    assert_eq!(rows(&run), rows(&whole));
    assert_eq!(by_label(&run), by_label(&whole));
    assert_eq!(run.minutes(), whole.minutes());
    let summed = |run: &dyn Run| run.fields().expect("in memory");
    assert_eq!(summed(&run), summed(&whole));
    let names = |run: &dyn Run| {
        let mut names = run.field_names().expect("in memory");
        names.sort_unstable();
        names
    };
    assert_eq!(names(&run), names(&whole));
    let ends = |run: &dyn Run| (run.info().n_events, run.info().first, run.info().last, run.first_sequence());
    assert_eq!(ends(&run), ends(&whole));
    assert_eq!(run.last_sequence(), whole.last_sequence());
    for is_wanted in [|text: &str| text.contains("\"1\""), |_: &str| true] {
        assert_eq!(run.rows_of_samples(0, &is_wanted), whole.rows_of_samples(0, &is_wanted));
    }
    let odd = RowSet::of(run.block_rows(0), |row| row % 2 == 1);
    let values = |run: &dyn Run| {
        let columns = run.read(0, &["value"], &odd).expect("in memory");
        (0..odd.count()).map(|row| columns[0].value(row)).collect::<Vec<_>>()
    };
    assert_eq!(values(&run), values(&whole));
}

#[test]
fn requests_that_follow_each_other_are_as_one() {
    let (a, b) = (series("1"), series("2"));
    let request = |second: i64| run(&[(&a, second, second as f64), (&b, second, -1.5)], second as u64 * 2);
    assert_is_same((0..5).map(request).collect());
}

#[test]
fn other_series_late_samples_and_times_that_come_twice_are_in_order() {
    let (a, b, c) = (series("1"), series("2"), series("3"));
    let parts = [
        run(&[(&a, 10, 1.0), (&b, 11, f64::NAN), (&a, 12, 3.0)], 0),
        run(&[(&c, 9, 4.0), (&a, 12, 5.0), (&a, 3, 9.0)], 3),
        run(&[(&b, 11, 6.0), (&b, 1, 7.0)], 6),
        run(&[(&a, 12, 5.5), (&c, 13, 8.0)], 8),
    ];
    assert_is_same(parts.to_vec());
}

#[test]
fn equal_times_are_in_order_of_acceptance() {
    let (a, b) = (series("1"), series("2"));
    assert_is_same(vec![run(&[(&a, 5, 1.0), (&b, 5, 2.0)], 2), run(&[(&b, 5, 3.0), (&a, 5, 4.0)], 0)]);
}

#[test]
fn a_series_that_is_there_twice_keeps_its_samples() {
    let (one, again) = (series("1"), series("1"));
    let run = SampleRun::new(vec![run(&[(&one, 1, 1.0)], 0), run(&[(&again, 2, 2.0)], 1)]).expect("parts");
    let samples: usize = by_label(&run).iter().map(|(_, samples)| samples.len()).sum();
    assert_eq!(samples, 2);
}

#[test]
fn runs_with_the_same_lists_share_what_is_made_of_them() {
    let (a, b) = (series("1"), series("2"));
    let lists = Arc::new(crate::SeriesLists::default());
    let request = |second: i64, series: &[&Arc<Series>]| {
        let mut builder = SampleBuilder::sharing(lists.clone());
        for series in series {
            builder.push(series, Timestamp(second), 1.0);
        }
        let mut batch = builder.finish();
        batch.sequences.add(second as u64 * 9);
        Arc::new(BatchRun::new(GroupName::new("metrics/a").expect("a name"), 1, Arc::new(batch)))
    };
    let (both, one) = ([&a, &b], [&b]);
    let parts: Vec<_> = (0..4).map(|second| request(second, if second % 2 == 0 { &both } else { &one })).collect();
    let first = SampleRun::new(parts[..2].to_vec()).expect("parts");
    let second = SampleRun::new(parts[2..].to_vec()).expect("parts").beside([&first].into_iter());
    let other = SampleRun::new(parts[..1].to_vec()).expect("parts").beside([&first].into_iter());
    let streams = |run: &SampleRun| run.sample_streams().expect("in memory").expect("samples");
    assert!(Arc::ptr_eq(&streams(&first), &streams(&second)));
    assert!(!Arc::ptr_eq(&streams(&first), &streams(&other)));
    assert_eq!(streams(&other).len(), 2);
    assert_eq!(by_label(&second).iter().map(|(_, samples)| samples.len()).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn histograms_and_events_stay_alone() {
    for has_numbers in [false, true] {
        let mut builder = SampleBuilder::default();
        builder.push_histogram(&series("1"), Timestamp(0), "{}");
        if has_numbers {
            builder.push(&series("2"), Timestamp(0), 1.0);
        }
        let histograms = BatchRun::new(GroupName::new("g").expect("a name"), 1, Arc::new(builder.finish()));
        assert!(!SampleRun::takes(&histograms));
    }
    let events = Arc::new(run(&[(&series("1"), 1, 1.0)], 0).batch().spelled_out());
    assert!(!SampleRun::takes(&BatchRun::new(GroupName::new("g").expect("a name"), 1, events)));
    assert!(SampleRun::new(Vec::new()).is_none());
}
