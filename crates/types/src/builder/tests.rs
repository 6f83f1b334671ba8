//! Repeated names, and events that are rolled back.

use super::*;

#[test]
fn a_repeated_name_keeps_all_its_values() {
    let mut builder = BatchBuilder::new();
    for (first, second) in [("a", "b"), ("c", "c")] {
        builder.field_text("beside", "gives way");
        builder.field_text("beside", "as well");
        builder.begin_layer();
        builder.field_text("x", first);
        builder.field_text("x", second);
        builder.field_integer("n", 1);
        builder.field_integer("n", 1);
        builder.field_text("mixed", "one");
        builder.field_float("mixed", 2.5);
        builder.field_value("mixed", Value::List(Arc::new(vec![Some(Value::Boolean(true)), None])));
        builder.field_text("beside", "own");
        builder.commit();
    }
    let batch = builder.finish();
    let shown = |name| [0, 1].map(|row| batch.field(name).value(row).map_or("-".into(), |value| value.to_string()));
    assert_eq!(shown("x"), [r#"["a","b"]"#, "c"]);
    assert_eq!(shown("n"), ["[1,1]", "[1,1]"]);
    assert_eq!(shown("mixed"), [r#"["one",2.5,true,null]"#; 2]);
    assert_eq!(shown("beside"), ["own", "own"]);
}

#[test]
fn a_rolled_back_event_leaves_no_trace() {
    let mut builder = BatchBuilder::new();
    builder.field_integer("n", 1);
    builder.set_message("kept");
    builder.commit();
    builder.field_text("n", "text");
    builder.field_text("only", "here");
    builder.set_message("gone");
    builder.roll_back();
    builder.field_integer("n", 3);
    builder.set_message("kept too");
    builder.commit();
    let batch = builder.finish();
    assert_eq!(batch.len(), 2);
    assert_eq!(batch.fields.len(), 1);
    assert_eq!(batch.field("n").value(1), Some(Value::Integer(3)));
    assert_eq!(batch.messages.get(1), "kept too");
}
