//! Rows as texts.

use types::Timestamp;

use super::*;

#[test]
fn rows_are_texts_and_leave_out_what_is_missing() {
    let names = ["bin(5m)", "n", "x", "avg"].map(str::to_owned);
    let time = Timestamp::parse_rfc3339("2026-11-20T12:05:00.1239Z").expect("a time");
    let row = [Some(Value::Timestamp(time)), Some(Value::Integer(3)), None, Some(Value::Float(2.0))];
    let expected = r#"[{"field":"bin(5m)","value":"2026-11-20 12:05:00.123"},{"field":"n","value":"3"},{"field":"avg","value":"2"}]"#;
    assert_eq!(row_json(&names, &row), expected);
    assert_eq!(row_json(&names, &[None, None, None, Some(Value::Float(-0.5))]), r#"[{"field":"avg","value":"-0.5"}]"#);
}
