//! Suggestions as a list.

use super::*;

#[test]
fn withheld_suggestions_are_listed_with_what_needs_them_and_cannot_be_made() {
    let answer = json!({
        "suggestions": [{"id": "email a", "definition": {}}],
        "withheld": [{"id": "debug a", "used_by": [{"kind": "rule", "name": "r"}, {"kind": "view", "name": null}]}],
    });
    let rows = rows_of(&answer);
    assert_eq!((&rows[0]["needed_by"], &rows[1]["needed_by"]), (&Value::Null, &json!("rule r, view (not shown)")));
    assert!(found(&answer, "debug a").is_ok_and(|one| one.get("definition").is_none()));
    assert!(found(&answer, "x").is_err());
}
