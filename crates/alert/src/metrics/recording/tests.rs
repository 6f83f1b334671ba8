//! Rows that become gauges, failures, and rules that are refused.

use types::Value;

use super::*;
use crate::{Question, RuleSet, Table};

/// Gives the same rows to every question, or fails.
struct Rows(Result<Vec<Vec<Option<Value>>>, String>);

impl Ask for Rows {
    fn ask(&self, _: &Question<'_>) -> Result<Table, String> {
        Ok(Table { rows: self.0.clone()?, ..Table::default() })
    }
}

fn recorder(rule: &str) -> Recorder {
    let mut set = RuleSet::default();
    set.add("r.yaml", &format!("groups: [{{name: g, interval: 1m, rules: [{rule}]}}]")).expect("a good rule");
    assert!(set.rules.is_empty());
    Recorder::new(set.recordings, Timestamp::SECOND)
}

fn lines(recorder: &Recorder) -> Vec<String> {
    let families = recorder.families();
    let own = families.iter().filter(|family| !family.name.starts_with("catat_"));
    own.flat_map(|family| family.samples.iter().map(|one| format!("{} {:?} {}", family.name, one.labels, one.value)))
        .collect()
}

#[test]
fn rows_become_gauges_and_a_failure_leaves_none() {
    let recorder = recorder(
        "{record: 'job:errors:count5m', query: 'filter x = 1 | stats count(*) as n by service', labels: {team: a}}",
    );
    let rows = vec![
        vec![Some(Value::text("api")), Some(Value::Integer(3)), None],
        vec![None, Some(Value::Integer(1)), None],
        vec![Some(Value::text("db")), None, None],
    ];
    let at = |seconds: i64| move || Timestamp(seconds * Timestamp::SECOND);
    let next = recorder.evaluate_due(&Rows(Ok(rows)), &at(60), &|| true);
    assert_eq!(next, Timestamp(120 * Timestamp::SECOND));
    let expected = [
        r#"job:errors:count5m [("service", ""), ("team", "a")] 1"#,
        r#"job:errors:count5m [("service", "api"), ("team", "a")] 3"#,
    ];
    assert_eq!(lines(&recorder), expected);
    let fails = Rows(Err("no".into()));
    recorder.evaluate_due(&fails, &at(119), &|| true);
    assert_eq!(lines(&recorder), expected);
    recorder.evaluate_due(&fails, &at(120), &|| true);
    assert_eq!(lines(&recorder), [""; 0]);
    let failures = recorder.families();
    assert_eq!(failures[0].samples[0].value, 1.0);
    // A clock that was set back an hour.
    recorder.evaluate_due(&Rows(Ok(Vec::new())), &at(-3_600), &|| true);
    assert_eq!(recorder.state.hold().next_due, [Timestamp(-3_540 * Timestamp::SECOND)]);
}

#[test]
fn what_is_no_recording_rule_is_refused_with_its_place() {
    for (rule, expected) in [
        ("{record: 'a b', query: 'stats count(*)'}", "record: \"a b\" is not a metric name"),
        ("{record: a, query: 'stats count(*)', condition: 'x > 1'}", "is for an alert, not for a recording rule"),
        ("{record: a, query: 'stats count(*)', labels: {le: x}}", "cannot be a label"),
        ("{record: a, name: b, query: 'stats count(*)'}", "either a name or a record"),
        ("{query: 'stats count(*)'}", "either a name, an alert or a record"),
    ] {
        let mut set = RuleSet::default();
        let text = format!("groups: [{{name: g, rules: [{rule}]}}]");
        let found = format!("{:?}", set.add("r.yaml", &text).expect_err("a mistake"));
        assert!(found.replace('\\', "").contains(expected), "{rule}: {found}");
    }
}
