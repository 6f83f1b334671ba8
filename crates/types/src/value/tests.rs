//! Values as JSON.

use super::*;

#[test]
fn json_keeps_types_and_escapes_control_characters() {
    let mut out = String::new();
    let list = Value::List(Arc::new(vec![
        Some(Value::Integer(3)),
        None,
        Some(Value::text("a\"\u{1}\n")),
        Some(Value::Float(3.0)),
        Some(Value::Object(Arc::new(vec![("k".into(), Some(Value::Boolean(true)))]))),
    ]));
    list.write_json(&mut out);
    assert_eq!(out, r#"[3,null,"a\"\u0001\n",3.0,{"k":true}]"#);
}
