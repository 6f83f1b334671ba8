//! The threads of two nodes: a rule fires once, whichever node has the lease, and people may ask any node.

use std::sync::atomic::AtomicUsize;
use std::sync::mpsc;

use super::*;
use crate::alarm::{AlarmJudge, AlarmQuestion, AlarmVerdict};
use crate::fleet_lab::{FleetLab, append_errors, until};
use crate::{ALARM, AlarmDocument, AlarmState, Author, Enclosure, Report};

/// Passes each notification on to the test.
struct Receiver(Mutex<mpsc::Sender<serde_json::Value>>);

impl Post for Receiver {
    fn post(&self, _: &Channel, notification: &serde_json::Value, _: Timestamp) -> Result<(), PostError> {
        let _ = self.0.lock().unwrap().send(notification.clone());
        Ok(())
    }

    fn repeat(&self, _: &Channel, _: &[serde_json::Value], _: Timestamp) -> Result<(), PostError> {
        Ok(())
    }
}

/// Says that every alarm is in the state `ALARM`, and counts how often it was asked.
#[derive(Default)]
struct FiringJudge(AtomicUsize);

impl AlarmJudge for FiringJudge {
    fn judge(&self, _: &AlarmQuestion<'_>) -> Result<AlarmVerdict, String> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(AlarmVerdict {
            state: AlarmState::Alarm,
            value: None,
            reason: "it is so".to_owned(),
            description: None,
            memory: serde_json::json!({"state": "ALARM"}),
            messages: Vec::new(),
        })
    }

    fn note_saved(&self, _: &str, _: &serde_json::Value) {}
}

struct Node {
    store: Arc<Store>,
    alerts: Arc<Alerts>,
    received: mpsc::Receiver<serde_json::Value>,
}

impl Node {
    fn new(lab: &FleetLab, name: &str) -> Self {
        let store = lab.node(name);
        let mut rules = RuleSet::default();
        rules.add("errors.yaml", &crate::THRESHOLD_RULES.replace("interval: 30s", "interval: 1s")).unwrap();
        let channel = "channels:\n  - {name: hook, type: webhook, url: \"http://127.0.0.1:9/\"}\n  - {name: mail, type: email, url: \
                       \"smtp://127.0.0.1:9\", from: a@example.org, to: [b@example.org], topics: [reports]}";
        rules.add("channels.yaml", channel).unwrap();
        let (sender, received) = mpsc::channel();
        let is_stopping = Arc::new(AtomicBool::new(false));
        let ask = StoreAsk {
            clock_offsets: None,
            calls: CallCounter::default(),
            store: store.clone(),
            cache: None,
            is_stopping: is_stopping.clone(),
        };
        let options = Options::new(lab.dirs.path().join(name));
        let defined = Definitions { files: rules, made: ApiDefinitions::default() };
        let post = Arc::new(Receiver(Mutex::new(sender)));
        let alerts =
            Alerts::start_with(Arc::new(ask), post, Some(store.clone()), defined, options, is_stopping).unwrap();
        Self { store, alerts, received }
    }

    fn acknowledged_by(&self) -> Option<String> {
        self.alerts.alerts().first()?.acknowledged.as_ref().map(|acknowledged| acknowledged.by.clone())
    }
}

#[test]
fn a_rule_fires_once_and_an_acknowledgement_on_any_node_holds() {
    let Some(lab) = FleetLab::new() else { return };
    let a = Node::new(&lab, "a");
    until("it evaluates", || a.alerts.engine.is_leading());
    let b = Node::new(&lab, "b");
    append_errors(&b.store, &["disk on fire"]);
    let firing = a.received.recv_timeout(Duration::from_secs(60)).unwrap();
    assert_eq!((firing["status"].as_str(), &firing["labels"]["@log"]), (Some("firing"), &"app/a".into()));
    until("the other node shows it", || b.alerts.alerts().len() == 1);
    let id = b.alerts.alerts()[0].id.clone();
    assert!(b.alerts.acknowledge("none", Some(("ann", ""))).is_err());
    b.alerts.acknowledge(&id, Some(("ann", "on it"))).unwrap();
    assert_eq!(b.acknowledged_by().as_deref(), Some("ann"));
    until("the node that evaluates knows", || a.acknowledged_by().is_some());
    let Node { store, alerts, received } = a;
    alerts.stop();
    drop((alerts, store));
    until("it takes over", || b.alerts.engine.is_leading());
    assert_eq!(b.acknowledged_by().as_deref(), Some("ann"));
    // Nothing else is sent in the next round of evaluations.
    let n_evaluations = || b.alerts.timings().iter().map(|(_, timing)| timing.n_evaluations).sum::<u64>();
    until("it evaluates", || n_evaluations() > 2);
    assert!(received.try_recv().is_err() && b.received.try_recv().is_err());
    assert_eq!(b.alerts.n_waiting(), 0);
    b.alerts.stop();
}

