//! `/prometheus/api/v1/rules` and `alerts`: rules of every kind in the shape of Prometheus.
//!
//! A rule in Prometheus' form is in the group that its file names; the others are in one group for each file.

mod page;
mod selection;

use std::collections::BTreeMap;

use alert::{AlertView, EvaluationTiming, RecordingView, RuleView};
use door::{Outcome, Reply, Shared};
use serde_json::{Value, json};
use types::{Timestamp, parse_duration_ns};

use self::page::{Page, id_of};
use self::selection::{Candidate, RuleSelection};
use super::{group_of, visible};
use crate::state::Call;

/// The time of something that has not happened, as Go writes it.
const NEVER: &str = "0001-01-01T00:00:00Z";

/// Answers `/prometheus/api/v1/rules`.
pub(crate) fn shown(call: Call) -> Outcome {
    let (wanted, page) = (RuleSelection::of(&call.parameters)?, Page::of(&call.parameters)?);
    let mut groups: Groups = BTreeMap::new();
    add_recordings(&mut groups, &call.server, &wanted);
    add_alerting_rules(&mut groups, &call.server, &wanted);
    let groups = groups.into_iter().map(|((file, name), group)| {
        let shown = (!group.rules.is_empty()).then(|| group.json(&file, &name));
        (id_of(&file, &name), shown)
    });
    let (groups, next) = page.cut(groups)?;
    let mut data = json!({"groups": groups});
    if let Some(id) = next {
        data["groupNextToken"] = id.into();
    }
    Ok(Reply::json(&json!({"status": "success", "data": data})))
}

/// Groups by file and name. Those whose rules are not requested are among them, since a page may begin with one.
type Groups = BTreeMap<(String, String), Group>;

fn add_recordings(groups: &mut Groups, server: &Shared, wanted: &RuleSelection<'_>) {
    for recording in server.app.alerts.recordings() {
        let rule = &recording.rule;
        let patterns: Vec<String> = rule.groups.iter().map(|group| group.as_str().to_owned()).collect();
        if !server.reaches_all(&patterns) {
            continue;
        }
        let name = rule.prometheus.as_ref().map_or("", |form| &form.group);
        let group = groups.entry((rule.file.clone(), name.to_owned())).or_default();
        group.note_recording(&recording);
        let candidate = Candidate { name: &rule.name, group: name, file: &rule.file, labels: &rule.labels };
        if wanted.has_recording_rules && wanted.has(&candidate) {
            group.rules.push(recording_json(&recording));
        }
    }
}

fn add_alerting_rules(groups: &mut Groups, server: &Shared, wanted: &RuleSelection<'_>) {
    let alerts = if wanted.has_alerts { alerts_of(server) } else { Vec::new() };
    let timings: BTreeMap<String, EvaluationTiming> = server.app.alerts.timings().into_iter().collect();
    for rule in visible(server) {
        let timing = timings.get(&rule.name).copied().unwrap_or_default();
        let name = rule.prometheus.as_ref().map_or(group_of(&rule.file), |form| &form.group);
        let group = groups.entry((rule.file.clone(), name.to_owned())).or_default();
        group.note_alerting_rule(&rule, timing);
        let candidate = Candidate { name: alert_name(&rule), group: name, file: &rule.file, labels: &rule.labels };
        if wanted.has_alerting_rules && wanted.has(&candidate) {
            let own = alerts.iter().filter(|(name, _)| *name == rule.name).map(|(_, alert)| alert.clone());
            group.rules.push(alerting_json(&rule, own.collect(), timing));
        }
    }
}

/// Answers `/prometheus/api/v1/alerts`: pending and firing alerts.
pub(crate) fn alerts(call: Call) -> Outcome {
    let alerts: Vec<Value> = alerts_of(&call.server).into_iter().map(|(_, alert)| alert).collect();
    Ok(Reply::json(&json!({"status": "success", "data": {"alerts": alerts}})))
}

/// A group of rules.
#[derive(Default)]
struct Group {
    rules: Vec<Value>,
    interval_s: f64,
    limit: usize,
    evaluation_s: f64,
    evaluated_at: String,
}

impl Group {
    fn note_recording(&mut self, recording: &RecordingView) {
        let limit = recording.rule.prometheus.as_ref().map_or(0, |form| form.limit);
        self.note(recording.interval_ns as f64 / 1e9, limit, recording.duration_ns as f64 / 1e9);
        self.note_time(recording.evaluated_at.map(|at| at.to_string()).as_deref());
    }

