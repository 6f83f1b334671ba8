//! Containers of Kubernetes: namespaces, pods, what went to standard error.

use super::board::{Board, lines, present};
use super::general::ERRORS;
use super::insights::field;
use crate::document::PanelKind;

const NAMESPACE: [&str; 4] = ["namespace", "kubernetes.namespace_name", "k8s.namespace.name", "kubernetes.namespace"];
const POD: [&str; 4] = ["pod", "kubernetes.pod_name", "k8s.pod.name", "kubernetes.pod.name"];
const CONTAINER: [&str; 4] =
    ["container", "kubernetes.container_name", "k8s.container.name", "kubernetes.container.name"];
const NODE: [&str; 4] = ["node", "kubernetes.host", "k8s.node.name", "kubernetes.node.name"];

pub(super) fn add(board: &mut Board<'_>) {
    let facts = board.lines();
    let Some(pod) = facts.first_of(&POD).filter(|_| facts.first_of(&NAMESPACE).is_some()) else { return };
    board.section("Kubernetes");
    let pods = format!("stats count_distinct({}) as pods", field(pod));
    board.add(lines(PanelKind::Number, "Pods", &present(pod), pods).unit("count"));
    for (title, names) in
        [("Lines by namespace", &NAMESPACE), ("Lines by container", &CONTAINER), ("Lines by node", &NODE)]
    {
        if let Some(name) = facts.first_of(names).filter(|name| facts.n_distinct(name) > 1) {
            let query = format!("stats count(*) as lines by bin($__interval), {} as name", field(name));
            board.add(lines(PanelKind::Area, title, &present(name), query).unit("count").stacked());
        }
    }
    let by_pod =
        |number: &str| format!("stats count(*) as {number} by {} as pod | sort {number} desc | limit 15", field(pod));
    board.add(lines(PanelKind::Bar, "Lines by pod", &present(pod), by_pod("lines")).unit("count"));
    let failed = format!("{} and {ERRORS}", present(pod));
    board.add(lines(PanelKind::Bar, "Errors by pod", &failed, by_pod("errors")).unit("count"));
    if facts.has("stream") {
        let query = "stats count(*) as lines by bin($__interval)";
        let stderr = format!("{} and stream = \"stderr\"", present(pod));
        board.add(lines(PanelKind::Bar, "Lines on standard error", &stderr, query).unit("count").without_legend());
    }
}
