//! Runs that are put together say what they said before.

use proptest::prelude::*;
use segment::{RunInput, Segment};
use types::{Batch, BatchRun, TimeRange, Timestamp};

use super::job::{LEVEL, outline};
use super::merge::Share;
use super::*;
use crate::segment_events::{Made, batch, dump, event, group};

impl Compactor {
    /// Keeps everyone from beginning a job.
    pub(crate) fn hold(&self) -> impl Drop + '_ {
        self.state.hold()
    }

    /// Returns the segments of the next job with such up to the number `last`.
    pub(crate) fn next_job(&self, last: u128) -> Vec<u128> {
        let job = self.choose(&HashSet::new(), last);
        job.iter().flat_map(|job| &job.inputs).map(|input| input.segment.meta.segment).collect()
    }
}

const STORE: [u8; 16] = [7; 16];

fn meta(segment: u128) -> SegmentMeta {
    SegmentMeta { store: STORE, segment, partition: 20_000 }
}

fn opened(dir: &std::path::Path, id: u128, bytes: &[u8]) -> Arc<Segment> {
    let path = dir.join(id.to_string());
    std::fs::write(&path, bytes).expect("a scratch file");
    Segment::open(&path, id.to_string(), STORE).expect("just written")
}

/// Writes each of `batches` as a segment and puts the share of them together; returns what it says, twice.
fn put_together(batches: &[Arc<Batch>], share: &Share, dir: &std::path::Path) -> Option<Vec<String>> {
    let mut runs = Vec::new();
    for (id, batch) in batches.iter().enumerate() {
        let batches = vec![batch.clone()];
        let input = RunInput { group: group(), group_id: 3, batches, range: TimeRange::ALL, bytes_raw: 10 };
        let written = segment::write(&meta(id as u128), &[input], &[], 1).expect("memory");
        runs.push(Input::of(&opened(dir, id as u128, &written.bytes), 0, None).expect("one run"));
    }
    let outline = outline(3, &runs, share).expect("whole")?;
    let mut writer = SegmentWriter::new(meta(1000), LEVEL, 1).expect("memory");
    let mut proof = Proof::default();
    let blocks = Merge::new(&runs, share).map(|block| block.inspect(|block| proof.add(block)));
    writer.add_run(outline, blocks).expect("whole");
    let written = writer.finish(&[0, 1]).expect("memory");
    let segment = opened(dir, 1000, &written.bytes);
    assert_eq!(segment.replaced(), [0, 1]);
    proof::check(&segment, std::slice::from_ref(&proof), &mut || Ok(())).expect("faithful");
    assert!(proof::check(&segment, &[Proof::default()], &mut || Ok(())).is_err(), "another proof fits as well");
    Some(dump(&*segment.run(0, 0).expect("one run")).expect("whole"))
}

fn batches_of(events: &[Made], cuts: &[usize]) -> Vec<Arc<Batch>> {
    let mut batches = Vec::new();
    let mut from = 0;
    for to in cuts.iter().copied().chain([events.len()]) {
        let to = to.clamp(from, events.len());
        if from < to {
            batches.push(batch(&events[from..to], 10 + from as u64));
        }
        from = to;
    }
    batches
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_is_put_together_says_what_memory_says(
        events in proptest::collection::vec(event(), 1..80),
        mut cuts in proptest::collection::vec(0usize..80, 0..6),
    ) {
        cuts.sort_unstable();
        let dir = tempfile::tempdir().expect("a scratch directory");
        let found = put_together(&batches_of(&events, &cuts), &Share::All, dir.path()).expect("events");
        let memory = BatchRun::new(group(), 3, batch(&events, 10));
        prop_assert_eq!(found, dump(&memory).expect("memory"));
    }

    #[test]
    fn days_and_the_rest_are_all_that_there_is(
        mut events in proptest::collection::vec(event(), 1..60),
        days in proptest::collection::vec(0i64..4, 60), cut in 0usize..60,
    ) {
        events.iter_mut().zip(days).for_each(|(event, day)| event.time += day * Timestamp::DAY);
        let dir = tempfile::tempdir().expect("a scratch directory");
        let batches = batches_of(&events, &[cut]);
        let shares = [Share::Day(0), Share::Day(2), Share::Except(vec![0, 2])];
        let mut found: Vec<String> =
            shares.iter().filter_map(|share| put_together(&batches, share, dir.path())).flatten().collect();
        let mut expected = dump(&BatchRun::new(group(), 3, batch(&events, 10))).expect("memory");
        // Which fields a run names depends on its events: compare what is there.
        let present = |row: &mut String| *row = row.split(' ').filter(|cell| !cell.ends_with("=None")).collect();
        found.iter_mut().for_each(present);
        expected.iter_mut().for_each(present);
        found.sort();
        expected.sort();
        prop_assert_eq!(found, expected);
    }
}

#[test]
fn runs_of_many_blocks_are_merged_in_order() {
    let time = |i: usize| (i as i64 * 7919) % 50_000 * Timestamp::SECOND;
    let mut builders: Vec<types::BatchBuilder> = (0..3).map(|_| types::BatchBuilder::new()).collect();
    for i in 0..60_000 {
        builders[i % 3].set_timestamp(Timestamp(time(i)));
        builders[i % 3].set_message(&format!("request {i} took {} ms", i % 77));
        builders[i % 3].field_integer(["a", "b", "c"][i % 3], i as i64);
        builders[i % 3].commit();
    }
    let batches: Vec<Arc<Batch>> = builders.into_iter().map(|builder| Arc::new(builder.finish())).collect();
    let dir = tempfile::tempdir().expect("a scratch directory");
    let found = put_together(&batches, &Share::All, dir.path()).expect("events");
    assert_eq!(found.len(), 60_000);
    let segment = Segment::open(&dir.path().join("1000"), "1000".into(), STORE).expect("just written");
    let run = segment.run(0, 0).expect("one run");
    assert_eq!(run.n_blocks(), 60_000usize.div_ceil(segment::BLOCK_ROWS));
    let summary = &segment.summaries()[0];
    assert_eq!((summary.n_events, summary.bytes_raw), (60_000, 30));
    let blocks: Vec<(Timestamp, Timestamp)> = (0..run.n_blocks()).map(|block| run.block_times(block)).collect();
    assert!(blocks.windows(2).all(|pair| pair[0].1 <= pair[1].0));
}

#[test]
fn a_segment_that_says_anything_else_is_found_out() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let made = |message: &str, field: i64, time: i64| {
        let mut builder = types::BatchBuilder::new();
        for row in 0..3 {
            builder.set_timestamp(Timestamp(time + row));
            builder.set_message(message);
            builder.field_integer("n", field);
            builder.commit();
        }
        Arc::new(builder.finish())
    };
    let right = made("it is so", 7, 5);
    let input = RunInput { group: group(), group_id: 3, batches: vec![right], range: TimeRange::ALL, bytes_raw: 10 };
    let written = segment::write(&meta(1), &[input], &[], 1).expect("memory");
    let segment = opened(dir.path(), 1, &written.bytes);
    let is_faithful = |block: &Batch| {
        let mut proof = Proof::default();
        proof.add(block);
        proof::check(&segment, &[proof], &mut || Ok(())).is_ok()
    };
    assert!(is_faithful(&made("it is so", 7, 5)));
    for other in [made("it is not so", 7, 5), made("it is so", 8, 5), made("it is so", 7, 6)] {
        assert!(!is_faithful(&other));
    }
    assert!(!is_faithful(&Batch::gather(&[&made("it is so", 7, 5)], &[(0, 0), (0, 1)])), "an event is missing");
}
