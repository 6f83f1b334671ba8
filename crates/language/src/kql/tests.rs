//! KQL to conditions.

use super::*;

const NOW: Timestamp = Timestamp(1_795_176_000_000_000_000);

#[track_caller]
fn check(text: &str, expected: &str) {
    let plan = parse_kql(text, NOW).unwrap_or_else(|errors| panic!("{text}: {errors}")).to_string();
    let shown = plan.replace('\n', " | ");
    let conditions = shown.strip_suffix("events @timestamp, @message").map(|rest| rest.trim_end_matches(" | "));
    assert_eq!(conditions, Some(expected), "{text}");
}

#[track_caller]
fn check_error(text: &str, column: usize, expected: &str) {
    let errors = parse_kql(text, NOW).map(|plan| plan.to_string()).expect_err(text);
    let shown = errors.0[0].to_string();
    assert_eq!(errors.0[0].column, column, "{text}: {shown}");
    assert!(shown.contains(expected), "{text}: {shown}");
}

#[test]
fn words_beside_each_other_are_one_text() {
    check("", "");
    check("*", "");
    check("*:*", "");
    check("timeout", "filter (@any has \"timeout\")");
    check("a b", "filter ((@any has \"a\") or (@any has \"b\"))");
    check("message: a b and c", "filter ((@message has \"a\") or (@message has \"b\")) | filter (@any has \"c\")");
    check("message:\"a b\"", "filter (@message has \"a b\")");
    check("host.keyword:web 1", "filter (host = \"web 1\")");
    check(
        "-probe +x a~ b^2 [c]",
        "filter ((((@any has \"-probe\") or (@any has \"+x\")) or ((@any has \"a~\") or (@any has \"b^2\"))) or (@any has \"[c]\"))",
    );
}

#[test]
fn and_binds_more_than_or_and_not_more_than_both() {
    check("a or b and c", "filter ((@any has \"a\") or ((@any has \"b\") and (@any has \"c\")))");
    check("(a OR b) AND c", "filter ((@any has \"a\") or (@any has \"b\")) | filter (@any has \"c\")");
    check("not a and b", "filter not (@any has \"a\") | filter (@any has \"b\")");
    check("NOT (a or b)", "filter not (@any has \"a\") | filter not (@any has \"b\")");
    check("not not a", "filter (@any has \"a\")");
    check("a or *", "");
    check("not *", "filter false");
    check("android and orchid", "filter (@any has \"android\") | filter (@any has \"orchid\")");
    check("host:(a or b and not c)", "filter ((host has \"a\") or ((host has \"b\") and not (host has \"c\")))");
    check("host:(a or (b and c))", "filter ((host has \"a\") or ((host has \"b\") and (host has \"c\")))");
}

#[test]
fn values_are_words_numbers_times_and_stars() {
    check("status:500", "filter (status = 500)");
    check("status >= 400 and status<500", "filter (status >= 400) | filter (status < 500)");
    check("ms:>20", "filter (ms > 20)");
    check("ok:true", "filter (ok = true)");
    check("user:*", "filter ispresent(user)");
    check("not user:*", "filter not ispresent(user)");
    check("path:/api*", "filter ((path like /(?s)^/api.*$/) or (path like /(?i)/api\\S*/))");
    check("path.keyword:/api*", "filter (path like /(?s)^/api.*$/)");
    check("path.keyword:/a?i*", "filter (path like /(?s)^/a\\?i.*$/)");
    check("path:a\\*b", "filter (path has \"a*b\")");
    check("path.keyword:a\\*b*", "filter (path like /(?s)^a\\*b.*$/)");
    check("message:time*", "filter (@message like /(?i)\\btime\\S*/)");
    check("host:a\\ b", "filter (host has \"a b\")");
    check("\"a\\\"b\":1", "filter (a\"b = 1)");
    check("x:\\and", "filter (x has \"and\")");
    check("x:\\not", "filter (x has \"not\")");
    check("x:\"caf\\u00e9\"", "filter (x has \"café\")");
    check("level:error", "filter (@level = \"error\")");
    check("level:warn", "filter (@level = \"warn\")");
    check("level:banana", "filter (level = \"banana\")");
    check("level >= \"banana\"", "filter (level >= \"banana\")");
    check("level:err*", "filter ((@level like /(?s)^err.*$/) or (level like /(?s)^err.*$/))");
    check("level:(error or banana)", "filter ((@level = \"error\") or (level = \"banana\"))");
    check("log.level:7", "filter (log.level = \"7\")");
    check("@timestamp < now-1d/d", "filter (@timestamp < \"2026-11-19T00:00:00Z\")");
    check("@timestamp > 2026-11-19", "filter (@timestamp > \"2026-11-19T23:59:59.999999999Z\")");
    check(
        "@timestamp: \"2026-11-19\"",
        "filter (@timestamp >= \"2026-11-19T00:00:00Z\") | filter (@timestamp < \"2026-11-20T00:00:00Z\")",
    );
}

#[test]
fn mistakes_are_located() {
    check_error("a and", 6, "the query ends");
    check_error("(a", 3, "the query ends");
    check_error("a )", 3, "closes nothing");
    check_error("\"a b", 1, "no closing \"");
    check_error("items:{name:a}", 7, "nested objects");
    check_error("a*:b", 1, "with a star");
    check_error("hello service:web", 1, "more than one word");
    check_error("host:(a or b:c)", 12, "among the values");
    assert!(parse("@timestamp > now-1h", None).is_err());
    check_error(&format!("{}a{}", "(".repeat(200), ")".repeat(200)), 130, "nested");
    assert!(parse_kql(&"(".repeat(60_000), NOW).is_err());
    assert!(parse_kql(&"a:(".repeat(20_000), NOW).is_err());
    assert!(parse_kql(&"not ".repeat(16_000), NOW).is_err());
    assert!(parse_kql(&"a or ".repeat(2_000), NOW).is_err());
}

#[test]
fn examples_of_the_reference_are_read() {
    let reference = include_str!("../../../../grammar/README.md");
    let examples: Vec<&str> = reference.split("```kql\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(examples.len() >= 2);
    for example in examples {
        assert!(parse_kql(example, NOW).is_ok(), "{example}: {:?}", parse_kql(example, NOW));
    }
}
