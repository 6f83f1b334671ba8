//! Rows of files and their gaps.

use super::*;

#[test]
fn earlier_generations_are_rows_of_their_own_with_their_gaps() {
    let earlier = json!({"generation": 0, "gaps": [[10, 20], [30, 31]]});
    let file =
        json!({"path": "", "stream": "h:journal", "group": "g", "generation": 1, "gaps": [], "earlier": [earlier]});
    let rows = files_of(&json!({"host": "h", "files": [file]}));
    let shown: Vec<[&Value; 4]> =
        rows.iter().map(|row| [&row["host"], &row["path"], &row["generation"], &row["gaps"]]).collect();
    assert_eq!(
        shown,
        [
            [&json!("h"), &json!("h:journal"), &json!(0), &json!("10-20 30-31")],
            [&json!("h"), &json!("h:journal"), &json!(1), &json!("")]
        ]
    );
}
