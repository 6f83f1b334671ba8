//! Expressions that leave room for words.

use super::*;

#[test]
fn room_is_told_by_the_places_of_an_expression() {
    let health = TextLanguage::of(r"(?s)^\s*GET\s+/healthz\s+[0-9]+(?:\.[0-9]+)?\s+\S*\s*$").expect("it is followed");
    for may in ["GET", "/healthz", "healthz 2", "20", "0.5", "error", " error", "GET\t/h"] {
        assert!(health.may_contain(may, false), "{may}");
    }
    for never in ["POST /", "healthz x", "checkout failed", "e r r"] {
        assert!(!health.may_contain(never, false), "{never}");
    }
    assert!(!health.may_contain("get /", false) && health.may_contain("get /", true));
    assert!(health.always_contains("/healthz") && health.always_contains("GET"));
    assert!(!health.always_contains("GET /") && !health.always_contains("7"));
}

#[test]
fn numbers_leave_no_room_for_words() {
    let health = TextLanguage::of(r"(?s)^\s*ping\s+[0-9]+\s*$").expect("it is followed");
    assert!(!health.may_contain("error", false) && !health.may_contain("fail", true));
    assert!(health.may_contain("", false) && health.always_contains(""));
    // Repeated, then over.
    assert!(health.may_contain("ping 123", false) && !health.may_contain("123 4", false));
}

#[test]
fn what_is_not_followed_is_said_to_be_so() {
    for regex in ["ping", "^ping", "^(?:a|bc)+$", "^(?:ab)*$", r"^\bping$", "("] {
        assert!(TextLanguage::of(regex).is_none(), "{regex}");
    }
}
