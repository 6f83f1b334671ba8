//! Hashes that match, and damaged ones.

use super::*;

#[test]
fn a_password_is_known_by_its_hash_and_no_other_is() {
    let stored = hash("correct horse").expect("a hash");
    assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$") && !stored.contains("horse"));
    assert_ne!(stored, hash("correct horse").expect("a hash"), "the salt is new each time");
    assert_eq!(verify("correct horse", Some(&stored)).ok(), Some(true));
    assert_eq!(verify("correct hors", Some(&stored)).ok(), Some(false));
    assert_eq!(verify("", None).ok(), Some(false));
}

#[test]
fn a_stored_hash_that_is_damaged_or_greedy_lets_nobody_in() {
    for stored in [
        "",
        "$argon2id$v=19$m=19456,t=2,p=1$$",
        "$argon2id$v=19$m=4294967295,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "$argon2i$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAA",
    ] {
        assert_eq!(verify("", Some(stored)).ok(), Some(false), "{stored}");
    }
}
