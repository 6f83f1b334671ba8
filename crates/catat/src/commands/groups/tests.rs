//! Names of groups in paths.

use super::*;

#[test]
fn names_are_encoded_for_a_path() {
    assert_eq!(path_of("groups", "/aws/a#b.c"), "/api/v1/groups/%2Faws%2Fa%23b.c");
    assert_eq!(percent_encoded("é"), "%C3%A9");
}
