//! Versions, and when an issue that was resolved or ignored is open again.

use super::*;
use serde_json::json;
use types::EventId;

fn change(json: &Json) -> DecisionChange {
    serde_json::from_value(json.clone()).expect("a change")
}

fn changed(before: &Decision, json: &Json) -> Result<Decision, String> {
    before.changed(change(json), "ann", 10, Timestamp(1_000)).map_err(|error| error.to_string())
}

fn event(at: i64, version: Option<&str>) -> ErrorEvent {
    let id = EventId { group_id: 1, timestamp: Timestamp(at), sequence: 1 };
    let version = version.map(str::to_owned);
    let none = || None;
    let (trace, kind, service, host, trace_id, pid) = (none(), none(), none(), none(), none(), none());
    ErrorEvent { id, text: "x".into(), trace, kind, service, host, version, trace_id, pid }
}

#[test]
fn versions_are_ordered_as_people_read_them() {
    let rising = ["1.2.0-rc1", "1.2.0", "1.2.1", "1.9", "v1.10.0", "2.0.0-beta", "2.0.0-rc", "2.0.0"];
    for pair in rising.windows(2) {
        assert_eq!(order(pair[0], pair[1]), Ordering::Less, "{pair:?}");
        assert_eq!(order(pair[1], pair[0]), Ordering::Greater, "{pair:?}");
    }
    assert_eq!(order("v1.2", "1.2.0+build7"), Ordering::Equal);
}

#[test]
fn a_resolved_issue_comes_back_with_a_later_event_of_that_version() {
    let resolved = changed(&Decision::default(), &json!({"state": "resolved"})).expect("a good change");
    assert!(resolved.is_contradicted_by(&event(1_001, None)));
    assert!(!resolved.is_contradicted_by(&event(1_000, None)), "it happened before");
    let fixed = changed(&Decision::default(), &json!({"state": "resolved", "version": "1.10"})).expect("good");
    assert!(!fixed.is_contradicted_by(&event(2_000, Some("1.9"))));
    assert!(fixed.is_contradicted_by(&event(2_000, Some("1.10.2"))));
    assert!(fixed.is_contradicted_by(&event(2_000, None)));
}

#[test]
fn an_ignored_issue_is_open_again_after_a_count_a_time_or_a_version() {
    let state = |json: Json, count: u64, now: i64| {
        let decision = changed(&Decision::default(), &json).expect("a good change");
        let record = IssueRecord { count, ..IssueRecord::default() };
        decision.effective(&[&record], Timestamp(now))
    };
    let ignored = |until: Json| json!({"state": "ignored", "until": until});
    assert_eq!(state(ignored(json!(5)), 14, 2_000), IssueState::Ignored);
    assert_eq!(state(ignored(json!(5)), 15, 2_000), IssueState::Open);
    assert_eq!(state(ignored(json!({"count": 5})), 15, 2_000), IssueState::Open);
    assert_eq!(state(ignored(json!("1970-01-01T00:01:00Z")), 99, 2_000), IssueState::Ignored);
    assert_eq!(state(ignored(json!("1970-01-01T00:01:00Z")), 99, Timestamp::MINUTE), IssueState::Open);
    assert_eq!(state(ignored(json!(null)), 99, i64::MAX), IssueState::Ignored);
    let until_version = changed(&Decision::default(), &ignored(json!({"version": "2.0"}))).expect("good");
    assert!(until_version.is_contradicted_by(&event(0, Some("2.0"))));
    assert!(!until_version.is_contradicted_by(&event(0, Some("1.9"))));
    assert!(!until_version.is_contradicted_by(&event(0, None)));
}

#[test]
fn a_note_changes_no_revision_and_a_state_takes_the_old_limits_away() {
    let ignored = changed(&Decision::default(), &json!({"state": "ignored", "until": 5})).expect("good");
    let noted = changed(&ignored, &json!({"note": "known", "owner": "ann"})).expect("good");
    assert_eq!((noted.revision, &noted.until), (1, &Some(Until::Count(5))));
    let open = changed(&noted, &json!({"state": "open", "owner": null})).expect("good");
    assert_eq!((open.revision, &open.until, &open.owner), (2, &None, &None));
    assert_eq!(open.note.as_deref(), Some("known"));
}

#[test]
fn mistakes_name_the_member() {
    for (json, expected) in [
        (json!({"state": "regressed"}), "state: an issue regresses"),
        (json!({"until": 5}), "until: only an ignored issue"),
        (json!({"state": "open", "version": "1"}), "version: only a resolved or ignored"),
        (json!({"state": "ignored", "until": 0}), "until: a number of events is 1 or more"),
        (json!({"state": "ignored", "until": "soon"}), "until: not a time"),
        (json!({"state": "ignored", "until": "1969-01-01T00:00:00Z"}), "until: the time is over"),
        (json!({"state": "ignored", "until": {"days": 3}}), "until: has count, time or version"),
        (json!({"owner": "a\u{7}"}), "owner: has control characters"),
        (json!({"note": "x".repeat(4_001)}), "note: at most 4000 characters"),
    ] {
        let found = changed(&Decision::default(), &json).expect_err("a mistake");
        assert!(found.starts_with(expected), "{json}: {found}");
    }
}
