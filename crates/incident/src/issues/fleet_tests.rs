//! Two nodes of a fleet: each error counts once, whichever node accepts it and whichever counts, and people may ask any.

use super::*;
use crate::fleet_lab::{FleetLab, append_errors, until};
use alert::RuleSet;

fn started(lab: &FleetLab, name: &str) -> (Arc<Store>, Arc<Alerts>, Issues) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let store = lab.node(name);
    let options = alert::Options::new(lab.dirs.path().join(name));
    let alerts = Alerts::start(store.clone(), RuleSet::default(), options).expect("alerting starts");
    let issues = Issues::start(store.clone(), Clock::system(), alerts.clone()).expect("issues start");
    (store, alerts, issues)
}

fn count(issues: &Issues) -> u64 {
    issues.list(&GroupScope::All, &IssueFilter::default()).iter().map(|view| view.count).sum()
}

#[test]
fn issues_are_counted_by_one_node_and_decided_on_any() {
    let Some(lab) = FleetLab::new() else { return };
    let (store, alerts, a) = started(&lab, "a");
    let (of_b, _alerts_b, b) = started(&lab, "b");
    append_errors(&store, &["db-1 away", "db-2 away"]);
    append_errors(&of_b, &["db-3 away"]);
    until("one node counts", || count(&a) == 3 || count(&b) == 3);
    until("the other shows it", || count(&a) == 3 && count(&b) == 3);
    let id = b.list(&GroupScope::All, &IssueFilter::default())[0].id.clone();
    let change = serde_json::from_str(r#"{"state": "resolved"}"#).expect("a change");
    b.change(&Author { name: "ann".into(), scope: GroupScope::All }, &id, change).expect("a good change");
    let state = |issues: &Issues| issues.get(&GroupScope::All, &id).map(|view| view.state).ok();
    until("both know it", || state(&a) == Some(IssueState::Resolved) && state(&b) == state(&a));
    append_errors(&of_b, &["db-4 away"]);
    until("it is back", || state(&a) == Some(IssueState::Regressed) && state(&b) == state(&a));
    drop((a, alerts, store));
    append_errors(&of_b, &["db-5 away"]);
    until("the other one continues", || count(&b) == 5);
}
