//! Rules, channels and silences that people make.

use std::sync::Arc;

use storage::{Clock, Store};
use types::{GroupPattern, GroupScope, Timestamp};

use super::*;
use crate::{MatcherText, Options, RuleSet};

struct Bench {
    dir: tempfile::TempDir,
    store: Arc<Store>,
    alerts: Arc<Alerts>,
}

fn clock() -> Clock {
    Clock::new(|| Timestamp::parse_rfc3339("2026-11-20T06:00:00Z").unwrap())
}

fn start(dir: &std::path::Path, store: &Arc<Store>) -> Arc<Alerts> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut files = RuleSet::default();
    files.add("errors.yaml", crate::THRESHOLD_RULES).unwrap();
    let options = Options { clock: clock(), ..Options::new(dir.join("alerts")) };
    Alerts::start(store.clone(), files, options).unwrap()
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut options = storage::Options::new(dir.path().join("data"));
        options.clock = clock();
        let (store, _) = Store::open(options).unwrap();
        let alerts = start(dir.path(), &store);
        Self { dir, store, alerts }
    }

    fn restart(&mut self) {
        self.alerts.stop();
        self.alerts = start(self.dir.path(), &self.store);
    }

    fn names(&self) -> Vec<String> {
        self.alerts.rules().into_iter().map(|rule| rule.name).collect()
    }
}

fn admin() -> Author {
    Author { name: "admin.key".into(), scope: GroupScope::All, is_admin: true }
}

fn of(group: &str) -> Author {
    let scope = GroupScope::Matching(vec![GroupPattern::new(group)]);
    Author { name: format!("key:{group}"), scope, is_admin: false }
}

fn rule(groups: &[&str]) -> Json {
    json!({"query": "filter a = 1", "groups": groups, "window": "5m"})
}

#[test]
fn a_rule_of_the_api_is_read_as_one_of_a_file_and_is_there_after_a_restart() {
    let mut bench = Bench::new();
    let put = |name: &str, definition: Json, put: PutMode| bench.alerts.put_rule(name, definition, &admin(), put);
    put("one", json!({"query": "filter a = 1", "labels": {"é": "\u{1}\"\u{1f600}"}}), PutMode::New).unwrap();
    assert_eq!(put("one", rule(&[]), PutMode::New), Err(DefinitionError::Exists("rule \"one\"".into())));
    put("one", json!({"query": "filter a = 2", "name": "one"}), PutMode::Replace).unwrap();
    let in_file = put("errors", rule(&[]), PutMode::Replace).unwrap_err();
    assert_eq!(in_file.to_string(), "rule \"errors\" is defined in errors.yaml; change it there");
    for (definition, expected) in [
        (json!({"query": "filter a ="}), "query: "),
        (json!({"query": "filter a = 1", "wnidow": "5m"}), "unknown key \"wnidow\"; did you mean window:?"),
        (json!({"query": "filter a = 1", "name": "two"}), "differs from the name in the path"),
        (json!([]), "not a JSON object"),
    ] {
        let refused = put("bad", definition.clone(), PutMode::New).unwrap_err().to_string();
        assert!(refused.contains(expected), "{definition}: {refused}");
    }
    bench.restart();
    assert_eq!(bench.names(), ["errors", "one"]);
    let (view, definition) = bench.alerts.rule("one").unwrap();
    assert_eq!((view.query.as_str(), view.made_by.as_deref(), &*view.file), ("filter a = 2", Some("admin.key"), ""));
    assert_eq!(definition.unwrap()["query"], "filter a = 2");
    bench.alerts.enable_rule("one", false, &admin()).unwrap();
    bench.restart();
    assert!(!bench.alerts.rule("one").unwrap().0.enabled);
    bench.alerts.remove_rule("one", &admin()).unwrap();
    assert!(bench.alerts.remove_rule("one", &admin()).is_err());
    bench.restart();
    assert_eq!(bench.names(), ["errors"]);
    bench.alerts.stop();
}

