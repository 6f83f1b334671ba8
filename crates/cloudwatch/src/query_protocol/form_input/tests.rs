//! The order of members of a list.

use serde_json::json;

use super::*;

fn of(pairs: &[(&str, &str)]) -> Option<Value> {
    structured(pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect())
}

#[test]
fn lists_are_in_order_of_their_numbers() {
    let pairs = [("A.member.10.N", "ten"), ("A.member.2.N", "two"), ("A.member.2.V.member.1", "1"), ("B", "b")];
    assert_eq!(of(&pairs), Some(json!({"A": [{"N": "two", "V": ["1"]}, {"N": "ten"}], "B": "b"})));
    let deep = ["a"; 17].join(".");
    for bad in [&[("A", "1"), ("A.B", "2")][..], &[("A", "1"), ("A", "2")], &[("A.member.x", "1")], &[(&deep, "")]] {
        assert_eq!(of(bad), None, "{bad:?}");
    }
}
