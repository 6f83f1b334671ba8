//! Dates that are read and refused.

use types::Timestamp;

use super::*;

#[test]
fn dates_are_read_strictly() {
    let shown = |text: &str| date_of(text).map(|nanos| Timestamp(nanos).to_string());
    assert_eq!(shown("2026").as_deref(), Some("2026-01-01T00:00:00Z"));
    assert_eq!(shown("2026-11").as_deref(), Some("2026-11-01T00:00:00Z"));
    assert_eq!(shown("2026-11-20T06:30").as_deref(), Some("2026-11-20T06:30:00Z"));
    assert_eq!(shown("2026-11-20T06:30:01.5+07:00").as_deref(), Some("2026-11-19T23:30:01.5Z"));
    assert_eq!(shown("2026-11-20T06:30:01.123456Z").as_deref(), Some("2026-11-20T06:30:01.123Z"));
    for text in ["", "26-11-20", "2026-1-5", "2026-11-20 06:30:00", "2026-11-31", "2026T10", "2026-11-20T6:30", "x"] {
        assert_eq!(date_of(text), None, "{text}");
    }
}
