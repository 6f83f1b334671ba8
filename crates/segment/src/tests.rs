//! What is written is read back, whole or by parts, and damage is found.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use types::{
    Batch, BatchBuilder, BatchRun, Column, Examples, GroupName, ProbeField, RowSet, Run, TextProbe, TimeRange,
    Timestamp, Value,
};

use self::events::{Made, batch, dump, event, group};
use super::*;

mod any;
mod dependent;
mod documents;
mod events;
mod kept;
mod messages;
mod series;
mod shared_ids;

const STORE: [u8; 16] = [7; 16];

fn meta() -> SegmentMeta {
    SegmentMeta { store: STORE, segment: 42, partition: 20_000 }
}

/// Writes batches as one run into a file and opens it again.
fn written(batches: &[Arc<Batch>]) -> (tempfile::TempDir, Arc<Segment>) {
    let input =
        RunInput { group: group(), group_id: 3, batches: batches.to_vec(), range: TimeRange::ALL, bytes_raw: 1000 };
    let written = write(&meta(), &[input], &[], 1).expect("memory");
    let directory = tempfile::tempdir().expect("a scratch directory");
    let path = directory.path().join("one.seg");
    std::fs::write(&path, &written.bytes).expect("a scratch file");
    let segment = Segment::open(&path, "one.seg".into(), STORE).expect("just written");
    assert_eq!(segment.summaries(), written.runs);
    assert_eq!(segment.meta, meta());
    (directory, segment)
}

#[test]
fn fields_with_few_values_are_counted() {
    let mut builder = BatchBuilder::new();
    for n in 0..20_000i64 {
        builder.set_timestamp(Timestamp(n * 30_000_000));
        builder.set_message("m");
        builder.field_text("kind", ["get", "put"][n as usize % 2]);
        builder.field_integer("code", 200 + n % 3);
        if n % 10 == 0 {
            builder.field_text("rare", "yes");
        }
        builder.field_integer("id", n % 251);
        builder.commit();
    }
    let (_directory, segment) = written(&[Arc::new(builder.finish())]);
    let run = segment.run(0, 0).expect("one run");
    assert!(run.n_blocks() > 1);
    let total = |name: &str| {
        let kept = run.field_minutes(name).expect("whole")?;
        assert_eq!(kept.minutes, (0..10).collect::<Vec<i64>>());
        let sums = kept.counts.iter().map(|counts| counts.iter().sum());
        Some(kept.values.iter().map(|value| format!("{value:?}")).zip(sums).collect::<Vec<(String, u32)>>())
    };
    assert_eq!(total("kind").map(|counts| counts.iter().map(|(_, n)| *n).collect()), Some(vec![10_000, 10_000]));
    assert_eq!(total("code").map(|counts| counts.len()), Some(3));
    assert_eq!(total("rare").and_then(|counts| counts.last().cloned()), Some(("None".into(), 18_000)));
    assert_eq!((total("id"), total("absent")), (None, None));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_segment_gives_back_what_memory_gives(events in proptest::collection::vec(event(), 1..60), cut in 0usize..60) {
        let (head, tail) = events.split_at(cut.min(events.len()));
        let batches: Vec<Arc<Batch>> =
            [batch(head, 10), batch(tail, 10 + head.len() as u64)].into_iter().filter(|b| !b.is_empty()).collect();
        let (_directory, segment) = written(&batches);
        let run = segment.run(0, 0).expect("one run");
        let memory = BatchRun::new(group(), 3, batch(&events, 10));
        prop_assert_eq!(dump(&*run).expect("whole"), dump(&memory).expect("memory"));
        prop_assert_eq!(run.minutes().expect("whole"), memory.minutes().expect("memory"));
    }

    #[test]
    fn counts_by_minute_and_value_are_those_of_the_rows(events in proptest::collection::vec(event(), 1..60)) {
        // Often enough that counting pays.
        let events: Vec<_> = events.iter().cycle().take(events.len() * 40).cloned().collect();
        let (_directory, segment) = written(&[batch(&events, 10)]);
        let run = segment.run(0, 0).expect("one run");
        for name in run.field_names().expect("whole") {
            let Some(kept) = run.field_minutes(&name).expect("whole") else { continue };
            let mut counted: BTreeMap<(i64, String), u32> = BTreeMap::new();
            for block in 0..run.n_blocks() {
                let all = RowSet::all(run.block_rows(block));
                let columns = run.read(block, &["@timestamp", &name], &all).expect("whole");
                let [Column::Timestamps(times), values] = &columns[..] else { panic!("times are times") };
                for (row, time) in times.iter().enumerate() {
                    let key = (time.div_euclid(Timestamp::MINUTE), format!("{:?}", values.value(row)));
                    *counted.entry(key).or_default() += 1;
                }
            }
            let mut told: BTreeMap<(i64, String), u32> = BTreeMap::new();
            for (value, counts) in kept.values.iter().zip(&kept.counts) {
                let of_minute = kept.minutes.iter().zip(counts).filter(|(_, count)| **count > 0);
                told.extend(of_minute.map(|(minute, count)| ((*minute, format!("{value:?}")), *count)));
            }
            prop_assert_eq!(told, counted, "{}", name);
        }
    }

    #[test]
    fn narrowing_finds_exactly_the_rows_that_hold_a_text(
        events in proptest::collection::vec(event(), 1..60),
        which in 0usize..60, from in 0usize..20, length in 1usize..12, ignores_case in any::<bool>(),
    ) {
        let (_directory, segment) = written(&[batch(&events, 0)]);
        let run = segment.run(0, 0).expect("one run");
        let chosen = &events[which % events.len()].message;
        let literal: String = chosen.chars().skip(from).take(length).collect();
        prop_assume!(!literal.is_empty());
        let all = RowSet::all(run.block_rows(0));
        let messages = run.read(0, &["@message"], &all).expect("whole").remove(0);
        let probe = TextProbe { field: ProbeField::Message, literal: &literal, ignores_case, is_whole: false };
        let narrowed = run.narrow(0, &probe).expect("whole");
        for row in all.iter() {
            let Some(Value::String(text)) = messages.value(row) else { panic!("a message is a text") };
            let holds = if ignores_case {
                text.to_ascii_lowercase().contains(&literal.to_ascii_lowercase())
            } else {
                text.contains(&literal)
            };
            prop_assert!(!holds || narrowed.rows.contains(row));
            prop_assert!(!narrowed.exact || holds == narrowed.rows.contains(row), "{} in {}", literal, text);
        }
    }
}

