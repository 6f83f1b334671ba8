//! Fields that gave text and time, and gathered rows.

use super::*;
use crate::BatchBuilder;

fn batch(events: &[(i64, &str)]) -> Batch {
    let mut builder = BatchBuilder::new();
    for (time, text) in events {
        builder.set_timestamp(Timestamp(*time));
        builder.set_message(text);
        builder.set_text_key("msg");
        builder.set_time_key("ts", TimeForm::Epoch { unit_ns: 1 });
        builder.field_text("host", if time % 2 == 0 { "even" } else { "odd" });
        builder.commit();
    }
    builder.finish()
}

#[test]
fn keys_that_gave_text_and_time_stay_fields() {
    let batch = batch(&[(5, "five"), (2, "two")]);
    assert_eq!(batch.field("msg").value(1), Some(Value::text("two")));
    assert_eq!(batch.field("ts").value(0), Some(Value::Integer(5)));
    assert_eq!(batch.field_names().iter().map(|n| &**n).collect::<Vec<_>>(), ["host", "msg", "ts"]);
    assert_eq!(batch.time_order(), [1, 0]);
}

#[test]
fn gathering_keeps_every_value() {
    let (one, two) = (batch(&[(1, "a"), (2, "b")]), batch(&[(3, "c")]));
    let both = Batch::gather(&[&one, &two], &[(1, 0), (0, 1)]);
    assert_eq!(both.messages.iter().collect::<Vec<_>>(), ["c", "b"]);
    assert_eq!(both.field("host").value(0), Some(Value::text("odd")));
    assert_eq!(both.field("host").value(1), Some(Value::text("even")));
    assert_eq!(both.field("ts").value(1), Some(Value::Integer(2)));
}
