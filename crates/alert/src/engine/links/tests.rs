//! Where alerts point.

use language::parse_insights;

use super::*;
use crate::{Options, RuleSet};

/// Returns the query, the groups and the time of the link to a row of a rule.
fn link(rule: &str, pattern: bool, row: &[Option<Value>], message: Option<&str>) -> (String, String, String) {
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
    let url = engine.url_of_row(&rule, &compiled, row, &events, now);
    assert!(url.starts_with("https://logs.example.org/"), "{url}");
    let pairs: Vec<(String, String)> = reqwest::Url::parse(&url).unwrap().query_pairs().into_owned().collect();
    let of = |name: &str| pairs.iter().find(|(known, _)| known == name).map(|(_, v)| v.clone()).unwrap_or_default();
    let query = of("q");
    let options = language::ParseOptions { now, time_zone: chrono_tz::UTC };
    assert!(parse_insights(&query, &options).is_ok(), "{query}");
    (query, of("groups"), format!("{} {}", of("from"), of("to")))
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
    assert!(link(rule, false, &missing, None).0.contains("filter not service = service"));
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
    assert_eq!((query.as_str(), groups.as_str()), ("filter @level >= \"error\" | filter not @log = @log", ""));
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
