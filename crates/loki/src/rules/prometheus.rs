//! `/prometheus/api/v1/rules` and `alerts`: rules of every kind in the shape of Prometheus.
//!
//! A rule in Prometheus' form is in the group that its file names; the others are in one group for each file.

use std::collections::BTreeMap;

use alert::{AlertView, EvaluationTiming, RecordingView, RuleView};
use axum::Json;
use serde_json::{Value, json};
use types::{Timestamp, parse_duration_ns};

use super::{group_of, visible};
use crate::parameters::LokiParameters;
use crate::problem::LokiProblem;
use door::parameters::Parameters;
use door::problem::Problem;
use door::server::Shared;

/// The time of something that has not happened, as Go writes it.
const NEVER: &str = "0001-01-01T00:00:00Z";

/// Answers `/prometheus/api/v1/rules`.
pub(crate) async fn shown(
    server: Shared,
    LokiParameters(parameters): LokiParameters,
) -> Result<Json<Value>, LokiProblem> {
    let wanted = RuleSelection::of(&parameters)?;
    let alerts = if wanted.has_alerts { alerts_of(&server) } else { Vec::new() };
    let timings: BTreeMap<String, EvaluationTiming> = server.app.alerts.timings().into_iter().collect();
    let mut groups: BTreeMap<(String, String), Group> = BTreeMap::new();
    for recording in server.app.alerts.recordings() {
        let patterns: Vec<String> = recording.rule.groups.iter().map(|group| group.as_str().to_owned()).collect();
        let group = recording.rule.prometheus.as_ref().map_or("", |form| &form.group).to_owned();
        let file = recording.rule.file.clone();
        if server.reaches_all(&patterns) && wanted.is_recordings && wanted.has((&recording.rule.name, &group, &file)) {
            groups.entry((file, group)).or_default().add_recording(&recording);
        }
    }
    for rule in visible(&server).filter(|_| wanted.is_alerts) {
        let name = rule.prometheus.as_ref().map_or(&rule.name, |form| &form.alert);
        let group = rule.prometheus.as_ref().map_or(group_of(&rule.file), |form| &form.group).to_owned();
        if !wanted.has((name, &group, &rule.file)) {
            continue;
        }
        let own = alerts.iter().filter(|(name, _)| *name == rule.name).map(|(_, alert)| alert.clone());
        let timing = timings.get(&rule.name).copied().unwrap_or_default();
        groups.entry((rule.file.clone(), group)).or_default().add_alert(&rule, own.collect(), timing);
    }
    let groups: Vec<Value> = groups.into_iter().map(|((file, name), group)| group.json(&file, &name)).collect();
    Ok(Json(json!({"status": "success", "data": {"groups": groups}})))
}

/// Answers `/prometheus/api/v1/alerts`: pending and firing alerts.
pub(crate) async fn alerts(server: Shared) -> Json<Value> {
    let alerts: Vec<Value> = alerts_of(&server).into_iter().map(|(_, alert)| alert).collect();
    Json(json!({"status": "success", "data": {"alerts": alerts}}))
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
    fn add_recording(&mut self, recording: &RecordingView) {
        let RecordingView { rule, interval_ns, evaluated_at, duration_ns, error } = recording;
        let evaluated_at = evaluated_at.map(|at| at.to_string());
        let took_s = *duration_ns as f64 / 1e9;
        self.note(*interval_ns as f64 / 1e9, rule.prometheus.as_ref().map_or(0, |form| form.limit), took_s);
        self.note_time(evaluated_at.as_deref());
        self.rules.push(json!({
            "type": "recording", "name": rule.name, "query": rule.query.trim(), "labels": rule.labels,
            "health": health(error.is_some(), evaluated_at.is_some()), "lastError": error.as_deref().unwrap_or_default(),
            "evaluationTime": took_s, "lastEvaluation": evaluated_at.as_deref().unwrap_or(NEVER),
        }));
    }

    fn add_alert(&mut self, rule: &RuleView, alerts: Vec<Value>, timing: EvaluationTiming) {
        let took_s = timing.duration_ns as f64 / 1e9;
        self.note(seconds(&rule.interval), rule.prometheus.as_ref().map_or(0, |form| form.limit), took_s);
        self.note_time(rule.last_evaluation.as_deref());
        self.rules.push(json!({
            "type": "alerting", "name": rule.prometheus.as_ref().map_or(&rule.name, |form| &form.alert),
            "query": rule.query, "duration": seconds(&rule.for_), "keepFiringFor": seconds(&rule.keep_firing_for),
            "labels": rule.labels, "annotations": rule.annotations,
            "health": health(rule.last_error.is_some(), rule.last_evaluation.is_some()),
            "lastError": rule.last_error.as_deref().unwrap_or_default(),
            "lastEvaluation": rule.last_evaluation.as_deref().unwrap_or(NEVER), "evaluationTime": took_s,
            "state": state_of(rule.state), "alerts": alerts,
        }));
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
        shown["keepFiringSince"] = since.to_string().into();
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

/// The requested rules.
struct RuleSelection<'p> {
    is_alerts: bool,
    is_recordings: bool,
    /// Whether rules are shown with their alerts.
    has_alerts: bool,
    names: Vec<&'p str>,
    groups: Vec<&'p str>,
    files: Vec<&'p str>,
}

impl<'p> RuleSelection<'p> {
    fn of(parameters: &'p Parameters) -> Result<Self, Problem> {
        let (is_alerts, is_recordings) = match parameters.get("type") {
            None | Some("") => (true, true),
            Some("alert") => (true, false),
            Some("record") => (false, true),
            Some(other) => {
                let message = format!("invalid type {other:?}: it is alert or record");
                return Err(Problem::bad_request("bad-parameter", message));
            }
        };
        if parameters.get("match[]").is_some() {
            let problem = Problem::bad_request("bad-parameter", "match[] is not supported here");
            return Err(problem.hint("use rule_name[], rule_group[] or file[]"));
        }
        let all = |names: [&str; 2]| {
            let given = names.into_iter().flat_map(|name| parameters.all(name));
            given.filter(|text| !text.is_empty()).collect()
        };
        Ok(Self {
            is_alerts,
            is_recordings,
            has_alerts: !matches!(parameters.get("exclude_alerts"), Some("true" | "1")),
            names: all(["rule_name", "rule_name[]"]),
            groups: all(["rule_group", "rule_group[]"]),
            files: all(["file", "file[]"]),
        })
    }

    fn has(&self, (name, group, file): (&str, &str, &str)) -> bool {
        let is_in = |list: &[&str], text: &str| list.is_empty() || list.contains(&text);
        is_in(&self.names, name) && is_in(&self.groups, group) && is_in(&self.files, file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_look_as_in_prometheus() {
        let values = [json!(1), json!(0.25), json!(1234.5), json!(0), json!("+Inf")];
        assert_eq!(values.map(|value| value_text(&value)), ["1e+00", "2.5e-01", "1.2345e+03", "0e+00", "+Inf"]);
    }
}
