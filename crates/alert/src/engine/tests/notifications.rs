//! What channels are told, in what groups, and what keeps them from being told.

use super::*;
use crate::channel::Channel;
use crate::silence::{Silence, SilenceRecord as KeptSilence};
use crate::state::Acknowledgement;

/// Returns a bench whose channel has further settings.
fn bench(change: impl FnOnce(&mut ChannelSettings)) -> Bench {
    let bench = Bench::new();
    let mut settings = *bench.engine.active_rules().channels[0].settings.clone();
    change(&mut settings);
    let mut engine = rules(crate::THRESHOLD_RULES);
    engine.channels = vec![Channel::new(settings).unwrap()];
    bench.engine.replace(engine, bench.now).unwrap();
    bench
}

impl Bench {
    /// Delivers everything that is due and gives status and log groups of each message.
    fn told(&self) -> Vec<(String, Vec<String>)> {
        let mut told = Vec::new();
        while let Some(notification) = self.waiting() {
            let message = self.deliver();
            assert_eq!(message["id"], notification.id);
            let of = |alert: &Json| {
                let short = if alert["status"] == "firing" { "+" } else { "-" };
                format!("{short}{}", alert["labels"]["@log"].as_str().unwrap_or_default())
            };
            let logs = message["alerts"].as_array().unwrap().iter().map(of).collect();
            told.push((message["status"].as_str().unwrap_or_default().to_string(), logs));
        }
        told
    }

    fn later(&mut self, seconds: i64) -> &Self {
        self.now = Timestamp(self.now.0 + seconds * Timestamp::SECOND);
        self
    }

