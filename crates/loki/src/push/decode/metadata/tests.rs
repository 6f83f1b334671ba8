//! Metadata beside fields of lines.

use super::*;

#[test]
fn metadata_is_told_apart_from_what_is_found_in_lines() {
    let pairs = |pairs: &[(&'static str, &'static str)]| -> Metadata<'static> {
        pairs.iter().map(|(name, value)| (Text(Cow::Borrowed(*name)), Text(Cow::Borrowed(*value)))).collect()
    };
    let pushed = |level: &str, metadata: &Metadata<'_>, hidden: &str| {
        let mut out = String::from("what was written before");
        write_pushed(level, metadata, |name| name == hidden, &mut out);
        out
    };
    let metadata = pairs(&[("trace_id", "t1"), ("status", "a\"\n"), ("user.id", "u")]);
    assert_eq!(pushed("info", &metadata, ""), r#"["info","trace_id","status","user.id"]"#);
    assert_eq!(pushed("warn", &metadata, "status"), r#"["warn","trace_id",["status","a\"\n"],"user.id"]"#);
}
