//! Ids that runs share, and a few rows of columns that other columns determine.

use super::*;
use crate::column::shared_ids;
use crate::format::{FORMAT_OF_EVENTS, FORMAT_OF_SHARED_IDS, version_of};
use crate::section_cache::SectionCache;

/// The id of a trace.
fn trace(number: usize) -> String {
    format!("{:032x}", xxhash_rust::xxh3::xxh3_128(&number.to_le_bytes()))
}

/// Three spans of each trace from `first` on, in one service.
fn spans(first: usize, n: usize) -> Arc<Batch> {
    let mut builder = BatchBuilder::new();
    for row in 0..n {
        builder.set_timestamp(Timestamp(row as i64 * 1000));
        builder.set_message("m");
        if row % 50 > 0 {
            builder.field_text("trace_id", &trace(first + row / 3));
        }
        let pod = row * row % 7;
        builder.field_text("pod", &format!("pod-{pod}"));
        if row % 9 > 0 {
            builder.field_text("node", ["north", "south", "east"][pod % 3]);
        }
        if row % 3 > 0 {
            builder.field_integer("port", 8000 + pod as i64 * 300);
        }
        builder.commit();
    }
    Arc::new(builder.finish())
}

fn written_runs(batches: &[Arc<Batch>]) -> (tempfile::TempDir, Arc<Segment>, Vec<u8>) {
    let input = |(number, batch): (usize, &Arc<Batch>)| {
        let group = GroupName::new(&format!("traces/service{number}")).expect("a name");
        RunInput { group, group_id: number as u32, batches: vec![batch.clone()], range: TimeRange::ALL, bytes_raw: 1 }
    };
    let inputs: Vec<RunInput> = batches.iter().enumerate().map(input).collect();
    let bytes = write(&meta(), &inputs, &[], 1).expect("memory").bytes;
    let directory = tempfile::tempdir().expect("a scratch directory");
    let path = directory.path().join("one.seg");
    std::fs::write(&path, &bytes).expect("a scratch file");
    let segment = Segment::open(&path, "one.seg".into(), STORE).expect("just written");
    (directory, segment, bytes)
}

/// Compares rows of a run with those of the batch that it was written from.
fn check_rows(run: &dyn Run, batch: &Arc<Batch>, keep: impl Fn(usize) -> bool) {
    let memory = BatchRun::new(group(), 3, batch.clone());
    let rows = RowSet::of(batch.len(), keep);
    let names = ["trace_id", "pod", "node", "port"];
    let (found, expected) = (run.read(0, &names, &rows), memory.read(0, &names, &rows));
    for (name, (found, expected)) in names.iter().zip(found.expect("whole").iter().zip(expected.expect("memory"))) {
        for row in 0..rows.count() {
            assert_eq!(format!("{:?}", found.value(row)), format!("{:?}", expected.value(row)), "row {row} of {name}");
        }
    }
}

/// Looks for ids, those of others, and a piece of one.
fn check_narrowed(run: &dyn Run, batch: &Arc<Batch>) {
    let memory = BatchRun::new(group(), 3, batch.clone());
    let values = memory.read(0, &["trace_id"], &RowSet::all(batch.len())).expect("memory").remove(0);
    for literal in [trace(5_000_000), trace(700), trace(250), trace(100_100), trace(700)[3..9].to_owned()] {
        let probe =
            TextProbe { field: ProbeField::Named("trace_id"), literal: &literal, ignores_case: false, is_whole: false };
        let found = run.narrow(0, &probe).expect("whole");
        let holds = |row: usize| values.value(row).is_some_and(|value| value.to_string().contains(&literal));
        assert!(found.exact);
        assert!((0..batch.len()).all(|row| found.rows.contains(row) == holds(row)), "{literal}");
    }
}

