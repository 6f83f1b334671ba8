//! The preferred language.

use super::*;

#[test]
fn the_preferred_language_counts() {
    for (header, expected) in [
        ("id-ID,id;q=0.9,en;q=0.8", Locale::Indonesian),
        ("en-US,en;q=0.9,id;q=0.8", Locale::English),
        ("fr, id;q=0.2", Locale::Indonesian),
        ("en;q=0, id;q=0.1", Locale::Indonesian),
        ("fr", Locale::English),
        ("", Locale::English),
    ] {
        assert_eq!(Locale::of_header(header), expected, "{header}");
    }
}
