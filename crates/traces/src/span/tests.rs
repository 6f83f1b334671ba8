//! Spans of hostile fields, and ids of traces.

use super::*;

#[test]
fn hostile_fields_still_become_a_span() {
    let event = |pairs: &[(&str, Value)]| {
        Span::of_event(pairs.iter().map(|(name, value)| (Name::from(*name), value.clone())).collect())
    };
    let span = event(&[
        ("span_id", Value::Integer(7)),
        ("parent_span_id", Value::text("0000000000000000")),
        ("kind", Value::text("SERVER")),
        ("status", Value::text("Error")),
        ("duration_ms", Value::text("-3")),
        ("attributes.name", Value::text("n")),
        ("http.route", Value::text("/a")),
        ("@message", Value::text("m")),
    ]);
    assert_eq!((&*span.span_id, span.parent_id.clone(), span.kind), ("7", None, SpanKind::Server));
    assert_eq!((span.is_error, span.duration_ns, &*span.name), (true, 0, ""));
    let names: Vec<&str> = span.attributes().map(|(name, _)| name).collect();
    assert_eq!(names, ["name", "http.route"]);
    for (sent, expected) in [(285.000_001, 285_000_001), (f64::MAX, i64::MAX), (f64::NAN, 0), (0.000_001, 1)] {
        assert_eq!(nanoseconds(sent), expected, "{sent}");
    }
    assert_eq!(event(&[("duration_ms", Value::Integer(2))]).duration_ns, 2_000_000);
}

#[test]
fn ids_of_traces_are_padded_and_small() {
    assert_eq!(trace_id("0xAB").as_deref(), Some("000000000000000000000000000000ab"));
    for bad in ["", "xyz", "0x", "123456789012345678901234567890123", "a b"] {
        assert_eq!(trace_id(bad), None, "{bad}");
    }
}
