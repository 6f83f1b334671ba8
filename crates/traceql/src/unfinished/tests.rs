//! Conditions of an unfinished query.

use super::*;

#[test]
fn the_complete_conditions_of_an_unfinished_query_count() {
    let check = |text: &str, expected: Option<&str>| {
        let read = parse_unfinished(text).map(|query| query.to_string());
        assert_eq!(read.as_deref(), expected, "{text}");
    };
    check("{ .a = 1 } >> { .b = 2 }", Some("{ .a = 1 } >> { .b = 2 }"));
    check("{ .a = 1 && name = }", Some("{ .a = 1 }"));
    check("{ .a = 1 && name = \"\" && (.b = 2 || .c = 3) }", Some("{ .a = 1 && (.b = 2 || .c = 3) }"));
    check("{ .a = \"x && }\\\"{\" && .b.", Some("{ .a = \"x && }\\\"{\" }"));
    check("{ .a = 1 &&&& .b = 2 && !(.c = 3 && .d = }", Some("{ .a = 1 && .b = 2 }"));
    check("{ name = } | select(.a)", None);
    check("{ .a = 1 || name = }", None);
    check("{ .a = 1 } && { name = }", None);
    check("{ .a && .b = }", None);
    check("{ .a = \"é", None);
    check("name = ", None);
    check("{", None);
}
