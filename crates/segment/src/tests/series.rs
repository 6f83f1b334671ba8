//! Runs of samples: larger blocks, and numbers as differences within their series.

use super::*;
use crate::format::{FORMAT_OF_EVENTS, SERIES_BLOCK_ROWS};

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
    let batch = samples(3000, 100);
    let (_directory, segment, bytes) = written_as("metrics/node", &batch);
    let run = segment.run(0, 0).expect("one run");
    assert_eq!(
        (0..run.n_blocks()).map(|block| run.block_rows(block)).collect::<Vec<_>>(),
        [SERIES_BLOCK_ROWS, 300_000 - SERIES_BLOCK_ROWS]
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
    assert!(bytes.len() < 300_000, "{} bytes for 300,000 samples", bytes.len());
    assert_eq!(version_of(&bytes), Some(FORMAT_VERSION.into()));
}

#[test]
fn segments_without_samples_keep_the_format_that_earlier_versions_read() {
    let (_directory, segment, bytes) = written_as("app/web", &samples(10, 2000));
    assert_eq!(version_of(&bytes), Some(FORMAT_OF_EVENTS.into()));
    assert_eq!(segment.run(0, 0).expect("one run").n_blocks(), 2);
}
