//! Java's patterns beside ours.

use super::*;

#[test]
fn letters_of_java_become_ours() {
    let letters = |pattern: &str| read(pattern).map(|made| made.letters);
    assert_eq!(letters("yyyy-MM-dd").as_deref(), Ok("%Y-%m-%d"));
    assert_eq!(letters("yyyy-MM-dd'T'HH:mm:ss.SSS").as_deref(), Ok("%Y-%m-%dT%H:%M:%S.%3f"));
    assert_eq!(letters("h:mm a, EEEE d MMM yy").as_deref(), Ok("%-I:%M %p, %A %-d %b %y"));
    for pattern in ["w", "YYYY", "'open", "VV", "[a]", "SS"] {
        assert!(read(pattern).is_err(), "{pattern}");
    }
}
