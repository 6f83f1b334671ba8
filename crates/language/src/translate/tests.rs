//! Translations, each of which must have the plan of its original.

use chrono_tz::Tz;
use proptest::prelude::*;
use types::Timestamp;

use super::*;
use crate::insights::{ParseOptions, parse_insights};
use plan::{Expr, PlanDraft};

fn plan_of(sources: Vec<types::GroupPattern>, mut operators: Vec<Operator>) -> String {
    let columns = ["@timestamp", "@message"].into_iter().map(|name| (name.into(), Expr::Field(name.into())));
    operators.push(Operator::Project { columns: columns.collect(), is_events: true });
    PlanDraft { sources, operators, ..PlanDraft::default() }.finish().to_string()
}

fn original(text: &str, language: Language) -> Option<String> {
    Some(match language {
        Language::Lucene => plan_of(Vec::new(), lucene::parse(text, None).ok()?),
        Language::Kql => plan_of(Vec::new(), crate::kql::parse(text, None).ok()?),
        Language::FilterPattern => plan_of(Vec::new(), filter_pattern::conditions(text).ok()?.0),
        Language::Logql => match logql::parse_plain(text).ok()? {
            logql::Query::Log(log) => plan_of(log.sources, log.operators),
            logql::Query::Metric(_) => return None,
        },
        _ => return None,
    })
}

/// Checks that a translation has the plan of the original.
#[track_caller]
fn check_plan(text: &str, language: Language) {
    let (Some(original), Ok(translated)) = (original(text, language), translate(text, language)) else { return };
    // Eight texts on one field are looked up at once where they are phrases, which words of Lucene and KQL are not.
    if translated.matches(" has ").count() >= 8 {
        return;
    }
    let options = ParseOptions { now: Timestamp(1_795_157_233_000_000_000), time_zone: Tz::UTC };
    let plan = parse_insights(&translated, &options).unwrap_or_else(|errors| panic!("{text}: {translated}: {errors}"));
    assert_eq!(plan.to_string(), original, "{text}\n{translated}");
}

#[track_caller]
fn check(text: &str, language: Language, expected: &str) {
    assert_eq!(translate(text, language).as_deref().map_err(ToString::to_string), Ok(expected), "{text}");
    check_plan(text, language);
}

#[test]
fn lucene_becomes_insights() {
    let check = |text, expected| check(text, Language::Lucene, expected);
    check("", "");
    check("timeout", "filter @any has \"timeout\"");
    check("level:error AND NOT service:web", "filter @level = \"error\" and service not has \"web\"");
    check("(a OR b) AND c", "filter (@any has \"a\" or @any has \"b\") and @any has \"c\"");
    check(
        "status:[400 TO 499] -path.keyword:\\/health*",
        "filter status between 400 and 499 and path !~ \"(?s)^/health.*$\"",
    );
    check("user-agent.keyword:\"a\\\"b\"", "filter `user-agent` = \"a\\\"b\"");
    check("took:>=1.5", "filter took >= 1.5");
    check("_exists_:user", "filter ispresent(user)");
    check("n:-5", "filter n = -5");
}

#[test]
fn kql_becomes_insights() {
    let check = |text, expected| check(text, Language::Kql, expected);
    check(
        "level:error and not service:(web or \"a b\")",
        "filter @level = \"error\" and not (service has \"web\" or service has \"a b\")",
    );
    check("path.keyword:/api* and took >= 1.5", "filter path =~ \"(?s)^/api.*$\" and took >= 1.5");
    check("user.keyword:\"a\" or user:*", "filter user = \"a\" or ispresent(user)");
    let text = translate("@timestamp < 2026-11-20", Language::Kql).expect("a translation");
    assert_eq!(text, "filter @timestamp < \"2026-11-20T00:00:00Z\"");
}

#[test]
fn logql_becomes_insights() {
    let check = |text, expected| check(text, Language::Logql, expected);
    check(
        "{group=\"app\"} |= \"GET\" != \"x y\" | json | status >= 500",
        "source \"app\"\n| filter @log = \"app\"\n| filter @message like \"GET\"\n| filter @message not like \"x y\"\n| parse @message json\n| filter status >= 500",
    );
    check("{level=~\"warn|error\"}", "filter @level like /^(?s:warn|error)$/");
    check("{host=\"a\"} |~ `a/b\\d`", "filter host = \"a\"\n| filter @message =~ \"a/b[0-9]\"");
    check("{host=\"a\"} | took > 1s", "filter host = \"a\"\n| filter parse_duration(took) > 1000.0");
    check(
        "{host=\"a\"} | regexp \"user=(?P<user>\\\\w+)\"",
        "filter host = \"a\"\n| parse @message /user=(?P<user>[0-9A-Za-z_]+)/",
    );
    check("{service_name!=\"\"}", "filter not isempty(coalesce(service_name, service.name, service))");
}

#[test]
fn labels_and_lines_made_anew_become_eval() {
    // Insights shows what it computes, so that the plan has more columns than that of the original.
    let stages = "| label_format b=c | drop d | line_format \"{{.b}}!\" | keep b";
    assert_eq!(
        translate(&format!("{{host=\"a\"}} {stages}"), Language::Logql).as_deref().map_err(ToString::to_string),
        Ok("filter host = \"a\"\n| eval b = c\n| eval c = null\n| eval d = null\n\
            | eval @message = concat(coalesce(b, \"\"), \"!\")")
    );
    for stage in ["json a=\"b\" | line_format \"{{.a}}\"", "logfmt --strict", "decolorize", "unpack"] {
        let text = format!("{{host=\"a\"}} | {stage}");
        if let Ok(translated) = translate(&text, Language::Logql) {
            let options = ParseOptions { now: Timestamp(0), time_zone: Tz::UTC };
            assert!(parse_insights(&translated, &options).is_ok(), "{text}: {translated}");
        }
    }
}

