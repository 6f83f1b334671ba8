//! How a place is read.

use super::*;

#[test]
fn a_place_is_a_path_and_the_number_of_a_line() {
    let parsed = |text: &str| parse_place(text).ok();
    assert_eq!(parsed("/a/b.log:17"), Some((PathBuf::from("/a/b.log"), 17)));
    assert_eq!(parsed("C:x:2"), Some((PathBuf::from("C:x"), 2)));
    for wrong in ["", "a", "a:", ":3", "a:0", "a:-1", "a:b"] {
        assert_eq!(parsed(wrong), None, "{wrong}");
    }
}
