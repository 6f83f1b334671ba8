//! Nouns and verbs beside numbers.

use super::*;

#[test]
fn nouns_and_verbs_agree_with_their_numbers() {
    let texts = [0, 1, 2].map(|n| format!("{} {}", counted(n, "delivery"), verb_for(n, "is", "are")));
    assert_eq!(texts, ["0 deliveries are", "1 delivery is", "2 deliveries are"]);
    assert_eq!([1_u64, 21].map(|n| counted(n, "log file")), ["1 log file", "21 log files"]);
    assert_eq!(counted(1.0, "event"), "1 event");
}
