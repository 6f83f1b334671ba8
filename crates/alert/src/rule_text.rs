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
mod tests {
    use super::*;

    #[test]
    fn mistakes_have_their_places_in_what_was_written() {
        let place = |text: &str| {
            let error = read_rules("rule", text).unwrap_err().remove(0);
            (error.line, error.column, error.message)
        };
        let (line, column, message) = place("name: r\nquery: filter a = 1\nwindow: 5 minuts\n");
        assert_eq!((line, column), (Some(3), Some(9)), "{message}");
        let (line, column, message) = place("groups:\n- name: g\n  rules:\n  - name: r\n    query: filtr a = 1\n");
        assert_eq!((line, column), (Some(5), Some(12)), "{message}");
        assert!(message.contains("filtr"), "{message}");
        assert_eq!(place("groups: []").2, "it contains no rule");
    }

    #[test]
    fn a_rule_is_read_by_itself_in_a_file_and_as_json() {
        let one = read_rules("rule", "name: r\nquery: |\n  filter a = 1\n  | stats count(*) as n\n").unwrap();
        let json = serde_json::json!({"name": "r", "query": "filter a = 1\n| stats count(*) as n\n"});
        assert_eq!(one, [read_json_rule("rule", &json).unwrap()]);
        let series = read_json_rule("rule", &serde_json::json!({"name": "r", "expr": "up == 0"})).unwrap();
        assert_eq!(read_rules("rule", "alert: r\nexpr: up == 0").unwrap(), [series]);
        let wrong = read_json_rule("rule", &serde_json::json!({"name": "r", "qery": "x"})).unwrap_err();
        assert!(wrong[0].message.contains("qery") && wrong[0].line.is_none(), "{wrong:?}");
    }
}