    fn note_alerting_rule(&mut self, rule: &RuleView, timing: EvaluationTiming) {
        let limit = rule.prometheus.as_ref().map_or(0, |form| form.limit);
        self.note(seconds(&rule.interval), limit, timing.duration_ns as f64 / 1e9);
        self.note_time(rule.last_evaluation.as_deref());
    }

    fn note(&mut self, interval_s: f64, limit: usize, took_s: f64) {
        (self.interval_s, self.limit) = (interval_s, limit);
        self.evaluation_s += took_s;
    }

    fn note_time(&mut self, evaluated_at: Option<&str>) {
        // All are in UTC, so that their order is that of their texts.
        if let Some(at) = evaluated_at.filter(|at| *at > self.evaluated_at.as_str()) {
            at.clone_into(&mut self.evaluated_at);
        }
    }

    fn json(self, file: &str, name: &str) -> Value {
        let evaluated_at = if self.evaluated_at.is_empty() { NEVER } else { &self.evaluated_at };
        json!({
            "name": name, "file": file, "interval": self.interval_s, "limit": self.limit,
            "evaluationTime": self.evaluation_s, "lastEvaluation": evaluated_at, "rules": self.rules,
        })
    }
}

fn recording_json(recording: &RecordingView) -> Value {
    let RecordingView { rule, evaluated_at, duration_ns, error, .. } = recording;
    let evaluated_at = evaluated_at.map(|at| at.to_string());
    json!({
        "type": "recording", "name": rule.name, "query": rule.query.trim(), "labels": rule.labels,
        "health": health(error.is_some(), evaluated_at.is_some()), "lastError": error.as_deref().unwrap_or_default(),
        "evaluationTime": *duration_ns as f64 / 1e9, "lastEvaluation": evaluated_at.as_deref().unwrap_or(NEVER),
    })
}

fn alerting_json(rule: &RuleView, alerts: Vec<Value>, timing: EvaluationTiming) -> Value {
    json!({
        "type": "alerting", "name": alert_name(rule),
        "query": rule.query, "duration": seconds(&rule.for_), "keepFiringFor": seconds(&rule.keep_firing_for),
        "labels": rule.labels, "annotations": rule.annotations,
        "health": health(rule.last_error.is_some(), rule.last_evaluation.is_some()),
        "lastError": rule.last_error.as_deref().unwrap_or_default(),
        "lastEvaluation": rule.last_evaluation.as_deref().unwrap_or(NEVER),
        "evaluationTime": timing.duration_ns as f64 / 1e9,
        "state": state_of(rule.state), "alerts": alerts,
    })
}

/// Returns the label `alertname` of a rule's alerts.
fn alert_name(rule: &RuleView) -> &str {
    rule.prometheus.as_ref().map_or(&rule.name, |form| &form.alert)
}

/// Returns the alerts of visible rules, each with the name of its rule.
fn alerts_of(server: &Shared) -> Vec<(String, Value)> {
    let names: Vec<String> = visible(server).map(|rule| rule.name).collect();
    let all = server.app.alerts.alerts().into_iter();
    let shown = all.filter(|alert| names.contains(&alert.rule)).filter_map(|alert| {
        let state = state_of(alert.state);
        (state != "inactive").then(|| (alert.rule.clone(), alert_json(alert, state)))
    });
    shown.collect()
}

fn alert_json(alert: AlertView, state: &str) -> Value {
    let mut shown = json!({
        "labels": alert.labels, "annotations": alert.annotations, "state": state,
        "activeAt": alert.active_at.to_string(), "value": alert.value.as_ref().map(value_text).unwrap_or_default(),
    });
    if let Some(since) = alert.quiet_since {
        shown["keepFiringSince"] = since.into();
    }
    shown
}

/// Returns a value as Prometheus shows that of an alert: a number with an exponent.
fn value_text(value: &Value) -> String {
    let Some(number) = value.as_f64() else { return value.as_str().map_or(value.to_string(), str::to_owned) };
    let text = format!("{number:e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent), |digits| ('-', digits));
    format!("{mantissa}e{sign}{digits:0>2}")
}

/// Returns Prometheus' word for whether a rule could be evaluated.
fn health(is_failed: bool, is_evaluated: bool) -> &'static str {
    match (is_failed, is_evaluated) {
        (true, _) => "err",
        (false, true) => "ok",
        (false, false) => "unknown",
    }
}

/// Returns Prometheus' name for a state.
fn state_of(state: &str) -> &'static str {
    match state {
        "alarm" => "firing",
        "pending" => "pending",
        _ => "inactive",
    }
}

fn seconds(duration: &str) -> f64 {
    parse_duration_ns(duration).unwrap_or_default() as f64 / Timestamp::SECOND as f64
}

#[cfg(test)]
mod tests;
