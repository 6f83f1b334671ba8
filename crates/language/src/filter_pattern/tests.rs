//! What a pattern becomes. What it answers is in `tests/golden/filter-pattern-*.test`.

use proptest::prelude::*;

use super::*;

fn check(pattern: &str, expected: &str) {
    let plan = parse_filter_pattern(pattern).expect(pattern).to_string();
    let filters: Vec<&str> = plan.lines().filter_map(|line| line.strip_prefix("filter ")).collect();
    assert_eq!(filters.join("; "), expected, "{pattern}");
}

#[test]
fn terms_become_filters_of_their_own_that_an_index_can_serve() {
    check("ERROR -DEBUG", r#"(@message like "ERROR"); not (@message like "DEBUG")"#);
    check("", "");
}

#[test]
fn patterns_beyond_the_limits_are_refused() {
    let code = |pattern: &str| parse_filter_pattern(pattern).expect_err("too much").0[0].code;
    assert_eq!(code(&"x".repeat(1_025)), "query-too-long");
    assert!(parse_filter_pattern(&"é".repeat(1_024)).is_ok());
    assert_eq!(code(&format!("{{ {}$.a = 1", "(".repeat(500))), "nested-too-deeply");
    assert_eq!(code(r"%(\w{100}){100}%"), "bad-regex");
}

#[test]
fn selectors_name_properties_and_columns() {
    let shown = |pattern: &str, selector: &str| match parse_filter_pattern_showing(pattern, &[selector]) {
        Ok(plan) => match plan.operators().last() {
            Some(Operator::Project { columns, .. }) => format!("{:?}", columns[0].1),
            other => panic!("{other:?}"),
        },
        Err(errors) => errors.0[0].code.to_owned(),
    };
    let field = |name: &str| format!("{:?}", Expr::Field(name.into()));
    assert_eq!(shown("", "$.a.b[0]"), field("a.b.0"));
    assert_eq!(shown(r#"{ $.a = 1 }"#, r#"$["a b"]"#), field("a b"));
    let columns = "[ip, verb = GET || verb = PUT, ..., status, size > 1]";
    for (selector, place) in [("$ip", "#columns.0"), ("$verb", "#columns.1")] {
        assert_eq!(shown(columns, selector), field(place));
    }
    for (selector, place) in [("$status", "#columns_from_end.1"), ("$size", "#columns_from_end.0")] {
        assert_eq!(shown(columns, selector), field(place));
    }
    for selector in ["", "$", "$none", "ip", "$.", "$.a b", "$.a[*]", "$.a = 1"] {
        assert!(parse_filter_pattern_showing(columns, &[selector]).is_err(), "{selector}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_selectors_panic(text in r#"[$.a\[\]0-9*"é -]{0,30}"#) {
        let _ = parse_filter_pattern_showing("[a, ..., b]", &[&text]);
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in r#"[-?%"{}\[\]()$.*=!<>&|, a-z0-9\\é]{0,60}"#) {
        let _ = parse_filter_pattern(&text);
    }

    #[test]
    fn no_json_pattern_makes_the_parser_panic(inner in r#"[$.a\[\]0-9*()&|=!<> "%-]{0,40}"#) {
        let _ = parse_filter_pattern(&format!("{{ $.a{inner} }}"));
        let _ = parse_filter_pattern(&format!("[a{inner}]"));
    }
}

#[test]
fn every_example_of_the_reference_is_read() {
    let reference = include_str!("../../../../grammar/README.md");
    let examples: Vec<&str> = reference.split("```filter-pattern\n").skip(1).collect();
    assert!(examples.len() >= 4);
    for example in examples {
        let pattern = example.split("```").next().unwrap_or_default().trim_end();
        assert!(parse_filter_pattern(pattern).is_ok(), "{pattern}: {:?}", parse_filter_pattern(pattern).err());
    }
}
