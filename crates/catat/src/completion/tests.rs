//! What a server's answer becomes.

use super::*;

#[test]
fn what_was_typed_stays_before_what_the_server_knows() {
    let answer = json!({"start": 10, "items": [{"label": "status", "insert": "status"}, {"label": "stats"}]});
    let texts: Vec<String> = continued("filter 😀 st", &answer)
        .iter()
        .map(|candidate| candidate.get_value().to_string_lossy().into_owned())
        .collect();
    assert_eq!(texts, ["filter 😀 status", "filter 😀 stats"]);
}
