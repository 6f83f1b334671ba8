//! Tests of `elements`.

use types::Timestamp;

use super::*;
use crate::columns::cell::{compare, compare_levels};

#[test]
fn what_is_looked_up_is_what_compares_as_equal() {
    let second = 1_793_520_000;
    let values = [
        Value::Integer(7),
        Value::Float(7.0),
        Value::Float(7.5),
        Value::text("007"),
        Value::text("7.5"),
        Value::text("error"),
        Value::text("ERR"),
        Value::text("17"),
        Value::Boolean(true),
        Value::text("true"),
        Value::Integer(second),
        Value::Integer(second * 1000),
        Value::text("2026-11-01T08:00:00Z"),
        Value::text(format!("{second}")),
        Value::Timestamp(Timestamp(second * 1_000_000_000)),
        Value::Timestamp(Timestamp(1)),
    ];
    for left_out in 0..values.len() {
        let others = || values.iter().enumerate().filter(|(index, _)| *index != left_out).map(|(_, value)| value);
        let list: Vec<Expr> = others().map(|value| Expr::Literal(Some(value.clone()))).collect();
        let elements = Elements::of(&list).expect("a long list of literals");
        let cell = Cell::of(Some(&values[left_out]));
        for is_level in [false, true] {
            let equals = |other: &Value| {
                let other = Cell::of(Some(other));
                let compared = if is_level { compare_levels(cell, other) } else { compare(cell, other) };
                compared.order.is_some_and(std::cmp::Ordering::is_eq)
            };
            let found = elements.contain(cell, is_level, &mut false);
            assert_eq!(found, others().any(equals), "{:?} {is_level}", values[left_out]);
        }
    }
}
