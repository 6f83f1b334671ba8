//! Queries to plans and to located errors.

use chrono_tz::Tz;
use proptest::prelude::*;
use types::Timestamp;

use super::*;

fn options() -> ParseOptions {
    ParseOptions { now: Timestamp(1_795_157_233_000_000_000), time_zone: Tz::UTC }
}

/// Checks the plan of a query, its operators joined by ` | `.
#[track_caller]
fn check(query: &str, expected: &str) {
    match parse_insights(query, &options()) {
        Ok(plan) => assert_eq!(plan.to_string().replace('\n', " | "), expected, "{query}"),
        Err(errors) => panic!("{query}: {errors}"),
    }
}

/// Checks place and text (message and hint) of the first error of a query.
#[track_caller]
fn check_error(query: &str, place: (usize, usize), expected: &str) {
    let errors = parse_insights(query, &options()).map(|plan| plan.to_string()).expect_err(query);
    let first = &errors.0[0];
    let shown = first.to_string();
    assert_eq!((first.line, first.column), place, "{query}: {shown}");
    assert!(shown.contains(expected), "{query}: {shown}");
}

/// Checks that a query has a warning that contains each of the texts, and no more warnings.
#[track_caller]
fn check_warnings(query: &str, expected: &[&str]) {
    let plan = parse_insights(query, &options()).unwrap_or_else(|errors| panic!("{query}: {errors}"));
    assert_eq!(plan.warnings.len(), expected.len(), "{query}: {:?}", plan.warnings);
    for (warning, part) in plan.warnings.iter().zip(expected) {
        assert!(warning.message.contains(part), "{query}: {:?}", plan.warnings);
    }
}

#[test]
fn commands_stand_between_pipes_or_on_lines() {
    check("", "events @timestamp, @message");
    check("  # only a comment", "events @timestamp, @message");
    check("| filter a = 1 | fields b |", "filter (a = 1) | events b");
    check("filter a = 1\n| fields b\nsort c desc", "filter (a = 1) | sort c desc | events b");
    check(
        "filter a = 1\n  and b = 2\n  or c = 3\nlimit 5",
        "filter (((a = 1) and (b = 2)) or (c = 3)) | limit 5 | events @timestamp, @message",
    );
    check(
        "stats count(*) as n,\n  max(t) as most\n  by\n  level\nsort level",
        "aggregate n = count(*), most = max(t) by level = level | sort level | rows level, n, most",
    );
    check("filter a in [\n 1,\n 2\n]\nlimit 1", "filter (a in [1, 2]) | limit 1 | events @timestamp, @message");
    check(
        "fields 1 as `limit`,\n  `limit` + 1 as next\nlimit 1",
        "extend limit = 1 | extend next = (limit + 1) | limit 1 | events limit, next",
    );
    check("filter a = 1 # why\n# | limit 1\n| fields b # end", "filter (a = 1) | events b");
    check(
        "FIELDS a | WHERE b LIKE 'x' | ORDER BY a DESC | HEAD 3",
        "filter (b like \"x\") | sort a desc | limit 3 | events a",
    );
    check(
        "filter a != \"#1\" and b not like /#2/",
        "filter (a != \"#1\") | filter not (b like \"#2\") | events @timestamp, @message",
    );
    check("filter(a=1)\r\nlimit 2", "filter (a = 1) | limit 2 | events @timestamp, @message");
}

#[test]
fn the_two_queries_of_the_first_issue_run() {
    let first = "stats avg(timeMs)\n  sort @timestamp desc\n  filter ispresent(timeMs)\n  limit 20";
    check(first, "filter ispresent(timeMs) | aggregate avg(timeMs) = avg(timeMs) | limit 20 | rows avg(timeMs)");
    check_warnings(first, &["`@timestamp`", "`timeMs`"]);
    let second =
        "fields event, level, message\n\tfilter level = \"info\" and event = \"app.init\"\n\tsort @timestamp desc";
    check(
        second,
        "filter (level = \"info\") | filter (event = \"app.init\") | sort @timestamp desc | events event, level, message",
    );
    check_warnings(second, &[]);
}

