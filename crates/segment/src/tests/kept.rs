//! What queries leave behind of segments that stay open.

use std::sync::Weak;

use super::*;
use crate::section_cache::SectionCache;

/// Segments, of which [`CAPACITY`] has room for a few.
const N_SEGMENTS: usize = 100;
const CAPACITY: u64 = 1 << 20;

/// What a query got of a run.
struct Got {
    examples: Weak<Examples>,
    values: Weak<Vec<Value>>,
}

/// A thousand events of a hundred templates, with a field of two hundred values; no segment has those of another.
fn of_segment(number: usize) -> Arc<Batch> {
    let letters = |n: usize| n.to_string().bytes().map(|digit| char::from(digit + b'a' - b'0')).collect::<String>();
    let mut builder = BatchBuilder::new();
    for row in 0..1000 {
        builder.set_timestamp(Timestamp(row as i64 * 1_000_000));
        builder.set_message(&format!("segment {} says {} took {row} ms", letters(number), letters(row % 100)));
        builder.field_text("kind", &format!("kind {number} {}", row % 200));
        builder.commit();
    }
    Arc::new(builder.finish())
}

/// Asks a run for a phrase, for what its messages look like and for a field.
fn ask(run: &dyn Run) -> Got {
    let phrase = TextProbe { field: ProbeField::Message, literal: "says b took", ignores_case: false, is_whole: false };
    assert_eq!(run.narrow(0, &phrase).expect("whole").rows.count(), 10);
    let columns = run.read(0, &["kind"], &RowSet::all(run.block_rows(0))).expect("whole");
    let Some(Column::Dictionary { values, .. }) = columns.first() else { panic!("it has a dictionary") };
    let examples = run.examples().expect("whole").expect("it has templates");
    Got { examples: Arc::downgrade(&examples), values: Arc::downgrade(values) }
}

#[test]
fn segments_that_stay_open_keep_no_more_than_there_is_room_for() {
    let cache = SectionCache::new(CAPACITY);
    let segments: Vec<(tempfile::TempDir, Arc<Segment>)> =
        (0..N_SEGMENTS).map(|number| written(&[of_segment(number)])).collect();
    segments.iter().for_each(|(_, segment)| segment.keep_sections(&cache));
    let n_footers = cache.status().footer_bytes;
    assert!(n_footers > 0 && cache.status().bytes == 0);
    // One query holds all of its runs until it ends.
    let runs: Vec<Arc<dyn Run>> =
        segments.iter().map(|(_, segment)| segment.run(0, 0).expect("it has a run")).collect();
    let got: Vec<Got> = runs.iter().map(|run| ask(&**run)).collect();
    let n_left = || {
        let examples = got.iter().filter(|got| got.examples.strong_count() > 0).count();
        examples.max(got.iter().filter(|got| got.values.strong_count() > 0).count())
    };
    assert!(cache.status().bytes <= CAPACITY, "{:?}", cache.status());
    assert!(n_left() < N_SEGMENTS * 9 / 10, "a query lets go of runs that it is done with: {}", n_left());
    drop(runs);
    assert!((1..N_SEGMENTS / 2).contains(&n_left()), "{} of {N_SEGMENTS} runs are still there", n_left());
    // What went is read again.
    let run = segments[0].1.run(0, 0).expect("it has a run");
    ask(&*run);
    drop(run);
    drop(segments);
    assert_eq!((n_left(), cache.status().bytes, cache.status().footer_bytes), (0, 0, 0));
}

#[test]
fn what_there_is_room_for_is_read_once() {
    let cache = SectionCache::new(64 << 20);
    let (_directory, segment) = written(&[of_segment(0)]);
    segment.keep_sections(&cache);
    let asked = || segment.run(0, 0).expect("it has a run");
    let got = ask(&*asked());
    let misses = cache.status().misses;
    assert!(Weak::ptr_eq(&ask(&*asked()).values, &got.values));
    assert_eq!(cache.status().misses, misses);
    assert!(cache.status().bytes > 20_000, "{:?}", cache.status());
}