#[test]
fn stored_templates_of_jinja_are_in_force_after_an_update_and_new_ones_without_a_counterpart_are_refused() {
    let mut bench = Bench::new();
    let stored = |text: &str| {
        let definition = json!({"query": "filter a = 1", "annotations": {"s": text}});
        text_of(&Document::new(definition, &admin(), clock().now())).unwrap()
    };
    let hook = json!({"type": "webhook", "url": "http://127.0.0.1:9/", "body": "{% set n = 1 %}{{ n }}"});
    let hook = text_of(&Document::new(hook, &admin(), clock().now())).unwrap();
    let settings = bench.store.settings();
    settings.put(RULE, "plain", &stored("{{ value }}")).unwrap();
    settings.put(RULE, "odd", &stored("{% set n = 1 %}{{ value }}")).unwrap();
    settings.put(CHANNEL, "hook", &hook).unwrap();
    bench.restart();
    assert_eq!(bench.names(), ["errors", "odd", "plain"]);
    assert_eq!(bench.alerts.channels().len(), 1);
    for (text, expected) in
        [("{{ value }} {{ .value }}", "Jinja's"), ("{{ $value }}{{ $nothing }}", "undefined variable")]
    {
        let definition = json!({"query": "filter a = 1", "annotations": {"s": text}});
        let refused = bench.alerts.put_rule("new", definition, &admin(), PutMode::New).unwrap_err().to_string();
        assert!(refused.contains(expected), "{text}: {refused}");
    }
    bench.alerts.stop();
}

#[test]
fn a_rule_is_about_the_groups_of_who_makes_it_and_out_of_the_reach_of_others() {
    let bench = Bench::new();
    let put =
        |name: &str, definition: Json, maker: &Author| bench.alerts.put_rule(name, definition, maker, PutMode::Replace);
    put("mine", json!({"query": "filter a = 1"}), &of("a/*")).unwrap();
    assert_eq!(bench.alerts.rule("mine").unwrap().0.groups, ["a/*"]);
    assert!(put("far", rule(&["b/x"]), &of("a/*")).is_err());
    assert!(put("far", json!({"query": "source \"b/x\" | filter a = 1"}), &of("a/*")).is_err());
    put("near", json!({"query": "source \"a/x\" | filter a = 1"}), &of("a/*")).unwrap();
    assert_eq!(bench.alerts.rule("near").unwrap().0.groups, ["a/x"]);
    assert!(matches!(put("mine", rule(&["b/x"]), &of("b/*")), Err(DefinitionError::NotAllowed(_))));
    assert!(matches!(bench.alerts.remove_rule("mine", &of("b/*")), Err(DefinitionError::NotAllowed(_))));
    bench.alerts.remove_rule("mine", &admin()).unwrap();
    bench.alerts.stop();
}

#[test]
fn a_channel_keeps_its_secrets_as_long_as_it_leads_where_it_led_and_shows_none() {
    let mut bench = Bench::new();
    let put = |definition: Json, put: PutMode| bench.alerts.put_channel("hook", definition, &of("a/*"), put);
    let url = "https://hooks.example.org/hush-1";
    put(json!({"type": "webhook", "url": url, "secret": "hush-2", "headers": {"X-A": "hush-3"}}), PutMode::New)
        .unwrap();
    let shown = serde_json::to_string(&bench.alerts.channels()).unwrap();
    assert!(
        !shown.contains("hush") && shown.contains("\"https://hooks.example.org\"") && shown.contains("X-A"),
        "{shown}"
    );
    put(json!({"type": "webhook", "topics": ["ops"]}), PutMode::Replace).unwrap();
    let view = bench.alerts.channels().remove(0);
    assert_eq!(
        (view.secrets, view.settings["topics"].clone()),
        (vec!["url".into(), "secret".into(), "headers".into()], json!(["ops"]))
    );
    put(json!({"type": "webhook", "url": "https://elsewhere.example.org/"}), PutMode::Replace).unwrap();
    assert_eq!(bench.alerts.channels()[0].secrets, ["url"], "nobody has secrets sent to themselves");
    assert!(
        bench.alerts.put_channel("hook", json!({"type": "webhook", "url": url}), &of("b/*"), PutMode::Replace).is_err()
    );
    bench.restart();
    assert_eq!(bench.alerts.channels().len(), 1);
    bench.alerts.remove_channel("hook", &of("a/*")).unwrap();
    assert!(bench.alerts.channels().is_empty());
    bench.alerts.stop();
}

