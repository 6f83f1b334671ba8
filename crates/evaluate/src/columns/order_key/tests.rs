//! Tests of `order_key`.

use std::cmp::Reverse;
use std::sync::Arc;

use proptest::prelude::*;
use types::{Timestamp, Value};

use super::*;
use crate::columns::cell::{sort_order, strict_order};
use crate::columns::key::canonical;

fn value() -> impl Strategy<Value = Option<Value>> {
    let whole = prop_oneof![any::<i64>(), -5i64..5, Just(i64::MAX), Just(1 << 53), Just((1 << 53) + 1)];
    let float = prop_oneof![
        any::<f64>().prop_filter("finite", |number| number.is_finite()),
        (-5i8..5).prop_map(f64::from),
        Just(-0.0),
        Just(9.007_199_254_740_992e15),
        Just(9.3e18),
    ];
    let text = prop_oneof![
        "[a-c\\x00]{0,3}",
        "-?[0-9]{1,3}(\\.[0-9]{1,2})?",
        "-?[0-9]{18,38}",
        "17014118346046923173168730371588410572[0-9]",
        "0{0,2}7(e1)?",
        any::<String>(),
    ];
    prop_oneof![
        Just(None),
        whole.prop_map(|whole| Some(Value::Integer(whole))),
        float.prop_map(|float| Some(Value::Float(float))),
        any::<bool>().prop_map(|truth| Some(Value::Boolean(truth))),
        (-3i64..3).prop_map(|nanos| Some(Value::Timestamp(Timestamp(nanos)))),
        text.prop_map(|text| Some(Value::text(text))),
        Just(Some(Value::List(Arc::new(vec![Some(Value::Integer(1))])))),
    ]
}

fn group_key(value: Option<&Value>) -> Vec<u8> {
    let mut key = Vec::new();
    put_group_key(&Expr::Field("f".into()), Cell::of(value), &mut key);
    key
}

fn sort_key(value: Option<&Value>, descending: bool) -> Vec<u8> {
    let mut key = Vec::new();
    let keys = [SortKey { expr: Expr::Field("f".into()), descending }];
    put_sort_keys(&keys, [Cell::of(value)].into_iter(), &mut key);
    key
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn bytes_are_in_the_order_of_the_values(a in value(), b in value()) {
        // Groups hold values in one form: `3.0` is `3`.
        let (canonical_a, canonical_b) = (a.clone().map(canonical), b.clone().map(canonical));
        let order = strict_order(Cell::of(canonical_a.as_ref()), Cell::of(canonical_b.as_ref()));
        prop_assert_eq!(group_key(canonical_a.as_ref()).cmp(&group_key(canonical_b.as_ref())), order);
        let order = match (&a, &b) {
            (None, _) | (_, None) => a.is_none().cmp(&b.is_none()),
            (Some(_), Some(_)) => sort_order(Cell::of(a.as_ref()), Cell::of(b.as_ref())),
        };
        prop_assert_eq!(sort_key(a.as_ref(), false).cmp(&sort_key(b.as_ref(), false)), order);
        let order = if a.is_some() && b.is_some() { order.reverse() } else { order };
        prop_assert_eq!(sort_key(a.as_ref(), true).cmp(&sort_key(b.as_ref(), true)), order);
    }

    #[test]
    fn no_key_is_the_beginning_of_another(a in value(), b in value()) {
        // Otherwise the next column of a group would decide where this one does.
        let (a, b) = (a.map(canonical), b.map(canonical));
        let (key_a, key_b) = (group_key(a.as_ref()), group_key(b.as_ref()));
        prop_assert!(key_a == key_b || !key_b.starts_with(&key_a));
    }

    #[test]
    fn places_come_in_the_order_of_rows(
        a in (-3i64..3, 0u32..3, 0u64..3, 0u32..3), b in (-3i64..3, 0u32..3, 0u64..3, 0u32..3),
    ) {
        let [a, b] = [a, b].map(|(time, group, sequence, part)| Place { time, group, sequence, part: Reverse(part) });
        let key = |place: &Place| { let mut key = Vec::new(); put_place_descending(place, &mut key); key };
        prop_assert_eq!(key(&a).cmp(&key(&b)), b.cmp(&a));
    }
}