#[test]
fn runs_give_back_the_ids_that_they_share() {
    // The last run has none that another has.
    let batches = [spans(0, 3000), spans(500, 3000), spans(200, 900), spans(100_000, 2000)];
    for is_cached in [false, true] {
        let (_directory, segment, bytes) = written_runs(&batches);
        assert_eq!(version_of(&bytes), Some(FORMAT_OF_SHARED_IDS.into()));
        if is_cached {
            segment.keep_sections(&SectionCache::new(16 << 20));
        }
        for (number, batch) in batches.iter().enumerate() {
            let run = segment.run(number, 0).expect("a run");
            // Before anything has restored the ids, and after.
            check_narrowed(&*run, batch);
            check_rows(&*run, batch, |row| row % 500 == 77);
            check_rows(&*run, batch, |row| row % 500 == 78);
            check_rows(&*run, batch, |row| row % 3 == 1);
            check_rows(&*run, batch, |_| true);
            check_rows(&*run, batch, |row| row % 500 == 78);
            check_narrowed(&*run, batch);
        }
    }
}

#[test]
fn ids_that_were_not_found_in_pages_are_read_afterwards() {
    let batches = [spans(0, 3000), spans(500, 3000)];
    let (_directory, segment, _) = written_runs(&batches);
    segment.keep_sections(&SectionCache::new(16 << 20));
    for (number, batch) in batches.iter().enumerate() {
        let run = segment.run(number, 0).expect("a run");
        // The filter of the run lets a few of them pass.
        for literal in (5_000_000..5_000_400).map(trace) {
            let probe = TextProbe {
                field: ProbeField::Named("trace_id"),
                literal: &literal,
                ignores_case: false,
                is_whole: false,
            };
            assert!(run.narrow(0, &probe).expect("whole").rows.is_empty());
        }
        check_rows(&*run, batch, |row| row % 500 == 78);
        check_rows(&*run, batch, |_| true);
    }
}

#[test]
fn a_few_rows_restore_nothing() {
    let batches = [spans(0, 3000), spans(500, 3000)];
    let (_directory, segment, _) = written_runs(&batches);
    let cache = SectionCache::new(16 << 20);
    segment.keep_sections(&cache);
    let run = segment.run(0, 0).expect("a run");
    check_rows(&*run, &batches[0], |row| row % 500 == 78);
    let as_stored = cache.status().sections;
    check_rows(&*run, &batches[0], |_| true);
    // What `pod` says of nodes and ports is restored now.
    assert_eq!(cache.status().sections, as_stored + 2);
}

#[test]
fn ids_that_runs_share_take_room_once() {
    let services = vec![spans(0, 6000); 10];
    let (_directory, shared, together) = written_runs(&services);
    let alone: usize = services.iter().map(|batch| written_runs(std::slice::from_ref(batch)).2.len()).sum();
    // 2,000 ids of 16 bytes.
    assert!(together.len() + 9 * 28_000 < alone, "{} for {alone} bytes", together.len());
    let (_directory, _, bytes) = written_runs(&services[..1]);
    assert_eq!(version_of(&bytes), Some(FORMAT_OF_EVENTS.into()), "earlier versions can read what shares nothing");
    let found = shared.footprint();
    assert!(found["column trace_id"] < 10 * 8000, "{found:?}");
}

#[test]
fn a_page_of_ids_that_is_damaged_is_named() {
    let batches = [spans(0, 3000), spans(0, 3000)];
    let (directory, segment, mut bytes) = written_runs(&batches);
    let run = segment.run_reader(0).expect("a run");
    drop(run);
    let id = trace(5);
    let packed: Vec<u8> = (0..16).map(|at| u8::from_str_radix(&id[2 * at..2 * at + 2], 16).expect("hex")).collect();
    let places: Vec<usize> = (0..bytes.len() - 16).filter(|at| bytes[*at..*at + 16] == packed).collect();
    assert_eq!(places.len(), 1, "the id stands once");
    bytes[places[0]] ^= 1;
    let path = directory.path().join("two.seg");
    std::fs::write(&path, &bytes).expect("a scratch file");
    let damaged = Segment::open(&path, "two.seg".into(), STORE).expect("its end is whole");
    for number in 0..2 {
        let run = damaged.run(number, 0).expect("a run");
        let failed = run.read(0, &["trace_id"], &RowSet::all(3000)).expect_err("damaged");
        assert!(failed.problem.contains("checksum"), "{failed:?}");
    }
    assert!(shared_ids::pages_of(&[10, 1]).is_err());
}
