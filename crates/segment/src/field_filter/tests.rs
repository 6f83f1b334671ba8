//! What a filter never denies, what it denies, and damage.

use proptest::prelude::*;

use super::*;
use crate::column::{RunDictionary, encode};

fn filter_over(values: Vec<Option<Value>>) -> FieldFilter {
    let column = Column::of_values(values);
    let present = column.presence();
    let mut dictionary = RunDictionary::default();
    // A dictionary that is full sends values into the block.
    let texts: Vec<Option<Value>> = (0..2000).map(|i| Some(Value::text(format!("{i} filler")))).collect();
    let full = Column::of_values(texts);
    encode(&full, &full.presence(), &mut dictionary);
    let encoded = encode(&column, &present, &mut dictionary);
    let mut out = Vec::new();
    match present.is_empty() {
        true => put_none(&mut out),
        false => put(&mut out, &column, &present, &encoded, &mut ColumnFilterWriter::default()),
    }
    FieldFilter::decode(&out, 1).expect("just written")
}

proptest! {
    #[test]
    fn what_a_field_holds_its_filter_never_denies(
        texts in prop::collection::vec("[a-c0-9.]{0,6}|[0-9a-f]{16}|(1?[1-9]{1,2}\\.){3}1?[1-9]{1,2}|u[1-9]{1,3}", 1..30),
        numbers in prop::collection::vec(-3000i64..3000, 1..20),
        which in 0usize..30, from in 0usize..6, length in 1usize..9, kind in 0usize..4, ignores_case in any::<bool>(),
    ) {
        let text = |text: &String| Some(Value::text(&**text));
        let float = |n: &i64| Some(Value::Float(*n as f64 / 8.0));
        let values: Vec<Option<Value>> = match kind {
            0 => texts.iter().map(text).collect(),
            1 => vec![text(&texts[which % texts.len()]); 20],
            2 => numbers.iter().map(float).collect(),
            _ => numbers.iter().map(float).chain(texts.iter().map(text)).chain([None]).collect(),
        };
        let chosen = values[which % values.len()].as_ref().map(ToString::to_string).unwrap_or_default();
        let literal: String = chosen.chars().skip(from).take(length).collect();
        if !literal.is_empty() {
            let needle = Needle::new(&literal, ignores_case);
            prop_assert_ne!(filter_over(values).ask(0, &needle), FilterAnswer::No, "{} in {}", literal, chosen);
        }
    }

    #[test]
    fn damaged_filters_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..60), n in 0usize..8) {
        let _ = FieldFilter::decode(&bytes, n);
    }
}

#[test]
fn what_cannot_be_there_is_denied() {
    let texts = |of: &dyn Fn(usize) -> String| filter_over((0..3000).map(|i| Some(Value::text(of(i)))).collect());
    let denies = |filter: &FieldFilter, literal: &str| filter.ask(0, &Needle::new(literal, false)) == FilterAnswer::No;
    assert!(denies(&texts(&|i| format!("{:016x}", i * 7919)), "refused"));
    assert!(denies(&texts(&|i| format!("10.0.{}.{}", i / 250, i % 250)), "10.0.x"));
    assert!(denies(&texts(&|i| format!("/shop/{i}")), "/archive/"));
    assert!(denies(&filter_over(vec![Some(Value::Integer(5))]), "u5"));
    assert!(denies(&filter_over(vec![None]), "5"));
    assert!(!denies(&filter_over(vec![Some(Value::Integer(5))]), "5"));
}
