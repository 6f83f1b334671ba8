//! Rules, tables and times in; states and changes out.

use super::*;
use crate::RuleSet;
use crate::compile::compile;
use crate::labels::Labels;

/// A rule, its state, and a clock that continues by a minute at each evaluation.
struct Replay {
    rule: Rule,
    compiled: CompiledRule,
    sets: Sets,
    now: Timestamp,
}

/// Rows as `service, value`; `None` is a missing value.
type Rows<'a> = &'a [(&'a str, Option<i64>)];

impl Replay {
    fn new(query: &str, more: &str) -> Self {
        let mut set = RuleSet::default();
        let text = format!("groups: [{{name: g, rules: [{{name: r, query: '{query}', {more}}}]}}]");
        set.add("r.yaml", &text).unwrap();
        let rule = set.rules.remove(0);
        let compiled = compile(&rule, Timestamp(0)).unwrap();
        Self { rule, compiled, sets: Sets::new(), now: Timestamp(0) }
    }

    fn counts(more: &str) -> Self {
        Self::new("stats count(*) as count by service", &format!("condition: 'count > 5', {more}"))
    }

    fn table(&self, rows: Rows<'_>) -> Table {
        let row = |(service, value): &(&str, Option<i64>)| {
            let fires = value.is_some_and(|value| value > 5);
            vec![Some(Value::text(*service)), value.map(Value::Integer), Some(Value::Boolean(fires))]
        };
        let columns = vec!["service".into(), "count".into(), "__fires".into()];
        Table { columns, rows: rows.iter().map(row).collect(), partial: None }
    }

    /// Evaluates and shows states and changes, such as `api=alarm web=ok! ` (`!` for a change).
    fn step(&mut self, rows: Rows<'_>) -> String {
        let table = self.table(rows);
        self.step_on(&table)
    }

    fn step_on(&mut self, table: &Table) -> String {
        self.now = Timestamp(self.now.0 + Timestamp::MINUTE);
        let done = evaluate(&self.rule, &self.compiled, table, &self.sets, self.now);
        self.sets = done.sets;
        let service = |labels: &Labels| labels.get("service").cloned().unwrap_or("-".into());
        let mut shown: Vec<String> =
            self.sets.values().map(|set| format!("{}={:?}", service(&set.labels), set.state)).collect();
        let change = |change: &Transition| {
            let sign = if change.fires { "fires" } else { "resolved" };
            format!("{} {sign} since {}", service(&change.set.labels), change.starts_at / Timestamp::MINUTE)
        };
        shown.extend(done.changes.iter().map(change));
        shown.join(", ")
    }
}

#[test]
fn each_label_set_fires_and_is_resolved_on_its_own() {
    let mut replay = Replay::counts("");
    assert_eq!(replay.step(&[("api", Some(3)), ("web", Some(9))]), "web=Alarm, web fires since 1");
    assert_eq!(replay.step(&[("api", Some(6)), ("web", Some(9))]), "api=Alarm, web=Alarm, api fires since 2");
    assert_eq!(replay.step(&[("api", Some(6)), ("web", Some(1))]), "api=Alarm, web resolved since 1");
    assert_eq!(replay.step(&[]), "api resolved since 2");
    assert_eq!(replay.step(&[]), "");
}

#[test]
fn a_condition_must_hold_for_as_long_as_the_rule_says() {
    let mut replay = Replay::counts("for: 2m");
    assert_eq!(replay.step(&[("api", Some(6))]), "api=Pending");
    assert_eq!(replay.step(&[("api", Some(6))]), "api=Pending");
    assert_eq!(replay.step(&[("api", Some(1))]), "");
    assert_eq!(replay.step(&[("api", Some(6))]), "api=Pending");
    assert_eq!(replay.step(&[("api", Some(6))]), "api=Pending");
    assert_eq!(replay.step(&[("api", Some(6))]), "api=Alarm, api fires since 6");
}

#[test]
fn an_alarm_is_kept_on_through_short_breaks() {
    let mut replay = Replay::counts("keep_firing_for: 2m");
    replay.step(&[("api", Some(6))]);
    assert_eq!(replay.step(&[]), "api=Alarm");
    assert_eq!(replay.step(&[("api", Some(6))]), "api=Alarm");
    assert_eq!(replay.step(&[]), "api=Alarm");
    assert_eq!(replay.step(&[]), "api=Alarm");
    assert_eq!(replay.step(&[]), "api resolved since 1");
}

#[test]
fn m_of_n_evaluations_make_an_alarm() {
    let mut replay = Replay::counts("datapoints: {to_alarm: 2, of: 3}");
    assert_eq!(replay.step(&[("api", Some(6))]), "api=Ok");
    assert_eq!(replay.step(&[]), "api=Ok");
    assert_eq!(replay.step(&[("api", Some(6))]), "api=Alarm, api fires since 3");
    assert_eq!(replay.step(&[]), "api=Ok, api resolved since 3");
    assert_eq!(replay.step(&[]), "api=Ok");
    assert_eq!(replay.step(&[]), "");
}

#[test]
fn missing_data_means_what_the_rule_says() {
    let mut keep = Replay::counts("missing: keep");
    keep.step(&[("api", Some(6))]);
    assert_eq!(keep.step(&[]), "api=Alarm");
    let mut alarm = Replay::counts("missing: alarm");
    assert_eq!(alarm.step(&[]), "-=Alarm, - fires since 1");
    assert_eq!(alarm.step(&[]), "-=Alarm");
    let mut insufficient = Replay::counts("missing: insufficient");
    insufficient.step(&[("api", Some(6))]);
    assert_eq!(insufficient.step(&[]), "api=InsufficientData, api resolved since 1");
    assert_eq!(insufficient.step(&[("api", Some(6))]), "api=Alarm, api fires since 3");
}

#[test]
fn an_average_of_nothing_is_insufficient_data_and_a_count_of_nothing_is_well() {
    let mut mean = Replay::new("stats avg(ms) as mean by service", "condition: 'mean > 5'");
    assert_eq!(mean.step(&[("api", None)]), "api=InsufficientData");
    assert_eq!(mean.step(&[("api", Some(9))]), "api=Alarm, api fires since 2");
    let mut nothing = Replay::new("stats avg(ms) as mean by service", "condition: 'mean > 5'");
    assert_eq!(nothing.step(&[]), "-=InsufficientData");
    assert_eq!(Replay::counts("").step(&[]), "");
}

#[test]
fn half_an_answer_starts_alarms_and_ends_none() {
    let mut replay = Replay::counts("");
    replay.step(&[("api", Some(6))]);
    let mut half = replay.table(&[("web", Some(7))]);
    half.partial = Some("timeout".into());
    assert_eq!(replay.step_on(&half), "api=Alarm, web=Alarm, web fires since 2");
}

#[test]
fn label_sets_are_bounded_and_labels_cannot_be_forged() {
    let mut replay = Replay::new("stats count(*) as count by alertname", "condition: 'count > 5'");
    let names: Vec<String> = (0..1_500).map(|i| format!("n{i}")).collect();
    let rows: Vec<(&str, Option<i64>)> = names.iter().map(|name| (name.as_str(), Some(9))).collect();
    replay.step(&rows);
    assert_eq!(replay.sets.len(), 1);
    assert!(replay.sets.values().all(|set| set.labels["alertname"] == "r"));
    let mut many = Replay::counts("");
    let long = "x".repeat(5_000);
    let rows = [rows, vec![(long.as_str(), Some(9))]].concat();
    many.step(&rows);
    assert_eq!(many.sets.len(), SETS_MAX);
}
