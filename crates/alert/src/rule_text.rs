//! Rule texts to be tried: a rule file, or one rule by itself.

use serde_json::Value as Json;

use crate::{Rule, RuleError, RuleSet};

/// What is put before a single rule to make it a file, and by how much that moves it.
const BEFORE: &str = "groups:\n- name: rule\n  rules:\n  - ";
const BEFORE_LINES: u64 = 3;
const BEFORE_COLUMNS: u64 = 4;

/// Reads the rules of a text: a rule file, or one rule. Places are those in the text.
///
/// # Errors
/// All mistakes; of a text without a rule, that.
pub fn read_rules(name: &str, text: &str) -> Result<Vec<Rule>, Vec<RuleError>> {
    let mut set = RuleSet::default();
    let is_file = text.lines().any(|line| line.starts_with("groups:") || line.starts_with("channels:"));
    let read = match is_file {
        true => set.add(name, text),
        false => {
            let indented: Vec<&str> = text.lines().collect();
            set.add(name, &format!("{BEFORE}{}", indented.join("\n    "))).map_err(moved_back)
        }
    };
    read?;
    if set.rules.is_empty() {
        let message = "it contains no rule".to_string();
        return Err(vec![RuleError { file: name.into(), line: None, column: None, message }]);
    }
    Ok(set.rules)
}

/// Reads a rule that is a JSON object.
///
/// # Errors
/// All mistakes; they name keys and have no places.
pub fn read_json_rule(name: &str, rule: &Json) -> Result<Rule, Vec<RuleError>> {
    let mut set = RuleSet::default();
    let file = serde_json::json!({"groups": [{"name": "rule", "rules": [in_file_form(rule.clone())]}]});
    let placeless = |error: RuleError| RuleError { line: None, column: None, ..error };
    set.add(name, &file.to_string()).map_err(|errors| errors.into_iter().map(placeless).collect::<Vec<_>>())?;
    set.rules.pop().ok_or_else(|| {
        let message = "it contains no rule".to_string();
        vec![RuleError { file: name.into(), line: None, column: None, message }]
    })
}

/// Returns a rule of the API as a file has it: in the API the name of every rule is `name`, and in a file that of a rule in
/// Prometheus' form is `alert`.
pub(crate) fn in_file_form(mut rule: Json) -> Json {
    let Some(members) = rule.as_object_mut().filter(|members| members.contains_key("expr")) else { return rule };
    let (name, alert) = (members.get("name"), members.get("alert"));
    if name.is_some() && alert.is_none_or(|alert| Some(alert) == name) && !members.contains_key("record") {
        let name = members.remove("name").unwrap_or_default();
        members.insert("alert".to_owned(), name);
    }
    rule
}

fn moved_back(errors: Vec<RuleError>) -> Vec<RuleError> {
    let back = |error: RuleError| RuleError {
        line: error.line.map(|line| line.saturating_sub(BEFORE_LINES).max(1)),
        column: error.column.map(|column| column.saturating_sub(BEFORE_COLUMNS).max(1)),
        ..error
    };
    errors.into_iter().map(back).collect()
}

#[cfg(test)]
mod tests;
