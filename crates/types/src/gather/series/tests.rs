//! Series, histograms and events of several batches.

use super::*;
use crate::{SampleBuilder, Timestamp, Value};

fn series(label: &str) -> Arc<Series> {
    Arc::new(Series::of_labels(&format!(r#"{{"__name__":"up","a":"{label}"}}"#)).expect("labels"))
}

fn batch(series: &[&Arc<Series>]) -> Batch {
    let mut builder = SampleBuilder::default();
    for (row, series) in series.iter().enumerate() {
        builder.push(series, Timestamp(row as i64), row as f64);
    }
    builder.finish()
}

#[test]
fn series_of_several_batches_stand_once() {
    let (a, b, other_a) = (series("1"), series("2"), series("1"));
    let (one, two) = (batch(&[&a, &b, &a]), batch(&[&other_a, &b]));
    let both = Batch::gather(&[&one, &two], &[(1, 0), (0, 1), (0, 2), (1, 1)]);
    assert_eq!(both.series.as_ref().map(|series| series.len()), Some(2));
    let texts: Vec<_> = (0..4).map(|row| both.field("a").value(row)).collect();
    assert_eq!(texts, ["1", "2", "1", "2"].map(|text| Some(Value::text(text))));
    assert_eq!(both.field("value").value(3), Some(Value::Float(1.0)));
    let part = Batch::gather(&[&one], &[(0, 2), (0, 1)]);
    assert_eq!(part.field("name").value(1), Some(Value::text("up")));
    let of_a = Batch::gather(&[&one], &[(0, 0), (0, 2)]);
    assert_eq!(of_a.series.as_ref().map(|series| series.len()), Some(1), "b has no sample any more");
    assert!(matches!(&of_a.streams, Column::Dictionary { values, .. } if values.len() == 1));
}

#[test]
fn histograms_stand_beside_the_numbers_of_other_rows() {
    let (a, b) = (series("1"), series("2"));
    let mut builder = SampleBuilder::default();
    builder.push(&a, Timestamp(0), 1.5);
    builder.push_histogram(&b, Timestamp(0), "{}");
    builder.push(&a, Timestamp(1), 2.5);
    let one = builder.finish();
    let both = Batch::gather(&[&one, &batch(&[&a])], &[(0, 1), (1, 0), (0, 2)]);
    let values = |name: &str| (0..3).map(|row| both.field(name).value(row)).collect::<Vec<_>>();
    assert_eq!(values("histogram"), [Some(Value::text("{}")), None, None]);
    assert_eq!(values("value"), [None, Some(Value::Float(0.0)), Some(Value::Float(2.5))]);
}

#[test]
fn events_beside_samples_and_streams_of_two_series_are_spelled_out() {
    let a = series("1");
    let one = batch(&[&a, &a]);
    let rows = [(0, 0), (1, 0)];
    let forged = Arc::new(Series::stored(a.stream().clone(), "up".into(), vec![("b".into(), "2".into())]));
    for other in [batch(&[&a]).spelled_out(), batch(&[&forged])] {
        let both = Batch::gather(&[&one, &other], &rows);
        assert!(both.series.is_none());
        assert_eq!((both.len(), both.messages.len()), (2, 2));
        assert_eq!(both.field("a").value(0), Some(Value::text("1")));
        assert_eq!(both.field("b").value(1), other.field("b").value(0));
    }
}
