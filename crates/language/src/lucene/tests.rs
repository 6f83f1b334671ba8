//! What is refused; what query strings find is in `tests/golden/elastic.ask`.

use super::*;

#[track_caller]
fn check_error(text: &str, column: usize, expected: &str) {
    let errors = parse_lucene(text, Timestamp(1_795_176_000_000_000_000)).map(|plan| plan.to_string()).expect_err(text);
    let shown = errors.0[0].to_string();
    assert_eq!(errors.0[0].column, column, "{text}: {shown}");
    assert!(shown.contains(expected), "{text}: {shown}");
}

#[test]
fn what_is_nested_or_not_supported_is_refused() {
    check_error("roam~2", 5, "more than one letter");
    check_error("timeout~", 8, "more than one letter");
    check_error("\"out of\"~1", 9, "only a word");
    check_error("(a b)~1", 6, "only a word");
    check_error("a:(b c)~1", 8, "only a word");
    check_error("a:[1 TO 2]~", 11, "only a word");
    let error = parse("@timestamp:[now-1h TO now]", None).map(|_| ()).expect_err("no now");
    assert!(error.0[0].to_string().contains("relative times"), "{error:?}");
    assert!(parse(&"(".repeat(60_000), None).is_err());
    check_error(&format!("{}a{}", "(".repeat(200), ")".repeat(200)), 130, "nested");
}

#[test]
fn examples_of_the_reference_are_read() {
    let reference = include_str!("../../../../grammar/README.md");
    let examples: Vec<&str> =
        reference.split("```lucene\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(examples.len() >= 3);
    for example in examples {
        assert!(parse(example, None).is_ok(), "{example}: {:?}", parse(example, None));
    }
}
