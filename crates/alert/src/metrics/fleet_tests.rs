//! Two nodes of a fleet with the same metric: one counts; the other shows what was saved, and continues from there.

use super::*;
use crate::fleet_lab::{FleetLab, append_errors, until};

fn started(lab: &FleetLab, name: &str) -> (Arc<Store>, Arc<Metrics>) {
    let store = lab.node(name);
    let metrics = Metrics::start(store.clone(), Options::new(lab.dirs.path().join(name), Clock::system())).unwrap();
    (store, metrics)
}

/// Returns what a node shows of the metric where counts are summed up.
fn shown(metrics: &Metrics) -> Vec<f64> {
    let families = metrics.families();
    let own = families.iter().filter(|family| family.name == "errors_total");
    own.flat_map(|family| family.samples.iter().map(|sample| sample.value)).collect()
}

#[test]
fn every_event_counts_once_whichever_node_accepts_it_and_whichever_counts() {
    let Some(lab) = FleetLab::new() else { return };
    let (store, a) = started(&lab, "a");
    let (of_b, b) = started(&lab, "b");
    append_errors(&store, &["before"]);
    let settings =
        serde_json::from_str(r#"{"name": "errors_total", "type": "counter", "query": "filter @level >= 'error'"}"#);
    let author = Author { name: "ann".into(), scope: GroupScope::All, sees_own_groups: true };
    b.make(settings.unwrap(), author).unwrap();
    append_errors(&store, &["one", "two"]);
    append_errors(&of_b, &["three"]);
    until("the node with the lease counts", || shown(&a) == [3.0]);
    assert_eq!(shown(&b), [0.0; 0], "a sum over nodes has everything once");
    a.stop();
    drop((a, store));
    append_errors(&of_b, &["four"]);
    until("the other one continues", || shown(&b) == [4.0]);
    assert_eq!(b.get("errors_total").unwrap().events, 4);
    // A third one shows what is saved.
    let (_store, c) = started(&lab, "c");
    until("it shows it", || c.list().len() == 1);
    assert_eq!(shown(&c), [0.0; 0]);
    b.remove("errors_total").unwrap();
    until("it is gone everywhere", || c.list().is_empty());
}
