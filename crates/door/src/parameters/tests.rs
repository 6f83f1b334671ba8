//! Lists in parameters.

use super::*;

#[test]
fn groups_are_repeated_or_separated_by_commas() {
    let pairs = [("groups", "a,b/*"), ("group", "c"), ("groups", "")];
    let parameters = Parameters(pairs.map(|(k, v)| (k.to_owned(), v.to_owned())).to_vec());
    let groups = parameters.groups();
    assert_eq!(groups.iter().map(GroupPattern::as_str).collect::<Vec<_>>(), ["a", "b/*", "c"]);
    assert!(parameters.check_names(&["groups"]).is_err());
    assert_eq!(parameters.number::<u32>("absent").ok(), Some(None));
}
