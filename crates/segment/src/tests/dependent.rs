//! What other columns say: ids of parents, attributes that go together, durations in messages.

use super::*;

/// An id of eight bytes.
fn id(number: u64) -> String {
    format!("{:016x}", xxhash_rust::xxh3::xxh3_64(&number.to_le_bytes()))
}

/// What a span says of its parent.
#[derive(Clone, Debug)]
enum Parent {
    Missing,
    Itself,
    /// A span so many rows before, or after.
    Before(usize),
    After(usize),
    /// A span of another run, which others may have as well.
    Elsewhere(u64),
    Other(String),
}

fn parent() -> impl Strategy<Value = Parent> {
    prop_oneof![
        1 => Just(Parent::Missing),
        1 => Just(Parent::Itself),
        12 => (1usize..40).prop_map(Parent::Before),
        1 => (1usize..40).prop_map(Parent::After),
        3 => (1000u64..1020).prop_map(Parent::Elsewhere),
    ]
}

/// Texts that are no ids of eight bytes in lower case.
fn odd() -> impl Strategy<Value = Parent> {
    prop_oneof!["[0-9A-F]{16}", "[0-9a-f]{14}", "", "none"].prop_map(Parent::Other)
}

fn batch_of(parents: &[Parent], lacks_id: &[usize]) -> Arc<Batch> {
    let mut builder = BatchBuilder::new();
    let n = parents.len();
    for (row, parent) in parents.iter().enumerate() {
        builder.set_timestamp(Timestamp(row as i64 * 1000));
        builder.set_message("m");
        if !lacks_id.contains(&row) {
            builder.field_text("span_id", &id(row as u64));
        }
        let parent = match parent {
            Parent::Missing => None,
            Parent::Itself => Some(id(row as u64)),
            Parent::Before(distance) => row.checked_sub(*distance).map(|row| id(row as u64)),
            Parent::After(distance) => Some(id(((row + distance) % n) as u64)),
            Parent::Elsewhere(number) => Some(id(*number)),
            Parent::Other(text) => Some(text.clone()),
        };
        if let Some(parent) = parent {
            builder.field_text("parent_span_id", &parent);
        }
        let pod = row * row % 7;
        builder.field_text("pod", &format!("pod-{pod}"));
        builder.field_text("node", ["north", "south", "east"][pod % 3]);
        if row % 3 > 0 {
            builder.field_integer("port", 8000 + pod as i64 * 300);
        }
        builder.commit();
    }
    Arc::new(builder.finish())
}

