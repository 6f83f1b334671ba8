//! A run with deleted events says what a run says that never had them.

use std::sync::Arc;

use proptest::prelude::*;
use segment::{RunInput, Segment, SegmentMeta};
use types::{Batch, BatchRun, MinuteCounts, ProbeField, RowSet, Run, TextProbe, TimeRange, Timestamp, Value};

use super::*;
use crate::retention::Trims;
use crate::segment_events::{Made, batch, dump, event, group};

const STORE: [u8; 16] = [7; 16];

fn written(dir: &std::path::Path, batch: Arc<Batch>) -> Arc<Segment> {
    let meta = SegmentMeta { store: STORE, segment: 1, partition: 20_000 };
    let batches = vec![batch];
    let input = RunInput { group: group(), group_id: 3, batches, range: TimeRange::ALL, bytes_raw: 10 };
    let path = dir.join("one.seg");
    std::fs::write(&path, segment::write(&meta, &[input], &[], 1).expect("memory").bytes).expect("a scratch file");
    Segment::open(&path, "one.seg".into(), STORE).expect("just written")
}

fn deletion(id: u64, sequences: impl Iterator<Item = u64>) -> Arc<Deletion> {
    Arc::new(Deletion { id, group_id: 3, sequences: sequences.collect() })
}

/// Returns what a run says of its events, without the fields that they do not have.
fn said(run: &dyn Run) -> Vec<String> {
    let present = |row: String| row.split(' ').filter(|cell| !cell.ends_with("=None")).collect();
    dump(run).expect("whole").into_iter().map(present).collect()
}

fn minutes(run: &dyn Run) -> Vec<MinuteCounts> {
    run.minutes().expect("whole").expect("they are kept")
}

/// Returns rows of all blocks that may hold a text in `@message`, as messages.
fn narrowed(run: &dyn Run, literal: &str) -> Vec<Option<Value>> {
    let probe = TextProbe { field: ProbeField::Message, literal, ignores_case: false, is_whole: false };
    let mut found = Vec::new();
    for block in 0..run.n_blocks() {
        let rows = run.narrow(block, &probe).expect("whole").rows;
        assert_eq!(rows.n_rows(), run.block_rows(block));
        let messages = run.read(block, &["@message"], &rows).expect("whole").remove(0);
        found.extend((0..messages.n_rows()).map(|row| messages.value(row)));
    }
    found
}

fn check(events: &[Made], is_deleted: impl Fn(usize) -> bool) -> Result<(), TestCaseError> {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let whole = batch(events, 10);
    let segment = written(dir.path(), whole.clone());
    let gone = |parity: usize| (0..events.len()).filter(|row| is_deleted(*row)).filter(move |row| row % 2 == parity);
    let deletions = [0, 1].map(|parity| deletion(parity as u64, gone(parity).map(|row| row as u64 + 10)));
    let rows: Vec<(u32, u32)> = (0..events.len()).filter(|row| !is_deleted(*row)).map(|row| (0, row as u32)).collect();
    let mask = Mask::of(&segment, 0, Removals { deletions: &deletions, trims: &Trims::new() }).expect("whole");
    let n_deleted = events.len() - rows.len();
    prop_assert_eq!(mask.as_ref().map_or(0, |mask| mask.n_deleted), n_deleted as u64);
    let Some(mask) = mask else { return Ok(()) };
    prop_assert_eq!(mask.n_events, rows.len() as u64);
    if rows.is_empty() {
        prop_assert!(mask.shown.is_empty());
        return Ok(());
    }
    let memory = BatchRun::new(group(), 3, Arc::new(Batch::gather(&[&whole], &rows)));
    let run = MaskedRun::new(segment.run(0, 0).expect("one run"), Arc::new(mask));
    prop_assert_eq!(said(&run), said(&memory));
    prop_assert_eq!(minutes(&run), minutes(&memory));
    let bounds = |run: &dyn Run| (run.info().n_events, run.info().first, run.info().last);
    prop_assert_eq!(bounds(&run), bounds(&memory));
    for name in ["a", "b.c", "zone"] {
        let n_events = |run: &dyn Run| {
            let fields = run.fields().expect("whole");
            fields.iter().find(|field| *field.name == *name).map(|field| field.n_events)
        };
        prop_assert_eq!(n_events(&run), n_events(&memory), "{}", name);
    }
    prop_assert_eq!(run.info().key.map(|key| key.version), Some(n_deleted as u32));
    for literal in ["get /", "10.0.", "a"] {
        let holds = |value: &Option<Value>| matches!(value, Some(Value::String(text)) if text.contains(literal));
        let expected: Vec<Option<Value>> = narrowed(&memory, literal).into_iter().filter(holds).collect();
        let found: Vec<Option<Value>> = narrowed(&run, literal).into_iter().filter(holds).collect();
        prop_assert_eq!(found, expected, "{}", literal);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_run_with_deleted_events_says_what_one_says_that_never_had_them(
        events in proptest::collection::vec(event(), 1..60), gone in proptest::collection::vec(0u8..3, 60),
        which in 0u8..4,
    ) {
        // Some of them, nearly all of them, all of them, none.
        check(&events, |row| which == 2 || (which < 2 && (gone[row] == 0) == (which == 0)))?;
    }
}

#[test]
fn blocks_of_which_everything_is_deleted_are_not_there() {
    let mut builder = types::BatchBuilder::new();
    for i in 0..segment::BLOCK_ROWS as i64 * 3 {
        builder.set_timestamp(Timestamp(i * 1_000_000));
        builder.set_message(&format!("event {i}"));
        builder.commit();
    }
    let mut batch = builder.finish();
    batch.sequences = (0..batch.len() as u64).collect();
    let dir = tempfile::tempdir().expect("a scratch directory");
    let segment = written(dir.path(), Arc::new(batch));
    let block = segment::BLOCK_ROWS as u64;
    let gone = deletion(1, (0..20).chain(block..2 * block));
    let mask = Arc::new(
        Mask::of(&segment, 0, Removals { deletions: &[gone], trims: &Trims::new() })
            .expect("whole")
            .expect("something is deleted"),
    );
    let run = MaskedRun::new(segment.run(0, 0).expect("one run"), mask);
    assert_eq!(
        (run.n_blocks(), run.block_rows(0), run.block_rows(1)),
        (2, segment::BLOCK_ROWS - 20, segment::BLOCK_ROWS)
    );
    assert_eq!(run.block_times(0).0, Timestamp(20_000_000));
    let first = run.read(1, &["@message"], &RowSet::of(segment::BLOCK_ROWS, |row| row == 0)).expect("whole");
    assert_eq!(first[0].value(0), Some(Value::text(format!("event {}", 2 * block))));
}
