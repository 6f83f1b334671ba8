//! Texts that are numbers, and exact comparison.

use super::*;

#[test]
fn text_reads_as_a_number_only_where_all_of_it_is_one() {
    for (text, number) in [
        ("007", Number::Integer(7)),
        ("-1.5", Number::Float(-1.5)),
        ("5e0", Number::Float(5.0)),
        ("+3", Number::Integer(3)),
        ("123456789012345678901234567890", Number::Integer(123_456_789_012_345_678_901_234_567_890)),
    ] {
        assert_eq!(Number::read(text), Some(number), "{text}");
    }
    for text in ["", "-", " 1", "1 ", "inf", "nan", "0x10", "1.", ".5", "1e", "1e999", "٣", "1_000", "1.2.3"] {
        assert_eq!(Number::read(text), None, "{text}");
    }
}

#[test]
fn whole_and_decimal_numbers_compare_exactly() {
    let check = |a, b, expected| assert_eq!(Number::compare(a, b), expected, "{a:?} {b:?}");
    check(Number::Integer(9_007_199_254_740_993), Number::Float(9_007_199_254_740_992.0), Ordering::Greater);
    check(Number::Integer(3), Number::Float(3.0), Ordering::Equal);
    check(Number::Float(-0.5), Number::Integer(0), Ordering::Less);
    check(Number::Integer(-1), Number::Float(-1.5), Ordering::Greater);
    check(Number::Float(1e300), Number::Integer(i128::MAX), Ordering::Greater);
}

#[test]
fn whole_numbers_stay_exact_until_they_overflow() {
    let check = |a: i64, operator, b: i64, expected: Option<Value>| {
        let (a, b) = (Number::Integer(a.into()), Number::Integer(b.into()));
        assert_eq!(arithmetic(operator, a, b).and_then(Number::into_value), expected, "{a:?} {operator:?} {b:?}");
    };
    check(7, ArithmeticOperator::Divide, 2, Some(Value::Float(3.5)));
    check(6, ArithmeticOperator::Divide, 2, Some(Value::Integer(3)));
    check(1, ArithmeticOperator::Divide, 0, None);
    check(7, ArithmeticOperator::Remainder, 0, None);
    check(-7, ArithmeticOperator::Remainder, 3, Some(Value::Integer(-1)));
    check(i64::MIN, ArithmeticOperator::Remainder, -1, Some(Value::Integer(0)));
    check(i64::MAX, ArithmeticOperator::Add, 1, Some(Value::Float(9_223_372_036_854_775_808.0)));
    check(2, ArithmeticOperator::Power, -1, Some(Value::Float(0.5)));
    check(2, ArithmeticOperator::Power, 10, Some(Value::Integer(1024)));
    check(10, ArithmeticOperator::Power, 400, None);
}
