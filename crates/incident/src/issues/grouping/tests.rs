//! Which errors are one issue, in whatever portions they come.

use std::collections::BTreeMap;
use std::time::Instant;

use types::EventId;

use super::*;
use crate::issues::decision::Decision;

fn event(sequence: u64, service: &str, text: &str) -> ErrorEvent {
    let service = Some(service.to_owned()).filter(|name| !name.is_empty());
    let id = EventId { group_id: 1, timestamp: Timestamp(sequence as i64 * Timestamp::SECOND), sequence };
    let (host, version) = (Some(format!("web-{}", sequence % 3)), Some("4.12.0".to_owned()));
    ErrorEvent { id, text: text.into(), trace: None, kind: None, service, host, version, trace_id: None, pid: None }
}

fn now() -> Timestamp {
    Timestamp(10_000 * Timestamp::SECOND)
}

/// Counts texts in portions of `n_at_once`, and returns counts by titles.
fn counted(texts: &[&str], n_at_once: usize) -> BTreeMap<String, u64> {
    let mut grouping = Grouping::default();
    let events: Vec<ErrorEvent> = texts.iter().zip(1..).map(|(text, n)| event(n, "pay", text)).collect();
    for some in events.chunks(n_at_once) {
        grouping.count("app", some, &Decisions::default(), now());
    }
    titles(&grouping)
}

fn titles(grouping: &Grouping) -> BTreeMap<String, u64> {
    grouping.counted.issues.values().map(|record| (record.title.clone(), record.count)).collect()
}

#[test]
fn errors_of_one_pattern_are_one_issue_in_whatever_portions_they_come() {
    let names =
        ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy", "mallory", "oscar"];
    let mut texts: Vec<String> = names.iter().map(|name| format!("user {name} not found in realm 7")).collect();
    texts.extend((0..20).map(|n| format!("connect to db-{n} failed after {n} ms")));
    texts.push("disk full on /dev/sda1".into());
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let expected: BTreeMap<String, u64> = [
        ("connect to <*> failed after <*>", 20),
        ("disk full on /dev/<*>", 1),
        ("user <*> not found in realm <*>", 12),
    ]
    .map(|(title, n)| (title.to_owned(), n))
    .into();
    for n_at_once in [1, 3, 100] {
        let found: BTreeMap<String, u64> = counted(&texts, n_at_once);
        let counts: Vec<u64> = found.values().copied().collect();
        assert_eq!(counts, expected.values().copied().collect::<Vec<_>>(), "{n_at_once}: {found:?}");
    }
}

#[test]
fn places_are_kept_apart_and_ids_do_not_depend_on_what_came_before() {
    let mut grouping = Grouping::default();
    let events = [event(1, "pay", "db away"), event(2, "web", "db away"), event(3, "", "db away")];
    grouping.count("app", &events, &Decisions::default(), now());
    let ids: Vec<&String> = grouping.counted.issues.keys().collect();
    assert_eq!(ids.len(), 3);
    let mut again = Grouping::default();
    let events = [event(7, "pay", "something else"), event(8, "pay", "db away")];
    again.count("app", &events, &Decisions::default(), now());
    assert!(again.counted.issues.keys().any(|id| ids.contains(&id)));
}

#[test]
fn what_was_saved_is_continued() {
    let mut grouping = Grouping::default();
    let words = ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi"];
    let texts: Vec<String> = words.iter().map(|name| format!("user {name} not found here")).collect();
    let events: Vec<ErrorEvent> = texts.iter().zip(1..).map(|(text, n)| event(n, "pay", text)).collect();
    grouping.count("app", &events, &Decisions::default(), now());
    let saved = serde_json::to_string(&grouping.counted).expect("JSON");
    let mut again = Grouping::new(serde_json::from_str(&saved).expect("the same"));
    assert_eq!(again.counted, grouping.counted);
    again.count("app", &[event(100, "pay", "user zoe not found here")], &Decisions::default(), now());
    assert_eq!(titles(&again).into_values().collect::<Vec<_>>(), [9]);
}

