//! Batches survive encoding; bytes that are no batch are refused.

use proptest::prelude::*;
use types::BatchBuilder;

use super::*;

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        "[a-z\u{e9}\u{1F600}]{0,8}".prop_map(Value::text),
        any::<i64>().prop_map(Value::Integer),
        (-1000i64..1000).prop_map(Value::Integer),
        (-1e300f64..1e300).prop_map(Value::Float),
        any::<bool>().prop_map(Value::Boolean),
        any::<i64>().prop_map(|ns| Value::Timestamp(Timestamp(ns))),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(proptest::option::of(inner.clone()), 0..4)
                .prop_map(|items| Value::List(Arc::new(items))),
            proptest::collection::vec(("[a-z]{0,3}", proptest::option::of(inner)), 0..4)
                .prop_map(|m| Value::Object(Arc::new(m.into_iter().map(|(k, v)| (k.into(), v)).collect()))),
        ]
    })
}

type Event = (i64, String, u8, Vec<(String, Value)>, u8);

fn any_events() -> impl Strategy<Value = Vec<Event>> {
    let fields = proptest::collection::vec(("[a-e]", any_value()), 0..4);
    proptest::collection::vec((any::<i64>(), ".{0,12}", 0u8..7, fields, 0u8..4), 0..80)
}

fn batch_of(events: &[Event]) -> Batch {
    let mut builder = BatchBuilder::new();
    for (time, message, level, fields, kind) in events {
        builder.set_timestamp(Timestamp(*time));
        builder.set_message(message);
        builder.set_level(types::Level::of_code(*level));
        builder.set_stream(if *kind == 0 { "one" } else { "other" });
        if *kind == 1 {
            builder.set_text_key("msg");
            builder.set_time_key("ts", TimeForm::Epoch { unit_ns: 1_000_000 });
        }
        if *kind == 2 {
            builder.set_time_key("time", TimeForm::Rfc3339 { digits: 3 });
        }
        fields.iter().for_each(|(name, value)| builder.field_value(name, value.clone()));
        builder.commit();
    }
    builder.finish()
}

fn assert_same(a: &Batch, b: &Batch) {
    assert_eq!(a.timestamps, b.timestamps);
    assert_eq!(a.messages, b.messages);
    assert_eq!(a.levels, b.levels);
    assert_eq!(a.origins, b.origins);
    assert_eq!(a.origin_codes, b.origin_codes);
    let names = |batch: &Batch| batch.fields.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(a), names(b));
    let same_column = |x: &Column, y: &Column| {
        assert_eq!(std::mem::discriminant(x), std::mem::discriminant(y));
        (0..a.len()).for_each(|row| assert_eq!(x.value(row), y.value(row)));
    };
    same_column(&a.streams, &b.streams);
    a.fields.iter().zip(&b.fields).for_each(|((_, x), (_, y))| same_column(x, y));
}

