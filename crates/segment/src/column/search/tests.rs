//! Texts that are found in columns, and damage.

use proptest::prelude::*;
use types::Column;

use super::*;
use crate::column::{RunDictionary, decode_run_dictionary, encode};

fn check(values: Vec<Option<Value>>, literal: &str, ignores_case: bool) {
    check_encoded(&values, literal, ignores_case, RunDictionary::default());
    // A dictionary that is full sends values into the block.
    let mut full = RunDictionary::default();
    let texts = Column::of_values((0..2000).map(|i| Some(Value::text(format!("{i} filler")))).collect());
    encode(&texts, &texts.presence(), &mut full);
    check_encoded(&values, literal, ignores_case, full);
}

fn check_encoded(values: &[Option<Value>], literal: &str, ignores_case: bool, mut dictionary: RunDictionary) {
    let column = Column::of_values(values.to_vec());
    let present = column.presence();
    let bytes = encode(&column, &present, &mut dictionary);
    let run = dictionary.encode().map(|bytes| Arc::new(decode_run_dictionary(&bytes).expect("just written")));
    let needle = Needle::new(literal, ignores_case);
    let (rows, is_exact) = find(&bytes, &present, run.as_ref(), &needle).expect("just written");
    for (row, value) in values.iter().enumerate() {
        let text = value.as_ref().map(ToString::to_string).unwrap_or_default();
        let holds = match ignores_case {
            true => text.to_ascii_lowercase().contains(&literal.to_ascii_lowercase()),
            false => text.contains(literal),
        };
        let holds = holds && value.is_some();
        assert!(rows.contains(row) || !holds, "{literal} is in {text}");
        assert!(!is_exact || rows.contains(row) == holds, "{literal} in {text}");
    }
    assert!(may_hold(&bytes, &needle) || rows.is_empty(), "{literal} in {values:?}");
}

proptest! {
    #[test]
    fn no_row_that_holds_the_text_is_left_out(
        hex in prop::collection::vec("[0-9a-f]{8}", 1..20),
        addresses in prop::collection::vec("(1?[1-9]{1,2}\\.){3}1?[1-9]{1,2}", 1..20),
        words in prop::collection::vec("[a-cA-C]{0,4}", 1..200),
        numbers in prop::collection::vec(-3000i64..3000, 1..20),
        literal in "[0-9a-cA.]{1,3}",
        ignores_case in any::<bool>(),
    ) {
        let text = |text: String| Some(Value::text(text));
        let mixed = numbers.iter().map(|n| (n % 7 != 0).then_some(Value::Float(*n as f64 / 8.0)));
        let mixed: Vec<_> = mixed.chain(words.iter().cloned().map(text)).collect();
        check(hex.into_iter().map(text).collect(), &literal, ignores_case);
        check(addresses.into_iter().map(text).collect(), &literal, ignores_case);
        check(words.into_iter().map(text).chain([None]).collect(), &literal, ignores_case);
        check(numbers.into_iter().map(|n| Some(Value::Integer(n))).collect(), &literal, ignores_case);
        check(mixed, &literal, ignores_case);
    }

    #[test]
    fn pieces_of_values_are_found(
        hex in prop::collection::vec("[0-9a-f]{16}", 1..20),
        addresses in prop::collection::vec("(1?[1-9]{1,2}\\.){3}1?[1-9]{1,2}", 1..20),
        users in prop::collection::vec("u[1-9][0-9]{0,7}", 2..20),
        numbers in prop::collection::vec((any::<i64>(), 0u32..18), 1..20),
        scale in 0i32..9, from in 0usize..6, length in 1usize..18, more in "[0-9a.]?", ignores_case in any::<bool>(),
    ) {
        let whole: Vec<i64> = numbers.iter().map(|(number, n)| number / 10i64.pow(*n)).collect();
        let decimals = whole.iter().map(|number| Some(Value::Float((number % 10_000_000) as f64 / 10f64.powi(scale))));
        let texts = |texts: Vec<String>| texts.into_iter().map(|text| Some(Value::text(text))).collect::<Vec<_>>();
        let columns = [
            texts(hex), texts(addresses), texts(users), decimals.collect(),
            whole.iter().map(|number| Some(Value::Integer(*number))).collect(),
        ];
        for values in columns {
            let chosen = values[length % values.len()].as_ref().map(ToString::to_string).unwrap_or_default();
            let piece: String = chosen.chars().skip(from).take(length).collect();
            for literal in [chosen.clone() + &more, more.clone() + &chosen, piece].iter().filter(|text| !text.is_empty()) {
                check(values.clone(), literal, ignores_case);
            }
        }
    }

    #[test]
    fn damaged_columns_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..60), n in 0usize..40) {
        let _ = find(&bytes, &RowSet::all(n), None, &Needle::new("ab", false));
    }
}
