//! Digests of events.

use types::{BatchBuilder, SampleBuilder, Timestamp};

use super::*;

#[test]
fn events_have_one_digest_however_they_are_laid_out() {
    let mut builder = SampleBuilder::default();
    for row in 0..10i64 {
        let text = format!(r#"{{"__name__":"up","job":"node","n":"{}"}}"#, row % 3);
        let series = Arc::new(Series::of_labels(&text).expect("labels"));
        builder.push(&series, Timestamp(row), row as f64 / 2.0);
    }
    let samples = builder.finish();
    let spelled_out = samples.spelled_out();
    assert_eq!(digest(&samples), digest(&spelled_out));
    let mixed = |value: &Column| Column::Mixed((0..value.n_rows()).map(|row| value.value(row)).collect());
    let mut otherwise = spelled_out.clone();
    otherwise.fields.iter_mut().for_each(|(_, column)| *column = mixed(column));
    assert_eq!(digest(&samples), digest(&otherwise));
    let mut other = spelled_out.clone();
    other.sequences = other.sequences.iter().map(|n| n + u64::from(n == 3)).collect();
    assert_ne!(digest(&samples), digest(&other));
    let mut other = spelled_out.clone();
    other.fields.pop();
    assert_ne!(digest(&samples), digest(&other));
    let mut other = spelled_out;
    other.fields[0].0 = "@typo".into();
    assert_ne!(digest(&samples), digest(&other));
}

#[test]
fn values_of_one_spelling_and_other_types_differ() {
    let of = |value: Value| {
        let mut builder = BatchBuilder::new();
        builder.field_value("a", value);
        builder.commit();
        digest(&builder.finish())
    };
    let digests = [of(Value::Integer(1)), of(Value::Float(1.0)), of(Value::text("1")), of(Value::Boolean(true))];
    assert!((0..4).all(|a| (0..a).all(|b| digests[a] != digests[b])));
}
