//! Two nodes of a fleet with the same rules: one evaluates, saves and sends; the other shows alerts, and continues where
//! the first one stopped.

use types::Timestamp;

use super::crash_tests::{Truth, rules};
use super::*;
use crate::fleet_lab::{FleetLab, until};
use crate::notify::Notification;
use crate::post::PostError;
use crate::state::Acknowledgement;

/// A node with its rules, as a test moves it.
struct Node {
    store: Arc<Store>,
    engine: RuleEngine,
}

const START: Timestamp = Timestamp(1_795_176_000 * Timestamp::SECOND);

fn after(minutes: i64) -> Timestamp {
    Timestamp(START.0 + minutes * Timestamp::MINUTE)
}

impl Node {
    fn new(lab: &FleetLab, name: &str) -> Self {
        let store = lab.node(name);
        let options = Options::new(lab.dirs.path().join(name).join("alerts"));
        let engine = RuleEngine::open(Some(&store), rules(), Vec::new(), &options, START).unwrap();
        engine.follow(&[], START).unwrap();
        Self { store, engine }
    }

    fn evaluate(&self, truth: &Truth, now: Timestamp) {
        self.engine.evaluate_due(truth, &|| now);
    }

    fn due(&self, now: Timestamp) -> Option<Notification> {
        let channel = self.engine.active_rules().channel("hook").cloned().unwrap();
        self.engine.due_notification(&channel, now)
    }

    fn settle(&self, sent: &Notification, now: Timestamp) {
        self.engine.settle("hook", &sent.id, &Ok(()), now);
    }

    /// Takes over from the previous node, which notices that only when it looks.
    fn take_over(&self, lab: &FleetLab, now: Timestamp) {
        lab.hand_over(&self.store);
        until("it has the lease", || self.store.has_alerts());
        self.engine.follow(&[], now).unwrap();
        assert!(self.engine.is_leading());
    }

    fn firing(&self) -> Vec<String> {
        self.engine.alert_views(START).into_iter().map(|alert| format!("{} {}", alert.rule, alert.state)).collect()
    }
}

/// Returns two nodes; the first one evaluates, and a rule fires on it.
fn scene(lab: &FleetLab) -> (Node, Node, Truth) {
    let (a, b) = (Node::new(lab, "a"), Node::new(lab, "b"));
    assert!(a.engine.is_leading() && !b.engine.is_leading());
    let truth = Truth(Mutex::new([true, false]));
    a.evaluate(&truth, START);
    (a, b, truth)
}

#[test]
fn the_next_node_sends_once_what_was_saved_and_not_sent() {
    let Some(lab) = FleetLab::new() else { return };
    let (a, b, truth) = scene(&lab);
    b.engine.follow(&[], START).unwrap();
    assert_eq!((b.firing(), b.engine.n_waiting()), (vec!["r alarm".to_owned()], 1));
    b.evaluate(&truth, START);
    assert!(b.due(START).is_none(), "it only shows what the other one saved");
    let meant = a.engine.locked().kept.clone();
    // Killed before it sends.
    drop(a);
    b.take_over(&lab, after(1));
    assert_eq!(b.engine.locked().kept, meant);
    let sent = b.due(after(1)).unwrap();
    b.settle(&sent, after(1));
    for minute in 1..5 {
        b.evaluate(&truth, after(minute));
        assert!(b.due(after(minute)).is_none());
    }
    // Its end comes once as well.
    *truth.0.lock().unwrap() = [false; 2];
    b.evaluate(&truth, after(20));
    let end = b.due(after(40)).unwrap();
    assert_eq!(end.body["status"], "resolved");
    b.settle(&end, after(40));
    assert_eq!((b.engine.n_waiting(), b.firing().len()), (0, 0));
}

