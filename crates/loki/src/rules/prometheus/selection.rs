//! Which rules are listed: the parameters that Prometheus has for its list of rules, with its messages.

use std::collections::BTreeMap;

use alert::LabelSelectors;
use door::{Parameters, Problem, Result};

/// The requested rules.
pub(super) struct RuleSelection<'p> {
    pub(super) has_alerting_rules: bool,
    pub(super) has_recording_rules: bool,
    /// Whether rules are shown with their alerts.
    pub(super) has_alerts: bool,
    names: Vec<&'p str>,
    groups: Vec<&'p str>,
    files: Vec<&'p str>,
    labels: LabelSelectors,
}

/// A rule as a selection sees it.
pub(super) struct Candidate<'r> {
    pub(super) name: &'r str,
    pub(super) group: &'r str,
    pub(super) file: &'r str,
    pub(super) labels: &'r BTreeMap<String, String>,
}

impl<'p> RuleSelection<'p> {
    pub(super) fn of(parameters: &'p Parameters) -> Result<Self> {
        let (has_alerting_rules, has_recording_rules) = match parameters.get("type").map(str::to_lowercase).as_deref() {
            None => (true, true),
            Some("alert") => (true, false),
            Some("record") => (false, true),
            Some(other) => return Err(invalid("type", format!("not supported value {other:?}"))),
        };
        let labels = LabelSelectors::parse(parameters.all("match[]")).map_err(|error| invalid("match[]", error))?;
        Ok(Self {
            has_alerting_rules,
            has_recording_rules,
            has_alerts: !are_alerts_excluded(parameters)?,
            names: all(parameters, "rule_name"),
            groups: all(parameters, "rule_group"),
            files: all(parameters, "file"),
            labels,
        })
    }

    pub(super) fn has(&self, rule: &Candidate<'_>) -> bool {
        let is_in = |list: &[&str], text: &str| list.is_empty() || list.contains(&text);
        is_in(&self.names, rule.name)
            && is_in(&self.groups, rule.group)
            && is_in(&self.files, rule.file)
            && self.labels.accept(rule.labels)
    }
}

/// Returns the values of a parameter under Prometheus' name of it (`file[]`), and under Loki's, whose clients send empty ones.
fn all<'p>(parameters: &'p Parameters, name: &str) -> Vec<&'p str> {
    let of_list = |key: &str| key.strip_suffix("[]") == Some(name);
    let listed = parameters.0.iter().filter(|(key, _)| of_list(key)).map(|(_, value)| value.as_str());
    parameters.all(name).chain(listed).collect()
}

/// Reads `exclude_alerts` as Go reads truth values.
fn are_alerts_excluded(parameters: &Parameters) -> Result<bool> {
    match parameters.get("exclude_alerts").map(str::to_lowercase).as_deref() {
        None | Some("0" | "f" | "false") => Ok(false),
        Some("1" | "t" | "true") => Ok(true),
        Some(other) => Err(invalid("exclude_alerts", format!("{other:?} is neither true nor false"))),
    }
}

/// Returns the problem of a parameter, in Prometheus' words.
pub(super) fn invalid(parameter: &str, reason: impl std::fmt::Display) -> Problem {
    Problem::bad_parameter(format!("invalid parameter {parameter:?}: {reason}"))
}

#[cfg(test)]
mod tests;
