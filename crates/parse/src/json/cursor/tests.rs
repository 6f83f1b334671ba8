//! Values in place, and what does not end.

use super::*;

#[test]
fn values_are_taken_where_they_stand() {
    let mut cursor = JsonCursor::new(" {\"a\" : \"x\\u0041\\ud800\" ,\"b\":[1,{\"}\\\"\":\"]\"}] , \"c\":-1.5e3} tail");
    assert!(cursor.take(b'{'));
    let (a, text) = (cursor.name().unwrap(), cursor.string().unwrap());
    assert_eq!((&*a, &*text), ("a", "xA\u{fffd}"));
    assert!(cursor.has_next(false, b'}').unwrap());
    assert_eq!((&*cursor.name().unwrap(), cursor.skip().unwrap()), ("b", r#"[1,{"}\"":"]"}]"#));
    assert!(cursor.has_next(false, b'}').unwrap());
    assert_eq!((&*cursor.name().unwrap(), cursor.scalar().unwrap()), ("c", "-1.5e3"));
    assert!(!cursor.has_next(false, b'}').unwrap());
    assert_eq!(cursor.rest(), " tail");
}

#[test]
fn what_does_not_end_is_an_error_with_its_place() {
    for text in ["\"a", "\"a\\", "\"é\\", "{\"a\":[1,2", "[[\"]\"", "", " ", ":"] {
        let error = JsonCursor::new(text).skip().unwrap_err();
        assert!(error.column <= text.len() + 1, "{text}: {error}");
    }
    for text in ["x", "\"\\q\"", "\"\\u12\"", "\"open"] {
        assert!(JsonCursor::new(text).string().is_err(), "{text}");
    }
}
