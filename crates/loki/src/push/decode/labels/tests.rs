//! Groups and names of streams.

use super::*;

fn labels<'a>(pairs: &[(&'a str, &'a str)]) -> Labels<'a> {
    pairs.iter().map(|(name, value)| (Text(Cow::Borrowed(name)), Text(Cow::Borrowed(value)))).collect()
}

#[test]
fn the_group_is_the_first_label_that_names_one() {
    let check = |pairs: &[(&str, &str)], expected: &str| assert_eq!(group_of(&labels(pairs)).as_str(), expected);
    check(&[("job", "ingress nginx"), ("service", "web")], "ingress_nginx");
    check(&[("service_name", "web"), ("group", "a/b")], "a/b");
    check(&[("app", "web")], "loki");
    check(&[("job", "")], "loki");
}

#[test]
fn the_stream_is_named_by_its_labels() {
    assert_eq!(stream_name(&labels(&[("b", ""), ("a", "1")])), r#"{a="1"}"#);
    assert_eq!(stream_name(&labels(&[("b", "x\"y"), ("a", "1")])), r#"{a="1", b="x\"y"}"#);
    assert_eq!(stream_name(&labels(&[])), "{}");
}
