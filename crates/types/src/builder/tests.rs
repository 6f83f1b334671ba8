//! Repeated names.

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