#[test]
fn no_other_node_repeats_what_was_sent_and_saved() {
    let Some(lab) = FleetLab::new() else { return };
    let (a, b, truth) = scene(&lab);
    let sent = a.due(START).unwrap();
    a.settle(&sent, START);
    drop(a);
    b.take_over(&lab, after(1));
    b.evaluate(&truth, after(1));
    assert!(b.due(after(1)).is_none() && b.engine.n_waiting() == 0);
    assert_eq!(b.firing(), ["r alarm"]);
    let delivered = b.engine.alert_views(START)[0].notified[0].delivered_at.clone();
    assert_eq!(delivered, Some(START.to_string()));
}

#[test]
fn a_notification_that_was_sent_and_not_noted_is_repeated_under_its_id() {
    let Some(lab) = FleetLab::new() else { return };
    let (a, b, _) = scene(&lab);
    let begun = a.due(START).unwrap();
    // Killed after it has sent, before that is saved.
    drop(a);
    b.take_over(&lab, after(1));
    assert_eq!(b.due(after(1)).unwrap().id, begun.id);
}

#[test]
fn a_node_that_lost_the_lease_saves_nothing_and_sends_nothing() {
    let Some(lab) = FleetLab::new() else { return };
    let (a, b, truth) = scene(&lab);
    let begun = a.due(START).unwrap();
    let failed = Err(PostError::Retry { after: None, reason: "answered 500".into() });
    a.engine.settle("hook", &begun.id, &failed, START);
    let saved = || lab.sql("control", "SELECT version FROM states WHERE name = 'alerts'");
    let before = saved();
    // It still believes that it has the lease.
    lab.hand_over(&b.store);
    assert!(a.engine.is_leading());
    assert!(a.due(after(1)).is_none(), "another attempt needs the lease");
    assert!(!a.engine.is_leading());
    *truth.0.lock().unwrap() = [true, true];
    a.evaluate(&truth, after(2));
    assert!(a.due(after(2)).is_none() && saved() == before);
    assert!(a.engine.save_error().is_none(), "it is no failure");
    b.take_over(&lab, after(2));
    b.evaluate(&truth, after(2));
    assert_eq!(b.firing(), ["r alarm", "r alarm"]);
    assert_eq!(b.due(after(2)).unwrap().id, begun.id);
    a.engine.follow(&[], after(2)).unwrap();
    assert_eq!(a.firing(), b.firing());
    // The way back.
    a.take_over(&lab, after(3));
    assert_eq!(a.engine.locked().kept, b.engine.locked().kept);
}

#[test]
fn an_evaluation_that_began_under_an_earlier_lease_is_discarded() {
    let Some(lab) = FleetLab::new() else { return };
    let (a, b, truth) = scene(&lab);
    let rule = a.engine.active_rules().rules[0].clone();
    b.take_over(&lab, after(1));
    until("it knows", || !a.store.has_alerts());
    a.engine.follow(&[], after(1)).unwrap();
    a.take_over(&lab, after(2));
    let before = a.engine.locked().kept.clone();
    *truth.0.lock().unwrap() = [false; 2];
    a.engine.evaluate_rule(&rule, &truth, after(2), &mut crate::schedule::Outcome::default());
    assert_eq!(a.engine.locked().kept, before);
}

#[test]
fn a_save_whose_answer_was_lost_is_read_back() {
    let Some(lab) = FleetLab::new() else { return };
    let (a, _b, truth) = scene(&lab);
    lab.sql("control", "UPDATE states SET version = version + 1");
    *truth.0.lock().unwrap() = [true, true];
    a.evaluate(&truth, after(1));
    assert!(!a.engine.is_leading(), "what is saved is not what it knows");
    a.engine.follow(&[], after(1)).unwrap();
    a.evaluate(&truth, after(2));
    assert!(a.engine.is_leading());
    assert_eq!(a.firing(), ["r alarm", "r alarm"]);
}