#[test]
fn operators_bind_by_their_precedence() {
    let project = " | events @timestamp, @message";
    let check_filter =
        |condition: &str, expected: &str| check(&format!("filter {condition}"), &format!("{expected}{project}"));
    check_filter("a + 2 * 3 ^ 2 ^ 1 = -b", "filter ((a + (2 * (3 ^ (2 ^ 1)))) = -b)");
    check_filter("-2 ^ 2 = 10 - 2 - 3", "filter ((-2 ^ 2) = ((10 - 2) - 3))");
    check_filter("not a = 1 and b", "filter not (a = 1) | filter b");
    check_filter("a = 1 or b = 2 and c", "filter ((a = 1) or ((b = 2) and c))");
    check_filter("not (a or b)", "filter not a | filter not b");
    check_filter("event-name > 3", "filter ((event - name) > 3)");
    check_filter("a between 1 and 2 + 3 and b", "filter (a between 1 and (2 + 3)) | filter b");
    check_filter("a not between -1 and 2", "filter not (a between -1 and 2)");
    check_filter("a not in (1, 'x') or b =~ \"^y\"", "filter (not (a in [1, \"x\"]) or (b like /^y/))");
    check_filter("a !~ /x\\/y/i", "filter not (a like /(?i)x/y/)");
    check_filter("a == TRUE and b <> null", "filter (a = true) | filter (b != null)");
    check_filter("-9223372036854775808 < v", "filter (-9223372036854775808 < v)");
    check_filter("v > 10000000000000000000", "filter (v > \"10000000000000000000\")");
    check_filter("a = .5e1 or a = 1.5", "filter ((a = 5.0) or (a = 1.5))");
}

#[test]
fn columns_are_those_of_fields_or_display() {
    check("fields a, b | fields a, c", "events a, b, c");
    check("fields a | display b | display c, a | fields d", "events c, a");
    check(
        "fields `foo-bar`, abs(f3-f4), @ptr",
        "extend abs(f3-f4) = abs((f3 - f4)) | extend @ptr = @id | events foo-bar, abs(f3-f4), @ptr",
    );
    check("fields f3 * 100 as f3 | filter f3 > 200", "extend f3 = (f3 * 100) | filter (f3 > 200) | events f3");
    check("fields a, b | rename a as x | drop b | eval s = x + 1", "extend x = a | extend s = (x + 1) | events x, s");
    check("eval s = 1", "extend s = 1 | events @timestamp, @message, s");
    check("rename a as b | filter a = 1 | fields b", "extend b = a | extend a = null | filter (a = 1) | events b");
    check("dedup a, b | fields a", "dedup a, b | events a");
    check("source \"a/b\", 'c/*' | limit 3", "source a/b | source c/* | limit 3 | events @timestamp, @message");
    check("source logGroups(namePrefix: [\"a\"]) | tail 3", "source a* | tail 3 | events @timestamp, @message");
}

#[test]
fn aggregates_may_be_combined_and_named_by_their_text() {
    check(
        "stats sum(bytes)/1024 as kb, max(bytes) - min(bytes) as spread by svc",
        "aggregate #0 = sum(bytes), #1 = max(bytes), #2 = min(bytes) by svc = svc | extend kb = (#0 / 1024) | \
         extend spread = (#1 - #2) | rows svc, kb, spread",
    );
    check(
        "stats max(b) as hi, min(b) as lo, hi - lo as spread, spread / count(*) as each",
        "aggregate hi = max(b), lo = min(b), #2 = count(*) | extend spread = (hi - lo) | \
         extend each = (spread / #2) | rows hi, lo, spread, each",
    );
    check(
        "stats count(*), max(v) by k | filter COUNT( * ) > 1 | sort max(v) desc",
        "aggregate count(*) = count(*), max(v) = max(v) by k = k | filter (count(*) > 1) | sort max(v) desc | \
         rows k, count(*), max(v)",
    );
    check(
        "stats count(*) by bin(5m) | sort bin(5m)",
        "aggregate count(*) = count(*) by bin(5m) = datefloor(@timestamp, 5m) | sort bin(5m) | rows bin(5m), count(*)",
    );
    check(
        "stats count(*), count(*) by a as b, a as b2",
        "aggregate count(*) = count(*) by b = a, b2 = a | rows b, b2, count(*)",
    );
    check(
        "stats p90(v), pct(v, 99.9) as p, median(v) as m",
        "aggregate p90(v) = pct(v, 90), p = pct(v, 99.9), m = pct(v, 50) | rows p90(v), p, m",
    );
    check(
        "stats sum(v) as s by k | fields k, s / 2 as half",
        "aggregate s = sum(v) by k = k | extend half = (s / 2) | rows k, half",
    );
    check(
        "stats count(*) as n by level | stats max(n) as most",
        "aggregate n = count(*) by level = level | aggregate most = max(n) | rows most",
    );
    check("fields ltrim(@log) as l | stats count(*)", "aggregate count(*) = count(*) | rows count(*)");
}

