//! Limits of groups as they are read and shown.

use super::*;

fn check(body: &str, age_ns: Option<i64>, bytes: Option<u64>) {
    let changes = changes_of(body.as_bytes()).expect("it is right");
    assert_eq!(changes.retention, Some(GroupRetention { age_ns, bytes }), "{body}");
}

#[test]
fn limits_are_read_and_what_is_wrong_is_refused() {
    check(r#"{"retention":{"age":"7d","size":"6MiB"}}"#, Some(7 * Timestamp::DAY), Some(6 << 20));
    check(r#"{"retention":{"age":null,"size":"1kB"}}"#, None, Some(1000));
    check(r#"{"retention":null}"#, None, None);
    for wrong in [
        "",
        "[]",
        "{}",
        r#"{"retention":{"age":7}}"#,
        r#"{"retention":{"age":"soon"}}"#,
        r#"{"retention":{"age":"0s"}}"#,
        r#"{"retention":{"size":"-1"}}"#,
        r#"{"retention":{"size":"0"}}"#,
        r#"{"retention":{"weight":"1kB"}}"#,
        r#"{"retension":null}"#,
        r#"{"time_zone":"Mars/Base"}"#,
    ] {
        assert_eq!(changes_of(wrong.as_bytes()).err().map(|p| p.status.as_u16()), Some(400), "{wrong}");
    }
}

#[test]
fn a_time_zone_is_set_without_touching_the_limits() {
    let jakarta = changes_of(br#"{"time_zone":"Asia/Jakarta"}"#).expect("it is right");
    assert_eq!(jakarta.retention, None);
    assert_eq!(jakarta.time_zone.flatten().as_deref(), Some("Asia/Jakarta"));
    let none = changes_of(br#"{"time_zone":null}"#).expect("it is right");
    assert_eq!(none.time_zone, Some(None));
}

#[test]
fn limits_are_shown_as_they_can_be_sent() {
    assert_eq!((duration_text(7 * Timestamp::DAY), duration_text(90 * Timestamp::MINUTE)), ("7d".into(), "90m".into()));
    assert_eq!((size_text(6 << 20), size_text(1000)), ("6MiB".into(), "1000".into()));
}
