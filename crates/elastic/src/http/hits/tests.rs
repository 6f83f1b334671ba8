//! Fields as nested objects.

use super::*;

#[test]
fn names_with_points_are_objects_again() {
    let mut object = Map::new();
    for (path, value) in [("a.b.c", 1), ("a.d", 2), ("e", 3), ("e.f", 4), ("a.", 5), (".x", 6), ("..", 7)] {
        put(&mut object, path, json!(value));
    }
    let expected = json!({"a": {"b": {"c": 1}, "d": 2}, "e": 3, "e.f": 4, "a.": 5, ".x": 6, "..": 7});
    assert_eq!(Json::Object(object), expected);
    let mut deep = Map::new();
    put(&mut deep, &"a.".repeat(1_000), json!(1));
    assert_eq!(deep.len(), 1);
}