#[test]
fn what_insights_cannot_say_is_refused() {
    let error = translate("rate({a=\"b\"}[5m])", Language::Logql).expect_err("a metric query");
    assert_eq!(error.0[0].code, "not-translatable");
    assert!(translate("{a=", Language::Logql).is_err());
    for pattern in ["[ip, status = 500]", "{ $.a IS NULL }"] {
        let error = translate(pattern, Language::FilterPattern).expect_err("more than Insights can say");
        assert_eq!((error.0[0].code, error.0[0].end), ("not-translatable", pattern.len()), "{pattern}");
    }
}

#[test]
fn filter_patterns_become_insights() {
    let check = |text, expected| check(text, Language::FilterPattern, expected);
    check("", "");
    check("ERROR -DEBUG", "filter @message like \"ERROR\"\n| filter @message not like \"DEBUG\"");
    check("?WARN ?\"a \\\"b\\\"\"", "filter @message like \"WARN\" or @message like \"a \\\"b\\\"\"");
    check("%(?i)time ?out% x", "filter @message like /(?i)time ?out/\n| filter @message like \"x\"");
    check(
        "{ $.status >= 500 && $.user.id = \"ann\" }",
        "filter status >= 500 and ispresent(tonumber(status)) and user.id = \"ann\"",
    );
    check("{ $.path = \"/api*\" }", "filter path =~ \"(?s)^/api.*$\"");
}

#[test]
fn counts_of_logql_come_with_what_is_nearest_to_them() {
    let hint =
        |text| translate(text, Language::Logql).expect_err("a metric query").0[0].hint.clone().unwrap_or_default();
    assert_eq!(
        hint("sum by (level, service_name) (count_over_time({host=\"a\"} |= \"x\" [5m]))"),
        "nearest to it is: filter host = \"a\"\n| filter @message like \"x\"\n| stats count(*) as count\n    by bin(5m),\n    \
         @level as level,\n    coalesce(service_name, service.name, service) as service_name"
    );
    assert!(
        hint("sum by (path) (rate({host=\"a\"}[90s]))").ends_with("| stats count(*) / 90 as rate by bin(90s), path")
    );
    assert!(hint("max(rate({host=\"a\"}[90s]))").starts_with("translate the part in braces"));
}

const PIECES: [&str; 30] = [
    "a", "b.c:1", "x:>=5", "AND", "OR", "NOT", "-", "+", "(", ")", "\"p q\"", "f:\"x\"", "f.keyword:y", "w*", "f:w?*",
    "level:error", "_exists_:z", "n:[1 TO 2]", "n:{1 TO *]", "f:(a OR b)", "!", "and", "or", "not", "/r.x/", "\\:",
    "é", "user-agent:7", "t:true", "&&",
];

const LOGQL_PIECES: [&str; 14] = [
    "|= \"a\"",
    "!= `b\\`",
    "|~ \"c/d\"",
    "!~ \"e+\"",
    "| json",
    "| logfmt",
    "| x=\"1\"",
    "| x!=2",
    "| y>1.5 or z=~\"q\"",
    "| (a=\"1\" or b=\"2\") and c=\"3\"",
    "| (a=\"1\" and b=\"2\") or (c=\"3\" or d!=\"\")",
    "| took<=20ms",
    "| size>1KB",
    "| regexp \"(?P<n>.)\"",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn translations_have_the_plan_of_the_original(pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..8)) {
        check_plan(&pieces.join(" "), Language::Lucene);
        check_plan(&pieces.join(" "), Language::Kql);
    }

    #[test]
    fn log_queries_have_the_plan_of_the_original(
        pieces in prop::collection::vec(prop::sample::select(&LOGQL_PIECES[..]), 0..6),
        selector in prop::sample::select(&["{group=\"a\"}", "{level!~\"x|y\",host=\"\"}", "{a=~\".+\"}"][..]),
    ) {
        check_plan(&format!("{selector} {}", pieces.join(" ")), Language::Logql);
    }

    #[test]
    fn filter_patterns_have_the_plan_of_the_original(
        terms in prop::collection::vec(prop::sample::select(&["a", "-b", "?c", "\"d e\"", "-\"f/g\"", "%h+%", "%i/j%", "é"][..]), 0..6),
        tests in prop::collection::vec(prop::sample::select(&["$.a = 1", "$.b != \"x*\"", "$.c.d >= 2.5", "$.e NOT EXISTS", "($.f = *)", "$.g IS TRUE"][..]), 1..5),
        sign in prop::sample::select(&[" && ", " || "][..]),
    ) {
        check_plan(&terms.join(" "), Language::FilterPattern);
        check_plan(&format!("{{ {} }}", tests.join(sign)), Language::FilterPattern);
    }

    #[test]
    fn no_text_panics(text in any::<String>()) {
        let _ = translate(&text, Language::FilterPattern);
        let _ = translate(&text, Language::Lucene);
        let _ = translate(&text, Language::Kql);
        let _ = translate(&text, Language::Logql);
    }
}
