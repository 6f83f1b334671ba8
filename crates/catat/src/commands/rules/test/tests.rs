//! Tests of rules as users write them, with the exact output of each.

use super::*;

const RULES: &str = r#"
groups:
  - name: app
    interval: 10s
    rules:
      - name: errors
        query: filter @level >= "error" | stats count(*) as count by @log
        window: 1m
        labels: {severity: page}
        annotations: {summary: "{{ value }} errors in {{ labels['@log'] }}"}
      - name: silent
        query: filter job = "backup" | stats count(*) as count
        condition: count < 1
        window: 1h
      - name: both
        kind: composite
        when: errors and silent
"#;

const EVENTS: &str = r#"
    events:
      - {at: 25s, repeat: 3, every: 1s, "@log": app/a, level: error, message: disk on fire}
      - {at: 40s, "@log": app/b, level: info, message: all is well}
      - {at: 50m, job: backup}
"#;

/// Returns the report on a file of tests, and the exit code.
fn said(tests: &str) -> (String, Option<String>) {
    said_of(RULES, tests)
}

fn said_of(rules: &str, tests: &str) -> (String, Option<String>) {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("rules.yaml"), rules).unwrap();
    let path = dir.path().join("t.yaml");
    std::fs::write(&path, tests).unwrap();
    let mut out = Vec::new();
    let ended = report(&[path], &mut out);
    let told = ended.err().map(|failure| failure.message.replace(&dir.path().display().to_string(), "DIR"));
    (String::from_utf8(out).unwrap(), told)
}

#[test]
fn what_fires_as_expected_is_well() {
    let tests = format!(
        "rule_files: [rules.yaml]\ntests:\n  - name: errors fire, and end a minute later{EVENTS}    alerts:\n      \
         - {{at: 20s, alertname: errors, none: true}}\n      \
         - {{at: 30s, alertname: errors, labels: {{\"@log\": app/a, severity: page}}, \
              annotations: {{summary: 3 errors in app/a}}}}\n      \
         - {{at: 95s, alertname: errors, none: true}}\n      \
         - {{at: 49m, alertname: silent}}\n      \
         - {{at: 40s, alertname: both}}\n      \
         - {{at: 49m, alertname: both, none: true}}\n      \
         - {{at: 51m, alertname: silent, none: true}}\n"
    );
    let (out, told) = said(&tests);
    assert_eq!(out, "ok     errors fire, and end a minute later\n1 test, 0 failed\n", "{told:?}");
    assert_eq!(told, None);
}

#[test]
fn what_differs_is_said() {
    let tests = format!(
        "rule_files: [rules.yaml]\ntests:\n  - name: wrong{EVENTS}    alerts:\n      \
         - {{at: 20s, alertname: errors, labels: {{\"@log\": app/a, severity: page}}}}\n      \
         - {{at: 30s, alertname: errors, none: true}}\n      \
         - {{at: 40s, alertname: errors, labels: {{\"@log\": app/a, severity: page}}, \
              annotations: {{summary: fine, other: x}}}}\n  \
         - name: empty\n    alerts: []\n"
    );
    let expected = r#"FAILED wrong
       at 20s, errors: expected to fire, but does not: {@log="app/a", severity="page"}
       at 30s, errors: fires unexpectedly: {@log="app/a", severity="page"} (3)
       at 40s, errors: {@log="app/a", severity="page"}: other is not there, not "x"
       at 40s, errors: {@log="app/a", severity="page"}: summary is "3 errors in app/a", not "fine"
ok     empty
2 tests, 1 failed
"#;
    assert_eq!(said(&tests), (expected.to_string(), Some(String::new())));
}

#[test]
fn mistakes_in_a_test_are_named() {
    let check = |text: &str, expected: &str| {
        let told = said(text).1.expect("a mistake");
        assert!(told.contains(expected), "{told}");
    };
    let test = |rest: &str| format!("rule_files: [rules.yaml]\ntests:\n  - name: t\n{rest}");
    check("rule_files: [none.yaml]\ntests: []\n", "DIR/none.yaml: ");
    check(&test("    alert: []\n"), "unknown field");
    check(&test("    alerts: [{at: 1m, alertname: other}]\n"), "no rule \"other\" in its rule_files");
    check(&test("    alerts: [{at: soon, alertname: errors}]\n"), "test \"t\"");
    check(&test("    start: noon\n    alerts: []\n"), "start: noon is not a time");
    check(&test("    events: [{at: 1s, \"@log\": \"a b\"}]\n    alerts: []\n"), "@log: a b is not a valid group name");
    check(&test("    alerts: [{at: 9000h, alertname: errors, none: true}]\n"), "more than 100000 evaluations");
}

