//! The threads end to end: rules over a store, posts to a receiver in this process.

use std::sync::atomic::AtomicI64;
use std::sync::mpsc;

use storage::{Delivery, Part};
use types::{BatchBuilder, GroupName, Level};

use super::*;
use crate::options::Options;

/// A receiver that panics and fails at first and then passes on what it gets.
struct Receiver {
    n_to_fail: Mutex<u32>,
    /// The first attempt meets a defect.
    panics: AtomicBool,
    bodies: Mutex<mpsc::Sender<serde_json::Value>>,
}

impl Post for Receiver {
    fn post(&self, _: &Channel, notification: &serde_json::Value, _: Timestamp) -> Result<(), PostError> {
        assert!(!self.panics.swap(false, Ordering::Relaxed), "on purpose");
        let mut n_to_fail = self.n_to_fail.lock().unwrap();
        if *n_to_fail > 0 {
            *n_to_fail -= 1;
            return Err(PostError::Retry { after: None, reason: "answered 500".into() });
        }
        self.bodies.lock().unwrap().send(notification.clone()).unwrap();
        Ok(())
    }

    fn repeat(&self, _: &Channel, firing: &[serde_json::Value], _: Timestamp) -> Result<(), PostError> {
        let repeated = serde_json::json!({"repeated": firing});
        // The receiver of a test that has seen enough is gone.
        let _ = self.bodies.lock().unwrap().send(repeated);
        Ok(())
    }
}

/// Returns a clock that advances by ten seconds at every reading, and by as much more as a test says.
fn hasty_clock(ahead_ns: Arc<AtomicI64>) -> Clock {
    let now = Mutex::new(Timestamp::parse_rfc3339("2026-11-20T06:00:00Z").unwrap().0);
    Clock::new(move || {
        let mut now = now.lock().unwrap();
        *now += 10 * Timestamp::SECOND;
        Timestamp(*now + ahead_ns.load(Ordering::Relaxed))
    })
}

fn append_errors(store: &Store, clock: &Clock) {
    let mut builder = BatchBuilder::new();
    for text in ["disk on fire", "all is well"] {
        builder.set_timestamp(clock.now());
        builder.set_message(text);
        builder.set_level(Some(if text == "all is well" { Level::Info } else { Level::Error }));
        builder.commit();
    }
    let part = Part { group: GroupName::new("app/a").unwrap(), batch: builder.finish() };
    store.append(Delivery { key: None, position: None, raw_bytes: 24, parts: vec![part] }).unwrap();
}

fn started(
    dir: &std::path::Path,
    channel: &str,
    n_to_fail: u32,
    panics: bool,
) -> (Arc<Alerts>, mpsc::Receiver<serde_json::Value>) {
    let clock = hasty_clock(Arc::default());
    started_with(dir, crate::THRESHOLD_RULES, channel, clock, Failures { n_to_fail, panics })
}

/// How a receiver fails at first.
#[derive(Default)]
struct Failures {
    n_to_fail: u32,
    panics: bool,
}

/// Returns a rule about errors over a store with one error in it, and a channel; what the channel is told.
fn started_with(
    dir: &std::path::Path,
    rule_file: &str,
    channel: &str,
    clock: Clock,
    failures: Failures,
) -> (Arc<Alerts>, mpsc::Receiver<serde_json::Value>) {
    let mut options = storage::Options::new(dir.join("data"));
    options.clock = clock.clone();
    let (store, _) = Store::open(options).unwrap();
    append_errors(&store, &clock);
    let mut rules = RuleSet::default();
    rules.add("errors.yaml", rule_file).unwrap();
    rules.add("channels.yaml", channel).unwrap();
    let (sender, bodies) = mpsc::channel();
    let (n_to_fail, panics) = (Mutex::new(failures.n_to_fail), AtomicBool::new(failures.panics));
    let post = Receiver { n_to_fail, panics, bodies: Mutex::new(sender) };
    let is_stopping = Arc::new(AtomicBool::new(false));
    let ask = StoreAsk {
        clock_offsets: None,
        calls: CallCounter::default(),
        store,
        cache: None,
        is_stopping: is_stopping.clone(),
    };
    let options = Options { clock, ..Options::new(dir.join("alerts")) };
    let defined = Definitions { files: rules, made: ApiDefinitions::default() };
    (Alerts::start_with(Arc::new(ask), Arc::new(post), None, defined, options, is_stopping).unwrap(), bodies)
}

