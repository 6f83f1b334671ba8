//! Tests of `numbers`.

use super::*;

fn check(function: Function, arguments: &[Cell<'_>], expected: Option<Value>) {
    assert_eq!(scalar(function, arguments), expected, "{function:?} {arguments:?}");
}

#[test]
fn rounding_goes_away_from_zero_and_keeps_whole_numbers_whole() {
    check(Function::Round, &[Cell::Float(2.5)], Some(Value::Integer(3)));
    check(Function::Round, &[Cell::Float(-2.5)], Some(Value::Integer(-3)));
    check(Function::Round, &[Cell::Float(2.567), Cell::Integer(2)], Some(Value::Float(2.57)));
    check(Function::Round, &[Cell::Integer(1250), Cell::Integer(-2)], Some(Value::Integer(1300)));
    check(Function::Abs, &[Cell::Integer(i64::MIN)], Some(Value::Float(9_223_372_036_854_775_808.0)));
    check(Function::Sqrt, &[Cell::Integer(-1)], None);
    check(Function::Log, &[Cell::Integer(0)], None);
    check(Function::ToInteger, &[Cell::Text("3.9")], Some(Value::Integer(3)));
}

#[test]
fn durations_and_sizes_are_read_and_written() {
    check(Function::ParseDuration, &[Cell::Text("1h30m")], Some(Value::Integer(5_400_000)));
    check(Function::ParseDuration, &[Cell::Text("500us")], Some(Value::Float(0.5)));
    check(Function::FormatDuration, &[Cell::Integer(5_400_000)], Some(Value::text("1h30m")));
    check(Function::FormatDuration, &[Cell::Float(-1.5)], Some(Value::text("-1ms500us")));
    check(Function::ParseBytes, &[Cell::Text("3MiB")], Some(Value::Integer(3 << 20)));
    check(Function::FormatBytes, &[Cell::Integer(3 << 20)], Some(Value::text("3.0 MiB")));
    check(Function::ParseBytes, &[Cell::Text("many")], None);
}
