//! Layouts of queries.

use super::*;

fn check(text: &str, expected: &str) {
    assert_eq!(format(text).map_err(|errors| errors.to_string()), Ok(expected.to_owned()), "{text}");
}

#[test]
fn short_queries_stay_on_one_line() {
    check(r#"{ app = "a",env=~"b" }|="x"or"y"|logfmt|n>1"#, r#"{app="a", env=~"b"} |= "x" or "y" | logfmt | n>1"#);
    check("{a=`b`}|json first=`user.name`,b|drop x, y", r#"{a="b"} | json first="user.name",b="b" | drop x,y"#);
    check("{a=`b`} | d >= 1.5s | b < 200KiB and x=1", r#"{a="b"} | d>=1.5s | ( b<205kB , x==1 )"#);
    check("{a=`b`} | label_format x=y , z=`{{.a}}\t`", r#"{a="b"} | label_format x=y,z="{{.a}}\t""#);
    check("sum(rate({a=`b`}[90s])) by (app, env)", r#"sum by (app,env)(rate({a="b"}[1m30s]))"#);
    check("topk(2, rate({a=`b`}[1h] offset 5m))", r#"topk(2,rate({a="b"}[1h] offset 5m0s))"#);
    check("rate({a=`b`}[1h] offset -5m)", r#"rate({a="b"}[1h] offset -5m0s)"#);
    check(
        "quantile_over_time(0.90, {a=`b`} | unwrap duration(d) [1m]) by (x)",
        r#"quantile_over_time(0.9,{a="b"} | unwrap duration(d)[1m]) by (x)"#,
    );
}

#[test]
fn long_queries_are_broken_at_stages_and_arguments() {
    let stages = r#"{app="a", env="b"} |= "some long text to look for" | logfmt | level="error" | line_format `{{.message_of_it}}`"#;
    check(
        stages,
        "{app=\"a\", env=\"b\"}\n  |= \"some long text to look for\"\n  | logfmt\n  | level=\"error\"\n  | line_format \"{{.message_of_it}}\"",
    );
    let long = r#"sum by (app, env) (max_over_time({app="a", env="b"} |= "some long text to look for" | logfmt | unwrap v | __error__="" [5m]))"#;
    check(
        long,
        "sum by (app, env)(\n  max_over_time(\n    {app=\"a\", env=\"b\"} |= \"some long text to look for\" | logfmt\n      | unwrap v\n      | __error__=\"\" [5m]\n  )\n)",
    );
}

#[test]
fn what_is_not_laid_out_is_refused_by_name() {
    for text in ["1 + 1", "rate({a=`b`}[1m]) / 2", "{a=`b`} | x=1 or y=2 or z=3", "vector(1)"] {
        let refused = format(text).map_err(|errors| errors.to_string());
        assert!(refused.is_err_and(|error| error.contains("format_query does not lay out")), "{text}");
    }
    assert!(format("{").is_err());
}
