//! Rules and alerts in the form of Loki's ruler and Prometheus, for Grafana's alert pages. They cannot be changed here.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use types::parse_duration_ns;

use crate::parameters::LokiParameters;
use crate::problem::LokiProblem;
use door::parameters::{Parameters, PathName};
use door::problem::Problem;
use door::server::Shared;

/// Answers `/prometheus/api/v1/rules`: a group for each file.
pub(crate) async fn shown(
    server: Shared,
    LokiParameters(parameters): LokiParameters,
) -> Result<Json<Value>, LokiProblem> {
    let wanted = RuleSelection::of(&parameters)?;
    let alerts = alerts_of(&server);
    let mut groups: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for rule in visible(&server).filter(|rule| wanted.has(rule)) {
        let own = alerts.iter().filter(|(name, _)| *name == rule.name).map(|(_, alert)| alert.clone());
        groups.entry(rule.file.clone()).or_default().push(rule_json(&rule, own.collect()));
    }
    let group = |(file, rules): (String, Vec<Value>)| json!({"name": group_of(&file), "file": file, "interval": 0, "evaluationTime": 0, "rules": rules});
    let groups: Vec<Value> = groups.into_iter().map(group).collect();
    Ok(Json(json!({"status": "success", "data": {"groups": groups}})))
}

/// Answers `/prometheus/api/v1/alerts`: pending and firing alerts.
pub(crate) async fn alerts(server: Shared) -> Json<Value> {
    let alerts: Vec<Value> = alerts_of(&server).into_iter().map(|(_, alert)| alert).collect();
    Json(json!({"status": "success", "data": {"alerts": alerts}}))
}

/// Answers `/loki/api/v1/rules`: all groups by file, as JSON, which is valid YAML.
pub(crate) async fn all(server: Shared) -> Result<Response, LokiProblem> {
    written(&server, None, None)
}

/// The groups of one file.
pub(crate) async fn of_file(server: Shared, PathName(file): PathName) -> Result<Response, LokiProblem> {
    written(&server, Some(&file), None)
}

/// One group of a file.
pub(crate) async fn of_group(
    server: Shared,
    Path((file, group)): Path<(String, String)>,
) -> Result<Response, LokiProblem> {
    written(&server, Some(&file), Some(&group))
}

fn written(server: &Shared, file: Option<&str>, group: Option<&str>) -> Result<Response, LokiProblem> {
    let mut files: Map<String, Value> = Map::new();
    for rule in visible(server).filter(|rule| file.is_none_or(|file| file == rule.file)) {
        if group.is_some_and(|group| group != group_of(&rule.file)) {
            continue;
        }
        let name = group_of(&rule.file).to_owned();
        let groups = files.entry(rule.file.clone()).or_insert_with(|| json!([{"name": name, "rules": []}]));
        if let Some(rules) = groups[0]["rules"].as_array_mut() {
            rules.push(json!({
                "alert": rule.name, "expr": rule.query, "for": rule.for_, "labels": rule.labels,
                "annotations": rule.annotations,
            }));
        }
    }
    if files.is_empty() {
        return Err(Problem::new(StatusCode::NOT_FOUND, "not-found", "no rule groups found").into());
    }
    let text = match (file.and_then(|file| files.get(file)), group) {
        (Some(groups), Some(_)) => groups[0].to_string(),
        _ => Value::Object(files).to_string(),
    };
    Ok(([(header::CONTENT_TYPE, "application/yaml")], text + "\n").into_response())
}

/// Returns the rules of groups that exist for the caller.
fn visible(server: &Shared) -> impl Iterator<Item = alert::RuleView> {
    let rules = server.app.alerts.rules().into_iter().filter(|rule| server.reaches_all(&rule.groups));
    // Rules created through the API have no file, but a group needs a name.
    rules.map(|rule| match rule.file.is_empty() {
        true => alert::RuleView { file: "api".to_owned(), ..rule },
        false => rule,
    })
}

/// Returns the alerts of those rules, each with the name of its rule.
fn alerts_of(server: &Shared) -> Vec<(String, Value)> {
    let names: Vec<String> = visible(server).map(|rule| rule.name).collect();
    let all = server.app.alerts.alerts().into_iter();
    let shown = all.filter(|alert| names.contains(&alert.rule)).filter_map(|alert| {
        let state = state_of(alert.state);
        let value =
            alert.value.map(|value| value.as_str().map_or(value.to_string(), str::to_owned)).unwrap_or_default();
        let shown = json!({
            "labels": alert.labels, "annotations": alert.annotations, "state": state, "activeAt": alert.since,
            "value": value,
        });
        (state != "inactive").then_some((alert.rule, shown))
    });
    shown.collect()
}

fn rule_json(rule: &alert::RuleView, alerts: Vec<Value>) -> Value {
    let health = match (&rule.last_error, &rule.last_evaluation) {
        (Some(_), _) => "err",
        (None, Some(_)) => "ok",
        (None, None) => "unknown",
    };
    json!({
        "type": "alerting", "name": rule.name, "query": rule.query, "duration": seconds(&rule.for_),
        "keepFiringFor": seconds(&rule.keep_firing_for), "labels": rule.labels, "annotations": rule.annotations,
        "health": health, "lastError": rule.last_error.as_deref().unwrap_or_default(),
        "lastEvaluation": rule.last_evaluation.as_deref().unwrap_or("0001-01-01T00:00:00Z"), "evaluationTime": 0,
        "state": state_of(rule.state), "alerts": alerts,
    })
}

/// Returns Prometheus's name for a state.
fn state_of(state: &str) -> &'static str {
    match state {
        "alarm" => "firing",
        "pending" => "pending",
        _ => "inactive",
    }
}

fn seconds(duration: &str) -> f64 {
    parse_duration_ns(duration).unwrap_or_default() as f64 / 1e9
}

/// Returns the name of a file's group: that of the file without its extension.
fn group_of(file: &str) -> &str {
    file.rsplit_once('.').map_or(file, |(name, _)| name)
}

/// The requested rules.
struct RuleSelection<'p> {
    is_alerts: bool,
    names: Vec<&'p str>,
    groups: Vec<&'p str>,
    files: Vec<&'p str>,
}

impl<'p> RuleSelection<'p> {
    fn of(parameters: &'p Parameters) -> Result<Self, Problem> {
        let is_alerts = match parameters.get("type") {
            None | Some("" | "alert") => true,
            Some("record") => false,
            Some(other) => {
                let message = format!("invalid type {other:?}: it is alert or record");
                return Err(Problem::bad_request("bad-parameter", message));
            }
        };
        let all = |names: [&str; 2]| {
            let given = names.into_iter().flat_map(|name| parameters.all(name));
            given.filter(|text| !text.is_empty()).collect()
        };
        Ok(Self {
            is_alerts,
            names: all(["rule_name", "rule_name[]"]),
            groups: all(["rule_group", "rule_group[]"]),
            files: all(["file", "file[]"]),
        })
    }

    fn has(&self, rule: &alert::RuleView) -> bool {
        let is_in = |list: &[&str], text: &str| list.is_empty() || list.contains(&text);
        self.is_alerts
            && is_in(&self.names, &rule.name)
            && is_in(&self.groups, group_of(&rule.file))
            && is_in(&self.files, &rule.file)
    }
}
