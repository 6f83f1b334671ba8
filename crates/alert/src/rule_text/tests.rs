//! Rules as YAML and JSON, and the places of mistakes.

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
