//! `/api/v1/service-map`: the services and the calls between them with rate, latency and errors, and how these changed.

use std::collections::BTreeSet;

use serde_json::{Value as Json_, json};
use types::{TimeRange, Timestamp};

use door::{Outcome, Reply, reason_json, stats_json};

use crate::map::graph::{Graph, Node, NodeId, NodeKind};
use crate::map::measure::Total;
use crate::map::{self};
use crate::read::{Reading, query};
use crate::state::Call;
use crate::times;

const PARAMETERS: [&str; 6] = ["from", "to", "groups", "group", "compare_from", "compare_to"];

pub(crate) fn get(Call { server, parameters, .. }: Call) -> Outcome {
    parameters.check_names(&PARAMETERS)?;
    let now = server.now();
    let range = |from: &str, to: &str| times::range(parameters.get(from), parameters.get(to), now);
    let compared = range("compare_from", "compare_to")?;
    let range = range("from", "to")?.unwrap_or_else(|| times::last_hour(now));
    let (groups, state) = (parameters.groups(), server.state.clone());
    query(&server, "service map", move |run, reading| {
        let graph = map::map(run, &state, range, &groups, reading)?;
        let before = match compared {
            Some(range) => Some(map::map(run, &state, range, &groups, reading)?),
            None => None,
        };
        Ok(Reply::json(&written(&graph, before.as_ref(), reading)))
    })
}

fn written(graph: &Graph, before: Option<&Graph>, reading: &Reading) -> Json_ {
    let earlier_nodes = before.into_iter().flat_map(|before| before.nodes.keys());
    let nodes: BTreeSet<&NodeId> = graph.nodes.keys().chain(earlier_nodes).collect();
    let earlier_edges = before.into_iter().flat_map(|before| before.edges.keys());
    let edges: BTreeSet<&(NodeId, NodeId)> = graph.edges.keys().chain(earlier_edges).collect();
    let service = |id: &NodeId| shown(id, &nodes);
    let node = |id: &&NodeId| {
        let of = |graph: &Graph| graph.nodes.get(*id).map(|node| node.requests.clone());
        let mut json = with_change(&of, graph, before);
        let node = graph.nodes.get(*id);
        json["service"] = service(id).into();
        json["kind"] = id.0.name().into();
        json["logs_only"] = node.is_some_and(|node| node.is_logged_only).into();
        json["callers_unknown"] = node.map_or(0, |node: &Node| node.n_callers_unknown).into();
        json["targets_unknown"] = node.map_or(0, |node: &Node| node.n_targets_unknown).into();
        json
    };
    let edge = |id: &&(NodeId, NodeId)| {
        let mut json = with_change(&|graph: &Graph| graph.edges.get(*id).cloned(), graph, before);
        (json["from"], json["to"]) = (service(&id.0).into(), service(&id.1).into());
        json
    };
    json!({
        "from": graph.range.from.to_string(), "to": graph.range.to.to_string(),
        "compare_from": before.map(|before| before.range.from.to_string()),
        "compare_to": before.map(|before| before.range.to.to_string()),
        "nodes": nodes.iter().map(node).collect::<Vec<_>>(),
        "edges": edges.iter().map(edge).collect::<Vec<_>>(),
        "approximate": ["p50_ms", "p95_ms"],
        "partial": !reading.partial_reasons.is_empty(),
        "partial_reasons": reading.partial_reasons.iter().map(reason_json).collect::<Vec<_>>(),
        "stats": stats_json(&reading.stats),
    })
}

/// Returns the name of a node, with its kind if a service has the same name.
fn shown(id: &NodeId, nodes: &BTreeSet<&NodeId>) -> String {
    let is_taken = id.0 != NodeKind::Service && nodes.contains(&(NodeKind::Service, id.1.clone()));
    if is_taken { format!("{}:{}", id.0.name(), id.1) } else { id.1.to_string() }
}

/// Returns the numbers of a node or an edge, and those of the range compared with.
fn with_change(of: &dyn Fn(&Graph) -> Option<Total>, graph: &Graph, before: Option<&Graph>) -> Json_ {
    let numbers = |graph: &Graph| numbers(&of(graph).unwrap_or_default(), graph.range);
    let mut json = numbers(graph);
    if let Some(before) = before {
        json["before"] = numbers(before);
    }
    json
}

fn numbers(total: &Total, range: TimeRange) -> Json_ {
    let seconds = range.to.0.saturating_sub(range.from.0) as f64 / Timestamp::SECOND as f64;
    let share = if total.n == 0 { 0.0 } else { total.n_errors as f64 / total.n as f64 };
    let rounded = |number: f64| (number * 1e6).round() / 1e6;
    json!({
        "requests": total.n, "requests_per_s": rounded(total.n as f64 / seconds.max(1e-9)),
        "errors": total.n_errors, "error_share": rounded(share),
        "p50_ms": total.percentile_ms(0.5), "p95_ms": total.percentile_ms(0.95),
    })
}
