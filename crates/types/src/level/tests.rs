//! Spellings of levels.

use super::*;

#[test]
fn every_spelling_is_read_in_any_case() {
    assert_eq!(Level::parse("WARNING"), Some(Level::Warn));
    assert_eq!(Level::parse("Err"), Some(Level::Error));
    assert_eq!(Level::parse("information"), Some(Level::Info));
    assert_eq!(Level::parse("60"), Some(Level::Fatal));
    assert_eq!(Level::parse("informational"), Some(Level::Info));
    assert_eq!(Level::parse("ERRO"), Some(Level::Error));
    assert_eq!(Level::parse("dbug"), Some(Level::Debug));
    assert_eq!(Level::parse("FATA"), Some(Level::Fatal));
    assert_eq!(Level::parse("errors"), None);
    assert_eq!(Level::parse(""), None);
    for level in LEVELS {
        assert_eq!(Level::parse(level.name()), Some(level));
        assert_eq!(Level::of_code(level.code()), Some(level));
    }
    assert_eq!(Level::of_code(0), None);
}