fn many(n_events: usize) -> Vec<Made> {
    let one = |i: usize| Made {
        time: (i as i64) * 1_000_000,
        message: format!("request {i} from 10.0.0.{} took {}ms id needle{i}", i % 200, i % 977),
        level: (i % 7) as u8,
        stream: "host:1",
        keys: 1,
        fields: vec![("a", Value::text(format!("u{i}"))), ("zone", Value::text(["x", "y"][i % 2]))],
    };
    (0..n_events).map(one).collect()
}

#[test]
fn runs_of_several_blocks_are_whole_and_in_order() {
    let events = many(BLOCK_ROWS * 2 + 77);
    let mut shuffled = events.clone();
    shuffled.rotate_left(BLOCK_ROWS / 3);
    let (_directory, segment) = written(&[batch(&shuffled, 0)]);
    let run = segment.run(0, 0).expect("one run");
    assert_eq!(run.n_blocks(), 3);
    assert_eq!(run.info().n_events, events.len() as u64);
    let memory = BatchRun::new(group(), 3, batch(&shuffled, 0));
    assert_eq!(dump(&*run).expect("whole"), dump(&memory).expect("memory"));
    let probe = TextProbe { field: ProbeField::Message, literal: "needle20000", ignores_case: false, is_whole: false };
    let found: Vec<usize> =
        (0..3).flat_map(|block| run.narrow(block, &probe).expect("whole").rows.iter().collect::<Vec<_>>()).collect();
    assert_eq!(found, [20_000 - BLOCK_ROWS]);
    assert!(segment.verify().expect("whole") > 0);
}

#[test]
fn several_runs_share_a_segment_and_empty_inputs_have_none() {
    let input = |name: &str, range| RunInput {
        group: GroupName::new(name).expect("a valid name"),
        group_id: 1,
        batches: vec![batch(&many(10), 0)],
        range,
        bytes_raw: 0,
    };
    let early = TimeRange { from: Timestamp(0), to: Timestamp(5_000_000) };
    let none = TimeRange { from: Timestamp(-9), to: Timestamp(-3) };
    let written =
        write(&meta(), &[input("a", early), input("b", none), input("c", TimeRange::ALL)], &[], 1).expect("memory");
    let counts: Vec<(String, u64)> = written.runs.iter().map(|run| (run.group.to_string(), run.n_events)).collect();
    assert_eq!(counts, [("a".to_string(), 5), ("c".to_string(), 10)]);
}

#[test]
fn every_damaged_byte_is_found_and_never_panics() {
    let (directory, _segment) = written(&[batch(&many(300), 0)]);
    let path = directory.path().join("one.seg");
    let whole = std::fs::read(&path).expect("just written");
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x20;
        std::fs::write(&path, &damaged).expect("a scratch file");
        let opened = Segment::open(&path, "one.seg".into(), STORE);
        let found = opened.and_then(|segment| segment.verify());
        assert!(found.is_err(), "byte {at} of {}", whole.len());
    }
    for length in [0, 10, 64, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&path, &whole[..length]).expect("a scratch file");
        assert!(Segment::open(&path, "one.seg".into(), STORE).is_err());
    }
}