#[test]
fn an_issue_that_someone_decided_about_is_not_joined() {
    let first = ["alice", "bob"].map(|name| format!("user {name} not found here"));
    let events: Vec<ErrorEvent> = first.iter().zip(1..).map(|(text, n)| event(n, "pay", text)).collect();
    let more: Vec<String> =
        ["carol", "dave", "erin", "frank", "grace", "heidi"].map(|name| format!("user {name} not found here")).into();
    let more: Vec<ErrorEvent> = more.iter().zip(10..).map(|(text, n)| event(n, "pay", text)).collect();
    let joined = |is_decided: bool| {
        let mut grouping = Grouping::default();
        grouping.count("app", &events[..1], &Decisions::default(), now());
        grouping.count("app", &events[1..], &Decisions::default(), now());
        let ids = grouping.counted.issues.keys().filter(|_| is_decided);
        let decided = ids.map(|id| (id.clone(), Decision::default())).collect();
        let n_before = grouping.counted.issues.len();
        grouping.count("app", &more, &Decisions::new(decided), now());
        (n_before, grouping.counted.issues.len(), grouping.counted.joined.len())
    };
    let (n_before, n_after, n_joined) = joined(false);
    assert_eq!((n_after, n_joined), (1, n_before - 1));
    let (n_before, n_after, n_joined) = joined(true);
    assert_eq!((n_after, n_joined), (n_before, 0));
}

#[test]
fn traces_are_one_issue_whatever_they_say() {
    let mut grouping = Grouping::default();
    let trace =
        |n: u64, frame: &str| event(n, "pay", &format!("x.BadError: no user {n}\n\tat x.{frame}(X.java:{n})\n"));
    let events = [trace(1, "A.run"), trace(2, "A.run"), trace(3, "B.run")];
    let touched = grouping.count("app", &events, &Decisions::default(), now());
    assert_eq!(touched.len(), 2);
    let expected = [("x.BadError: no user 1 in x.A.run", 2), ("x.BadError: no user 3 in x.B.run", 1)];
    assert_eq!(titles(&grouping), expected.map(|(title, n)| (title.to_owned(), n)).into());
}

#[test]
fn errors_of_a_bare_type_at_one_place_are_a_limited_number_of_issues() {
    let thrown = |n: u64, what: &str| event(n, "pay", &format!("Error: {what}\n    at send (/srv/a.js:{n}:1)\n"));
    let mut grouping = Grouping::default();
    let mut count = |events: &[ErrorEvent]| grouping.count("app", events, &Decisions::default(), now());
    let two = count(&[thrown(1, "box is full"), thrown(2, "no letter")]);
    assert_eq!((two.len(), count(&[thrown(3, "box is full")]).len()), (2, 1));
    let names = (0..100u8).map(|n| format!("{}{} was lost", char::from(b'a' + n % 26), char::from(b'a' + n / 26)));
    let many: Vec<ErrorEvent> = names.zip(10..).map(|(name, n)| thrown(n, &name)).collect();
    count(&many);
    let first = count(&many[99..]);
    assert!(first.is_subset(&two), "{first:?}");
    assert_eq!(grouping.known("app", &many[99]), first.into_iter().next());
    assert_eq!(grouping.counted.issues.len(), VARIANTS_MAX);
    // It is the same after a restart.
    let mut again = Grouping::new(grouping.counted);
    again.count("app", &many, &Decisions::default(), now());
    assert_eq!(again.counted.issues.len(), VARIANTS_MAX);
}

