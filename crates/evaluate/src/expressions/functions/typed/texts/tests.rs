//! Tests of `texts`.

use super::*;

#[test]
fn parts_of_texts_count_from_one_or_from_the_end() {
    let part = |start, length| substring("sábado", start, length).map(|value| value.to_string());
    assert_eq!(part(1, Some(3)).as_deref(), Some("sáb"));
    assert_eq!(part(-3, Some(3)).as_deref(), Some("ado"));
    assert_eq!(part(-30, Some(2)).as_deref(), Some("sá"));
    assert_eq!(part(2, None).as_deref(), Some("ábado"));
    assert_eq!(part(9, None).as_deref(), Some(""));
    assert_eq!(part(1, Some(-1)), None);
    assert_eq!(locate("hello", "ll", 0), Value::Integer(3));
    assert_eq!(locate("hello", "l", 4), Value::Integer(4));
    assert_eq!(locate("hello", "z", 0), Value::Integer(0));
    assert_eq!(locate("", "", 0), Value::Integer(1));
}

#[test]
fn keys_of_addresses_order_them() {
    let key = |text: &str| scalar(TypedFunction::AddressKey, &[Cell::Text(text)]).map(|key| key.to_string());
    assert!(key("9.0.0.1") < key("10.0.0.1"));
    assert!(key("::1") < key("9.0.0.1"));
    let back = key("10.0.0.1").and_then(|key| scalar(TypedFunction::AddressOfKey, &[Cell::Text(&key)]));
    assert_eq!(back, Some(Value::text("10.0.0.1")));
}
