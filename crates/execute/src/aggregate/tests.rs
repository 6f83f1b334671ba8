//! The laws of merging: any division of the rows, merged in any order, gives what one state gives.

use proptest::prelude::*;
use types::Value;

use super::*;

const KINDS: [AggregateKind; 18] = [
    AggregateKind::Count,
    AggregateKind::CountDistinct,
    AggregateKind::Sum,
    AggregateKind::Average,
    AggregateKind::Min,
    AggregateKind::Max,
    AggregateKind::Percentile(75.0),
    AggregateKind::StandardDeviation,
    AggregateKind::Variance,
    AggregateKind::First,
    AggregateKind::Last,
    AggregateKind::Earliest,
    AggregateKind::Latest,
    AggregateKind::Values(None),
    AggregateKind::Values(Some(3)),
    AggregateKind::Values(Some(1)),
    AggregateKind::List,
    AggregateKind::Mode,
];

fn values() -> impl Strategy<Value = Option<Value>> {
    prop_oneof![
        Just(None),
        any::<i64>().prop_map(|number| Some(Value::Integer(number))),
        (-5i64..5).prop_map(|number| Some(Value::Integer(number))),
        (-1e9..1e9f64).prop_map(|number| Some(Value::Float(number))),
        (-5i64..5).prop_map(|number| Some(Value::Float(number as f64))),
        "[a-c0-9]{0,2}".prop_map(|text| Some(Value::text(text))),
        any::<bool>().prop_map(|truth| Some(Value::Boolean(truth))),
    ]
}

fn state(kind: AggregateKind, rows: &[(usize, Option<Value>)]) -> Partial {
    let mut state = Partial::new(kind);
    for (row, value) in rows {
        state.add(kind, Cell::of(value.as_ref()), (*row / 3) as i64, Place::of_row(*row));
    }
    state
}

fn is_same(a: Option<Value>, b: Option<Value>) -> bool {
    match (a, b) {
        (Some(Value::Float(a)), Some(Value::Float(b))) => (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1e-3),
        (a, b) => a == b,
    }
}

proptest! {
    #[test]
    fn merging_is_associative_commutative_and_has_an_identity(
        values in prop::collection::vec(values(), 0..40),
        cut in any::<prop::sample::Index>(),
    ) {
        let rows: Vec<(usize, Option<Value>)> = values.into_iter().enumerate().collect();
        let cut = cut.index(rows.len() + 1);
        for kind in KINDS {
            let whole = state(kind, &rows).finish(kind);
            let (left, right) = (state(kind, &rows[..cut]), state(kind, &rows[cut..]));
            let mut forwards = Partial::new(kind);
            forwards.merge(kind, left.clone());
            forwards.merge(kind, right.clone());
            let mut backwards = right;
            backwards.merge(kind, left);
            backwards.merge(kind, Partial::new(kind));
            let (forwards, backwards) = (forwards.finish(kind), backwards.finish(kind));
            prop_assert!(is_same(forwards.clone(), whole.clone()), "{kind:?}: {forwards:?} {whole:?}");
            prop_assert!(is_same(backwards.clone(), whole.clone()), "{kind:?}: {backwards:?} {whole:?}");
        }
    }
}

#[test]
fn sums_of_whole_numbers_are_exact_and_those_of_decimals_compensated() {
    let sum = |values: &[Value]| {
        let rows: Vec<_> = values.iter().cloned().map(Some).enumerate().collect();
        state(AggregateKind::Sum, &rows).finish(AggregateKind::Sum)
    };
    assert_eq!(sum(&[Value::Integer(i64::MAX), Value::Integer(1), Value::Integer(-1)]), Some(Value::Integer(i64::MAX)));
    assert_eq!(sum(&vec![Value::Float(0.1); 10]), Some(Value::Float(1.0)));
    assert_eq!(sum(&[Value::Float(1e100), Value::Float(1.0), Value::Float(-1e100)]), Some(Value::Float(1.0)));
    assert_eq!(sum(&[Value::text("slow")]), None);
}