#[test]
fn a_channel_of_the_api_leads_to_nothing_near_and_runs_nothing() {
    let bench = Bench::new();
    let put = |definition: Json, maker: &Author| bench.alerts.put_channel("c", definition, maker, PutMode::Replace);
    for url in ["http://127.0.0.1/", "http://[::1]/", "http://10.0.0.1/", "http://localhost:9093", "http://2130706433"]
    {
        let refused = put(json!({"type": "webhook", "url": url}), &admin()).unwrap_err().to_string();
        assert!(refused.contains("private network"), "{url}: {refused}");
    }
    assert!(
        put(json!({"type": "email", "url": "smtp://127.0.0.1", "from": "a@b.c", "to": ["a@b.c"]}), &admin()).is_err()
    );
    let command = json!({"type": "command", "command": ["/bin/true"]});
    assert!(matches!(put(command.clone(), &of("*")), Err(DefinitionError::NotAllowed(_))));
    let refused = put(command, &admin()).unwrap_err().to_string();
    assert!(refused.contains("allow_commands"), "{refused}");
    bench.alerts.stop();
}

#[test]
fn silences_end_are_listed_for_a_while_and_are_there_after_a_restart() {
    let mut bench = Bench::new();
    let matcher = |name: &str, value: &str| MatcherText {
        name: name.into(),
        value: value.into(),
        is_regex: false,
        is_equal: true,
    };
    let silence = |matchers: Vec<MatcherText>, duration: &str| NewSilence {
        conditions: Vec::new(),
        matchers: matchers.into_iter().map(crate::AnyMatcher::Parts).collect(),
        starts_at: None,
        ends_at: None,
        duration: Some(duration.into()),
        comment: "known".into(),
        created_by: None,
    };
    let made = bench.alerts.add_silence(silence(vec![matcher("host", "web-1")], "1h"), &of("a/*")).unwrap();
    assert_eq!(
        (made.status, made.ends_at.as_str(), made.created_by.as_str()),
        ("active", "2026-11-20T07:00:00Z", "key:a/*")
    );
    for wrong in
        [silence(Vec::new(), "1h"), silence(vec![matcher("host", "")], "1h"), silence(vec![matcher("a", "b")], "0s")]
    {
        assert!(bench.alerts.add_silence(wrong, &admin()).is_err());
    }
    bench.restart();
    assert_eq!(bench.alerts.silences().len(), 1);
    assert!(bench.alerts.end_silence(&made.id, &of("b/*")).is_err());
    bench.alerts.end_silence(&made.id, &of("a/*")).unwrap();
    assert_eq!(bench.alerts.silences()[0].status, "expired");
    bench.alerts.stop();
}

#[test]
fn a_rule_over_rules_names_those_that_are_there_for_its_maker() {
    let bench = Bench::new();
    let over = |when: &str, groups: &[&str]| json!({"kind": "composite", "when": when, "groups": groups});
    let put = |name: &str, definition: Json, maker: &Author| {
        bench.alerts.put_rule(name, definition, maker, PutMode::New).map_err(|error| error.to_string())
    };
    put("mine", rule(&["a/1"]), &of("a/*")).unwrap();
    put("both", over("mine and not errors", &[]), &admin()).unwrap();
    put("own", over("mine", &[]), &of("a/*")).unwrap();
    let refused = put("spy", over("mine and errors", &[]), &of("a/*")).unwrap_err();
    assert!(refused.contains("there is no rule \"errors\", at 1:10"), "{refused}");
    let refused = put("lost", over("nobody", &[]), &admin()).unwrap_err();
    assert!(refused.contains("there is no rule \"nobody\""), "{refused}");
    let round = bench.alerts.put_rule("mine", over("own", &["a/1"]), &admin(), PutMode::Replace);
    assert!(round.unwrap_err().to_string().contains("depends on"));
}

#[test]
fn every_kind_is_made_through_the_api_by_the_keys_of_files() {
    let bench = Bench::new();
    let pattern = json!({"kind": "pattern", "query": "filter @level >= \"error\"", "groups": ["a/*"], "jump": 3});
    bench.alerts.put_rule("fresh", pattern, &admin(), PutMode::New).unwrap();
    let (view, _) = bench.alerts.rule("fresh").unwrap();
    assert_eq!((view.kind, &view.keys["jump"], &view.keys["baseline"]), ("pattern", &json!(3.0), &json!("1d")));
    let wrong = json!({"kind": "absence", "query": "filter a = 1", "groups": ["a/*"], "jump": 3});
    let refused = bench.alerts.put_rule("wrong", wrong, &admin(), PutMode::New).unwrap_err().to_string();
    assert!(refused.contains("jump: a rule of kind absence has no such key; it belongs to pattern"), "{refused}");
}
