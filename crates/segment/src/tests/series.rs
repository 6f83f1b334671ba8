//! Runs of samples: larger blocks, and numbers as differences within their series.

use types::{BatchRun, SampleBuilder, Series};

use super::*;
use crate::format::{FORMAT_OF_EVENTS, FORMAT_OF_SAMPLES, FORMAT_VERSION, SERIES_BLOCK_ROWS};

/// Samples of `n_series` series, `n_each` of each, as scrapes give them.
fn samples(n_series: u32, n_each: u32) -> Arc<Batch> {
    let mut builder = BatchBuilder::new();
    for step in 0..n_each {
        for series in 0..n_series {
            let name = ["node_cpu_seconds_total", "node_load1", "node_memory_free_bytes"][series as usize % 3];
            builder.set_timestamp(Timestamp(i64::from(step) * 15 * Timestamp::SECOND));
            builder.set_message(name);
            builder.set_stream(&format!("{{\"__name__\":\"{name}\",\"cpu\":\"{series}\",\"job\":\"node\"}}"));
            builder.field_text("cpu", &series.to_string());
            builder.field_text("name", name);
            match (series + step) % 1000 {
                999 => builder.field_text("value", "stale"),
                _ => builder.field_float("value", f64::from(series * 1000 + step * (series % 50)) / 100.0),
            }
            builder.commit();
        }
    }
    let mut batch = builder.finish();
    batch.sequences = (0..batch.len() as u64).collect();
    batch.ingestion_times = batch.timestamps.clone();
    Arc::new(batch)
}

fn written_as(group: &str, batch: &Arc<Batch>) -> (tempfile::TempDir, Arc<Segment>, Vec<u8>) {
    let group = GroupName::new(group).expect("a valid name");
    let input = RunInput { group, group_id: 3, batches: vec![batch.clone()], range: TimeRange::ALL, bytes_raw: 1000 };
    let bytes = write(&meta(), &[input], &[], 1).expect("memory").bytes;
    let directory = tempfile::tempdir().expect("a scratch directory");
    let path = directory.path().join("one.seg");
    std::fs::write(&path, &bytes).expect("a scratch file");
    let segment = Segment::open(&path, "one.seg".into(), STORE).expect("just written");
    (directory, segment, bytes)
}

#[test]
fn samples_come_back_from_large_blocks_and_take_little() {
    let batch = samples(3000, 200);
    let (_directory, segment, bytes) = written_as("metrics/node", &batch);
    let run = segment.run(0, 0).expect("one run");
    assert_eq!(
        (0..run.n_blocks()).map(|block| run.block_rows(block)).collect::<Vec<_>>(),
        [SERIES_BLOCK_ROWS, 600_000 - SERIES_BLOCK_ROWS]
    );
    let expected = [batch.field("value"), batch.streams.clone(), batch.field("name")];
    let mut row_of_batch = 0;
    for block in 0..run.n_blocks() {
        let rows = RowSet::all(run.block_rows(block));
        let columns = run.read(block, &["value", "@logStream", "name", "@message"], &rows).expect("whole");
        for row in 0..run.block_rows(block) {
            if row % 4099 == 0 {
                for (column, expected) in columns.iter().zip(&expected) {
                    assert_eq!(format!("{:?}", column.value(row)), format!("{:?}", expected.value(row_of_batch)));
                }
                assert_eq!(format!("{:?}", columns[3].value(row)), format!("{:?}", expected[2].value(row_of_batch)));
            }
            row_of_batch += 1;
        }
    }
    assert!(bytes.len() < 600_000, "{} bytes for 600,000 samples", bytes.len());
    assert_eq!(version_of(&bytes), Some(FORMAT_VERSION.into()));
}

#[test]
fn samples_in_small_blocks_keep_the_format_that_earlier_versions_read() {
    let (_directory, segment, bytes) = written_as("metrics/node", &samples(100, 200));
    assert_eq!((version_of(&bytes), segment.is_by_series(0)), (Some(FORMAT_OF_SAMPLES.into()), true));
}