#[test]
fn an_alarm_is_judged_by_one_node_and_told_once() {
    let Some(lab) = FleetLab::new() else { return };
    let (a, b) = (Node::new(&lab, "a"), Node::new(&lab, "b"));
    until("one of them evaluates", || a.alerts.engine.is_leading() || b.alerts.engine.is_leading());
    let judges = [&a, &b].map(|node| {
        let judge = Arc::new(FiringJudge::default());
        node.alerts.set_alarm_judge(judge.clone());
        judge
    });
    let author = Author { name: "a".into(), scope: types::GroupScope::All, is_admin: true };
    let groups = vec!["metrics/cloudwatch/n".to_owned()];
    let mut document = AlarmDocument::new(serde_json::json!({}), groups, &author, Timestamp(0));
    document.interval_ns = Some(Timestamp::SECOND);
    b.store.settings().put(ALARM, "latency", &serde_json::to_string(&document).unwrap()).unwrap();
    b.alerts.refresh().unwrap();
    let (first, other) = if a.alerts.engine.is_leading() { (a, b) } else { (b, a) };
    let told = first.received.recv_timeout(Duration::from_secs(60)).unwrap();
    assert_eq!((told["status"].as_str(), told["labels"]["alertname"].as_str()), (Some("firing"), Some("latency")));
    until("the other node shows it", || other.alerts.alarms().iter().any(|alarm| alarm.memory.is_some()));
    let n_judged = |n: usize| judges.iter().map(|judge| judge.0.load(Ordering::Relaxed)).sum::<usize>() >= n;
    until("it is judged again", || n_judged(2));
    assert!(judges.iter().any(|judge| judge.0.load(Ordering::Relaxed) == 0), "both nodes judge it");
    let Node { store, alerts, received } = first;
    alerts.stop();
    drop((alerts, store));
    until("the other node judges it", || judges.iter().all(|judge| judge.0.load(Ordering::Relaxed) > 0));
    assert!(received.try_recv().is_err() && other.received.try_recv().is_err());
    assert_eq!(other.alerts.n_waiting(), 0);
    other.alerts.stop();
}

fn report(due: i64) -> Report {
    Report {
        name: "daily".to_owned(),
        due: Timestamp(due),
        subject: "Payments".to_owned(),
        text: "See the file.".to_owned(),
        enclosure: Some(Enclosure { name: "daily.html".to_owned(), html: "<p>pay</p>".to_owned() }),
        topic: "reports".to_owned(),
        groups: Vec::new(),
    }
}

#[test]
fn a_report_is_sent_once_for_each_time_whichever_node_sends() {
    let Some(lab) = FleetLab::new() else { return };
    let (a, b) = (Node::new(&lab, "a"), Node::new(&lab, "b"));
    until("one of them sends", || a.alerts.engine.is_leading() || b.alerts.engine.is_leading());
    let (first, other) = if a.alerts.engine.is_leading() { (a, b) } else { (b, a) };
    assert!(other.alerts.send_report(&report(1)).is_err());
    first.alerts.send_report(&report(1)).unwrap();
    first.alerts.send_report(&report(1)).unwrap();
    let letter = first.received.recv_timeout(Duration::from_secs(60)).unwrap();
    assert_eq!(
        (&letter["annotations"]["summary"], &letter["enclosure"]["html"]),
        (&"Payments".into(), &"<p>pay</p>".into())
    );
    let delivered = |node: &Node| node.alerts.sent_report("daily")?.channels["mail"].delivered_at;
    until("the other node knows", || delivered(&other).is_some());
    let Node { store, alerts, received } = first;
    alerts.stop();
    drop((alerts, store));
    until("the other node sends", || other.alerts.engine.is_leading());
    other.alerts.send_report(&report(1)).unwrap();
    other.alerts.send_report(&report(2)).unwrap();
    let letter = other.received.recv_timeout(Duration::from_secs(60)).unwrap();
    assert_eq!(letter["report"]["due"], 2);
    until("it is delivered", || delivered(&other).is_some());
    assert!(received.try_recv().is_err() && other.received.try_recv().is_err());
    // What was enclosed is not kept, nor what became of reports that are no more.
    other.alerts.forget_reports(|_| false).unwrap();
    assert!(other.store.settings().all(crate::report::ENCLOSURE).unwrap().is_empty());
    assert_eq!(other.alerts.sent_report("daily"), None);
    other.alerts.stop();
}