proptest! {
    #[test]
    fn a_batch_comes_back_exactly(events in any_events()) {
        let batch = batch_of(&events);
        let back = decode(&Encoder::default().encode(&batch).expect("a small batch"), 7, Timestamp(9)).expect("what was encoded");
        assert_same(&batch, &back);
        prop_assert!(back.sequences.iter().enumerate().all(|(row, s)| s == row as u64 + 7));
        prop_assert!(back.ingestion_times.iter().all(|time| time == 9));
    }

    #[test]
    fn sorted_batches_keep_the_order_of_acceptance(events in any_events()) {
        let batch = batch_of(&events);
        let rows: Vec<(u32, u32)> = batch.time_order().into_iter().map(|row| (0, row)).collect();
        let sorted = Batch::gather(&[&batch], &rows);
        let back = decode(&Encoder::default().encode(&sorted).expect("a small batch"), 0, Timestamp(0)).expect("what was encoded");
        assert_same(&sorted, &back);
        prop_assert_eq!(sorted.sequences, back.sequences);
    }

    #[test]
    fn damaged_bytes_are_an_error_or_a_whole_batch(events in any_events(), at in any::<usize>(), bits in 1u8..) {
        let batch = batch_of(&events);
        let encoded = Encoder::default().encode(&batch).expect("a small batch");
        let mut plain = decompress(&encoded).expect("what was encoded");
        let at = at % plain.len();
        plain[at] ^= bits;
        let damaged = lz4_flex::block::compress_prepend_size(&plain);
        if let Ok(batch) = decode(&damaged, u64::MAX / 2, Timestamp(0)) {
            (0..batch.len()).for_each(|row| batch.fields.iter().for_each(|(_, column)| drop(column.value(row))));
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(plain in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode(&plain, 0, Timestamp(0));
        let _ = decode(&lz4_flex::block::compress_prepend_size(&plain), 0, Timestamp(0));
    }
}

#[test]
fn sparse_columns_cost_what_they_hold() {
    let mut builder = BatchBuilder::new();
    for row in 0..4000 {
        builder.field_text(&format!("only-{}", row % 1000), "x");
        builder.commit();
    }
    let batch = builder.finish();
    let encoded = Encoder::default().encode(&batch).expect("below the limit");
    assert!(encoded.len() < 120_000, "{} bytes", encoded.len());
    assert_same(&batch, &decode(&encoded, 0, Timestamp(0)).expect("what was encoded"));
}

#[test]
fn a_batch_of_too_many_values_is_refused() {
    let n_rows = 1 << 20;
    let mut builder = BatchBuilder::new();
    (0..n_rows).for_each(|_| builder.commit());
    let mut batch = builder.finish();
    let field = |i| (Arc::from(format!("{i:04}")), Column::Missing { n_rows });
    batch.fields = (0..200).map(field).collect();
    assert!(Encoder::default().encode(&batch).is_err());
}

/// Samples of a few series in turn.
fn samples() -> Batch {
    let mut builder = types::SampleBuilder::default();
    for row in 0..30i64 {
        let text = format!(r#"{{"__name__":"up","job":"node \"a\"","n":"{}"}}"#, row % 7);
        let series = Arc::new(Series::of_labels(&text).expect("labels"));
        match row {
            13 => builder.push_text(&series, Timestamp(row), "stale"),
            17 => builder.push_histogram(&series, Timestamp(row), r#"{"schema":0,"count":0,"sum":0}"#),
            _ => builder.push(&series, Timestamp(row), row as f64),
        };
    }
    builder.finish()
}

#[test]
fn samples_come_back_with_their_series() {
    let batch = samples();
    let encoded = Encoder::default().encode(&batch).expect("a small batch");
    let back = decode(&encoded, 0, Timestamp(0)).expect("what was encoded");
    assert_same(&batch, &back);
    assert_eq!(batch.series, back.series);
    assert_same(&batch.spelled_out(), &back.spelled_out());
    // What does not follow from the streams is written.
    let stored = |series: &Arc<Series>| {
        let fields = vec![("a".into(), "b".into())];
        Arc::new(Series::stored(series.stream().clone(), "text".into(), fields))
    };
    let series = batch.series.as_ref().map(|series| Arc::new(series.iter().map(stored).collect()));
    let batch = Batch { series, ..batch };
    let back = decode(&Encoder::default().encode(&batch).expect("a small batch"), 0, Timestamp(0)).expect("a batch");
    assert_same(&batch.spelled_out(), &back);
}

#[test]
fn series_of_format_3_are_read() {
    let batch = samples();
    let mut plain = Vec::new();
    put_batch(&mut plain, &batch, &KnownStreams::default()).expect("a small batch");
    // The place of the streams, and their form in that format.
    let series = batch.series.as_ref().expect("samples");
    let mut streams = vec![SERIES];
    KnownStreams::default().put(&mut streams, series);
    let at = plain.windows(streams.len()).position(|bytes| bytes == streams).expect("streams");
    let Column::Dictionary { codes, .. } = &batch.streams else { panic!("streams are a dictionary") };
    put_codes(&mut streams, codes);
    let mut texts = Vec::new();
    put_column(&mut texts, &batch.streams).expect("texts");
    texts[0] = SERIES_TEXTS;
    plain.splice(at..at + streams.len(), texts);
    let back = decode(&lz4_flex::block::compress_prepend_size(&plain), 0, Timestamp(0)).expect("what was encoded");
    assert_same(&batch, &back);
    assert_eq!(batch.series, back.series);
}

#[test]
fn streams_that_name_no_series_are_damage() {
    let mut builder = types::SampleBuilder::default();
    builder.push(&Arc::new(Series::of_labels(r#"{"__name__":"up"}"#).expect("labels")), Timestamp(1), 1.0);
    let encoded = Encoder::default().encode(&builder.finish()).expect("a small batch");
    let mut plain = decompress(&encoded).expect("what was encoded");
    let at = plain.windows(4).position(|bytes| bytes == b"name").expect("a label");
    plain[at] = b'N';
    let damaged = lz4_flex::block::compress_prepend_size(&plain);
    assert_eq!(decode(&damaged, 0, Timestamp(0)).err(), Some(Damage("a stream is that of no series")));
}
