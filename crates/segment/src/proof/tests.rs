//! Columns and messages that must come back as they were.

use proptest::prelude::*;

use super::*;
use crate::texts::MessageWriter;

fn column() -> impl Strategy<Value = Column> {
    let value = prop_oneof![
        (-3i64..3).prop_map(Value::Integer),
        (-3i64..3).prop_map(|n| Value::Float(n as f64 / 2.0)),
        "[a-c]{1,2}".prop_map(Value::text),
        any::<bool>().prop_map(Value::Boolean),
    ];
    (prop::collection::vec(prop::option::of(value), 8), 0usize..4).prop_map(|(values, only)| {
        let is_kept = |value: &Value| {
            matches!(
                (only, value),
                (0, _) | (1, Value::Integer(_)) | (2, Value::Float(_) | Value::Integer(_)) | (3, Value::String(_))
            )
        };
        Column::of_values(values.into_iter().map(|value| value.filter(is_kept)).collect())
    })
}

proptest! {
    #[test]
    fn a_column_is_itself_and_no_other(one in column(), other in column()) {
        let present = one.presence();
        prop_assume!(!present.is_empty());
        let mut dictionary = RunDictionary::default();
        let encoded = column::encode(&one, &present, &mut dictionary);
        prop_assert!(is_column(&encoded, &one, &present, &dictionary));
        let has_same_values = present.iter().all(|row| format!("{:?}", one.value(row)) == format!("{:?}", other.value(row)));
        if other.presence() == present {
            prop_assert_eq!(is_column(&encoded, &other, &present, &dictionary), has_same_values);
        }
        let plain = column::encode_plainly(&one, &present);
        prop_assert!(is_column(&plain, &one, &present, &dictionary));
    }
}

fn batch_of(messages: &[&str]) -> Batch {
    let mut builder = types::BatchBuilder::new();
    for message in messages {
        builder.set_message(message);
        builder.commit();
    }
    builder.finish()
}

#[test]
fn messages_that_would_not_come_back_are_kept_raw() {
    let batch = batch_of(&["took 12 ms", "took 13 ms", "u7 is here", "Jan  1 00:00:00 1.2.3.4"]);
    let mut writer = MessageWriter::new(crate::format::FORMAT_VERSION, &[]);
    let block = writer.block(&batch);
    let are_messages = |sections: &_, vocabulary: &Vocabulary, batch: &Batch| {
        super::are_messages(sections, vocabulary, batch, |_| None)
    };
    let bases = Bases { times: &batch.timestamps.to_slice(), durations: &[] };
    let right = block.encode(writer.vocabulary.slots(), &bases, 0);
    assert!(are_messages(&right, &writer.vocabulary, &batch));
    assert!(!are_messages(&right, &writer.vocabulary, &batch_of(&["took 12 ms", "took 14 ms", "u7 is here", "x"])));
    for section in 0..TEXT_SECTIONS {
        // The first byte of numbers may say that times are needed where they are not.
        for at in usize::from(matches!(section, 1 | 2))..right[section].len() {
            let mut wrong = right.clone();
            wrong[section][at] ^= 1;
            assert!(!are_messages(&wrong, &writer.vocabulary, &batch), "byte {at} of section {section}");
        }
    }
    let raw = texts::encode_raw(&batch.messages);
    assert!(are_messages(&raw, &writer.vocabulary, &batch));
}
