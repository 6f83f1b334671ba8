//! Texts and values that come back with their types.

use super::*;

#[test]
fn bytes_of_every_length_are_compared_whole() {
    let bytes: Vec<u8> = (0..40).collect();
    for length in 0..40 {
        let copy = bytes[..length].to_vec();
        assert!(is_same(&bytes[..length], &copy));
        assert!(length == 0 || !is_same(&bytes[..length], &bytes[..length - 1]));
        for at in 0..length {
            let mut other = bytes[..length].to_vec();
            other[at] ^= 1;
            assert!(!is_same(&bytes[..length], &other), "{length} {at}");
        }
    }
}

fn check(values: Vec<Option<Value>>) {
    let column = Column::of_values(values.clone());
    let back: Vec<_> = (0..column.n_rows()).map(|row| column.value(row)).collect();
    assert_eq!(back, values);
}

#[test]
fn texts_that_should_not_repeat_come_back_whatever_is_among_them() {
    for others in [vec![], vec![Value::text("b")], vec![Value::Integer(1)]] {
        let mut column = ColumnBuilder::default();
        column.push_distinct_text(1, "a");
        column.push_distinct_text(2, "a");
        for (row, other) in (3..).zip(&others) {
            column.push(row, other.clone());
        }
        let n_rows = 4 + others.len();
        column.push_distinct_text(n_rows - 1, "c");
        let column = column.finish(n_rows);
        let mut expected = vec![None, Some(Value::text("a")), Some(Value::text("a"))];
        expected.extend(others.into_iter().map(Some));
        expected.push(Some(Value::text("c")));
        assert_eq!((0..n_rows).map(|row| column.value(row)).collect::<Vec<_>>(), expected);
    }
}

#[test]
fn columns_give_back_values_with_their_types() {
    let text = |t: &str| Some(Value::text(t));
    check(vec![text("a"), None, text("b"), text("a"), None]);
    check(vec![Some(Value::Integer(1)), Some(Value::Float(2.5)), None, Some(Value::Integer(-3))]);
    check(vec![Some(Value::Integer(i64::MAX)), Some(Value::Float(2.5))]);
    check(vec![Some(Value::Float(2.5)), Some(Value::Integer(i64::MAX)), Some(Value::Float(1.0))]);
    check(vec![Some(Value::Boolean(true)), text("true"), Some(Value::Boolean(false)), Some(Value::Integer(1))]);
    check(vec![None, None, Some(Value::List(Arc::new(vec![None])))]);
    check((0..3000).map(|i| text(&format!("unique {i}"))).collect());
    check(vec![Some(Value::Boolean(true)), text(""), text(""), text("a"), text("a"), None, text("a")]);
    check((0..3000).map(|i| if i == 2999 { Some(Value::Integer(1)) } else { text(&format!("{i}")) }).collect());
}
