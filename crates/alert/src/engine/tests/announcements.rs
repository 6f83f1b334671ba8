//! Announcements: which channels receive them, and that they are not lost.

use super::*;
use crate::Announcement;
use crate::channel::Channel;
use crate::silence::{Silence, SilenceRecord};

fn bench(topics: &[&str], groups: Option<&str>) -> Bench {
    let bench = Bench::new();
    let mut settings = *bench.engine.active_rules().channels[0].settings.clone();
    settings.topics = topics.iter().map(|topic| (*topic).to_owned()).collect();
    let mut channel = Channel::new(settings).unwrap();
    if let Some(pattern) = groups {
        channel.scope = types::GroupScope::Matching(vec![types::GroupPattern::new(pattern)]);
    }
    let mut engine = rules(crate::THRESHOLD_RULES);
    engine.channels = vec![channel];
    bench.engine.replace(engine, bench.now).unwrap();
    bench
}

fn announcement(bench: &Bench, ends: bool) -> Announcement {
    let text = |name: &str, value: &str| [(name.to_owned(), value.to_owned())].into();
    Announcement {
        source: "issues",
        topic: "issues",
        group: "app/web".into(),
        labels: text("alertname", "new issue"),
        annotations: text("summary", "db away"),
        value: 1.into(),
        pattern: "db <*> away".into(),
        starts_at: bench.now,
        ends_at: ends.then_some(bench.now),
        nth: 0,
        path: "/issues/7".into(),
    }
}

#[test]
fn a_channel_that_names_the_topic_receives_it_once_also_across_a_restart() {
    let mut bench = bench(&["issues"], None);
    let one = announcement(&bench, false);
    bench.engine.queue_announcements(std::slice::from_ref(&one), bench.now).unwrap();
    bench.engine.queue_announcements(&[one], bench.now).unwrap();
    let channels = bench.engine.active_rules().channels.clone();
    bench.restart();
    let mut engine = rules(crate::THRESHOLD_RULES);
    engine.channels = channels.iter().map(|channel| (**channel).clone()).collect();
    bench.engine.replace(engine, bench.now).unwrap();
    let message = bench.deliver();
    assert_eq!((&message["status"], &message["pattern"]), (&json!("firing"), &json!("db <*> away")));
    assert_eq!(message["url"], "http://127.0.0.1:22828/issues/7");
    assert!(bench.waiting().is_none());
    let end = announcement(&bench, true);
    bench.engine.queue_announcements(&[end], bench.now).unwrap();
    assert_eq!(bench.deliver()["status"], "resolved");
}

#[test]
fn others_do_not_receive_it() {
    let told = |bench: &Bench| {
        bench.engine.queue_announcements(&[announcement(bench, false)], bench.now).unwrap();
        bench.waiting().is_some()
    };
    assert!(!told(&bench(&[], None)), "no topics");
    assert!(!told(&bench(&["ops"], None)), "another topic");
    assert!(!told(&bench(&["issues"], Some("db/*"))), "another scope");
    assert!(told(&bench(&["ops", "issues"], Some("app/*"))));
    let silenced = bench(&["issues"], None);
    let matcher =
        crate::MatcherText { name: "alertname".into(), value: "new issue".into(), is_regex: false, is_equal: true };
    let text = String::new;
    let (starts_at, ends_at) = (silenced.now.0, silenced.now.0 + Timestamp::HOUR);
    let (id, comment, created_by, maker) = (text(), text(), text(), text());
    let record =
        SilenceRecord { id, matchers: vec![matcher], starts_at, ends_at, comment, created_by, maker, scope: None };
    silenced.engine.set_silences(vec![Silence::new(record).unwrap()]);
    assert!(!told(&silenced));
}