    /// Evaluates after some seconds.
    fn evaluate(&mut self, seconds: i64, rows: &[(&'static str, i64)]) {
        self.later(seconds);
        self.answer(Ok(rows.to_vec()));
        self.engine.schedule_rules(&self.engine.active_rules(), &|_| false);
        let now = self.now;
        self.engine.evaluate_due(&self.ask, &|| now);
    }

    fn tend(&self) {
        self.engine.tend(&self.engine.active_rules().channels[0], self.now);
    }
}

fn said(status: &str, alerts: &[&str]) -> (String, Vec<String>) {
    (status.to_string(), alerts.iter().map(ToString::to_string).collect())
}

fn silence(log: &str, from: Timestamp, seconds: i64) -> Silence {
    let matcher = crate::MatcherText { name: "@log".into(), value: log.into(), is_regex: true, is_equal: true };
    let (starts_at, ends_at) = (from.0, from.0 + seconds * Timestamp::SECOND);
    let text = String::new;
    let (matchers, scope) = (vec![matcher], None);
    let kept = KeptSilence {
        id: "s".into(),
        matchers,
        starts_at,
        ends_at,
        comment: text(),
        created_by: text(),
        maker: text(),
        scope,
    };
    Silence::new(kept).unwrap()
}

#[test]
fn the_first_alert_of_a_group_is_told_at_once_and_what_follows_is_gathered() {
    let mut bench = bench(|_| ());
    bench.evaluate(60, &[("a", 1), ("b", 2)]);
    assert_eq!(bench.told(), [said("firing", &["+a", "+b"])], "what begins together is one message");
    bench.evaluate(2, &[("a", 1), ("b", 1), ("c", 1)]);
    assert!(bench.told().is_empty(), "within group_wait");
    bench.evaluate(1, &[("a", 1), ("b", 1), ("c", 1), ("d", 1)]);
    bench.later(2);
    assert_eq!(bench.told(), [said("firing", &["+c", "+d"])]);
    bench.evaluate(60, &[("a", 1), ("b", 1), ("c", 1), ("d", 1), ("e", 1)]);
    assert_eq!(bench.told(), [said("firing", &["+e"])], "a while later it waits for nothing");
}

#[test]
fn ends_are_gathered_while_others_go_on_and_the_last_one_is_told_at_once() {
    let mut bench = bench(|_| ());
    bench.evaluate(60, &[("a", 1), ("b", 1)]);
    bench.told();
    bench.evaluate(30, &[("b", 1)]);
    bench.evaluate(70, &[("b", 1)]);
    assert_eq!(bench.engine.n_waiting(), 1);
    assert!(bench.told().is_empty(), "within group_interval");
    bench.evaluate(10, &[]);
    bench.evaluate(70, &[]);
    assert_eq!(bench.told(), [said("resolved", &["-a", "-b"])]);
    assert_eq!(bench.engine.n_waiting(), 0);
}

#[test]
fn a_beginning_is_told_before_its_end_whatever_waits() {
    let mut bench = bench(|_| ());
    bench.evaluate(60, &[("a", 1)]);
    bench.evaluate(30, &[("b", 1)]);
    bench.evaluate(70, &[("b", 1)]);
    bench.evaluate(10, &[]);
    bench.evaluate(70, &[]);
    bench.later(600);
    let told: Vec<String> = bench.told().into_iter().flat_map(|(_, alerts)| alerts).collect();
    let at = |one: &str| told.iter().position(|alert| alert == one).unwrap();
    assert!(at("+a") < at("-a") && at("+b") < at("-b"), "{told:?}");
    assert_eq!(told.len(), 4);
}

#[test]
fn what_an_attempt_was_made_of_is_not_added_to_also_after_a_restart() {
    let mut bench = Bench::new();
    bench.evaluate(60, &[("a", 1)]);
    let attempted = bench.waiting().unwrap();
    bench.restart();
    bench.evaluate(60, &[("a", 1), ("b", 1)]);
    assert_eq!(bench.waiting().unwrap().message(), attempted.message());
    assert_eq!(bench.told(), [said("firing", &["+a"]), said("firing", &["+b"])]);
}

#[test]
fn groups_are_made_by_the_labels_that_a_channel_names() {
    let mut bench = bench(|settings| settings.group_by = Some(vec!["@log".into()]));
    bench.evaluate(60, &[("a", 1), ("b", 1)]);
    assert_eq!(bench.told(), [said("firing", &["+a"]), said("firing", &["+b"])]);
}

#[test]
fn a_channel_hears_of_what_it_wants_to() {
    let mut bench = bench(|settings| {
        settings.matchers = vec!["@log=~'a|b'".into(), "@log!=b".into()];
        settings.send_resolved = Some(false);
    });
    bench.evaluate(60, &[("a", 1), ("b", 1), ("c", 1)]);
    assert_eq!(bench.told(), [said("firing", &["+a"])]);
    bench.evaluate(60, &[]);
    bench.evaluate(90, &[]);
    assert!(bench.engine.alert_views(bench.now).is_empty());
    assert!(bench.told().is_empty());
}

#[test]
fn what_goes_on_is_told_again_until_somebody_takes_it_on() {
    let mut bench = bench(|settings| settings.repeat_interval = Some("1h".into()));
    bench.evaluate(60, &[("a", 1)]);
    let first = bench.deliver();
    bench.later(3_599).tend();
    assert!(bench.told().is_empty());
    bench.later(1).tend();
    let again = bench.deliver();
    assert_eq!((&again["status"], &again["starts_at"]), (&json!("firing"), &first["starts_at"]));
    assert_ne!(again["id"], first["id"], "a receiver that drops what it knows must not drop it");
    let view = bench.engine.alert_views(bench.now).remove(0);
    assert_eq!(view.notified[0].delivered_at, Some(bench.now.to_string()));
    let acknowledged = Acknowledgement { by: "ada".into(), at: bench.now.to_string(), comment: String::new() };
    assert_eq!(bench.engine.acknowledge(&view.id, Some(acknowledged.clone())), Ok(true));
    assert_eq!(bench.engine.acknowledge("none", None), Ok(false));
    bench.restart();
    let mut settings = ChannelSettings { repeat_interval: Some("1h".into()), ..ChannelSettings::default() };
    (settings.name, settings.kind, settings.url) =
        ("hook".into(), "webhook".into(), Some("http://127.0.0.1:9/".into()));
    let mut engine = rules(crate::THRESHOLD_RULES);
    engine.channels = vec![Channel::new(settings).unwrap()];
    bench.engine.replace(engine, bench.now).unwrap();
    bench.later(7_200).tend();
    assert!(bench.told().is_empty());
    assert_eq!(bench.engine.alert_views(bench.now)[0].acknowledged, Some(acknowledged));
    bench.engine.acknowledge(&view.id, None).unwrap();
    bench.tend();
    assert_eq!(bench.told(), [said("firing", &["+a"])]);
}

#[test]
fn what_is_silenced_is_told_when_it_goes_on_after_the_silence_and_its_end_is_always_told() {
    let mut bench = bench(|_| ());
    bench.engine.set_silences(vec![silence("a|b", bench.now, 600)]);
    bench.evaluate(60, &[("a", 1), ("c", 1)]);
    assert_eq!(bench.told(), [said("firing", &["+c"])]);
    let views = bench.engine.alert_views(bench.now);
    assert!(views.iter().all(|view| (view.labels["@log"] == "a") == (view.silenced_by == ["s"])));
    bench.later(300).tend();
    assert!(bench.told().is_empty());
    bench.later(300).tend();
    assert_eq!(bench.told(), [said("firing", &["+a"])], "it goes on");
    bench.engine.set_silences(vec![silence(".*", bench.now, 6_000)]);
    bench.evaluate(60, &[]);
    bench.evaluate(120, &[]);
    bench.later(300);
    assert_eq!(bench.told(), [said("resolved", &["-a", "-c"])]);
}

#[test]
fn what_ended_while_it_was_silenced_is_nothing_to_tell_of() {
    let mut bench = bench(|_| ());
    bench.engine.set_silences(vec![silence("a", bench.now, 600)]);
    bench.evaluate(60, &[("a", 1)]);
    bench.evaluate(60, &[]);
    bench.evaluate(120, &[]);
    bench.later(6_000).tend();
    assert!(bench.told().is_empty());
}

#[test]
fn people_that_are_told_too_often_are_left_alone_for_a_while_and_nothing_is_lost() {
    let mut bench = bench(|settings| {
        settings.kind = "slack".into();
        settings.group_by = Some(vec!["...".into()]);
    });
    const LOGS: [&str; 14] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n"];
    bench.evaluate(60, &LOGS.map(|log| (log, 1)));
    assert_eq!(bench.told().len(), 12);
    assert_eq!(bench.engine.n_waiting(), 2);
    bench.later(599);
    assert!(bench.told().is_empty());
    bench.later(1);
    assert_eq!(bench.told().len(), 2);
    assert_eq!(bench.engine.health_of("hook").waiting, 0);
}

#[test]
fn a_channel_that_fails_says_so() {
    let mut bench = bench(|_| ());
    bench.evaluate(60, &[("a", 1)]);
    let id = bench.waiting().unwrap().id;
    let failed = Err(crate::PostError::Retry { after: None, reason: "answered 500".into() });
    bench.engine.settle("hook", &id, &failed, bench.now);
    let health = bench.engine.health_of("hook");
    assert_eq!((health.failing, health.waiting, health.last_error.as_deref()), (true, 1, Some("answered 500")));
    bench.later(10);
    bench.told();
    let health = bench.engine.health_of("hook");
    assert_eq!((health.failing, health.waiting, health.last_success), (false, 0, Some(bench.now.to_string())));
}

#[test]
fn what_fires_is_told_where_the_rule_says_now() {
    let mut bench = bench(|settings| settings.topics = vec!["night".into()]);
    bench.evaluate(60, &[("a", 1)]);
    assert!(bench.told().is_empty(), "the rule has other topics");
    let channels = vec![(*bench.engine.active_rules().channels[0]).clone()];
    let topic = format!("topics: [{}]", bench.engine.active_rules().rules[0].topics.join(", "));
    assert!(crate::THRESHOLD_RULES.contains(&topic), "{topic}");
    let mut engine = rules(&crate::THRESHOLD_RULES.replace(&topic, "topics: [night]"));
    engine.channels = channels;
    bench.engine.replace(engine, bench.now).unwrap();
    assert_eq!(bench.told(), [said("firing", &["+a"])]);
}
