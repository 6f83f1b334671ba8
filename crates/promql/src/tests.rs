//! Tests of the whole: scripts with answers worked out by hand, errors with their places, laws.

mod properties;

use crate::{Options, parse, run_script};

fn check_script(text: &str) {
    let options = Options { experimental: true, ..Options::default() };
    let report = run_script(text, &options);
    assert!(report.failures.is_empty(), "{:#?}", report.failures);
    assert!(report.passed > 10);
}

#[test]
fn queries_of_an_http_service_yield_what_was_worked_out() {
    check_script(include_str!("../tests/http_service.test"));
}

#[test]
fn queries_of_hosts_yield_what_was_worked_out() {
    check_script(include_str!("../tests/hosts.test"));
}

#[test]
fn gaps_ends_names_and_histograms_yield_what_was_worked_out() {
    check_script(include_str!("../tests/samples.test"));
}

#[test]
fn names_that_are_removed_late_change_no_result() {
    let options = Options { experimental: true, delayed_name_removal: true, ..Options::default() };
    let report = run_script(include_str!("../tests/http_service.test"), &options);
    assert!(report.failures.is_empty(), "{:#?}", report.failures);
}

#[test]
fn a_script_reports_what_differs() {
    let wrong = "load 1m\n  a 1 2\n\neval instant at 1m a\n  a 3\n\neval instant at 1m a\n  a 2\n";
    let report = run_script(wrong, &Options::default());
    assert_eq!(report.passed, 1);
    assert_eq!(report.failures.len(), 1);
    assert_eq!(report.failures[0].line, 4);
    let unreadable = run_script("load 1m\n  a{ 1\n", &Options::default());
    assert_eq!(unreadable.failures[0].line, 2);
}

#[test]
fn errors_have_their_place_and_say_what_is_wrong() {
    let cases: Vec<&str> = include_str!("../tests/errors.txt").lines().filter(|line| !line.starts_with('#')).collect();
    let located = |query: &str| parse(query).map_or_else(|error| error.located(query), |_| "no error".to_owned());
    let found: Vec<(&str, String)> = cases.chunks(2).map(|case| (case[0], located(case[0]))).collect();
    let wanted: Vec<(&str, String)> = cases.chunks(2).map(|case| (case[0], case[1].to_owned())).collect();
    assert_eq!(found, wanted);
}

#[test]
fn what_is_experimental_is_refused_by_name_unless_enabled() {
    let script = "load 1m\n  a 1 2 3\n\neval instant at 2m mad_over_time(a[3m])\n  {} 1\n";
    let report = run_script(script, &Options::default());
    let message = "1:1: parse error: function \"mad_over_time\" is experimental and not enabled";
    assert_eq!(report.failures[0].message, message);
    let enabled = Options { experimental: true, ..Options::default() };
    assert_eq!(run_script(script, &enabled).passed, 1);
}

#[test]
fn limits_and_stops_end_a_query() {
    let script = "load 1m\n  a 1x100\n\neval range from 0 to 1h step 1m a\n  a 1x60\n";
    let few = Options { samples_max: 50, ..Options::default() };
    assert!(run_script(script, &few).failures[0].message.contains("too many samples"));
    let long = "load 1m\n  a 1x9\n\neval instant at 5m count_over_time(time()[100y:1ms])\n  {} 1\n"
        .replace("time()", "vector(1)");
    assert!(run_script(&long, &Options::default()).failures[0].message.contains("too many samples"));
    let stopped = Options { stop: Some(std::sync::Arc::new(|| Some(crate::Stop::TimedOut))), ..Options::default() };
    assert_eq!(run_script(script, &stopped).failures[0].message, "query timed out in expression evaluation");
}

#[test]
fn deep_queries_are_refused_and_allowed_ones_do_not_overflow() {
    let deep = |n: usize| format!("{}1{}", "(".repeat(n), ")".repeat(n));
    assert!(parse(&deep(200)).is_ok());
    assert!(parse(&deep(100_000)).is_err());
    for hostile in ["-", "(", "+", "a AND ", "a[1m:]", "abs(", "{", "a[", "a offset 1m ", "a @ 1 "] {
        assert!(parse(&hostile.repeat(100_000)).is_err(), "{hostile}");
        assert!(parse(&format!("a[{}", hostile.repeat(100_000))).is_err(), "{hostile}");
    }
    // Durations that nest as deep as any query may.
    assert!(parse(&format!("a[1{}]", "^1".repeat(190))).is_ok());
    assert!(parse(&format!("a[{}1{}]", "1+(".repeat(90), ")".repeat(90))).is_ok());
    let sum = vec!["vector(1)"; 100].join(" + ");
    let script = format!("eval instant at 0 {sum}\n  {{}} 100\n");
    assert_eq!(run_script(&script, &Options::default()).failures, []);
}
