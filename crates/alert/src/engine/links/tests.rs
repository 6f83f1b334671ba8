//! Where alerts point.

use language::parse_insights;

use super::*;
use crate::{Options, RuleSet};

/// Returns the query, the groups and the time of the link to a row of a rule.
fn link(rule: &str, pattern: bool, row: &[Option<Value>], message: Option<&str>) -> (String, String, String) {
    let url = url(rule, pattern, row, message);
    assert!(url.starts_with("https://logs.example.org/?"), "{url}");
    let of = |name: &str| parameter(&url, name);
    assert_reads(&of("q"));
    (of("q"), of("groups"), format!("{} {}", of("from"), of("to")))
}

fn parameter(url: &str, name: &str) -> String {
    let url = reqwest::Url::parse(url).unwrap();
    url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
}

fn assert_reads(query: &str) {
    let options = language::ParseOptions { now: Timestamp(0), time_zone: chrono_tz::UTC };
    assert!(parse_insights(query, &options).is_ok(), "{query}");
}

fn url(rule: &str, pattern: bool, row: &[Option<Value>], message: Option<&str>) -> String {
    let dir = tempfile::tempdir().unwrap();
    let mut rules = RuleSet::default();
    rules.add("r.yaml", &format!("groups: [{{name: g, rules: [{{name: r, {rule}}}]}}]")).unwrap();
    let rule = rules.rules[0].clone();
    let options = Options { base_url: "https://logs.example.org/".into(), ..Options::new(dir.path().join("alerts")) };
    let engine = RuleEngine::open(None, rules, Vec::new(), &options, Timestamp(0)).unwrap();
    let now = Timestamp(1_800_000_000 * Timestamp::SECOND);
    let mut compiled = compile(&rule, now).unwrap();
    if pattern {
        compiled.note_pattern(1);
    }
    let events: Vec<Json> = message.iter().map(|message| serde_json::json!({"@message": message})).collect();
    engine.url_of_row(&rule, &compiled, row, &events, None, now)
}

fn text(value: &str) -> Option<Value> {
    Some(Value::text(value))
}

#[test]
fn the_link_of_a_stats_rule_opens_the_lines_of_its_label_set() {
    let rule =
        "query: 'filter status >= 500 | stats count(*) as n by service, status', condition: n > 1, groups: ['app/*']";
    let row = [text("pay"), Some(Value::Integer(503)), Some(Value::Integer(7)), Some(Value::Boolean(true))];
    let (query, groups, time) = link(rule, false, &row, None);
    assert_eq!(query, "filter status >= 500 | filter service = \"pay\" | filter status = 503");
    assert_eq!(groups, "app/*");
    assert_eq!(time, "2027-01-15T07:55:00Z 2027-01-15T08:00:00Z");
    let missing = [None, Some(Value::Integer(503)), Some(Value::Integer(7)), Some(Value::Boolean(true))];
    assert!(link(rule, false, &missing, None).0.contains("filter not ispresent(service)"));
}

#[test]
fn the_link_of_a_pattern_opens_its_lines_in_its_group() {
    let rule = "kind: pattern, query: 'filter @level >= \"error\"', by: ['@log']";
    let row = [text("app/pay"), text("pool <*> exhausted after <*>/<*> tries")];
    let (query, groups, _) = link(rule, true, &row, Some("pool db exhausted after 3/3 tries"));
    assert_eq!(groups, "app/pay");
    let expected = r#"filter @level >= "error" | filter @message like /(?s)^\s*pool\s+.*\s+exhausted\s+after\s+.*\x2f.*\s+tries\s*$/"#;
    assert_eq!(query, expected);
    let more = [None, text(crate::compile::MORE)];
    let (query, groups, _) = link(rule, true, &more, None);
    assert_eq!((query.as_str(), groups.as_str()), ("filter @level >= \"error\" | filter not ispresent(@log)", ""));
}

#[test]
fn rules_over_rules_point_to_the_alerts_and_silent_sources_to_their_last_lines() {
    let (_, _, time) = link("kind: absence, query: 'filter a = 1', by: [host], window: 10m", false, &[text("a")], None);
    assert_eq!(time, "2027-01-15T06:50:00Z 2027-01-15T08:00:00Z");
}

#[test]
fn the_link_of_an_alert_that_goes_on_ends_now() {
    let url = "http://a/?q=filter+a+%3D+1&from=x&to=y&groups=g";
    let later = until(url, Timestamp(0));
    assert_eq!(later, "http://a/?q=filter+a+%3D+1&from=x&to=1970-01-01T00%3A00%3A00Z&groups=g");
    assert_eq!(until("http://a/alerts", Timestamp(0)), "http://a/alerts");
}

#[test]
fn the_link_of_a_rule_on_spans_opens_their_traces() {
    let row = [text("pay"), Some(Value::Float(0.1)), Some(Value::Boolean(true))];
    let check = |rule: &str, expected: &str, order: &str| {
        let url = url(rule, false, &row, None);
        assert!(url.starts_with("https://logs.example.org/traces?query="), "{url}");
        assert_reads(&parameter(&url, "query"));
        let shown = ["query", "order", "groups"].map(|name| parameter(&url, name));
        assert_eq!(shown, [expected, order, "traces/*"], "{rule}");
        assert_eq!(parameter(&url, "to"), "2027-01-15T08:00:00Z");
    };
    let spans = "groups: ['traces/*'], query: 'filter @type = \"span\" and kind = \"server\"";
    let of_pay = "filter @type = \"span\" and kind = \"server\" | filter service = \"pay\"";
    let failed = format!("{of_pay} | filter status = \"error\"");
    let share = "by: [service], bad: status = \"error\"";
    check(&format!("{spans}', kind: ratio, {share}, condition: value > 0.1"), &failed, "");
    check(&format!("{spans}', kind: burn_rate, {share}, objective: 0.99"), &failed, "");
    check(&format!("{spans}', kind: absence, by: [service]"), of_pay, "");
    let slow = "| stats pct(duration_ms, 95) as p95 by service', condition: p95 > 1000";
    check(&format!("{spans} {slow}"), &of_pay.replace(" and kind", " | filter kind"), "slowest");
    let by_line = "groups: ['traces/*'], query: 'filter kind = \"server\" | stats count(*) as n by service'";
    assert_eq!(
        link(by_line, false, &row, None).0,
        "filter kind = \"server\" | filter service = \"pay\"",
        "or log lines"
    );
}

#[test]
fn an_event_of_a_trace_has_the_page_of_the_trace() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { base_url: "https://logs.example.org".into(), ..Options::new(dir.path().join("alerts")) };
    let engine = RuleEngine::open(None, RuleSet::default(), Vec::new(), &options, Timestamp(0)).unwrap();
    let with = |id: Json| {
        let mut event = serde_json::json!({"trace_id": id});
        engine.add_trace_url(&mut event);
        event["trace_url"].as_str().map(str::to_owned)
    };
    let page = "https://logs.example.org/trace/4bf92f3577b34da6a3ce929d0e0e4736";
    assert_eq!(with("4BF92F3577B34DA6A3CE929D0E0E4736".into()).as_deref(), Some(page));
    for other in ["", "../keys", "4bf92f3577b34da6a3ce929d0e0e47360"] {
        assert_eq!(with(other.into()), None, "{other}");
    }
    assert_eq!(with(7.into()), None);
}
