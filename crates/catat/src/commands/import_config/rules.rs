//! Files of rules of Loki's ruler, and of Kubernetes' `PrometheusRule`. Those of Prometheus itself work unchanged.

use alert::RuleSet;
use language::logql;
use serde_json::{Map, Value, json};

use super::document::{Section, text_of};

/// The window of a rule whose expression has no range.
const WINDOW_USUAL: &str = "5m";

/// Reports whether a document is a file of rules.
pub(super) fn is_rules(document: &Value) -> bool {
    groups_of(document).is_some_and(|groups| groups.iter().any(|group| group["rules"].is_array()))
}

fn groups_of(document: &Value) -> Option<&Vec<Value>> {
    document.get("groups").or_else(|| document.pointer("/spec/groups"))?.as_array()
}

/// Returns the groups of rules. Expressions are LogQL if `is_loki`, or if there is one that only LogQL has.
///
/// # Errors
/// A file that works unchanged.
pub(super) fn rules(document: &Value, is_loki: bool, notes: &mut Vec<String>) -> Result<Vec<Value>, String> {
    let groups = groups_of(document).map(Vec::as_slice).unwrap_or_default();
    let exprs = || {
        groups
            .iter()
            .flat_map(|group| group["rules"].as_array().into_iter().flatten())
            .map(|rule| text_of(&rule["expr"]))
    };
    let is_loki = is_loki || exprs().any(|expr| promql::parse(&expr).is_err() && logql::parse(&expr).is_ok());
    if !is_loki && document.get("groups").is_some() {
        return Err(
            "rules of Prometheus work unchanged: put the file into the rules directory, and see catat rules check"
                .to_owned(),
        );
    }
    if !is_loki {
        return Ok(groups.to_vec());
    }
    let mut names: Vec<String> = Vec::new();
    let mut made = Vec::new();
    for (at, group) in groups.iter().enumerate() {
        let mut group = Section::at(format!("groups[{at}]"), group.as_object().cloned().unwrap_or_default());
        let rules = group.sections("rules").into_iter();
        let rules: Vec<Value> = rules.filter_map(|rule| of_loki(rule, &mut names, notes)).collect();
        let mut own = Map::new();
        for name in ["name", "interval"] {
            own.extend(group.take(name).map(|value| (name.to_owned(), value)));
        }
        group.leave("it has no equal here", notes);
        own.insert("rules".into(), rules.into());
        made.push(Value::Object(own));
    }
    Ok(made)
}

/// Returns a rule of Loki's as one of ours; none, with a note, if its query is not understood.
fn of_loki(mut rule: Section, names: &mut Vec<String>, notes: &mut Vec<String>) -> Option<Value> {
    let path = rule.path_of("expr");
    let expr = rule.text("expr").unwrap_or_default();
    let metric = match logql::parse(&expr) {
        Ok(logql::Query::Metric(_)) => expr.trim().to_owned(),
        Ok(logql::Query::Log(_)) => {
            notes.push(format!("{path} is not taken: it gives lines, and a rule is about a number"));
            return None;
        }
        Err(errors) => {
            notes.push(format!("{path} is not taken: {errors}"));
            return None;
        }
    };
    let mut made = Map::from_iter([("query".to_owned(), json!(metric)), ("language".to_owned(), json!("logql"))]);
    for name in ["for", "keep_firing_for", "labels", "annotations", "record"] {
        made.extend(rule.take(name).map(|value| (name.to_owned(), value)));
    }
    if let Some(alert) = rule.text("alert") {
        let n_before = names.iter().filter(|other| **other == alert).count();
        names.push(alert.clone());
        let name = if n_before == 0 { alert } else { format!("{alert} ({})", n_before + 1) };
        made.insert("name".into(), json!(name));
        made.insert("window".into(), json!(longest_range(&expr)));
    }
    rule.leave("it has no equal here", notes);
    Some(Value::Object(made))
}

/// Returns the longest range of an expression.
fn longest_range(expr: &str) -> String {
    let ranges = expr.split('[').skip(1).filter_map(|rest| rest.split([']', ':']).next());
    let known = ranges.filter_map(|range| Some((types::parse_duration_ns(range.trim()).ok()?, range.trim())));
    known.max().map_or(WINDOW_USUAL, |(_, range)| range).to_owned()
}

/// Leaves out rules that the reader of rule files refuses, or the annotations that it refuses of them; it says why.
pub(super) fn checked(groups: Vec<Value>, notes: &mut Vec<String>) -> Vec<Value> {
    let mut kept = Vec::new();
    for mut group in groups {
        let mut rules = group["rules"].as_array().cloned().unwrap_or_default();
        rules.retain_mut(|rule| {
            let name = rule.get("name").or_else(|| rule.get("record")).or_else(|| rule.get("alert"));
            let name = name.map(text_of).unwrap_or_default();
            let annotations = rule.as_object_mut().and_then(|rule| rule.remove("annotations"));
            if let Err(problem) = check(rule) {
                notes.push(format!("rule {name} is not taken: {problem}"));
                return false;
            }
            for (of, text) in annotations.as_ref().and_then(Value::as_object).into_iter().flatten() {
                let before = rule["annotations"].clone();
                rule["annotations"][of] = text.clone();
                if let Err(problem) = check(rule) {
                    notes.push(format!("rule {name}: {problem}: this annotation is not taken"));
                    rule["annotations"] = before;
                }
            }
            if rule["annotations"].is_null() {
                rule.as_object_mut().and_then(|rule| rule.remove("annotations"));
            }
            true
        });
        if !rules.is_empty() {
            group["rules"] = rules.into();
            kept.push(group);
        }
    }
    kept
}

/// Reads a rule as one of a file.
fn check(rule: &Value) -> Result<(), String> {
    let alone = json!({"groups": [{"name": "one", "rules": [rule]}]});
    let words =
        |errors: Vec<alert::RuleError>| errors.into_iter().map(|error| error.message).collect::<Vec<_>>().join("; ");
    RuleSet::default().add("", &alone.to_string()).map_err(words)
}