#[test]
fn filters_of_removed_fields_move_before_their_stats() {
    check(
        "stats count(*) as n by level | filter event = \"x\" | filter b = 1 | filter n > 1",
        "filter (event = \"x\") | filter (b = 1) | aggregate n = count(*) by level = level | filter (n > 1) | rows level, n",
    );
    check(
        "stats count(*) as n by level | stats max(n) as m | filter level = \"x\" | filter z = 1",
        "filter (z = 1) | aggregate n = count(*) by level = level | filter (level = \"x\") | aggregate m = max(n) | rows m",
    );
    check_warnings("stats count(*) as n by level | filter n > 1 and event = 1", &["`event`"]);
    check_warnings("stats count(*) as n by level | sort @timestamp desc, level", &["`@timestamp`"]);
}

#[test]
fn parse_takes_globs_and_regexes() {
    check("parse \"[*] *\" as kind, rest | fields kind", "parse @message \"[*] *\" as kind, rest | events kind");
    check(
        "parse tail /^(?<size>\\d+)/ | stats sum(size)",
        "parse tail /^(?<size>\\d+)/ | aggregate sum(size) = sum(size) | rows sum(size)",
    );
    check("parse @message json as p | fields p.a", "parse @message json as p | events p.a");
    check("parse json\nfilter a = 1", "parse @message json | filter (a = 1) | events @timestamp, @message");
    check("parse concat(a, \"x\") \"*\" as y | display y", "parse concat(a, \"x\") \"*\" as y | events y");
    check(
        "parse a \"*-*\" as x, y | filter z = 1 and x = 2 | fields y",
        "filter (z = 1) | parse a \"*-*\" as x, y | filter (x = 2) | events y",
    );
}

#[test]
fn plain_words_are_searched() {
    check("connection refused", "filter (@any has \"connection refused\") | events @timestamp, @message");
    check("u4711 | stats count(*) as n", "filter (@any has \"u4711\") | aggregate n = count(*) | rows n");
    check_warnings("connection refused", &["phrase"]);
}

#[test]
fn numbers_compared_with_times_may_be_seconds() {
    check_warnings("filter @timestamp > 1793520000", &["seconds"]);
    check_warnings("filter 1793520000 >= @timestamp", &["seconds"]);
    check_warnings("filter @timestamp < now() + 3600", &["seconds"]);
    check_warnings("filter @timestamp between 1793519999 and 1793520000", &["seconds"]);
    check_warnings("filter @timestamp > 1793520000000", &[]);
}