const SERIES_RULES: &str = r#"
groups:
  - name: task-handler
    interval: 30s
    rules:
      - alert: HighErrorRate
        expr: sum(rate(http_requests_total{status=~"5.."}[5m])) > 0.1
        for: 5m
      - alert: SlowRequests
        expr: histogram_quantile(0.95, rate(http_request_duration_seconds_bucket[5m])) > 1
        for: 5m
      - alert: FailedTasks
        expr: sum(rate(tasks_processed_total{status="failed"}[5m])) / sum(rate(tasks_processed_total[5m])) > 0.1
        for: 5m
        annotations: {description: "{{ $value | humanizePercentage }} of the tasks fail"}
      - alert: MemoryUsage
        expr: go_memstats_alloc_bytes / 1024 / 1024 > 500
        for: 10m
"#;

/// Of each of the four conditions, a test in which it holds from some minute on and one in which it never does.
const SERIES_TESTS: &str = r#"
rule_files: [rules.yaml]
tests:
  - name: bad
    interval: 10s
    input_series:
      - {series: 'http_requests_total{status="500"}', values: '0+5x120'}
      - {series: 'http_request_duration_seconds_bucket{le="1"}', values: '0+10x120'}
      - {series: 'http_request_duration_seconds_bucket{le="2"}', values: '0+20x120'}
      - {series: 'http_request_duration_seconds_bucket{le="+Inf"}', values: '0+20x120'}
      - {series: 'tasks_processed_total{status="success"}', values: '0+15x120'}
      - {series: 'tasks_processed_total{status="failed"}', values: '0+5x120'}
      - {series: 'go_memstats_alloc_bytes{job="api"}', values: '629145600x120'}
    alerts:
      - {at: 4m, alertname: HighErrorRate, none: true}
      - {at: 10m, alertname: HighErrorRate}
      - {at: 4m, alertname: SlowRequests, none: true}
      - {at: 10m, alertname: SlowRequests}
      - {at: 4m, alertname: FailedTasks, none: true}
      - {at: 10m, alertname: FailedTasks, annotations: {description: 25% of the tasks fail}}
      - {at: 9m, alertname: MemoryUsage, none: true}
      - {at: 15m, alertname: MemoryUsage, labels: {job: api}}
  - name: good
    interval: 10s
    input_series:
      - {series: 'http_requests_total{status="500"}', values: '0+0.5x120'}
      - {series: 'http_request_duration_seconds_bucket{le="1"}', values: '0+20x120'}
      - {series: 'http_request_duration_seconds_bucket{le="+Inf"}', values: '0+20x120'}
      - {series: 'tasks_processed_total{status="success"}', values: '0+18x120'}
      - {series: 'tasks_processed_total{status="failed"}', values: '0+2x120'}
      - {series: 'go_memstats_alloc_bytes{job="api"}', values: '524288000x120'}
    alerts:
      - {at: 15m, alertname: HighErrorRate, none: true}
      - {at: 15m, alertname: SlowRequests, none: true}
      - {at: 15m, alertname: FailedTasks, none: true}
      - {at: 15m, alertname: MemoryUsage, none: true}
"#;

#[test]
fn rules_of_prometheus_are_tested_with_series() {
    let (out, told) = said_of(SERIES_RULES, SERIES_TESTS);
    assert_eq!(out, "ok     bad\nok     good\n2 tests, 0 failed\n", "{told:?}");
}

#[test]
fn series_of_a_test_may_be_native_histograms() {
    let rules = "groups:\n- name: g\n  rules:\n  - {alert: Many, expr: histogram_count(took) > 5}\n";
    let tests = "rule_files: [rules.yaml]\ntests:\n  - name: native\n    interval: 1m\n    input_series:\n      \
                 - {series: took, values: '{{count:3 buckets:[3]}}+{{count:3 buckets:[3]}}x9'}\n    alerts:\n      \
                 - {at: 30s, alertname: Many, none: true}\n      - {at: 5m, alertname: Many}\n";
    let (out, told) = said_of(rules, tests);
    assert_eq!(out, "ok     native\n1 test, 0 failed\n", "{told:?}");
}

#[test]
fn series_that_cannot_be_read_are_named() {
    let check = |series: &str, expected: &str| {
        let tests =
            format!("rule_files: [rules.yaml]\ntests:\n  - name: t\n    input_series: [{series}]\n    alerts: []\n");
        let told = said_of(SERIES_RULES, &tests).1.unwrap_or_default();
        assert!(told.contains(expected), "{told}");
    };
    check("{series: 'up{', values: '1'}", "input_series \"up{\"");
    check("{series: up, values: '1x'}", "input_series \"up\"");
    check("{series: '{a=\"b\"}', values: '1'}", "__name__");
    check("{series: up, values: '{{schema:99}}'}", "schema 99");
}
