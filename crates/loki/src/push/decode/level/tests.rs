//! Levels where Loki finds them.

use super::*;

#[test]
fn levels_are_found_where_loki_finds_them() {
    let check = |line: &str, expected: &str| assert_eq!(of_line(line), expected, "{line}");
    check(r#"{"a":[1,{"x":"}"}],"level":"Error"}"#, "error");
    check(r#"{"log":{"severity":"WRN"}}"#, "warn");
    check(r#"{"a":{"b":{"level":"info"}}}"#, "info");
    check(r#"{"level":"odd","msg":"an error here"}"#, "error");
    check("msg=x lvl=dbg level=\"CRITICAL\"", "critical");
    check("took=5 status=500", "unknown");
    check("[WARN] disk", "warn");
    check("ERROR: no", "error");
    check("no errors, misc:error, terror", "unknown");
    check("fatal or info", "fatal");
    check("10.0.0.1 - - \"GET / HTTP/1.1\" 503 12", "unknown");
    check("", "unknown");
}

#[test]
fn what_labels_and_metadata_say_counts_first() {
    let pair = |name: &'static str, value: &'static str| (Text(Cow::Borrowed(name)), Text(Cow::Borrowed(value)));
    let labels = |pairs: Vec<(Text<'static>, Text<'static>)>| of_labels(&pairs.into_iter().collect());
    assert_eq!(labels(vec![pair("level", "WARNING")]).as_deref(), Some("warn"));
    assert_eq!(labels(vec![pair("severity", "Odd"), pair("app", "x")]).as_deref(), Some("Odd"));
    assert_eq!(labels(vec![pair("app", "error")]), None);
    let check = |of_labels, metadata: Vec<_>, expected: &str| {
        assert_eq!(of_entry(of_labels, &metadata, "an error"), expected);
    };
    check(Some("info"), vec![pair("level", "warn")], "info");
    check(None, vec![pair("lvl", "dbg")], "debug");
    check(Some("info"), vec![pair("detected_level", "ERR")], "error");
    check(None, vec![pair("severity_number", "17")], "error");
    check(None, vec![pair("severity_number", "9")], "info");
    check(None, vec![pair("pod", "p")], "error");
}
