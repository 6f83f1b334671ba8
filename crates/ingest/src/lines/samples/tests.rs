//! Lines of samples, and series that requests share.

use std::sync::Arc;

use storage::{Options, Store};
use types::{GroupScope, VALUE_FIELD, Value};

use super::*;
use crate::sample::{METRIC_NAME, STALE_BITS, SampleWriter};
use crate::{Intake, Sender};

#[test]
fn a_line_is_labels_a_value_and_a_time() {
    let check = |line: &str| parsed(line.as_bytes(), &Limits::default());
    let (labels, (value, time)) = check(r#"{"job":"a b","__name__":"up"} 0.5 1795210709000"#).expect("a sample");
    assert_eq!((labels.text(), value, time), (r#"{"__name__":"up","job":"a b"}"#, 0.5, 1_795_210_709_000));
    assert_eq!(labels.group().as_str(), "metrics/a_b");
    let (_, (value, _)) = check(r#"{"__name__":"up"} stale 1"#).expect("a sample");
    assert_eq!(value.to_bits(), STALE_BITS);
    for bad in [
        "",
        "up 1 1",
        r#"{"__name__":"up"} 1"#,
        r#"{"__name__":"up"} one 1"#,
        r#"{"__name__":"up"} inf 1"#,
        r#"{"__name__":"up"} 1 1.5"#,
        r#"{"__name__":1} 1 1"#,
        r#"{"job":"x"} 1 1"#,
    ] {
        assert!(check(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_series_is_one_however_many_requests_have_it() {
    let dir = tempfile::tempdir().expect("a directory");
    let (store, _) = Store::open(Options::new(dir.path().join("data"))).expect("a store");
    let intake = Intake::new(store, Limits::default(), 0);
    let sender =
        Sender { name: "", within: &GroupScope::All, batch_id: None, now: Timestamp(1_000_000_000), groups: None };
    let ship = |lines: &[&str]| {
        let mut collector = intake.collect(&sender);
        for line in lines {
            let added = add(&mut collector, line.as_bytes(), &mut SampleNotes::default());
            assert_eq!(added.expect("room"), Ok(()), "{line}");
        }
        let batch = collector.into_parts().remove(0).batch;
        let of_row = |row| {
            let [Some(Value::String(stream)), value] = [batch.streams.value(row), batch.field(VALUE_FIELD).value(row)]
            else {
                panic!("row {row} has no stream")
            };
            (stream.to_string(), value, Timestamp(batch.timestamps.get(row)))
        };
        (batch.series.clone().expect("samples"), (0..batch.len()).map(of_row).collect::<Vec<_>>())
    };
    let texts = ["b", "a", "ab"].map(|job| format!(r#"{{"__name__":"up","job":"x","n":"{job} 1 2"}}"#));
    let lines = |value: i32| texts.each_ref().map(|text| format!("{text} {value}.5 {}", 100 + value));
    let rows = |value: i32| {
        let row = |text: &String| {
            let time = Timestamp(i64::from(100 + value) * Timestamp::MILLISECOND);
            (text.clone(), Some(Value::Float(f64::from(value) + 0.5)), time)
        };
        texts.iter().map(row).collect::<Vec<_>>()
    };
    let send = |lines: [String; 3]| ship(&lines.each_ref().map(String::as_str));
    let ((first, of_first), (second, of_second)) = (send(lines(1)), send(lines(2)));
    assert_eq!((of_first, of_second), (rows(1), rows(2)));
    // From the third time on the next line is expected.
    let (expected, of_expected) = send(lines(3));
    assert_eq!(of_expected, rows(3));
    assert!(first.iter().zip(expected.iter()).all(|(a, b)| Arc::ptr_eq(a, b)));
    // In another order, and spelled in another way.
    let [b, a, _] = lines(3);
    let (third, _) = ship(&[&a, &b.replace(r#""job":"x","n""#, r#""job" : "x", "n""#)]);
    // Other doors have the labels apart.
    let pairs = [(METRIC_NAME, "up"), ("n", "b 1 2"), ("job", "x")];
    let pairs = pairs.map(|(name, value)| (Cow::from(name), Cow::from(value)));
    let labels = SeriesLabels::new(pairs, &Limits::default()).expect("labels");
    let mut collector = intake.collect(&sender);
    let added = SampleWriter::new(&mut collector, &labels).and_then(|mut writer| writer.add(1, 1.0));
    added.expect("room").expect("a sample");
    let fourth = collector.into_parts().remove(0).batch.series.expect("samples");
    let [b, a, ab] = [0, 1, 2].map(|place| &first[place]);
    for (expected, series) in [(b, &second[0]), (a, &second[1]), (ab, &second[2]), (a, &third[0]), (b, &third[1])] {
        assert!(Arc::ptr_eq(expected, series), "{}", series.stream());
    }
    assert!(Arc::ptr_eq(b, &fourth[0]));
    // What follows labels that are expected is read as after others.
    let mut collector = intake.collect(&sender);
    let mut added = |line: String| {
        let added = add(&mut collector, line.as_bytes(), &mut SampleNotes::default());
        added.expect("room")
    };
    let [b, a, ab] = &texts;
    assert_eq!(added(format!("{b} 1 2")), Ok(()));
    assert_eq!(added(format!("{a} 1")), Err(bad()));
    assert_eq!(added(format!("{b} 1 2")), Ok(()));
    assert_eq!((added(format!("{a}  1 2")), added(format!("{ab}\t 1 2"))), (Ok(()), Ok(())));
}