#[test]
fn segments_without_samples_keep_the_format_that_earlier_versions_read() {
    let (_directory, segment, bytes) = written_as("app/web", &samples(10, 2000));
    assert_eq!(version_of(&bytes), Some(FORMAT_OF_EVENTS.into()));
    assert_eq!(segment.run(0, 0).expect("one run").n_blocks(), 2);
}

/// Samples by their series; the first series has a label more, and some values are texts where `has_stale`.
fn samples_by_series(n_series: u32, n_each: u32, has_stale: bool) -> Arc<Batch> {
    let series: Vec<Arc<Series>> = (0..n_series)
        .map(|series| {
            let name = ["node_cpu_seconds_total", "node_load1", "node_memory_free_bytes"][series as usize % 3];
            let more = if series == 0 { r#","zone":"a""# } else { "" };
            let text = format!(r#"{{"__name__":"{name}","cpu":"{series}","job":"node"{more}}}"#);
            Arc::new(Series::of_labels(&text).expect("labels"))
        })
        .collect();
    let mut builder = SampleBuilder::default();
    for step in 0..n_each {
        for (number, series) in series.iter().enumerate() {
            let time = Timestamp(i64::from(step) * 15 * Timestamp::SECOND);
            match (number as u32 + step) % 100 {
                99 if has_stale => builder.push_text(series, time, "stale"),
                98 => builder.push(series, time, 1.0 / f64::from(step + 3)),
                _ => builder.push(series, time, f64::from(number as u32 * 1000 + step) / 100.0),
            };
        }
    }
    let mut batch = builder.finish();
    batch.ingestion_times = batch.timestamps.clone();
    Arc::new(batch)
}

/// Samples by their series, of which every tenth consists of histograms.
fn samples_with_histograms(n_series: u32, n_each: u32) -> Arc<Batch> {
    let series: Vec<Arc<Series>> = (0..n_series)
        .map(|series| Arc::new(Series::of_labels(&format!(r#"{{"__name__":"m","n":"{series}"}}"#)).expect("labels")))
        .collect();
    let mut builder = SampleBuilder::default();
    for step in 0..n_each {
        for (number, series) in series.iter().enumerate() {
            let time = Timestamp(i64::from(step) * 15 * Timestamp::SECOND);
            match number % 10 {
                3 => {
                    let n = step + 7;
                    let text =
                        format!(r#"{{"schema":3,"count":{n},"sum":{n}.5,"positive":[[{number},[1,{step},6]]]}}"#);
                    builder.push_histogram(series, time, &text)
                }
                _ => builder.push(series, time, f64::from(number as u32 * 1000 + step) / 100.0),
            };
        }
    }
    let mut batch = builder.finish();
    batch.ingestion_times = batch.timestamps.clone();
    Arc::new(batch)
}

#[test]
fn histograms_are_stored_among_numbers_which_take_no_more_room_for_it() {
    let batch = samples_with_histograms(100, 300);
    let (_directory, segment, bytes) = written_as("metrics/node", &batch);
    let run = segment.run(0, 0).expect("one run");
    let back = segment.run_reader(0).expect("one run").block(0).expect("whole");
    assert_eq!(back.series.as_ref().map(|series| series.len()), Some(100), "read by series");
    assert_same(&batch, &back);
    let fields: Vec<(String, u64)> =
        run.fields().expect("whole").into_iter().map(|field| (field.name.to_string(), field.n_events)).collect();
    assert!(fields.contains(&("value".to_owned(), 27_000)) && fields.contains(&("histogram".to_owned(), 3_000)));
    let rows = RowSet::of(30_000, |row| row % 7 == 0);
    let columns = run.read(0, &["value", "histogram"], &rows).expect("whole");
    for (row, of_batch) in rows.iter().enumerate() {
        let expected = [batch.field("value"), batch.field("histogram")].map(|column| column.value(of_batch));
        assert_eq!([columns[0].value(row), columns[1].value(row)], expected, "{of_batch}");
    }
    // A text takes a few bytes; with numbers stored as such, 27,000 of them alone would take more.
    assert!(bytes.len() < 60_000, "{} bytes", bytes.len());
    let alone = samples_with_histograms(3, 300);
    assert_eq!(alone.fields.iter().map(|(name, _)| &**name).collect::<Vec<_>>(), ["value"]);
}

fn assert_same(a: &Batch, b: &Batch) {
    let (a, b) = (a.spelled_out(), b.spelled_out());
    assert_eq!((&a.timestamps, &a.sequences, &a.levels), (&b.timestamps, &b.sequences, &b.levels));
    assert_eq!(a.messages, b.messages);
    let names = |batch: &Batch| batch.fields.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&a), names(&b));
    for row in 0..a.len() {
        assert_eq!(format!("{:?}", a.streams.value(row)), format!("{:?}", b.streams.value(row)));
        for ((name, one), (_, other)) in a.fields.iter().zip(&b.fields) {
            assert_eq!(format!("{:?}", one.value(row)), format!("{:?}", other.value(row)), "{name} {row}");
        }
    }
}

#[test]
fn samples_are_written_and_read_by_series() {
    for has_stale in [false, true] {
        let batch = samples_by_series(40, 50, has_stale);
        let (_directory, segment, bytes) = written_as("metrics/node", &batch);
        let back = segment.run_reader(0).expect("one run").block(0).expect("whole");
        assert_eq!(back.series.as_ref().map(|series| series.len()), Some(40));
        assert_same(&batch, &back);
        let (_directory, spelled_out, _) = written_as("metrics/node", &Arc::new(batch.spelled_out()));
        let run = segment.run(0, 0).expect("one run");
        let other = spelled_out.run(0, 0).expect("one run");
        let rows = RowSet::of(2000, |row| row % 3 == 0);
        for name in ["@message", "@logStream", "name", "zone", "cpu", "value", "@type", "@level"] {
            let (one, other) =
                (run.read(0, &[name], &rows).expect("whole"), other.read(0, &[name], &rows).expect("whole"));
            for row in 0..rows.count() {
                assert_eq!(format!("{:?}", one[0].value(row)), format!("{:?}", other[0].value(row)), "{name} {row}");
            }
        }
        let summary = |run: &Arc<dyn Run>| {
            let fields = run.fields().expect("whole");
            fields.into_iter().map(|field| (field.name, field.n_events)).collect::<Vec<_>>()
        };
        assert_eq!(summary(&run), summary(&other));
        for (literal, n_with) in [("load1", 13 * 50), ("cpu_", 14 * 50), ("absent", 0)] {
            let probe = TextProbe { field: ProbeField::Message, literal, ignores_case: false, is_whole: false };
            let narrowed = run.narrow(0, &probe).expect("whole");
            assert!(
                narrowed.rows.count() >= n_with && (!narrowed.exact || narrowed.rows.count() == n_with),
                "{literal}"
            );
        }
        assert!(bytes.len() < 12_000, "{} bytes", bytes.len());
    }
}

#[test]
fn one_sample_of_each_series_is_written_by_series_too() {
    for n_each in [1, 2] {
        let batch = samples_by_series(40, n_each, false);
        let (_directory, segment, _) = written_as("metrics/node", &batch);
        let back = segment.run_reader(0).expect("one run").block(0).expect("whole");
        assert!(back.series.is_some());
        assert_same(&batch, &back);
    }
}

#[test]
fn what_a_segment_gave_back_can_be_written_again() {
    let (_first, segment, _) = written_as("metrics/node", &samples_by_series(40, 50, true));
    let back = Arc::new(segment.run_reader(0).expect("one run").block(0).expect("whole"));
    let (_second, again, _) = written_as("metrics/node", &back);
    let twice = again.run_reader(0).expect("one run").block(0).expect("whole");
    assert!(twice.series.is_some());
    assert_same(&back, &twice);
}

#[test]
fn samples_of_chosen_streams_are_the_same_rows_in_memory_and_stored() {
    let batch = samples_by_series(40, 50, false);
    let (_directory, segment, _) = written_as("metrics/node", &batch);
    let stored = segment.run(0, 0).expect("one run");
    let hot = BatchRun::new(GroupName::new("metrics/node").expect("a valid name"), 1, batch.clone());
    let is_wanted = |stream: &str| stream.contains(r#""__name__":"node_load1""#);
    let expected = RowSet::of(batch.len(), |row| batch.field("name").value(row) == Some(Value::text("node_load1")));
    assert!(!expected.is_empty() && !expected.is_all());
    for run in [&*stored, &hot] {
        assert_eq!(run.rows_of_samples(0, &is_wanted).expect("whole"), Some(expected.clone()));
    }
    let spelled_out = BatchRun::new(hot.info().group.clone(), 1, Arc::new(batch.spelled_out()));
    assert_eq!(spelled_out.rows_of_samples(0, &is_wanted), Ok(None));
}

/// Samples as they were taken: stream, time in ms, number or text.
struct SampleList<'s> {
    streams: Vec<&'s str>,
    samples: Vec<(String, i64, String)>,
}

impl types::TakeSamples for SampleList<'_> {
    fn floats(&mut self, place: usize, times: &[i64], values: &[f64]) {
        assert_eq!(times.len(), values.len());
        let samples = times.iter().zip(values);
        self.samples.extend(samples.map(|(time, value)| (self.streams[place].to_owned(), *time, format!("{value:?}"))));
    }

    fn text(&mut self, place: usize, time: i64, text: &str) {
        self.samples.push((self.streams[place].to_owned(), time, text.to_owned()));
    }
}

/// Returns the samples of the streams that have `part`, in order; `None` if they have to be read otherwise.
fn taken(run: &dyn Run, part: &str) -> Option<Vec<(String, i64, String)>> {
    let streams = run.sample_streams().expect("whole").expect("samples");
    let chosen = streams.chosen(None, |text| text.contains(part));
    let texts = chosen.iter().map(|number| &**streams.text(*number).expect("a stream")).collect();
    let mut taken = SampleList { streams: texts, samples: Vec::new() };
    for block in 0..run.n_blocks() {
        if !run.samples(block, &chosen, &mut taken).expect("whole") {
            assert!(taken.samples.is_empty());
            return None;
        }
    }
    taken.samples.sort();
    Some(taken.samples)
}

#[test]
fn samples_of_chosen_series_are_those_of_the_batch_in_memory_and_stored() {
    for (batch, has_histograms) in [
        (samples_by_series(40, 50, false), false),
        (samples_by_series(40, 50, true), false),
        (samples_with_histograms(40, 50), true),
    ] {
        let (_directory, segment, _) = written_as("metrics/node", &batch);
        let stored = segment.run(0, 0).expect("one run");
        let hot = BatchRun::new(GroupName::new("metrics/node").expect("a valid name"), 1, batch.clone());
        for part in ["", r#""__name__":"node_load1""#, r#""cpu":"7""#, r#""n":"7""#, r#""n":"1""#, "absent"] {
            let mut expected = Vec::new();
            let mut are_numbers = true;
            for row in 0..batch.len() {
                let Some(Value::String(stream)) = batch.streams.value(row) else { continue };
                if !stream.contains(part) {
                    continue;
                }
                let text = match batch.field("value").value(row) {
                    Some(Value::Float(number)) => format!("{number:?}"),
                    Some(Value::String(text)) => text.to_string(),
                    _ => {
                        are_numbers = false;
                        continue;
                    }
                };
                expected.push((stream.to_string(), batch.timestamps.get(row) / Timestamp::MILLISECOND, text));
            }
            expected.sort();
            assert!(has_histograms || are_numbers);
            let expected = are_numbers.then_some(expected);
            assert_eq!(taken(&*stored, part), expected, "stored {part}");
            assert_eq!(taken(&hot, part), expected, "in memory {part}");
        }
    }
}
