//! Rows of an answer.

use super::*;

#[test]
fn the_onset_and_what_else_began_are_rows_in_order_of_time() {
    let answer = json!({
        "measure": "share", "began": "2026-11-20T11:40:03Z", "began_between": ["2026-11-20T11:40:01Z", "2026-11-20T11:40:05Z"],
        "ended": null, "before": 0.01, "after": 0.2,
        "also": [{"kind": "mark", "at": "2026-11-20T11:39:30Z", "what": "deploy", "query": null}],
    });
    let rows = rows_of(&answer);
    let cell = |row: usize, place: &str| rows[row].pointer(place).cloned();
    assert_eq!((cell(0, "/what"), cell(0, "/began")), (Some(json!("deploy")), Some(json!("2026-11-20T11:39:30Z"))));
    assert_eq!((cell(1, "/kind"), cell(1, "/what")), (Some(json!("onset")), Some(json!("share"))));
    assert_eq!(cell(1, "/began_between/1"), Some(json!("2026-11-20T11:40:05Z")));
    let patterns = json!({"patterns": [{"pattern": "a <*>", "began": "2026-11-20T11:00:00Z", "before_per_minute": 0.0}], "also": []});
    assert_eq!((&rows_of(&patterns)[0]["what"], &rows_of(&patterns)[0]["before"]), (&json!("a <*>"), &json!(0.0)));
    assert_eq!(rows_of(&json!({"began": null, "also": [], "note": "nothing"})), Vec::<Value>::new());
}