#[test]
fn an_issue_of_a_bare_type_that_began_when_messages_did_not_count_is_continued_and_split_with_a_note() {
    let thrown = |n: u64, what: &str| event(n, "pay", &format!("Error: {what}\n    at send (/srv/a.js:{n}:1)\n"));
    let place: Place = ("app".to_owned(), Some("pay".to_owned()));
    let Signature::Trace { base: Some(base), .. } = thrown(1, "box is full").signature() else { panic!("a base") };
    let id = id_of("app", Some("pay"), &base);
    let mut counted = IssueCounts::default();
    counted.issues.insert(id.clone(), IssueRecord { keys: [hash_of(&place, &base)].into(), ..new_at(&place) });
    let count = |grouping: &mut Grouping, decisions: &Decisions, what: &str| {
        let touched = grouping.count("app", &[thrown(1, what)], decisions, now());
        touched.into_iter().next().expect("an issue")
    };
    let mut grouping = Grouping::new(counted.clone());
    let mut by = |what: &str| count(&mut grouping, &Decisions::default(), what);
    assert_eq!(by("box is full"), id);
    let other = by("no letter");
    assert_ne!(other, id);
    assert_eq!((by("box is full"), by("no letter")), (id.clone(), other.clone()));
    let note = grouping.counted.issues[&other].note.as_deref();
    assert!(note.is_some_and(|note| note.contains(&id)), "{note:?}");
    assert_eq!(grouping.counted.issues[&id].note, None);
    // What somebody has resolved keeps all its errors, and none of them is news.
    let resolved = Decision { state: IssueState::Resolved, revision: 1, at: i64::MAX, ..Decision::default() };
    let decisions = Decisions::new([(id.clone(), resolved)].into());
    let mut grouping = Grouping::new(counted);
    let touched = ["box is full", "no letter", "no stamp"].map(|what| count(&mut grouping, &decisions, what));
    assert_eq!(touched, [id.clone(), id.clone(), id.clone()]);
    assert_eq!((grouping.counted.issues.len(), grouping.counted.issues[&id].notice), (1, None));
    // It stays so once the decision is gone.
    assert_eq!(count(&mut grouping, &Decisions::default(), "no letter"), id);
}

/// Issues of the time before, as they were saved: each has the key of a text by the former rule.
fn former(texts: &[&str]) -> (Grouping, Vec<String>) {
    let mut counted = IssueCounts::default();
    let place: Place = ("app".to_owned(), Some("pay".to_owned()));
    let mut ids = Vec::new();
    for (text, n) in texts.iter().zip(1..) {
        let key = match event(n, "pay", text).former_signature() {
            FormerSignature::Trace(key) | FormerSignature::Text(key) => key,
        };
        let id = id_of("app", Some("pay"), &key);
        let record = IssueRecord {
            title: format!("old {n}"),
            count: 1,
            began: n,
            rule: Rule::Former,
            keys: [hash_of(&place, &key)].into(),
            ..new_at(&place)
        };
        counted.issues.insert(id.clone(), record);
        ids.push(id);
    }
    (Grouping::new(counted), ids)
}

const CHAIN: [&str; 2] = [
    "x.OuterError: a\n\tat x.A.run(X.java:1)\nCaused by: x.DeepError: b\n\tat x.B.read(B.java:2)\n",
    "x.OtherError: a\n\tat x.C.go(X.java:1)\nCaused by: x.DeepError: b\n\tat x.B.read(B.java:2)\n",
];

#[test]
fn issues_of_the_former_rule_are_joined_with_a_note_where_the_new_one_takes_them_for_one() {
    let (mut grouping, ids) = former(&CHAIN);
    let events = [event(10, "pay", CHAIN[0]), event(11, "pay", CHAIN[1])];
    let touched = grouping.count("app", &events, &Decisions::default(), now());
    assert_eq!(touched, [ids[0].clone()].into());
    let record = &grouping.counted.issues[&ids[0]];
    assert_eq!((record.count, grouping.counted.issues.len(), &grouping.counted.joined[&ids[1]]), (4, 1, &ids[0]));
    assert!(record.note.as_deref().is_some_and(|note| note.contains(&ids[1])), "{:?}", record.note);
    // No notification: none of these issues is new.
    assert_eq!(record.notice, None);
}

