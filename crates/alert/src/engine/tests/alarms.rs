//! Alarms: their judge decides, and the engine keeps, saves and tells.

use super::*;
use crate::{
    AlarmDocument, AlarmJudge, AlarmQuestion, AlarmState, AlarmVerdict, Author, Receiver, TopicMessage,
    TopicSubscription,
};

/// A judge that says what it is told to, and remembers how often it was asked; it tells subscribers of each change.
struct Scripted(Mutex<AlarmState>);

impl AlarmJudge for Scripted {
    fn judge(&self, question: &AlarmQuestion<'_>) -> Result<AlarmVerdict, String> {
        let state = *self.0.lock().unwrap();
        let said = format!("{state:?}");
        let is_new = question.memory.is_none_or(|memory| memory["state"] != json!(said));
        let message = TopicMessage {
            receiver: Receiver::Subscribers("ops".into()),
            kind: "Notification".into(),
            id: format!("{}-{said}", question.now.0),
            topic_arn: "arn:aws:sns:eu:0:ops".into(),
            subject: Some(said.clone()),
            text: said.clone(),
            texts: Default::default(),
            attributes: Json::Null,
            made_ms: question.now.0 / Timestamp::MILLISECOND,
            groups: Some(vec!["metrics/cloudwatch/n".into()]),
            labels: [("alertname".to_owned(), question.name.to_owned())].into(),
        };
        Ok(AlarmVerdict {
            state,
            value: None,
            reason: format!("because {said}"),
            description: Some("{{ not a template }}".into()),
            memory: json!({"state": said}),
            messages: if is_new { vec![message] } else { Vec::new() },
        })
    }

    fn note_saved(&self, _: &str, _: &Json) {}
}

/// Returns the rules of an alarm and a subscription to its topic.
fn alarms() -> RuleSet {
    let author = Author { name: "a".into(), scope: types::GroupScope::All, is_admin: true };
    let mut document = AlarmDocument::new(json!({}), vec!["metrics/cloudwatch/n".into()], &author, Timestamp(0));
    document.topics = vec!["ops".into()];
    let mut one = TopicSubscription::new("ops", ("http", "http://192.0.2.1/"), &author, Timestamp(0));
    one.is_confirmed = true;
    let mut set = rules(crate::THRESHOLD_RULES);
    set.rules.push(document.rule("latency"));
    set.channels.push(one.channel("1", &[], "").unwrap());
    set
}

fn waiting_for(engine: &RuleEngine, channel: &str, now: Timestamp) -> Vec<String> {
    let channel = engine.active_rules().channel(channel).cloned().expect("the channel exists");
    let mut found = Vec::new();
    while let Some(notification) = engine.due_notification(&channel, now) {
        let message = notification.message();
        let text = message["topic_message"]["text"].as_str().or_else(|| message["status"].as_str());
        found.push(text.unwrap_or_default().to_owned());
        engine.settle(&channel.name, &notification.id, &Ok(()), now);
    }
    found
}

#[test]
fn an_alarm_tells_channels_of_its_alert_and_subscribers_of_each_state() {
    let mut bench = Bench::new();
    let judge = Arc::new(Scripted(Mutex::new(AlarmState::InsufficientData)));
    bench.engine.replace(alarms(), bench.now).unwrap();
    bench.engine.set_alarm_judge(judge.clone(), bench.now);
    let states = [AlarmState::InsufficientData, AlarmState::Alarm, AlarmState::Alarm, AlarmState::Ok];
    let (mut of_channel, mut of_subscriber) = (Vec::new(), Vec::new());
    for state in states {
        *judge.0.lock().unwrap() = state;
        bench.tick();
        // The end of an alert waits for others of its group.
        let now = Timestamp(bench.now.0 + Timestamp::HOUR);
        of_channel.extend(waiting_for(&bench.engine, "hook", now));
        of_subscriber.extend(waiting_for(&bench.engine, "sns 1", now));
    }
    assert_eq!(of_channel, ["firing", "resolved"]);
    assert_eq!(of_subscriber, ["InsufficientData", "Alarm", "Ok"]);
}

#[test]
fn the_memory_of_a_judge_and_the_alert_survive_a_restart_and_a_change() {
    let mut bench = Bench::new();
    let judge = Arc::new(Scripted(Mutex::new(AlarmState::Alarm)));
    bench.engine.replace(alarms(), bench.now).unwrap();
    bench.engine.set_alarm_judge(judge.clone(), bench.now);
    bench.tick();
    bench.engine =
        RuleEngine::open(None, alarms(), Vec::new(), &Options::new(bench.dir.path().into()), bench.now).unwrap();
    let kept = bench.engine.locked().kept.rules["latency"].clone();
    assert_eq!(kept.alarm, Some(json!({"state": "Alarm"})));
    assert!(waiting_for(&bench.engine, "sns 1", bench.now) == ["Alarm"], "what was queued is still queued");
    bench.engine.set_alarm_judge(judge, bench.now);
    bench.tick();
    let mut changed = alarms();
    let alarm = changed.rules.last_mut().unwrap();
    alarm.window_ns *= 2;
    alarm.kind = Kind::Alarm(crate::kind::Alarm { definition: Arc::new(json!({"Threshold": 2})) });
    bench.engine.replace(changed, bench.now).unwrap();
    bench.tick();
    let view = bench.engine.alert_views(bench.now).remove(0);
    assert_eq!((view.state, view.annotations["summary"].as_str()), ("alarm", "because Alarm"));
    assert_eq!(view.annotations["description"], "{{ not a template }}");
    let inner = bench.engine.locked();
    assert_eq!(inner.kept.rules["latency"].alarm, Some(json!({"state": "Alarm"})));
}

#[test]
fn an_alarm_over_another_sees_its_state_and_what_its_judge_remembers() {
    let mut bench = Bench::new();
    let judge = Arc::new(Scripted(Mutex::new(AlarmState::Alarm)));
    bench.engine.replace(alarms(), bench.now).unwrap();
    bench.engine.set_alarm_judge(judge.clone(), bench.now);
    let by = alarms().rules.pop().unwrap();
    let seen = bench.engine.state_seen("latency", &by).unwrap();
    assert_eq!((seen.state, seen.since, seen.memory), (AlarmState::InsufficientData, None, None));
    for state in [AlarmState::Alarm, AlarmState::Ok] {
        *judge.0.lock().unwrap() = state;
        bench.tick();
        let seen = bench.engine.state_seen("latency", &by).unwrap();
        assert_eq!((seen.state, seen.memory), (state, Some(json!({"state": format!("{state:?}")}))));
        assert_ne!(seen.since, Some(Timestamp(0)), "no time is better than that of 1970");
    }
    assert_eq!(bench.engine.state_seen("nowhere", &by), None);
}
