//! Selectors that must narrow.

use super::*;

#[test]
fn every_selector_of_a_query_must_narrow() {
    assert!(require_narrow_selectors(r#"sum(rate({app="a"}[1m])) / sum(rate({b=~".+"}[1m]))"#).is_ok());
    assert!(require_narrow_selectors(r#"sum(rate({app="a"}[1m])) / sum(rate({b!="x"}[1m]))"#).is_err());
    assert!(require_narrow_selectors("{} |= `a`").is_err());
    assert!(require_narrow_selectors("vector(1)").is_ok());
}

fn check(text: &str, narrows: bool) -> Result<Vec<String>, String> {
    let found = selector(text, narrows).map(|selector| selector.labels);
    found.map_err(|errors| errors.0.first().map(|error| error.message.clone()).unwrap_or_default())
}

#[test]
fn a_selector_names_its_labels_and_has_no_stages() {
    assert_eq!(check(r#"{app="a", env=~"b|c"}"#, true), Ok(vec!["app".into(), "env".into()]));
    assert_eq!(check("{}", false), Ok(Vec::new()));
    for refused in [r#"{app="a"} |= "x""#, r#"rate({app="a"}[1m])"#, "vector(1)", r#"{app="a"} | json"#] {
        assert_eq!(check(refused, false), Err(ONLY_MATCHERS.into()), "{refused}");
    }
}

#[test]
fn a_selector_that_matches_every_stream_is_refused_where_it_must_narrow() {
    for wide in ["{}", r#"{app=~".*"}"#, r#"{app!="web"}"#, r#"{app=""}"#, r#"{app!~"x"}"#, r#"{app=~"a|"}"#] {
        assert_eq!(check(wide, true), Err(NO_MATCHER.into()), "{wide}");
    }
    for narrow in [r#"{app=~".+"}"#, r#"{app!=""}"#, r#"{app=~".*",env="x"}"#, r#"{app!~".*"}"#] {
        assert!(check(narrow, true).is_ok(), "{narrow}");
    }
}
