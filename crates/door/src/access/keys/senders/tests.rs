//! Those who sent without a key: bounded, for a day.

use super::*;

const NOW: Timestamp = Timestamp(10 * Timestamp::DAY);

fn groups(names: &[&str]) -> BTreeSet<GroupName> {
    names.iter().map(|name| GroupName::new(name).expect("a name")).collect()
}

#[test]
fn a_sender_is_listed_with_all_that_it_sent_within_a_day() {
    let senders = AnonymousSenders::new(Timestamp(NOW.0 - Timestamp::HOUR));
    let local = Some(IpAddr::from([127, 0, 0, 1]));
    senders.note((local, "curl/8"), "/v1/logs", groups(&["b"]), NOW);
    senders.note((local, "curl/8"), "/api/v1/ingest", groups(&["a", "b"]), Timestamp(NOW.0 + 5));
    senders.note((local, "vector"), "/loki/api/v1/push", groups(&["c"]), Timestamp(NOW.0 + 3));
    let (views, is_left_out) = senders.views(Timestamp(NOW.0 + 9));
    let brief = |view: &SenderView| (view.agent.clone(), view.groups.join(","), view.routes.len(), view.requests);
    let briefs: Vec<_> = views.iter().map(brief).collect();
    assert_eq!(briefs, [("curl/8".into(), "a,b".into(), 2, 2), ("vector".into(), "c".into(), 1, 1)]);
    assert_eq!((views[0].first.clone(), is_left_out), (NOW.to_string(), false));
    assert_eq!(senders.since(NOW), Timestamp(NOW.0 - Timestamp::HOUR));
    let next_day = Timestamp(NOW.0 + Timestamp::DAY + 4);
    assert_eq!(senders.views(next_day).0.len(), 1);
    assert_eq!(senders.since(next_day), Timestamp(next_day.0 - Timestamp::DAY));
}

#[test]
fn lists_are_bounded_and_say_when_they_are_not_whole() {
    let senders = AnonymousSenders::new(NOW);
    let many: Vec<String> = (0..GROUPS_MAX + 1).map(|n| format!("g{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for n in 0..SENDERS_MAX as i64 {
        senders.note((None, &format!("agent {n}")), "/v1/logs", groups(&["a"]), Timestamp(NOW.0 + n));
    }
    assert!(!senders.views(NOW).1);
    senders.note((None, &"x".repeat(5_000)), "/v1/logs", groups(&many), Timestamp(NOW.0 + Timestamp::HOUR));
    let (views, is_left_out) = senders.views(NOW);
    assert!(is_left_out && views.len() == SENDERS_MAX && views.iter().all(|view| view.agent != "agent 0"));
    let newest = &views[0];
    assert_eq!((newest.agent.len(), newest.groups.len(), newest.more_groups), (AGENT_CHARS_MAX, GROUPS_MAX, true));
    assert!(!senders.views(Timestamp(NOW.0 + 2 * Timestamp::DAY)).1, "who was left out would be forgotten by now");
}