#[test]
fn mistakes_are_located_and_explained() {
    check_error("fields a | statz count(*)", (1, 12), "did you mean \"stats\"?");
    check_error("fields a\n| fliter a = 1", (2, 3), "did you mean \"filter\"?");
    check_error("fields a, strlenn(a)", (1, 11), "did you mean \"strlen\"?");
    check_error("filter a = 1 b = 2", (1, 14), "`b` stands where");
    check_error("limit ten", (1, 7), "a whole number");
    check_error("limit -1", (1, 7), "a whole number");
    check_error("filter a = \"x", (1, 12), "no closing \"");
    check_error("filter (a = 1", (1, 14), "`)`");
    check_error("filter a = | fields a", (1, 12), "a field, a value or a function");
    check_error("parse @message \"* *\" as a", (1, 16), "2 stars, but 1 name");
    check_error("filter a like /(/", (1, 16), "regular expression");
    check_error("filter a like /(\\w{100}){100}/", (1, 16), "too large");
    check_error("filter a like /x", (1, 15), "no closing /");
    check_error("fields substr(a)", (1, 8), "substr(text, start[, length])");
    check_error("filter a = 1\n| filter count(*) > 3", (2, 10), "outside `stats`");
    check_error("stats count(*) by bin(5x)", (1, 23), "`x` is no unit");
    check_error("filter a = \"🌋é\" | statz x", (1, 19), "stats");
    check_error("stats by a", (1, 7), "count(*)");
    check_error("fields a | | limit 1", (1, 12), "`|` stands where");
    check_error("stats bytes by svc", (1, 7), "max(bytes)");
    check_error("stats avg(sum(x))", (1, 11), "inside another aggregate");
    check_error("stats count(*) as n, sum(x) as n", (1, 32), "two columns");
    check_error("fields a limit 1", (1, 10), "");
    check_error("limit 99999999999999999999", (1, 7), "too large");
    check_error("stats pct(a, 101)", (1, 14), "from 0 to 100");
    check_error("fields \"\\u{zz}\"", (1, 9), "no character");
    check_error("fields a | patern @message", (1, 12), "patern");
    check_error("stats count(*) by bin(1h) | source \"a\"", (1, 29), "first");
    check_error("filter a && b", (1, 10), "and");
    check_error("parse \"abc\" as a", (1, 7), "no star");
    check_error("filter a > 5m", (1, 12), "length of time");
}

#[test]
fn examples_of_the_reference_are_read() {
    let reference = include_str!("../../../../grammar/README.md");
    let examples: Vec<&str> =
        reference.split("```insights\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(examples.len() >= 15);
    for example in examples {
        assert!(parse_insights(example, &options()).is_ok(), "{example}: {:?}", parse_insights(example, &options()));
    }
}

#[test]
fn examples_of_commands_are_golden_cases() {
    let reference = include_str!("../../../../grammar/README.md");
    let cases = include_str!("../../../../tests/golden/reference.test");
    let queries: Vec<&str> =
        cases.split("--- query\n").skip(1).filter_map(|rest| rest.split("\n--- ").next()).collect();
    let commands = reference.split("## Expressions").next().unwrap_or_default();
    for example in commands.split("```insights\n").skip(1).filter_map(|rest| rest.split("\n```").next()) {
        assert!(queries.contains(&example), "no case in tests/golden/reference.test asks {example}");
    }
}

#[test]
fn every_function_is_in_the_reference() {
    let reference = include_str!("../../../../grammar/README.md");
    for signature in plan::function::SIGNATURES {
        let is_named =
            reference.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').any(|word| word == signature.name);
        // Second names of the same function.
        assert!(is_named || matches!(signature.name, "upper" | "lower"), "{}", signature.name);
    }
}

#[test]
fn every_function_refuses_a_wrong_number_of_arguments_at_its_name() {
    for signature in plan::function::SIGNATURES {
        let call = |n: usize| format!("fields a, {}({})", signature.name, vec!["b"; n].join(", "));
        let wrong = [signature.n_min.checked_sub(1), signature.n_max.map(|most| most + 1)];
        for n in wrong.into_iter().flatten() {
            check_error(&call(n), (1, 11), &format!("write {}({})", signature.name, signature.arguments));
        }
        assert!(parse_insights(&format!("fields {}", signature.name), &options()).is_ok(), "a field may have its name");
    }
}

#[test]
fn several_mistakes_are_told_at_once() {
    let errors =
        parse_insights("fields foo(a), substr(a) | filter b like /[/", &options()).expect_err("three mistakes");
    assert_eq!(errors.0.iter().map(|error| error.column).collect::<Vec<_>>(), [8, 16, 43]);
}

#[test]
fn deep_and_long_queries_are_refused_or_run() {
    let nested = |n: usize| format!("filter {}a{}", "(".repeat(n), ")".repeat(n));
    assert!(parse_insights(&nested(128), &options()).is_ok());
    for text in [
        nested(129),
        nested(30_000),
        format!("filter a {}", "in(source \"\"|filter a ".repeat(2_700)),
        format!("filter a in(source \"\"|fields a){}", " or a in(source \"\"|fields a)".repeat(8)),
        format!("filter {}a", "abs(".repeat(15_000)),
        format!("filter {}", "a in [".repeat(10_000)),
        format!("filter {}", ")".repeat(60_000)),
        format!("fields a{}", " + 1".repeat(10_000)),
        format!("fields {}a", "- ".repeat(30_000)),
        format!("fields {}a", "not ".repeat(15_000)),
        format!("fields a{}", "^2".repeat(30_000)),
        format!("filter {}", ["a like /b/"; 65].join(" or ")),
        "limit 1\n".repeat(8_000),
        "fields a,".repeat(8_000),
    ] {
        assert!(parse_insights(&text, &options()).is_err(), "{}", &text[..40]);
    }
    assert!(parse_insights(&format!("filter {}", vec!["a = 1"; 6_000].join(" or ")), &options()).is_ok());
    assert!(parse_insights(&format!("filter {}", vec!["a = 1"; 6_000].join(" and ")), &options()).is_ok());
}

pub(super) const PIECES: [&str; 56] = [
    "fields", "filter", "stats", "parse", "sort", "limit", "count(*)", "avg(", "a", "b.c", "@timestamp", "=", "!=",
    "like", "/", "\"", "'", "`", "(", ")", "[", "]", ",", "|", "\n", "#", "by", "as", "and", "or", "not", "in",
    "between", "bin(5m)", "5x", "1e5", "-", "*", "\\", "é", "🌋", "x*", "json", "source", "top", "timechart",
    "span=1m", "fillmissing", "with", "for", "filldown", "unnest", "into", "(source \"g\"", " ", "display",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_text_panics(text in any::<String>()) {
        let _ = parse_insights(&text, &options());
    }

    #[test]
    fn no_row_of_pieces_panics(pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..30), glue in prop::bool::ANY) {
        let text = pieces.join(if glue { " " } else { "" });
        if let Err(errors) = parse_insights(&text, &options()) {
            for error in &errors.0 {
                prop_assert!(error.line >= 1 && error.column >= 1 && error.start <= error.end, "{}: {:?}", text, error);
                prop_assert!(!error.message.contains("kw_"), "{}", error);
            }
        }
    }
}