/// Counts the reads of a segment that lies in memory.
struct Counted {
    bytes: Vec<u8>,
    reads: Arc<AtomicUsize>,
    /// Bytes that are wrong until they are distrusted.
    damaged_at: Mutex<Option<u64>>,
}

impl Source for Counted {
    fn n_bytes(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read_at(&self, offset: u64, length: usize) -> std::io::Result<Vec<u8>> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        let mut read = self.bytes[offset as usize..offset as usize + length].to_vec();
        let damaged = self.damaged_at.lock().expect("no panic");
        let place = damaged.and_then(|at| at.checked_sub(offset)).and_then(|at| read.get_mut(at as usize));
        place.into_iter().for_each(|byte| *byte ^= 1);
        Ok(read)
    }

    fn distrust(&self, range: std::ops::Range<u64>) -> bool {
        let mut damaged = self.damaged_at.lock().expect("no panic");
        damaged.take_if(|at| range.contains(at)).is_some()
    }
}

#[test]
fn opening_takes_at_most_two_reads() {
    // So many names that the footer is longer than the first read.
    for (n_fields, expected) in [(3, 1), (12_000, 2)] {
        let mut builder = BatchBuilder::new();
        for i in 0..n_fields {
            builder.field_integer(&noise(i), 1);
        }
        builder.set_timestamp(Timestamp(1));
        builder.set_message("one");
        builder.commit();
        let (directory, _segment) = written(&[Arc::new(builder.finish())]);
        let bytes = std::fs::read(directory.path().join("one.seg")).expect("just written");
        let reads = Arc::new(AtomicUsize::new(0));
        let source = Counted { bytes, reads: reads.clone(), damaged_at: Mutex::default() };
        let segment = Segment::open_source(Box::new(source), "one.seg".into(), STORE).expect("just written");
        assert_eq!(reads.load(Ordering::Relaxed), expected, "{n_fields} fields");
        assert_eq!(segment.summaries()[0].n_events, 1);
    }
}

#[test]
fn what_a_source_may_have_read_wrongly_is_read_again_once() {
    let (directory, _segment) = written(&[batch(&many(300), 0)]);
    let bytes = std::fs::read(directory.path().join("one.seg")).expect("just written");
    let damaged_at = Mutex::new(Some(HEADER_BYTES as u64 + 5));
    let source = Counted { bytes, reads: Arc::default(), damaged_at };
    let segment = Segment::open_source(Box::new(source), "one.seg".into(), STORE).expect("an intact end");
    segment.verify().expect("intact at the second look");
}

#[test]
fn a_segment_of_another_store_is_refused() {
    let (directory, _segment) = written(&[batch(&many(3), 0)]);
    let path = directory.path().join("one.seg");
    let refused = Segment::open(&path, "one.seg".into(), [8; 16]);
    assert!(refused.is_err_and(|error| error.problem.contains("another store")));
}

#[test]
fn words_are_found_with_and_without_an_index() {
    for n_templates in [word_index::TEMPLATES_MIN - 1, word_index::TEMPLATES_MIN + 1] {
        let message = |i: usize| format!("the {} fell over", letters(i));
        let events: Vec<Made> = (0..n_templates).map(|i| Made { message: message(i), ..many(1).remove(0) }).collect();
        let (_directory, segment) = written(&[batch(&events, 0)]);
        let run = segment.run(0, 0).expect("one run");
        let literal = format!("the {} fell", letters(100));
        let probe = TextProbe { field: ProbeField::Message, literal: &literal, ignores_case: false, is_whole: false };
        let expected = events.iter().filter(|event| event.message.contains(&literal)).count();
        assert_eq!(run.narrow(0, &probe).expect("whole").rows.count(), expected);
    }
}

/// Returns a text of its own for each number, which does not compress well.
fn noise(number: usize) -> String {
    format!("{:016x}", xxhash_rust::xxh3::xxh3_64(&number.to_le_bytes()))
}

/// Returns a number in letters, so that it is a word without digits.
fn letters(number: usize) -> String {
    number.to_string().bytes().map(|digit| char::from(b'g' + (digit - b'0'))).collect()
}

impl crate::template::TemplateText {
    /// Takes templates that were just made, of a segment of format 2.
    pub(crate) fn of(templates: &[Vec<u8>]) -> Self {
        let mut text = Self::default();
        for template in templates {
            text.add(std::str::from_utf8(template).expect("text"), 2).expect("a template");
        }
        text
    }
}
