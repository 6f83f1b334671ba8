//! What becomes of variables at each kind of place, and that no value changes what is asked.

use language::{ParseOptions, parse_insights};
use proptest::prelude::*;
use types::Timestamp;

use super::*;

fn choices(of: &[(&str, Choice)]) -> Choices {
    of.iter().map(|(name, choice)| ((*name).to_owned(), choice.clone())).collect()
}

fn one(value: &str) -> Choice {
    Choice::One(value.to_owned())
}

fn several(values: &[&str]) -> Choice {
    Choice::Several(values.iter().map(|value| (*value).to_owned()).collect())
}

#[test]
fn a_value_is_written_in_the_form_of_its_place() {
    let all = Choice::All { all: vec!["pay".to_owned(), "cart".to_owned()] };
    let cases: &[(Language, &str, Choice, &str)] = &[
        (Language::Insights, "filter s = $v", one("pay"), r#"filter s = "pay""#),
        (Language::Insights, "filter s = ${v}x", one("a\"b\\"), r#"filter s = "a\"b\\"x"#),
        (Language::Insights, "filter s in $v", one("pay"), r#"filter s in ["pay"]"#),
        (Language::Insights, "filter s in $v | limit 1", several(&["a", "b"]), r#"filter s in ["a", "b"] | limit 1"#),
        (Language::Insights, "filter s in $v", all.clone(), r#"filter s in ["pay", "cart"]"#),
        (Language::Insights, "filter s like /x$v/", one("a/b.c"), r"filter s like /xa\/b\.c/"),
        (Language::Insights, "filter s like /^$v$/", several(&["a", "b"]), "filter s like /^(?:a|b)$/"),
        (Language::Insights, "filter s like /$v/", all.clone(), "filter s like /.*/"),
        (Language::Insights, "filter a / b > 1 and s = $v", one("x"), r#"filter a / b > 1 and s = "x""#),
        (Language::Insights, "stats count(*) by bin($__interval)", one("x"), "stats count(*) by bin(5m)"),
        (Language::Insights, "# $v\nfilter s = '$v'", one("it's"), "# $v\nfilter s = 'it\\'s'"),
        (Language::Insights, "filter s = $other", one("x"), "filter s = $other"),
        (Language::Promql, "x{a=\"$v\"}", one("a\"b"), r#"x{a="a\"b"}"#),
        (Language::Promql, "x{a=~\"$v\"}", several(&["a.b", "c"]), r#"x{a=~"(?:a\\.b|c)"}"#),
        (Language::Promql, "x{a=~\"$v\"}", all.clone(), r#"x{a=~".*"}"#),
        (Language::Promql, "rate($v[$__interval])", one("up"), "rate(up[5m])"),
        (Language::Logql, "{a=\"$v\"} |~ `$v`", one("a.b"), r#"{a="a.b"} |~ `a\.b`"#),
        (Language::Lucene, "service:$v AND x:/a$v/", one("p q"), r#"service:"p q" AND x:/ap q/"#),
        (Language::Kql, "service:$v", several(&["a", "b"]), r#"service:("a" OR "b")"#),
        (Language::Traceql, "{ .a =~ \"$v\" } | rate()", several(&["a.b", "c"]), r#"{ .a =~ "(?:a\\.b|c)" } | rate()"#),
        (Language::Traceql, "// $v\n/* $v */ { .a = \"$v\" }", one("x\"y"), "// $v\n/* $v */ { .a = \"x\\\"y\" }"),
        (Language::Esql, "FROM a | WHERE s == $v", one("a\"b"), r#"FROM a | WHERE s == "a\"b""#),
        (Language::Esql, "FROM a | WHERE s IN $v", several(&["a", "b"]), r#"FROM a | WHERE s IN ("a", "b")"#),
        (
            Language::Esql,
            "FROM a /* /* $v */ $v */ | WHERE s == $v // $v",
            one("x"),
            "FROM a /* /* $v */ $v */ | WHERE s == \"x\" // $v",
        ),
        (
            Language::Esql,
            "FROM a /*/ $v */ | WHERE s == \"\" AND t == $v",
            one("x"),
            "FROM a /*/ $v */ | WHERE s == \"\" AND t == \"x\"",
        ),
        (
            Language::Esql,
            "FROM a | STATS n = COUNT(*) BY BUCKET(@timestamp, $__interval)",
            one("x"),
            "FROM a | STATS n = COUNT(*) BY BUCKET(@timestamp, 5m)",
        ),
    ];
    for (language, query, choice, wanted) in cases {
        let choices = choices(&[("v", choice.clone()), ("__interval", one("5m"))]);
        assert_eq!(fill(query, *language, &choices).as_deref(), Ok(*wanted), "{query}");
    }
}

#[test]
fn what_does_not_fit_its_place_is_named() {
    let cases: &[(Language, &str, Choice, &str)] = &[
        (
            Language::Insights,
            "filter s = $v",
            several(&["a", "b"]),
            "$v: several values need `in`, as in `field in $name`",
        ),
        (
            Language::Insights,
            "filter s = \"$v\"",
            several(&["a", "b"]),
            "$v: one value fits here; several need a regular expression or `in`",
        ),
        (Language::Insights, "filter s in $v", several(&[]), "$v: nothing is chosen"),
        (
            Language::Promql,
            "$v{}",
            one("up{} or vector(1)"),
            "$v: outside of a text, only a name, a number or a duration fits",
        ),
        (Language::Logql, "{a=`$v`}", one("a`b"), "$v: a text in backquotes cannot have a backquote"),
        (Language::Traceql, "{ $v }", one("a || b"), "$v: outside of a text, only a name, a number or a duration fits"),
        (
            Language::Esql,
            "FROM a | WHERE s == \"\"\"$v\"\"\"",
            one("x"),
            "$v: a text in three quotes takes no value; write it in one pair of quotes",
        ),
    ];
    for (language, query, choice, wanted) in cases {
        let problem = fill(query, *language, &choices(&[("v", choice.clone())])).map_err(|error| error.to_string());
        assert_eq!(problem, Err((*wanted).to_owned()), "{query}");
    }
}

/// Whatever a value is, the query is what it was, with one text in it.
fn plan_of(query: &str) -> String {
    let options = ParseOptions { now: Timestamp(0), time_zone: chrono_tz::Tz::UTC };
    format!("{:?}", parse_insights(query, &options).map_err(|error| error.to_string()))
}

proptest! {
    #[test]
    fn no_value_changes_what_is_asked(value in "[ -~\n\té\"'`/|#$\\\\]{0,12}") {
        let filled = fill("filter s = $v | limit 3", Language::Insights, &choices(&[("v", one(&value))])).expect("fits");
        let marked = plan_of("filter s = \"MARK\" | limit 3").replace("\"MARK\"", &format!("{value:?}"));
        prop_assert_eq!(plan_of(&filled), marked);
    }

    #[test]
    fn a_value_in_a_regular_expression_matches_itself(value in "[ -~\\\\]{1,12}") {
        for query in ["x{a=~\"$v\"}", "x{a=~'$v'}"] {
            let filled = fill(query, Language::Promql, &choices(&[("v", one(&value))])).expect("fits");
            let expression = promql::parse(&filled);
            prop_assert!(expression.is_ok(), "{filled}: {expression:?}");
        }
    }

    #[test]
    fn no_query_panics(query in any::<String>(), value in any::<String>()) {
        let of_events = [Language::Insights, Language::Lucene, Language::Kql, Language::Esql];
        for language in of_events.into_iter().chain([Language::Logql, Language::Promql, Language::Traceql]) {
            let _ = fill(&query, language, &choices(&[("v", one(&value)), ("x", several(&[&value, "b"]))]));
        }
    }
}