#[test]
fn errors_in_the_store_are_posted_and_resolved_when_they_are_past() {
    let dir = tempfile::tempdir().unwrap();
    let channel = "channels: [{name: hook, type: webhook, url: \"http://127.0.0.1:9/\", topics: [ops]}]";
    let (alerts, bodies) = started(dir.path(), channel, 2, true);
    let long = Duration::from_secs(60);
    let firing = bodies.recv_timeout(long).unwrap();
    assert_eq!((firing["status"].as_str(), firing["value"].as_i64()), (Some("firing"), Some(1)));
    assert_eq!(firing["labels"]["@log"], "app/a");
    assert_eq!(firing["events"].as_array().unwrap().len(), 1);
    assert_eq!(firing["events"][0]["@message"], "disk on fire");
    assert_eq!(
        (&firing["first"]["@message"], &firing["last"]["@message"]),
        (&"disk on fire".into(), &"disk on fire".into())
    );
    assert_eq!((&firing["pattern"]["text"], &firing["pattern"]["is_new"]), (&"disk on fire".into(), &true.into()));
    assert!(firing["acknowledge_url"].as_str().unwrap().contains("/alerts?acknowledge="));
    assert_eq!(firing["alerts"][0]["labels"], firing["labels"]);
    let resolved = bodies.recv_timeout(long).unwrap();
    assert_eq!(resolved["status"], "resolved");
    alerts.stop();
    assert_eq!(alerts.n_waiting(), 0);
    assert!(alerts.alerts().is_empty());
    assert_eq!(alerts.rules()[0].state, "ok");
}

#[test]
fn the_rule_of_the_first_minute_tells_what_is_new_with_its_pattern() {
    let dir = tempfile::tempdir().unwrap();
    let channel = "channels: [{name: hook, type: webhook, url: \"http://127.0.0.1:9/\", topics: [ops]}]";
    let clock = hasty_clock(Arc::default());
    let (alerts, bodies) = started_with(dir.path(), crate::DEFAULT_RULES, channel, clock, Failures::default());
    let firing = bodies.recv_timeout(Duration::from_secs(60)).unwrap();
    assert_eq!((firing["status"].as_str(), firing["value"].as_i64()), (Some("firing"), Some(1)));
    assert_eq!(firing["labels"]["pattern"], "disk on fire");
    let said = "1 in 5m in app/a, new or far more often than before: disk on fire";
    assert_eq!(firing["annotations"]["summary"], said);
    let pattern = serde_json::json!({"text": "disk on fire", "is_new": true, "count": 1, "before": 0, "per_hour_before": 0, "window": "5m", "baseline": "1d"});
    assert_eq!(firing["pattern"], pattern);
    assert_eq!(firing["events"][0]["@message"], "disk on fire");
    let resolved = bodies.recv_timeout(Duration::from_secs(60)).unwrap();
    assert_eq!(resolved["status"], "resolved");
    alerts.stop();
    assert!(bodies.try_recv().is_err(), "nothing else is new");
}

#[test]
fn a_receiver_that_forgets_is_told_again_of_what_fires_and_of_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let channel = "channels: [{name: am, type: alertmanager, url: \"http://127.0.0.1:9/\"}]";
    // The alert continues until it was repeated, however late the channel's thread gets a processor.
    let rules = crate::THRESHOLD_RULES.replace("window: 5m", "window: 30d");
    let ahead_ns = Arc::new(AtomicI64::new(0));
    let clock = hasty_clock(ahead_ns.clone());
    let (alerts, bodies) = started_with(dir.path(), &rules, channel, clock, Failures::default());
    let long = Duration::from_secs(60);
    let firing = bodies.recv_timeout(long).unwrap();
    assert_eq!(firing["status"], "firing");
    let mut n_repeated = 0;
    let resolved = loop {
        let body = bodies.recv_timeout(long).unwrap();
        let Some(repeated) = body.get("repeated") else { break body };
        n_repeated += 1;
        ahead_ns.store(31 * 24 * 60 * Timestamp::MINUTE, Ordering::Relaxed);
        assert_eq!(repeated.as_array().map(Vec::len), Some(1));
        assert_eq!((&repeated[0]["labels"], &repeated[0]["starts_at"]), (&firing["labels"], &firing["starts_at"]));
    };
    assert!(n_repeated > 0);
    assert_eq!(resolved["status"], "resolved");
    alerts.stop();
    assert!(bodies.try_recv().is_err(), "nothing fires any more");
}

#[test]
fn an_error_is_told_when_it_is_accepted_long_before_the_turn_of_its_rule() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(storage::Options::new(dir.path().join("data"))).unwrap();
    let mut rules = RuleSet::default();
    let rule = "groups: [{name: g, rules: [{name: r, interval: 30d, query: 'filter @level = \"error\"'}]}]";
    rules.add("rule.yaml", rule).unwrap();
    rules.add("channels.yaml", "channels: [{name: hook, type: webhook, url: \"http://127.0.0.1:9/\"}]").unwrap();
    let (sender, bodies) = mpsc::channel();
    let post = Receiver { n_to_fail: Mutex::new(0), panics: AtomicBool::new(false), bodies: Mutex::new(sender) };
    let is_stopping = Arc::new(AtomicBool::new(false));
    let feed = store.subscribe(Vec::new(), BATCHES_WAITING_MAX);
    let ask = StoreAsk {
        clock_offsets: None,
        calls: CallCounter::default(),
        store: store.clone(),
        cache: None,
        is_stopping: is_stopping.clone(),
    };
    let options = Options::new(dir.path().join("alerts"));
    let defined = Definitions { files: rules, made: ApiDefinitions::default() };
    let alerts = Alerts::start_with(Arc::new(ask), Arc::new(post), None, defined, options, is_stopping).unwrap();
    alerts.watch(feed).unwrap();
    while alerts.rules()[0].last_evaluation.is_none() {
        std::thread::yield_now();
    }
    append_errors(&store, &Clock::system());
    let firing = bodies.recv_timeout(Duration::from_secs(60)).unwrap();
    assert_eq!((firing["status"].as_str(), firing["value"].as_i64()), (Some("firing"), Some(1)));
    alerts.stop();
}