#[test]
fn hints_fit_what_was_written() {
    check("sort bytes", "sort bytes | events @timestamp, @message");
    check("sort by bytes desc", "sort bytes desc | events @timestamp, @message");
    check_error("stats count(*) by bin(1 min)", (1, 25), "write 1min without the space");
    check_error("filter took > 5 ms", (1, 17), "write 5ms without the space");
    check_error("top 2 p, ms > 150 as slow", (1, 13), "compute it first: eval x = ms > … | top x");
    check_error("dedup a + 1", (1, 9), "compute it first: eval x = a + … | dedup x");
    check_warnings("/division/", &["searched as a phrase"]);
    let plan = parse_insights("/division/", &options()).expect("a phrase");
    let hint = plan.warnings[0].hint.as_deref().unwrap_or_default();
    assert!(hint.contains("filter @any like /division/"), "{hint}");
}

#[test]
fn a_value_alone_is_no_condition() {
    check_error("filter status = 500 or 503", (1, 24), "write status in [500, 503]");
    check_error("filter a = 1 and (b != 'x' or 'y')", (1, 31), "write b not in ['x', 'y']");
    check_error("filter took > 5 and 7", (1, 21), "write took > 7");
    check_error("filter @message like /a/ or \"b\"", (1, 29), "write @message like \"b\"");
    check_error("filter \"503\"", (1, 8), "write @message like \"503\"");
    check_error("filter not 5", (1, 12), "alone is no condition");
    check_error("filter -1", (1, 8), "alone is no condition");
    check("filter true and a", "filter a | events @timestamp, @message");
}

#[test]
fn a_time_is_compared_with_times() {
    check_error("filter @timestamp > \"banana\"", (1, 8), "\"banana\" is no time");
    check_error("filter \"2026-11-29 25:00\" < @timestamp", (1, 8), "is no time");
    check_error("filter bin(1h) between \"2026-11-01\" and \"now-1h\"", (1, 8), "\"now-1h\" is no time");
    check_error("filter @timestamp in [\"2026-11-01\", \"x\"]", (1, 8), "\"x\" is no time");
    for known in ["2026-11", "2026-11-29", "2026-11-29 06:00", "2026-11-29T06:00:00.5+07:00", "1793519999"] {
        check_warnings(&format!("filter @timestamp > \"{known}\""), &[]);
    }
}