/// Spans whose messages end in their duration, as three significant digits; some end in another one, or have none.
fn batch_of_durations(spans: &[(u64, u32, usize)]) -> Arc<Batch> {
    let mut builder = BatchBuilder::new();
    for (row, (random, shift, odd)) in spans.iter().enumerate() {
        let ns = random >> shift;
        let told = if *odd == 0 { ns.wrapping_mul(7) >> 3 } else { ns };
        let (unit, ns_of_unit) = match told {
            ..999_500 => ("us", 1e3),
            999_500..999_500_000 => ("ms", 1e6),
            _ => ("s", 1e9),
        };
        let number = told as f64 / ns_of_unit;
        let n_digits = [2, 1, 0][usize::from(number >= 9.995) + usize::from(number >= 99.95)];
        let text = format!("{number:.n_digits$}");
        let text = if n_digits > 0 { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
        builder.set_timestamp(Timestamp(row as i64 * 1000));
        builder.set_message(&format!("GET /cart {} {text} {unit}", 200 + row % 3));
        match odd {
            1 => {}
            2 => builder.field_text("duration_ms", text),
            3 => builder.field_integer("duration_ms", ns as i64 / 1_000_000),
            4 => builder.field_float("duration_ms", -1e300),
            _ => builder.field_float("duration_ms", ns as f64 / 1e6),
        }
        builder.commit();
    }
    Arc::new(builder.finish())
}

fn check(batch: Arc<Batch>) -> Arc<Segment> {
    let memory = BatchRun::new(group(), 3, batch.clone());
    let (_directory, segment) = written(&[batch]);
    let run = segment.run(0, 0).expect("one run");
    if run.n_blocks() == 1 {
        assert_eq!(dump(&*run).expect("whole"), dump(&memory).expect("memory"));
    }
    // What was written is written again.
    let again = segment.run_reader(0).expect("one run");
    let blocks = (0..again.n_blocks()).map(|block| Arc::new(again.block(block).expect("whole")));
    let (_directory, segment) = written(&blocks.collect::<Vec<_>>());
    let copy = segment.run(0, 0).expect("one run");
    assert_eq!(dump(&*copy).expect("whole"), dump(&*run).expect("whole"));
    segment
}

/// Compares what narrowing says of a field, or of messages, with all values.
fn check_narrowing(run: &dyn Run, block: usize, name: &str, literal: &str) {
    let all = RowSet::all(run.block_rows(block));
    let values = run.read(block, &[name], &all).expect("whole").remove(0);
    let field = if name == "@message" { ProbeField::Message } else { ProbeField::Named(name) };
    let probe = TextProbe { field, literal, ignores_case: false, is_whole: false };
    let found = run.narrow(block, &probe).expect("whole");
    for row in all.iter() {
        let holds = values.value(row).is_some_and(|value| value.to_string().contains(literal));
        assert!(found.rows.contains(row) || !holds, "{literal} is in row {row} of {name}");
        assert!(!found.exact || holds == found.rows.contains(row), "{literal} is not in row {row} of {name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn ids_of_parents_come_back_and_are_found(
        parents in proptest::collection::vec(parent(), 100..300),
        lacks_id in proptest::collection::vec(0usize..300, 0..3),
        which in 0u64..320, from in 0usize..16, length in 1usize..17,
    ) {
        let segment = check(batch_of(&parents, &lacks_id));
        let run = segment.run(0, 0).expect("one run");
        let piece: String = id(which % 310).chars().skip(from).take(length).collect();
        for literal in [id(which % 310), id(1000 + which % 25), piece, "pod-3".into(), "orth".into(), "8900".into()] {
            for name in ["parent_span_id", "span_id", "pod", "node", "port"] {
                check_narrowing(&*run, 0, name, &literal);
            }
        }
    }

    #[test]
    fn durations_in_messages_come_back_and_are_found(
        spans in proptest::collection::vec((any::<u64>(), 10u32..60, 0usize..24), 40..200),
        which in 0usize..200, from in 0usize..20, length in 1usize..8,
    ) {
        let segment = check(batch_of_durations(&spans));
        let run = segment.run(0, 0).expect("one run");
        let all = RowSet::all(run.block_rows(0));
        let Column::Strings { values, .. } = run.read(0, &["@message"], &all).expect("whole").remove(0) else {
            panic!("messages are texts")
        };
        let message = values.get(which % spans.len());
        let piece: String = message.chars().skip(from % message.len()).take(length).collect();
        for literal in [&*piece, "ms", "7", ".5", "12", " 9"] {
            if !literal.is_empty() {
                check_narrowing(&*run, 0, "@message", literal);
            }
        }
    }

    #[test]
    fn what_is_no_id_comes_back(
        parents in proptest::collection::vec(parent(), 100..200),
        odd in proptest::collection::vec((0usize..100, odd()), 1..4),
    ) {
        let mut parents = parents;
        odd.into_iter().for_each(|(row, other)| parents[row] = other);
        check(batch_of(&parents, &[]));
    }
}

#[test]
fn parents_and_attributes_that_go_together_take_next_to_nothing() {
    let n = 20_000;
    let parent = |row: usize| {
        if row.is_multiple_of(10) { Parent::Elsewhere(1_000_000 + row as u64) } else { Parent::Before(row % 10) }
    };
    let batch = batch_of(&(0..n).map(parent).collect::<Vec<_>>(), &[]);
    let segment = check(batch);
    let run = segment.run(0, 0).expect("one run");
    assert!(run.n_blocks() > 1);
    let bytes = segment.footprint();
    // An id in ten is of another group.
    assert!(bytes["column span_id"] >= 8 * n as u64 && bytes["column parent_span_id"] < n as u64, "{bytes:?}");
    assert!(bytes["column node"] < 200 && bytes["column port"] < 200, "{bytes:?}");
    for block in 0..run.n_blocks() {
        for literal in [id(17), id(16_390), id(1_000_020), id(5_000_000)] {
            check_narrowing(&*run, block, "parent_span_id", &literal);
        }
    }
}

#[test]
fn durations_in_messages_take_next_to_nothing() {
    let ns = |row: u64| xxhash_rust::xxh3::xxh3_64(&row.to_le_bytes());
    let bytes_of = |odd: usize| {
        let spans: Vec<(u64, u32, usize)> = (0..4000).map(|row| (ns(row), 38, odd)).collect();
        check(batch_of_durations(&spans)).footprint()["numbers"]
    };
    let (told, not_told) = (bytes_of(9), bytes_of(1));
    assert!(told < 2000 && not_told > 3 * told, "{told} {not_told}");
}
