//! Columns of every type that come back, and damaged ones.

use proptest::prelude::*;
use std::sync::Arc;
use types::{Column, RowSet, Value};

use super::*;
use crate::template::push_address;

fn value() -> impl Strategy<Value = Option<Value>> {
    let text =
        prop_oneof!["[a-z]{0,3}", "u[1-9][0-9]{0,5}", "[0-9a-f]{16}", "(1?[0-9]{1,2}\\.){3}1?[0-9]{1,2}", "\\PC{0,12}"];
    prop_oneof![
        Just(None),
        text.prop_map(|text| Some(Value::text(text))),
        any::<i64>().prop_map(|n| Some(Value::Integer(n))),
        (-1000i64..1000).prop_map(|n| Some(Value::Integer(n))),
        (-1000i64..1000).prop_map(|n| Some(Value::Float(n as f64 / 8.0))),
        any::<f64>().prop_filter("finite", |f| f.is_finite()).prop_map(|f| Some(Value::Float(f))),
        any::<bool>().prop_map(|b| Some(Value::Boolean(b))),
        Just(Some(Value::List(Arc::new(vec![None, Some(Value::text("x"))])))),
        Just(Some(Value::Object(Arc::new(vec![("k".into(), Some(Value::Integer(1)))])))),
    ]
}

fn check(values: Vec<Option<Value>>) {
    let column = Column::of_values(values.clone());
    let present = column.presence();
    let mut dictionary = RunDictionary::default();
    let bytes = encode(&column, &present, &mut dictionary);
    let run = dictionary.encode().map(|bytes| Arc::new(decode_run_dictionary(&bytes).expect("just written")));
    let every = |n: usize| RowSet::of(values.len(), |row| row % n == 1);
    // Few rows of many are taken one by one.
    for wanted in [RowSet::all(values.len()), every(3), every(17)] {
        let back = decode(&bytes, &present, &wanted, run.as_ref()).expect("just written");
        assert_eq!(back.n_rows(), wanted.count());
        let back: Vec<Option<Value>> = (0..back.n_rows()).map(|row| back.value(row)).collect();
        let expected: Vec<Option<Value>> = wanted.iter().map(|row| values[row].clone()).collect();
        assert_eq!(format!("{back:?}"), format!("{expected:?}"));
    }
}

fn text_of(address: u32) -> String {
    let mut text = Vec::new();
    push_address(&mut text, address);
    String::from_utf8(text).expect("digits and points")
}

/// Reads every third row as addresses, out of columns of distinct texts and of a dictionary.
fn check_addresses(values: Vec<Option<Value>>) {
    let as_dictionary = Column::of_values(values.clone());
    let present = as_dictionary.presence();
    let texts = values.iter().map(|value| if let Some(Value::String(text)) = value { text } else { "" });
    let as_texts = Column::Strings { values: texts.collect(), present: Some(present.clone()) };
    for column in [as_dictionary, as_texts] {
        let mut full = RunDictionary { is_closed: true, ..RunDictionary::default() };
        let encoded = encode(&column, &present, &mut full);
        for rows in [RowSet::all(values.len()), RowSet::of(values.len(), |row| row % 3 == 1)] {
            if rows.is_empty() || encoded.is_empty() {
                continue;
            }
            let found = decode_addresses(&encoded, &present, &rows).expect("just written").expect("addresses");
            for (place, row) in rows.iter().enumerate() {
                let is_there = found.present.as_ref().is_none_or(|present| present.contains(place));
                let text = is_there.then(|| Value::text(text_of(found.values[place])));
                assert_eq!(format!("{text:?}"), format!("{:?}", values[row]));
            }
        }
    }
}

proptest! {
    #[test]
    fn mixed_columns_round_trip(values in proptest::collection::vec(value(), 0..40)) {
        check(values);
    }

    #[test]
    fn columns_of_one_type_round_trip(values in proptest::collection::vec(value(), 1..60), type_of in 0usize..4) {
        let keep = |value: &Option<Value>| matches!(
            (type_of, value),
            (_, None) | (0, Some(Value::String(_))) | (1, Some(Value::Integer(_)))
                | (2, Some(Value::Float(_))) | (3, Some(Value::Float(_) | Value::Integer(_)))
        );
        check(values.into_iter().filter(keep).collect());
    }

    #[test]
    fn texts_of_one_form_round_trip(
        hex in proptest::collection::vec("[0-9a-f]{16}", 1..20),
        numbers in proptest::collection::vec(0u32..5000, 1..20),
        addresses in proptest::collection::vec(any::<u32>(), 1..20),
    ) {
        check(hex.into_iter().map(|t| Some(Value::text(t))).collect());
        check(numbers.into_iter().map(|n| Some(Value::text(format!("u{n}")))).collect());
        let addresses: Vec<Option<Value>> = addresses.into_iter().map(|a| Some(Value::text(text_of(a)))).collect();
        check(addresses.clone());
        check_addresses(addresses.clone());
        check_addresses(addresses.iter().chain([&None]).cycle().take(addresses.len() * 5).cloned().collect());
        check_addresses((0..20).map(|row| addresses[row % 2 % addresses.len()].clone()).collect());
    }

    #[test]
    fn damaged_columns_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60), n in 0usize..40) {
        let _ = decode(&bytes, &RowSet::all(n), &RowSet::all(n), None);
        let _ = decode(&bytes, &RowSet::all(n), &RowSet::of(n, |row| row % 17 == 1), None);
        let _ = decode_addresses(&bytes, &RowSet::all(n), &RowSet::all(n));
        let _ = decode_run_dictionary(&bytes);
    }
}

#[test]
fn negative_zero_and_leading_zeros_come_back() {
    check(vec![Some(Value::Float(-0.0)), Some(Value::Float(0.5))]);
    check(vec![Some(Value::text("u007")), Some(Value::text("u8"))]);
    check(vec![Some(Value::text("01.2.3.4")), Some(Value::text("1.2.3.4"))]);
}
