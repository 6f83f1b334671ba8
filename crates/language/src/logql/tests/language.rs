//! What the language is, and how it is said in another one.

use proptest::prelude::*;

use super::*;

/// Checks the operators of a log query as it is said in another language, without the limit and the columns.
#[track_caller]
fn check(query: &str, expected: &str) {
    let Ok(Query::Log(log)) = parse_plain(query) else { panic!("{query}: {:?}", parse_plain(query)) };
    let operators: Vec<String> = log.operators.iter().map(ToString::to_string).collect();
    assert_eq!(operators.join(" | "), expected, "{query}");
}

#[track_caller]
fn check_error(query: &str, place: (usize, usize), expected: &str) {
    let errors = parse(query).map(|found| format!("{found:?}")).expect_err(query);
    let shown = errors.0[0].to_string();
    assert_eq!((errors.0[0].line, errors.0[0].column), place, "{query}: {shown}");
    assert!(shown.contains(expected), "{query}: {shown}");
}

#[test]
fn selectors_and_line_filters_become_filters() {
    check("{}", "");
    check("{group=\"app/api\", level!=\"info\"}", "filter (@log = \"app/api\") | filter not (@level = \"info\")");
    check("{job=~\"a.*|b\"}", "filter (job like /^(?s:a.*|b)$/)");
    check("{job=~\".*\"}", "");
    check("{job=\"\"}", "filter isempty(job)");
    check("{job!=\"\"}", "filter not isempty(job)");
    check("{job=~\"a|\"}", "filter (isempty(job) or (job like /^(?s:a|)$/))");
    check("{service_name=\"x\"}", "filter (coalesce(service_name, service.name, service) = \"x\")");
    check(
        "{} |= \"a b\" != `c\\d` |~ `e\\d+` !~ \"f\"",
        "filter (@message like \"a b\") | filter not (@message like \"c\\\\d\") | filter (@message like /e[0-9]+/) | filter not (@message like /f/)",
    );
    check("{} |= \"\" |= ``", "");
    check("{} |= \"a\" or \"b\"", "filter ((@message like \"a\") or (@message like \"b\"))");
}

#[test]
fn stages_become_parsers_and_conditions() {
    check("{} | json | status >= 400", "parse @message json | filter (status >= 400)");
    check(
        "{} | logfmt | level=\"error\" and (a=\"1\" or b!~\"x+\")",
        "parse @message logfmt | filter ((@level = \"error\") and ((a = \"1\") or not (b like /^(?:x+)$/)))",
    );
    check(
        "{} | took > 1.5s, size <= 20kb",
        "filter ((parse_duration(took) > 1500.0) and (parse_bytes(size) <= 20000.0))",
    );
    // What Grafana asks for the histogram above every search.
    check("{} | took > 5 | drop __error__, __error_details__", "filter (took > 5)");
    check(
        "{} | regexp `(?P<ip>\\S+)` | ip=\"::1\"",
        "parse @message /(?P<ip>[^\\t\\n\\f\\r ]+)/ | filter (ip = \"::1\")",
    );
}

#[test]
fn groups_of_the_selector_narrow_the_snapshot() {
    let sources = |query: &str| -> Vec<String> {
        log_query(query).sources.iter().map(|source| source.as_str().to_owned()).collect()
    };
    assert_eq!(sources("{group=\"a/b\"}"), ["a/b"]);
    assert_eq!(sources("{group=~\"a/.*|b\"}"), ["a/*", "b"]);
    assert!(sources("{group=~\"a[b]\"}").is_empty());
    assert!(sources("{group!=\"a\"}").is_empty());
}

#[test]
fn nesting_and_length_are_bounded() {
    check_error(&format!("{}1{}", "(".repeat(300), ")".repeat(300)), (1, 129), "operators and brackets");
    check_error(&"1+".repeat(30_000), (1, 60_001), "the query ends");
    assert!(parse(&"(".repeat(60_000)).is_err());
    assert!(parse(&format!("{{}} | {}a=\"\"", "(".repeat(30_000))).is_err());
}

#[test]
fn examples_of_the_reference_are_read() {
    let reference = include_str!("../../../../../grammar/README.md");
    let examples: Vec<&str> =
        reference.split("```logql\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(examples.len() >= 6);
    for example in examples {
        assert!(parse(example).is_ok(), "{example}: {:?}", parse(example));
    }
}

#[test]
fn the_language_is_lokis() {
    check_metric("sum(count_over_time({}[30s] offset -30s))", &["{} 3 3 2 _"]);
    check_metric("sum(count_over_time(({} |= `done`)[30s]))", &["{} 2 2 2 2"]);
    check_metric("sum(count_over_time((({} |= `done`)[30s])))", &["{} 2 2 2 2"]);
    check_metric("sum(count_over_time({}[0s]))", &[]);
    check_metric("sum(count_over_time({} |> `d<_>` // lines that end\n [30s]))", &["{} 2 2 2 2"]);
    check_metric("sum(count_over_time({} !> `<_> failed` [30s]))", &["{} 2 2 2 2"]);
    check_metric("sum(count_over_time({} |> `<_>failed` or `done<_>` [30s]))", &["{} 1 1 1 _"]);
    check_metric("sum(count_over_time({} | took > 1e-1 took <= +5 [1m]))", &["{} 3 5 2 _"]);
    check_metric("sum(count_over_time({} | nosuch != 5 [1m]))", &[]);
    check_metric(
        "sum by (level) (count_over_time({}[30s])) / 0",
        &["{level=error} NaN NaN NaN _", "{level=info} NaN NaN NaN NaN"],
    );
    check_metric(
        "count(label_replace(sum by (level) (count_over_time({}[30s])), \"level\", \"x\", \"level\", \".*\"))",
        &["{} 2 2 2 1"],
    );
    check_error("{} |> `<_><_>`", (1, 7), "side by side");
    check_error("{} |> `<name> x`", (1, 7), "no named captures");
    check_error("topk(1.5, rate({}[1m]))", (1, 1), "wrong arguments");
    check_error("rate({}[1m]) by (a)", (1, 1), "grouping not allowed");
    check_error("sum_over_time({} | unwrap a [1m]) by (a)", (1, 1), "grouping not allowed");
    check_error("count_over_time({} | unwrap a [1m])", (1, 1), "invalid aggregation");
    check_error("count_over_time({}[0.5h])", (1, 20), "no duration");
    check_error("count(1)", (1, 1), "merges series");
    check_error("{} | label_format a=b,a=c", (1, 23), "set twice");
    check_error("{} | unwrap a", (1, 6), "no `| unwrap`");
    check_error("{} | line_format `{{if .a}}`", (1, 18), "without {{end}}");
}

const PIECES: [&str; 44] = [
    "line_format", "\"{{.a | ToUpper}}\"", "`{{printf (`", "label_format", "drop", "pattern", "\"<a> <b>\"", "on (a)",
    "unless", "sort(", "{", "}", "a", "=\"b\"", "=~\".*\"", "|=", "\"x\"", "`y`", "|", "json", "level", ">", "5m",
    "[5m]", "(", ")", "sum", "by", "count_over_time(", "rate(", "{}", "[1h]", "+", "-1", "2", "topk(2,", "vector(1)",
    "offset", "unwrap", "é", "\\", ",", "or", "and",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_text_panics(text in any::<String>()) {
        let _ = parse(&text);
    }

    #[test]
    fn no_row_of_pieces_panics(pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..20)) {
        let _ = parse(&pieces.join(" "));
    }
}
