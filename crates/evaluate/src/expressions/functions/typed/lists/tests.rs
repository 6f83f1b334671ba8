//! Functions of lists, of few values and of a million.

use super::*;

fn ask(function: ListFunction, cells: &[Value]) -> Option<Value> {
    let cells: Vec<Cell<'_>> = cells.iter().map(|value| Cell::of(Some(value))).collect();
    scalar(function, &cells)
}

fn list(values: impl IntoIterator<Item = Value>) -> Value {
    Value::List(Arc::new(values.into_iter().map(Some).collect()))
}

#[test]
fn distinct_values_keep_their_order_and_their_types() {
    let values =
        [Value::text("b"), Value::Integer(3), Value::text("3"), Value::text("b"), Value::Integer(3), Value::text("a")];
    let expected = [Value::text("b"), Value::Integer(3), Value::text("3"), Value::text("a")];
    assert_eq!(ask(ListFunction::Distinct, &[list(values)]), Some(list(expected)));
}

/// Going through all values for each would take hours.
#[test]
fn lists_of_a_million_values_are_no_more_work_than_sorting_them() {
    let ids = || list((0..1_000_000).rev().map(Value::Integer));
    assert!(ask(ListFunction::Distinct, &[ids()]) == Some(ids()));
    assert_eq!(ask(ListFunction::Contains, &[ids(), ids()]), Some(Value::Boolean(true)));
    assert_eq!(ask(ListFunction::Contains, &[ids(), Value::Integer(-1)]), Some(Value::Boolean(false)));
}
