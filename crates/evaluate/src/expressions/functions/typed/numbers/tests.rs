//! Tests of `numbers`.

use super::*;

#[test]
fn whole_numbers_overflow_to_nothing() {
    let add = |a, b, width| {
        scalar(TypedFunction::Whole(ArithmeticOperator::Add, width), &[Cell::Integer(a), Cell::Integer(b)])
    };
    assert_eq!(add(2_147_483_647, 1, WholeWidth::Integer), None);
    assert_eq!(add(2_147_483_647, 1, WholeWidth::Long), Some(Value::Integer(2_147_483_648)));
    assert_eq!(add(i64::MAX, 1, WholeWidth::Long), None);
    let divide = |a, b| {
        scalar(
            TypedFunction::Whole(ArithmeticOperator::Divide, WholeWidth::Long),
            &[Cell::Integer(a), Cell::Integer(b)],
        )
    };
    assert_eq!([divide(7, 2), divide(-7, 2), divide(7, 0)], [Some(Value::Integer(3)), Some(Value::Integer(-3)), None]);
}

#[test]
fn halves_are_rounded_away_from_zero() {
    assert_eq!(round(Cell::Float(2.5), 0), Some(Value::Float(3.0)));
    assert_eq!(round(Cell::Float(-2.5), 0), Some(Value::Float(-3.0)));
    assert_eq!(round(Cell::Float(2.567), 2), Some(Value::Float(2.57)));
    assert_eq!(round(Cell::Integer(1250), -2), Some(Value::Integer(1300)));
    assert_eq!(round(Cell::Integer(-149), -2), Some(Value::Integer(-100)));
}