/// A receiver called `dead` that does not answer until the test ends, beside one that does.
struct Stuck {
    bodies: Mutex<mpsc::Sender<String>>,
    end: Mutex<mpsc::Receiver<()>>,
}

impl Post for Stuck {
    fn post(&self, channel: &Channel, _: &serde_json::Value, _: Timestamp) -> Result<(), PostError> {
        self.bodies.lock().unwrap().send(channel.name.clone()).unwrap();
        if channel.name == "dead" {
            // Ends with an error once the test has dropped the other end.
            let _ = self.end.lock().unwrap().recv();
        }
        Ok(())
    }

    fn repeat(&self, _: &Channel, _: &[serde_json::Value], _: Timestamp) -> Result<(), PostError> {
        Ok(())
    }
}

#[test]
fn a_receiver_that_does_not_answer_delays_no_other_and_no_evaluation() {
    let dir = tempfile::tempdir().unwrap();
    let clock = hasty_clock(Arc::default());
    let mut options = storage::Options::new(dir.path().join("data"));
    options.clock = clock.clone();
    let (store, _) = Store::open(options).unwrap();
    append_errors(&store, &clock);
    let mut rules = RuleSet::default();
    rules.add("errors.yaml", crate::THRESHOLD_RULES).unwrap();
    let of = |name: &str| format!("{{name: {name}, type: webhook, url: \"http://127.0.0.1:9/\"}}");
    rules.add("channels.yaml", &format!("channels: [{}, {}]", of("dead"), of("hook"))).unwrap();
    let (sender, told) = mpsc::channel();
    let (until, end) = mpsc::channel();
    let post = Stuck { bodies: Mutex::new(sender), end: Mutex::new(end) };
    let is_stopping = Arc::new(AtomicBool::new(false));
    let ask = StoreAsk {
        clock_offsets: None,
        calls: CallCounter::default(),
        store,
        cache: None,
        is_stopping: is_stopping.clone(),
    };
    let options = Options { clock, ..Options::new(dir.path().join("alerts")) };
    let defined = Definitions { files: rules, made: ApiDefinitions::default() };
    let alerts = Alerts::start_with(Arc::new(ask), Arc::new(post), None, defined, options, is_stopping).unwrap();
    let mut names: Vec<String> = (0..3).map(|_| told.recv_timeout(Duration::from_secs(60)).unwrap()).collect();
    names.sort();
    // The other one hears of the end as well, which takes further evaluations.
    assert_eq!(names, ["dead", "hook", "hook"]);
    assert!(alerts.n_waiting() >= 1, "what is on its way waits");
    drop(until);
    alerts.stop();
}

#[test]
fn a_report_goes_to_mail_with_its_topic_and_its_failures_are_seen() {
    let dir = tempfile::tempdir().unwrap();
    let channels = "channels:\n  - {name: hook, type: webhook, url: \"http://127.0.0.1:9/\", topics: [reports]}\n  - {name: mail, type: email, \
                    url: \"smtp://127.0.0.1:9\", from: a@example.org, to: [b@example.org], topics: [reports]}\n  - {name: other, type: email, url: \
                    \"smtp://127.0.0.1:9\", from: a@example.org, to: [b@example.org]}";
    let (alerts, bodies) = started_with(
        dir.path(),
        "groups: []",
        channels,
        hasty_clock(Arc::default()),
        Failures { n_to_fail: 1, panics: false },
    );
    assert_eq!(alerts.report_channels("reports"), ["mail"]);
    let report = |due: i64, topic: &str| crate::Report {
        name: "daily".to_owned(),
        due: Timestamp(due),
        subject: "Payments".to_owned(),
        text: "See the file.".to_owned(),
        enclosure: None,
        topic: topic.to_owned(),
        groups: Vec::new(),
    };
    alerts.send_report(&report(7, "reports")).unwrap();
    let letter = bodies.recv_timeout(Duration::from_secs(60)).unwrap();
    assert_eq!((&letter["annotations"]["message"], &letter["report"]["due"]), (&"See the file.".into(), &7.into()));
    let settled = || alerts.sent_report("daily").unwrap().channels["mail"].clone();
    while settled().delivered_at.is_none() {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(settled().error, None);
    // Nobody takes this one; its time has passed all the same.
    alerts.send_report(&report(8, "nobody")).unwrap();
    let sent = alerts.sent_report("daily").unwrap();
    assert_eq!((sent.due, sent.channels.len()), (8, 0));
    alerts.stop();
    assert!(bodies.try_recv().is_err());
}
