//! Names, groups and ids of spans.

use proptest::prelude::*;

use super::*;

#[test]
fn an_attribute_with_the_name_of_a_span_field_is_renamed() {
    let check = |name: &str, expected: &str| assert_eq!(attribute_name(name), expected);
    check("name", "attributes.name");
    check("scope.version", "attributes.scope.version");
    check("dropped_links_count", "attributes.dropped_links_count");
    check("attributes.name", "attributes.name");
    check("http.name", "http.name");
}

#[test]
fn every_service_has_a_group_below_traces() {
    let check = |service: &str, expected: &str| assert_eq!(span_group(service).as_str(), expected);
    check("shop", "traces/shop");
    check("/aws/lambda/pay", "traces/aws/lambda/pay");
    check("a b", "traces/a_b");
    check("", "traces/unknown_service");
    check("../..", "traces/unknown_service");
    check("/", "traces/unknown_service");
}

#[test]
fn a_short_id_is_padded_on_the_left() {
    assert_eq!(id_of_hex::<4>("a1B"), Some([0, 0, 0x0a, 0x1b]));
    assert_eq!(id_of_hex::<2>("ffff"), Some([0xff, 0xff]));
    for wrong in ["", "12345", "+1", "g", "é"] {
        assert_eq!(id_of_hex::<2>(wrong), None, "{wrong:?}");
    }
}

#[test]
fn problems_are_one_text() {
    let mut span = Span::default();
    span.note("one");
    span.note(format_args!("{}", 2));
    assert_eq!(span.problem, "one; 2");
}

proptest! {
    /// Nanoseconds come back from the milliseconds of a span of up to 24 days.
    #[test]
    fn durations_are_exact(ns in 0..1u64 << 51) {
        let duration_ms = ns as f64 / 1e6;
        prop_assert_eq!((duration_ms * 1e6).round() as u64, ns);
    }
}