#[test]
fn what_was_decided_about_an_issue_of_the_former_rule_holds() {
    let resolved = Decision { state: IssueState::Resolved, revision: 1, at: i64::MAX, ..Decision::default() };
    for at in 0..2 {
        let (mut grouping, ids) = former(&CHAIN);
        let decisions = Decisions::new([(ids[at].clone(), resolved.clone())].into());
        let events = [event(10, "pay", CHAIN[0]), event(11, "pay", CHAIN[1]), event(12, "pay", CHAIN[0])];
        assert_eq!(grouping.count("app", &events, &decisions, now()), ids.iter().cloned().collect());
        assert_eq!((grouping.counted.issues[&ids[0]].count, grouping.counted.issues[&ids[1]].count), (3, 2));
    }
}

#[test]
fn an_issue_of_the_former_rule_is_split_with_a_note_unless_someone_decided_about_it() {
    let trace = |kind: &str| {
        format!("Traceback (most recent call last):\n  File \"/srv/a.py\", line 4, in send\n    raise x\n{kind}: k\n")
    };
    let texts = [trace("Gone"), trace("Barred")];
    let events = [event(10, "pay", &texts[0]), event(11, "pay", &texts[1])];
    let (mut grouping, ids) = former(&[&texts[0]]);
    let touched = grouping.count("app", &events, &Decisions::default(), now());
    let other = touched.iter().find(|id| **id != ids[0]).expect("a second issue");
    assert_eq!((touched.len(), grouping.counted.issues[&ids[0]].count), (2, 2));
    let note = grouping.counted.issues[other].note.as_deref();
    assert!(note.is_some_and(|note| note.contains(&ids[0])), "{note:?}");
    let (mut grouping, ids) = former(&[&texts[0]]);
    let decisions = Decisions::new([(ids[0].clone(), Decision::default())].into());
    assert_eq!(grouping.count("app", &events, &decisions, now()), [ids[0].clone()].into());
    // A store that begins with the current rule has nothing to look for.
    assert!(!Grouping::default().has_former);
}

#[test]
fn a_million_errors_cost_only_their_patterns() {
    let began = Instant::now();
    let mut grouping = Grouping::default();
    let kinds: Vec<String> =
        (0..100u8).map(|n| format!("{}{} failed", char::from(b'a' + n % 26), char::from(b'a' + n / 26))).collect();
    let mut sequence = 0;
    for _ in 0..100 {
        let events: Vec<ErrorEvent> = (0..10_000)
            .map(|n| {
                sequence += 1;
                event(sequence, "pay", &format!("task {} with order {sequence} after {n} ms", kinds[n % 100]))
            })
            .collect();
        grouping.count("app", &events, &Decisions::default(), Timestamp(i64::MAX / 2));
    }
    let total: u64 = grouping.counted.issues.values().map(|record| record.count).sum();
    assert_eq!(total, 1_000_000);
    assert!(grouping.counted.issues.len() <= 100);
    let n_bytes = serde_json::to_vec(&grouping.counted).expect("JSON").len();
    assert!(n_bytes < 200_000, "{n_bytes} bytes");
    eprintln!("{} issues, {n_bytes} bytes, {:?}", grouping.counted.issues.len(), began.elapsed());
}

#[test]
fn errors_without_end_have_limits_and_all_count() {
    let mut grouping = Grouping::default();
    let word = |n: usize| -> String { (0..6).map(|at| char::from(b'a' + (n >> (at * 4)) as u8 % 16)).collect() };
    // No two of these have three words in common.
    let text = |n: usize| format!("{} {} {} {}", word(n), word(n * 31 + 7), word(n * 17 + 5), word(n * 13 + 1));
    let events: Vec<ErrorEvent> = (1..3_000).map(|n| event(n as u64, "pay", &text(n))).collect();
    for some in events.chunks(500) {
        grouping.count("app", some, &Decisions::default(), now());
    }
    assert!(grouping.counted.issues.len() <= ISSUES_OF_PLACE_MAX + 1, "{}", grouping.counted.issues.len());
    assert_eq!(grouping.counted.issues.values().map(|record| record.count).sum::<u64>(), 2_999);
}

