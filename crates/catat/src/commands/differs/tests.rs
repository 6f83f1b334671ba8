//! Rows of an answer.

use super::*;

#[test]
fn each_value_and_the_numbers_are_rows() {
    let field = json!({
        "field": "duration_ms", "score": 0.5, "same_events": ["slow"],
        "values": [{"value": 5000, "selection": 7, "selection_share": 0.7, "baseline": 1, "baseline_share": 0.01}],
        "numbers": {"threshold": 120, "selection_p50": 5000, "baseline_p50": 12, "selection_share_above": 0.9,
                    "baseline_share_above": 0.05},
    });
    let rows = rows_of(&field);
    assert_eq!(rows.len(), 2);
    assert_eq!((&rows[0]["field"], &rows[0]["value"]), (&json!("duration_ms"), &json!(5000)));
    assert_eq!(rows[1]["value"], "> 120 (median 5000, baseline 12)");
    assert_eq!(rows[1]["selection_share"], 0.9);
}
