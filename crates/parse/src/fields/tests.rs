//! Limits of fields, and names that only the system may give.

use super::*;

#[test]
fn what_is_over_a_limit_is_kept_as_text_and_nobody_forges_system_fields() {
    let limits = Limits { fields_max: 2, field_bytes_max: 3, ..Limits::default() };
    let mut builder = BatchBuilder::new();
    let mut fields = FieldWriter::new(&mut builder, &limits);
    fields.text("@id", "me");
    fields.id("a", "long");
    fields.integer("severity", 3);
    fields.boolean("c", true);
    assert_eq!(fields.finish(), Some(Level::Error));
    builder.commit();
    let batch = builder.finish();
    let shown = |name: &str| batch.field(name).value(0).map(|value| value.to_string());
    assert_eq!(shown("_id").as_deref(), Some("me"));
    assert_eq!(shown("@rest").as_deref(), Some(r#"{"a":"long","c":true}"#));
    assert_eq!(shown("@fieldsDropped").as_deref(), Some("2"));
}
