//! Paths into objects and lists.

use super::*;

#[test]
fn paths_reach_into_lists_and_objects() {
    let inner =
        Value::Object(Arc::new(vec![("id".into(), Some(Value::Integer(7))), ("a.b".into(), Some(Value::text("dot")))]));
    let list = Value::List(Arc::new(vec![None, Some(inner)]));
    assert_eq!(dig(&list, "1.id"), Some(&Value::Integer(7)));
    assert_eq!(dig(&list, "1.a.b"), Some(&Value::text("dot")));
    for absent in ["0", "0.id", "2", "1.none", "x", "", "1.", "+1", "99999999999999999999"] {
        assert_eq!(dig(&list, absent), None, "{absent}");
    }
}

#[test]
fn objects_are_put_together_from_paths() {
    let column = |value: &str| Column::constant(Value::text(value), 1);
    let members = [("a", column("1")), ("b.c", column("2")), ("b.d.e", column("3")), ("f", column("4"))];
    let object = assemble(&members, 1).value(0).map(|value| value.to_string());
    assert_eq!(object.as_deref(), Some(r#"{"a":"1","b":{"c":"2","d":{"e":"3"}},"f":"4"}"#));
}
