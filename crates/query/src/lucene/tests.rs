//! Query strings to conditions.

use super::*;

#[track_caller]
fn check(text: &str, expected: &str) {
    let plan = parse_lucene(text).unwrap_or_else(|errors| panic!("{text}: {errors}")).to_string();
    let shown = plan.replace('\n', " | ");
    assert_eq!(
        shown.strip_suffix("events @timestamp, @message").map(|rest| rest.trim_end_matches(" | ")),
        Some(expected),
        "{text}"
    );
}

#[track_caller]
fn check_error(text: &str, column: usize, expected: &str) {
    let errors = parse_lucene(text).map(|plan| plan.to_string()).expect_err(text);
    let shown = errors.0[0].to_string();
    assert_eq!(errors.0[0].column, column, "{text}: {shown}");
    assert!(shown.contains(expected), "{text}: {shown}");
}

#[test]
fn words_and_phrases_are_looked_for_everywhere() {
    check("", "");
    check("*", "");
    check("*:*", "");
    check("timeout", "filter (@any has \"timeout\")");
    check("\"connection refused\"", "filter (@any has \"connection refused\")");
    check("10.1.2.3", "filter (@any has \"10.1.2.3\")");
    check("tim*", "filter (@any like /(?i)\\btim\\S*/)");
    check("db\\-1\\:x", "filter (@any has \"db-1:x\")");
    check("/joh?n/", "filter (@any like /joh?n/)");
}

#[test]
fn clauses_are_joined_as_elasticsearch_does() {
    check("a b", "filter ((@any has \"a\") or (@any has \"b\"))");
    check("a OR b", "filter ((@any has \"a\") or (@any has \"b\"))");
    check("a AND b", "filter (@any has \"a\") | filter (@any has \"b\")");
    check("a && b || c", "filter (((@any has \"a\") and (@any has \"b\")) or (@any has \"c\"))");
    check("a and not b", "filter (@any has \"a\") | filter not (@any has \"b\")");
    check("a or not b", "filter ((@any has \"a\") or not (@any has \"b\"))");
    check("a -b", "filter (@any has \"a\") | filter not (@any has \"b\")");
    check("a NOT b", "filter (@any has \"a\") | filter not (@any has \"b\")");
    check("+a b -c", "filter (@any has \"a\") | filter not (@any has \"c\")");
    check("-a", "filter not (@any has \"a\")");
    check("!(a b)", "filter not (@any has \"a\") | filter not (@any has \"b\")");
    check("(a OR b) AND c", "filter ((@any has \"a\") or (@any has \"b\")) | filter (@any has \"c\")");
    check(
        "android orchid nothing",
        "filter (((@any has \"android\") or (@any has \"orchid\")) or (@any has \"nothing\"))",
    );
}

#[test]
fn fields_have_words_numbers_and_whole_values() {
    check("status:500", "filter (status = 500)");
    check("took:1.5", "filter (took = 1.5)");
    check("ok:true", "filter (ok = true)");
    check("id:007", "filter (id has \"007\")");
    check("service:web", "filter (service has \"web\")");
    check("service.keyword:web", "filter (service = \"web\")");
    check("level:error", "filter (@level = \"error\")");
    check("message:\"out of memory\"", "filter (@message has \"out of memory\")");
    check("path:\\/api*", "filter (path like /(?s)^/api.*$/)");
    check("message:fail?d", "filter (@message like /(?i)\\bfail\\Sd\\b/)");
    check("host:(a OR b)", "filter ((host has \"a\") or (host has \"b\"))");
    check("host:/web-\\d+/", "filter (host like /^(?:web-\\d+)$/)");
    check("host: web", "filter (host has \"web\")");
    check("user:*", "filter ispresent(user)");
    check("_exists_:user", "filter ispresent(user)");
    check("NOT _exists_:user", "filter not ispresent(user)");
    check("error^2 status:5^1.5", "filter ((@any has \"error\") or (status = 5))");
}

#[test]
fn ranges_have_ends() {
    check("status:[400 TO 499]", "filter (status between 400 and 499)");
    check("status:{400 TO 500}", "filter (status > 400) | filter (status < 500)");
    check("status:[400 TO *]", "filter (status >= 400)");
    check("status:{* TO 9]", "filter (status <= 9)");
    check("status:>=500", "filter (status >= 500)");
    check("status < 5 and took >= 1.5", "filter (status < 5) | filter (took >= 1.5)");
    check("day:[2026-01-01 TO \"2026-02-01\"]", "filter (day between \"2026-01-01\" and \"2026-02-01\")");
}

#[test]
fn mistakes_are_located() {
    check_error("a AND", 6, "the query ends");
    check_error("(a", 3, "the query ends");
    check_error("a )", 3, "closes nothing");
    check_error("\"a b", 1, "no closing \"");
    check_error("roam~", 5, "similar words");
    check_error("t:[now-1h TO now]", 4, "relative times");
    check_error("a:/(/", 3, "not valid");
    assert!(parse_lucene(&"(".repeat(60_000)).is_err());
    check_error(&format!("{}a{}", "(".repeat(200), ")".repeat(200)), 130, "nested");
}

#[test]
fn examples_of_the_reference_are_read() {
    let reference = include_str!("../../../../grammar/README.md");
    let examples: Vec<&str> =
        reference.split("```lucene\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(examples.len() >= 3);
    for example in examples {
        assert!(parse_lucene(example).is_ok(), "{example}: {:?}", parse_lucene(example));
    }
}