#[test]
fn a_state_of_a_later_version_is_left_alone() {
    let Some(lab) = FleetLab::new() else { return };
    let (a, b, _) = scene(&lab);
    lab.sql("control", "UPDATE state_records SET body = '2', version = version + 1 WHERE key = 'format'");
    lab.sql("control", "UPDATE states SET version = version + 1");
    lab.hand_over(&b.store);
    until("it has the lease", || b.store.has_alerts());
    // However often it looks.
    for _ in 0..2 {
        let refused = b.engine.follow(&[], after(1)).unwrap_err().to_string();
        assert!(refused.contains("format 2 of a state is newer than 1"), "{refused}");
    }
    assert!(!b.engine.is_leading() && b.due(after(1)).is_none());
    drop(a);
}

#[test]
fn an_acknowledgement_on_another_node_holds_after_a_take_over() {
    let Some(lab) = FleetLab::new() else { return };
    let (a, b, truth) = scene(&lab);
    let sent = a.due(START).unwrap();
    a.settle(&sent, START);
    b.engine.follow(&[], START).unwrap();
    let id = b.engine.alert_views(START)[0].id.clone();
    let acknowledged = Some(Acknowledgement { by: "ann".into(), at: START.to_string(), comment: "on it".into() });
    let starts_at = b.engine.fires_since(&id).unwrap();
    let order = AcknowledgementOrder { alert: id, starts_at, acknowledged: acknowledged.clone() };
    let shown = |node: &Node| node.engine.alert_views(START)[0].acknowledged.clone();
    // Shown at once where it was made; `a` is killed before it reads the order.
    assert!(b.engine.follow(std::slice::from_ref(&order), START).unwrap().is_empty());
    assert_eq!((shown(&b), shown(&a)), (acknowledged.clone(), None));
    drop(a);
    lab.hand_over(&b.store);
    until("it has the lease", || b.store.has_alerts());
    assert!(b.engine.follow(std::slice::from_ref(&order), after(1)).unwrap().is_empty());
    let channel = b.engine.active_rules().channel("hook").cloned().unwrap();
    // Without it, channels would be notified again.
    b.evaluate(&truth, after(300));
    b.engine.tend(&channel, after(300));
    assert!(b.due(after(300)).is_none());
    // The saved state contains it, also without the order.
    let c = Node::new(&lab, "c");
    assert_eq!(shown(&c), acknowledged);
    let withdrawn = AcknowledgementOrder { acknowledged: None, ..order };
    assert!(b.engine.follow(std::slice::from_ref(&withdrawn), after(301)).unwrap().is_empty());
    b.engine.tend(&channel, after(301));
    assert!(b.due(after(301)).is_some());
    *truth.0.lock().unwrap() = [false; 2];
    b.evaluate(&truth, after(310));
    assert_eq!(
        b.engine.follow(std::slice::from_ref(&withdrawn), after(310)).unwrap(),
        [withdrawn],
        "of no use any more"
    );
}

#[test]
fn a_save_writes_what_has_changed() {
    let Some(lab) = FleetLab::new() else { return };
    let (a, _b, _) = scene(&lab);
    let rule = |n: usize| (format!("rule {n}"), crate::state::RuleState { why: "1 of 3".into(), ..Default::default() });
    let mut kept = a.engine.locked().kept.clone();
    kept.rules.extend((0..1_000).map(rule));
    a.engine.states.save(&kept).unwrap();
    let size = |of: &str| {
        let found = lab.sql("control", &format!("SELECT count(*), sum(length(body)) FROM state_records {of}"));
        let (n_records, n_bytes) = found.split_once('|').unwrap();
        (n_records.parse::<u64>().unwrap(), n_bytes.parse::<u64>().unwrap())
    };
    let (n_records, n_bytes) = size("");
    assert!(n_records < 1_020 && n_bytes < 110_000, "{n_records} records with {n_bytes} bytes");
    kept.rules.get_mut("rule 7").unwrap().evaluated_at = Some(1);
    kept.rules.remove("rule 8");
    a.engine.states.save(&kept).unwrap();
    assert_eq!(size("WHERE version = (SELECT version FROM states WHERE name = 'alerts')").0, 1);
    assert_eq!(a.engine.states.news::<AlertState>().unwrap(), None);
    a.engine.states.forget();
    assert_eq!(a.engine.states.news().unwrap(), Some(kept));
}
