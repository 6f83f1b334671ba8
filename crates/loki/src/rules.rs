//! Rules and alerts in the form of Loki's ruler and Prometheus, for Grafana's alert pages. They cannot be changed here.

pub(crate) mod prometheus;

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use crate::state::Call;
use door::{Outcome, Problem, Reply, Shared};

/// Answers `/loki/api/v1/rules`: all groups by file, as JSON, which is valid YAML.
/// The path may name a file, and one of its groups.
pub(crate) fn all(call: Call) -> Outcome {
    let [file, group] = call.path.each_ref().map(|part| Some(part.as_str()).filter(|part| !part.is_empty()));
    let server: &Shared = &call.server;
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
    types::ensure!(!files.is_empty(), Problem::new(StatusCode::NOT_FOUND, "not-found", "no rule groups found"));
    let text = match (file.and_then(|file| files.get(file)), group) {
        (Some(groups), Some(_)) => groups[0].to_string(),
        _ => Value::Object(files).to_string(),
    };
    Ok(Reply::content("application/yaml", text + "\n"))
}

/// Returns the rules of groups that exist for the caller.
pub(super) fn visible(server: &Shared) -> impl Iterator<Item = alert::RuleView> {
    let rules = server.app.alerts.rules().into_iter().filter(|rule| server.reaches_all(&rule.groups));
    // Rules created through the API have no file, but a group needs a name.
    rules.map(|rule| match rule.file.is_empty() {
        true => alert::RuleView { file: "api".to_owned(), ..rule },
        false => rule,
    })
}

/// Returns the name of a file's group: that of the file without its extension.
pub(super) fn group_of(file: &str) -> &str {
    file.rsplit_once('.').map_or(file, |(name, _)| name)
}