/// A line of the service manager about a unit, some seconds after the others.
fn unit(n: u64, text: &str) -> ErrorEvent {
    let mut event = event(n, "systemd", text);
    event.id.timestamp = Timestamp((5_000 + n as i64 * 40) * Timestamp::SECOND);
    event.host = Some("web-1".into());
    event
}

const EXITED: &str = "shop.service: Main process exited, code=exited, status=1/FAILURE";

#[test]
fn restarts_of_a_unit_are_one_issue_that_says_how_often() {
    let mut grouping = Grouping::default();
    for n in 0..6 {
        let lines =
            [EXITED, "shop.service: Failed with result 'exit-code'.", "mail.service: Failed with result 'signal'."];
        let events: Vec<ErrorEvent> = lines.iter().map(|line| unit(n, line)).collect();
        grouping.count("journal", &events, &Decisions::default(), now());
    }
    let counts: Vec<u64> = grouping.counted.issues.values().map(|record| record.count).collect();
    assert_eq!(titles(&grouping).len(), 2, "{:?}", titles(&grouping));
    assert_eq!(counts.iter().sum::<u64>(), 18);
    let shop = grouping.counted.issues.values().find(|record| record.title == EXITED).expect("the unit's issue");
    assert_eq!((shop.count, shop.pattern.as_str()), (12, "shop.service: <*>"));
    let said = shop.deaths.loops()[0].sentence(Some("systemd"));
    assert_eq!(said, "shop.service restarts every 40 s since 1970-01-01 01:23 UTC");
    let known = grouping.known("journal", &unit(9, EXITED));
    assert_eq!(known.and_then(|id| grouping.counted.issues.get(&id)).map(|record| record.count), Some(12));
}

#[test]
fn an_issue_of_a_unit_that_an_earlier_version_stored_is_continued() {
    let text = masked(EXITED);
    let key = hash_of(&("journal".into(), Some("systemd".into())), &text);
    let stored = serde_json::json!({
        "position": {"sequence": 7, "is_begun": true},
        "issues": {"5f21c0aa00e13d77": {
            "group": "journal", "service": "systemd", "title": "shop.service: Main process exited", "pattern": shown(&text),
            "rule": "current", "first": 1, "last": 2, "last_id": "", "count": 3, "hours": {}, "hosts": {"web-1": 3},
            "began": 1, "texts": [text], "keys": [key], "n_notices": 1, "open_notice": {"kind": "new", "since": 1},
        }},
    });
    let mut grouping = Grouping::new(serde_json::from_value(stored).expect("a state of the version before"));
    grouping.count("journal", &[unit(1, EXITED)], &Decisions::default(), now());
    let counts: Vec<(&str, u64)> = grouping.counted.issues.iter().map(|(id, one)| (id.as_str(), one.count)).collect();
    assert_eq!(counts, [("5f21c0aa00e13d77", 4)]);
}

#[test]
fn a_loop_is_news_once_unless_somebody_works_on_it() {
    let notices = |state: &str| {
        let mut grouping = Grouping::default();
        let mut found = Vec::new();
        for n in 0..9 {
            let decided = grouping.counted.issues.keys().next().filter(|_| !state.is_empty()).cloned();
            let decision = |id: String| {
                (
                    id,
                    serde_json::from_value::<Decision>(serde_json::json!({
                        "revision": 1, "state": state, "by": "ann", "at": 0, "count": 0
                    }))
                    .expect("a decision"),
                )
            };
            let decisions = Decisions::new(decided.map(decision).into_iter().collect());
            let event = unit(n, EXITED);
            grouping.count("journal", std::slice::from_ref(&event), &decisions, event.id.timestamp);
            let notice = grouping.counted.issues.values_mut().next().and_then(|record| record.notice.take());
            found.extend(notice.map(|notice| (n, notice)));
        }
        found
    };
    assert_eq!(notices(""), [(0, Notice::New), (3, Notice::Restarting)]);
    assert_eq!(notices("acknowledged"), [(0, Notice::New)]);
    assert_eq!(notices("ignored"), [(0, Notice::New)]);
}
